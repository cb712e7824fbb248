// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/technology_node.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "base/csv.h"
#include "base/text.h"
#include "sim/strikes/source_note.h"

namespace tilestrike::sim {
namespace {

constexpr const char* kKey = "technology node";
constexpr double kMostRate = 1e9;
constexpr double kMostRatio = 0.999;
constexpr double kMeanTolerance = 0.02;  // relative; the file's numbers are rounded

// As notes of sources name them.
constexpr std::string_view kRadiations[] = {"neutron", "alpha", "thermal"};

using Node = TechnologyNode;

const std::array<NodeColumn, 27> kColumns = {{
    {"node_nm", nullptr, &Node::size_nm, 0.1, 1e5, false, "nm", "name of the node, with 'nm'"},
    {"vdd_v", "vdd_src", &Node::vdd, 0.01, 10, false, "V", "supply voltage of the other values"},
    {"ser_n_fit_mb", "ser_n_src", &Node::neutron_rate, 0, kMostRate, false, "FIT/Mbit",
     "neutron events at sea level", Given::kNumber, "neutron"},
    {"ser_n_lo", "ser_n_src", &Node::neutron_low, 0, kMostRate, false, "FIT/Mbit",
     "lower end of their band"},
    {"ser_n_hi", "ser_n_src", &Node::neutron_high, 0, kMostRate, false, "FIT/Mbit",
     "upper end of their band"},
    {"ser_alpha_fit_mb", "ser_alpha_src", &Node::alpha_rate, 0, kMostRate, false, "FIT/Mbit",
     "alpha events", Given::kCell, "alpha"},
    {"ser_thermal_fit_mb", "ser_thermal_src", &Node::thermal_rate, 0, kMostRate, false, "FIT/Mbit",
     "thermal neutron events; where the neutron rate is one of real time, it may count up to their "
     "share already",
     Given::kOptional, "thermal"},
    {"mcu_frac", "mcu_frac_src", &Node::multi_cell_share, 0, 1, false, "",
     "share of neutron events that upset several cells"},
    {"mcu_lo", "mcu_band_src", &Node::multi_cell_low, 0, 1, false, "", "lower end of its band",
     Given::kOptional},
    {"mcu_hi", "mcu_band_src", &Node::multi_cell_high, 0, 1, false, "", "upper end of its band",
     Given::kOptional},
    {"geo_r", "geo_r_src", &Node::tail_ratio, 0, kMostRatio, false, "",
     "ratio of the geometric law of several cells"},
    {"geo_r_lo", "geo_r_band_src", &Node::tail_low, 0, kMostRatio, false, "",
     "lower end of its band", Given::kOptional},
    {"geo_r_hi", "geo_r_band_src", &Node::tail_high, 0, kMostRatio, false, "",
     "upper end of its band", Given::kOptional},
    {"mean_mult", "mean_mult_src", &Node::mean_cells, 1, 100, false, "cells",
     "mean number of cells of an event"},
    {"max_mult", "max_mult_src", &Node::most_cells, 1, 100, true, "cells",
     "most cells of an event"},
    {"cell_w_wl_um", "cell_src", &Node::cell_width_um, 1e-3, 1e3, false, "um",
     "pitch of cells along the word line"},
    {"cell_h_bl_um", "cell_src", &Node::cell_height_um, 1e-3, 1e3, false, "um",
     "pitch of cells along the bit line"},
    {"ff_n_fit_mb", "ff_n_src", &Node::flip_flop_neutron_rate, 0, kMostRate, false, "FIT/Mbit",
     "neutron events of flip-flops at sea level", Given::kCell, "neutron"},
    {"ff_alpha_fit_mb", "ff_alpha_src", &Node::flip_flop_alpha_rate, 0, kMostRate, false,
     "FIT/Mbit", "alpha events of flip-flops", Given::kOptional, "alpha"},
    {"ff_thermal_fit_mb", "ff_thermal_src", &Node::flip_flop_thermal_rate, 0, kMostRate, false,
     "FIT/Mbit", "thermal neutron events of flip-flops", Given::kOptional, "thermal"},
    {"growth_p_wl", "growth_p_src", &Node::word_line_share, 0, 1, false, "",
     "share of a cluster's steps that go along the word line"},
    {"growth_lo", "growth_band_src", &Node::word_line_low, 0, 1, false, "", "lower end of its band",
     Given::kOptional},
    {"growth_hi", "growth_band_src", &Node::word_line_high, 0, 1, false, "",
     "upper end of its band", Given::kOptional},
    {"tap_rows", "tap_src", &Node::tap_rows, 0, 1e6, true, "rows",
     "rows between well taps; 0: none"},
    {"mcu_logit_per_v", "mcu_logit_src", &Node::share_logit_per_volt, 0, 1e3, false, "1/V",
     "rise of the multi-cell share's logit per volt below vdd"},
    {"alpha_mcu_frac", "alpha_mcu_src", &Node::alpha_multi_cell_share, 0, 1, false, "",
     "share of alpha events that upset several cells"},
    {"zero_to_one_ratio", "zero_to_one_src", &Node::zero_to_one, 1e-2, 1e2, false, "",
     "sensitivity of a stored 0 over that of a stored 1"},
}};

/// Columns of before, which files of one's own may still have.
struct Renamed {
  const char* before;
  const char* now;
  const char* cure;
};
constexpr std::array<Renamed, 2> kRenamed = {{
    {"ff_fit_mb", "ff_n_fit_mb",
     "name it 'ff_n_fit_mb': it counts the neutron events of flip-flops, which follow the "
     "altitude; alpha events go to 'ff_alpha_fit_mb', thermal ones to 'ff_thermal_fit_mb'"},
    {"ff_src", "ff_n_src", "name it 'ff_n_src'"},
}};

// Columns of text.
constexpr const char* kDevice = "device";
constexpr const char* kRateCounts = "rate_counts";
constexpr const char* kRateCountsSource = "rate_counts_src";
constexpr const char* kName = "name";  // optional: instead of node_nm with 'nm'
constexpr const char* kUnknownText = "-";

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

/// The columns of one file by name.
class Columns {
 public:
  Columns(const CsvTable& table, const std::string& file, ErrorList& errors) {
    std::vector<std::string> known = {kName, kDevice, kRateCounts, kRateCountsSource};
    for (const NodeColumn& column : kColumns) {
      known.emplace_back(column.name);
      if (column.source != nullptr) {
        known.emplace_back(column.source);
      }
    }
    for (std::size_t i = 0; i < table.header.size(); ++i) {
      const CsvCell& cell = table.header[i];
      const auto renamed = std::ranges::find(kRenamed, cell.text, &Renamed::before);
      if (renamed != kRenamed.end()) {
        errors.add(
            ErrorCode::kInvalidInput,
            std::string(kKey) + ": the column '" + cell.text + "' is now '" + renamed->now + "'",
            cell.place.text(), renamed->cure);
        required_.emplace(renamed->now, true);
      } else if (std::find(known.begin(), known.end(), cell.text) == known.end()) {
        errors.add(ErrorCode::kInvalidInput,
                   std::string(kKey) + ": unknown column '" + cell.text + "'", cell.place.text(),
                   suggestion(cell.text, known));
      } else if (!index_.emplace(cell.text, i).second) {
        errors.add(ErrorCode::kInvalidInput,
                   std::string(kKey) + ": the column '" + cell.text + "' is there twice",
                   cell.place.text(), "keep one of the two");
      }
    }
    const Place top = table.header.empty() ? Place{file, 1, 1} : table.header.front().place;
    const auto require = [&](const char* name, const std::string& help) {
      if (!find(name) && !required_.contains(name)) {
        errors.add(ErrorCode::kInvalidInput,
                   std::string(kKey) + ": the column '" + name + "' is missing", top.text(),
                   "add it: " + help);
      }
    };
    require(kDevice, "planar, finfet, ...");
    require(kRateCounts, "what the rates count: events");
    require(kRateCountsSource, "where that comes from");
    for (const NodeColumn& column : kColumns) {
      if (column.given != Given::kOptional) {
        require(column.name,
                std::string(column.help) + (*column.unit != '\0' ? ", in " : "") + column.unit);
      }
      // Several columns may share a source; name it once.
      if (column.source != nullptr &&
          (column.given != Given::kOptional || find(column.name).has_value())) {
        require(column.source, "where " + std::string(column.name) + " comes from");
        required_.emplace(column.source, true);
      }
    }
  }

  std::optional<std::size_t> find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? std::nullopt : std::optional<std::size_t>(found->second);
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::map<std::string, bool> required_;  // columns of which nothing need be said any more
};

std::string allowed(const NodeColumn& column) {
  return std::string("give ") + (column.is_whole ? "a whole number" : "a number") + " from " +
         number_text(column.least) + " to " + number_text(column.most) +
         (*column.unit != '\0' ? std::string(" ") + column.unit : "") +
         (column.given != Given::kNumber ? ", or '-' where nothing is known" : "") + ": " +
         column.help;
}

/// Reads one row; whether all of its cells are sound.
class RowReader {
 public:
  RowReader(const std::vector<CsvCell>& row, const Columns& columns, ErrorList& errors)
      : row_(row), columns_(columns), errors_(errors) {}

  std::optional<TechnologyNode> read() {
    TechnologyNode node;
    for (const NodeColumn& column : kColumns) {
      read_number(column, node.*column.member);
    }
    node.name = text_in(kName);
    if (node.name.empty()) {
      node.name = text_in("node_nm") + "nm";
    }
    node.device = text_in(kDevice);
    if (const std::string counts = text_in(kRateCounts); counts != "events") {
      add(kRateCounts, "rates count '" + counts + "'",
          "divide them by mean_mult if they count flipped bits, and write 'events'");
    }
    read_source(kRateCountsSource, node.rate_counts);
    if (is_sound_) {
      check(node);
    }
    return is_sound_ ? std::optional<TechnologyNode>(std::move(node)) : std::nullopt;
  }

 private:
  const CsvCell& cell_in(const char* name) const { return row_[*columns_.find(name)]; }
  std::string text_in(const char* name) const {
    return columns_.find(name) ? cell_in(name).text : std::string();
  }

  void add(const char* column, const std::string& what, const std::string& cure) {
    errors_.add(ErrorCode::kInvalidInput, std::string(kKey) + ": " + column + ": " + what,
                cell_in(column).place.text(), cure);
    is_sound_ = false;
  }

  void read_number(const NodeColumn& column, Sourced& number) {
    if (!columns_.find(column.name)) {  // optional
      number = {0.0, kUnknownText, Provenance::kUnknown};
      return;
    }
    const std::string text = text_in(column.name);
    const std::optional<double> value = parse_real(text);
    const bool is_unknown = text == kUnknownText && column.given != Given::kNumber;
    if (is_unknown) {
      number.value = 0.0;
    } else if (!value) {
      add(column.name, text.empty() ? "the cell is empty" : "'" + text + "' is not a number",
          allowed(column));
    } else if (*value < column.least || *value > column.most ||
               (column.is_whole && *value != std::floor(*value))) {
      add(column.name, text + " is out of range", allowed(column));
    } else {
      number.value = *value;
    }
    if (column.source == nullptr) {
      number.provenance = Provenance::kPrimary;  // a name rather than a finding
      return;
    }
    if (!read_source(column.source, number)) {
      return;
    }
    if (is_unknown != (number.provenance == Provenance::kUnknown)) {
      add(column.source,
          is_unknown
              ? std::string(column.name) + " is unknown, but has the source '" + number.source + "'"
              : "'" + number.source + "' is the source of what is unknown, but " + column.name +
                    " is " + text,
          "write '-' in both, or a number and where it comes from");
    } else if (column.radiation != nullptr && value) {
      check_rate(column, text, number);
    }
  }

  /// A rate against what its source says of it: its radiation, and its number in another unit.
  void check_rate(const NodeColumn& column, const std::string& text, const Sourced& rate) {
    for (const SourcePart& part : parts_of_source(rate.source)) {
      for (const SourceNote& note : part.notes) {
        if (std::ranges::find(kRadiations, note.about) == std::end(kRadiations)) {
          continue;
        }
        if (note.about != column.radiation) {
          add(column.source, "'" + rate.source + "' is of " + note.about + " events",
              std::string(column.name) + " counts " + column.radiation +
                  " events: move the number to the column of its radiation");
        } else if (note.number) {
          check_number(column, text, rate, note);
        }
      }
    }
  }

  void check_number(const NodeColumn& column, const std::string& text, const Sourced& rate,
                    const SourceNote& note) {
    const std::optional<double> fit = fit_per_mbit(*note.number, note.unit);
    if (!fit) {
      add(column.source, "'" + note.unit + "' is not a unit of rates",
          std::string("units: ") + kRateUnits);
    } else if (std::abs(*fit - rate.value) > rounding_of(text)) {
      add(column.name,
          text + " does not follow from '" + rate.source + "', which is " + number_text(*fit) +
              " FIT/Mbit",
          "correct one of the two; MB is 8 Mb");
    }
  }

  bool read_source(const char* column, Sourced& number) {
    number.source = text_in(column);
    const std::optional<Provenance> provenance = provenance_of(number.source);
    if (provenance) {
      number.provenance = *provenance;
    } else if (bad_sources_.emplace(column, true).second) {
      std::vector<std::string> tags;
      for (const ProvenanceTerm& term : kProvenanceTerms) {
        tags.emplace_back(term.tag);
      }
      add(column, "'" + number.source + "' begins with no tag of provenance",
          "write TAG or TAG:SOURCE, several with ';' between; tags: " + join(tags, ", "));
    }
    return provenance.has_value();
  }

  /// Ends of the band around a column's value.
  void check_band(const char* column, const char* low_column, const char* high_column,
                  const Sourced& value, const Sourced& low, const Sourced& high) {
    if (is_known(low) != is_known(high)) {
      add(is_known(low) ? low_column : high_column, "the band has one end alone",
          std::string("give both ") + low_column + " and " + high_column + ", or '-' in both");
    } else if (is_known(low) && (value.value < low.value || value.value > high.value)) {
      add(column,
          number_text(value.value) + " lies outside its band of " + number_text(low.value) +
              " to " + number_text(high.value),
          std::string("let ") + low_column + " <= " + column + " <= " + high_column);
    }
  }

  void check(const TechnologyNode& node) {
    check_band("ser_n_fit_mb", "ser_n_lo", "ser_n_hi", node.neutron_rate, node.neutron_low,
               node.neutron_high);
    check_band("mcu_frac", "mcu_lo", "mcu_hi", node.multi_cell_share, node.multi_cell_low,
               node.multi_cell_high);
    check_band("geo_r", "geo_r_lo", "geo_r_hi", node.tail_ratio, node.tail_low, node.tail_high);
    check_band("growth_p_wl", "growth_lo", "growth_hi", node.word_line_share, node.word_line_low,
               node.word_line_high);
    const auto most = static_cast<int>(node.most_cells.value);
    const bool has_several =
        node.multi_cell_share.value > 0.0 || node.alpha_multi_cell_share.value > 0.0;
    if (has_several && most < 2) {
      add("max_mult", "events upset several cells, but at most one", "give 2 or more");
      return;
    }
    const double mean = sim::mean_cells(node.multi_cell_share.value, node.tail_ratio.value, most);
    if (std::abs(mean - node.mean_cells.value) > kMeanTolerance * mean) {
      add("mean_mult",
          text_in("mean_mult") + " does not follow from mcu_frac, geo_r and max_mult, which give " +
              number_text(mean),
          "correct one of the four");
    }
  }

  const std::vector<CsvCell>& row_;
  const Columns& columns_;
  ErrorList& errors_;
  std::map<std::string, bool> bad_sources_;
  bool is_sound_ = true;
};

}  // namespace

std::span<const NodeColumn> node_columns() { return kColumns; }

double mean_cells(double share, double ratio, int most) {
  double weights = 0.0, cells = 0.0, weight = 1.0;
  for (int m = 2; m <= most; ++m) {
    weights += weight;
    cells += weight * m;
    weight *= ratio;
  }
  return weights > 0.0 ? 1.0 - share + share * cells / weights : 1.0;
}

std::vector<TechnologyNode> parse_technology_nodes(const std::string& text,
                                                   const std::string& file) {
  ErrorList errors;
  const CsvTable table = parse_csv(text, file, kKey, errors);
  const Columns columns(table, file, errors);
  errors.throw_if_any();
  std::vector<TechnologyNode> nodes;
  std::map<std::string, Place> names;
  for (const std::vector<CsvCell>& row : table.rows) {
    std::optional<TechnologyNode> node = RowReader(row, columns, errors).read();
    if (!node) {
      continue;
    }
    const Place& place = row.front().place;
    const auto [first, is_new] = names.emplace(node->name, place);
    if (!is_new) {
      errors.add(ErrorCode::kInvalidInput,
                 std::string(kKey) + ": '" + node->name + "' is there twice", place.text(),
                 "it is also in line " + std::to_string(first->second.line) +
                     "; remove one, or tell them apart in a column 'name'");
      continue;
    }
    nodes.push_back(std::move(*node));
  }
  if (table.rows.empty()) {
    errors.add(ErrorCode::kInvalidInput, std::string(kKey) + ": the file has no nodes", file,
               "write one node on each line below the column names");
  }
  errors.throw_if_any();
  return nodes;
}

std::vector<TechnologyNode> read_technology_nodes(const std::string& file) {
  return parse_technology_nodes(read_text_file(file), file);
}

}  // namespace tilestrike::sim
