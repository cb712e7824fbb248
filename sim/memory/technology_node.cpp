// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/technology_node.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "base/csv.h"
#include "base/text.h"

namespace tilestrike::sim {
namespace {

constexpr const char* kKey = "technology node";
constexpr double kMostRate = 1e9;
constexpr double kMeanTolerance = 0.02;  // relative; the file's numbers are rounded

using Node = TechnologyNode;

const std::array<NodeColumn, 19> kColumns = {{
    {"node_nm", nullptr, &Node::size_nm, 0.1, 1e5, false, "nm", "name of the node, with 'nm'"},
    {"vdd_v", "vdd_src", &Node::vdd, 0.01, 10, false, "V", "supply voltage of the other values"},
    {"ser_n_fit_mb", "ser_n_src", &Node::neutron_rate, 0, kMostRate, false, "FIT/Mbit",
     "neutron events at sea level"},
    {"ser_n_lo", "ser_n_src", &Node::neutron_low, 0, kMostRate, false, "FIT/Mbit",
     "lower end of their band"},
    {"ser_n_hi", "ser_n_src", &Node::neutron_high, 0, kMostRate, false, "FIT/Mbit",
     "upper end of their band"},
    {"ser_alpha_fit_mb", "ser_alpha_src", &Node::alpha_rate, 0, kMostRate, false, "FIT/Mbit",
     "alpha events"},
    {"ser_thermal_fit_mb", "ser_thermal_src", &Node::thermal_rate, 0, kMostRate, false, "FIT/Mbit",
     "thermal neutron events", true},
    {"mcu_frac", "mcu_frac_src", &Node::multi_cell_share, 0, 1, false, "",
     "share of neutron events that upset several cells"},
    {"geo_r", "geo_r_src", &Node::tail_ratio, 0, 0.999, false, "",
     "ratio of the geometric law of several cells"},
    {"mean_mult", "mean_mult_src", &Node::mean_cells, 1, 100, false, "cells",
     "mean number of cells of an event"},
    {"max_mult", "max_mult_src", &Node::most_cells, 1, 100, true, "cells",
     "most cells of an event"},
    {"cell_w_wl_um", "cell_src", &Node::cell_width_um, 1e-3, 1e3, false, "um",
     "pitch of cells along the word line"},
    {"cell_h_bl_um", "cell_src", &Node::cell_height_um, 1e-3, 1e3, false, "um",
     "pitch of cells along the bit line"},
    {"ff_fit_mb", "ff_src", &Node::flip_flop_rate, 0, kMostRate, false, "FIT/Mbit",
     "neutron events of flip-flops"},
    {"growth_p_wl", "growth_p_src", &Node::word_line_share, 0, 1, false, "",
     "share of a cluster's steps that go along the word line"},
    {"tap_rows", "tap_src", &Node::tap_rows, 0, 1e6, true, "rows",
     "rows between well taps; 0: none"},
    {"mcu_logit_per_v", "mcu_logit_src", &Node::share_logit_per_volt, 0, 1e3, false, "1/V",
     "rise of the multi-cell share's logit per volt below vdd"},
    {"alpha_mcu_frac", "alpha_mcu_src", &Node::alpha_multi_cell_share, 0, 1, false, "",
     "share of alpha events that upset several cells"},
    {"zero_to_one_ratio", "zero_to_one_src", &Node::zero_to_one, 1e-2, 1e2, false, "",
     "sensitivity of a stored 0 over that of a stored 1"},
}};

// Columns of text.
constexpr const char* kDevice = "device";
constexpr const char* kRateCounts = "rate_counts";
constexpr const char* kRateCountsSource = "rate_counts_src";
constexpr const char* kName = "name";  // optional: instead of node_nm with 'nm'

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
      if (std::find(known.begin(), known.end(), cell.text) == known.end()) {
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
      if (!find(name)) {
        errors.add(ErrorCode::kInvalidInput,
                   std::string(kKey) + ": the column '" + name + "' is missing", top.text(),
                   "add it: " + help);
      }
    };
    require(kDevice, "planar, finfet, ...");
    require(kRateCounts, "what the rates count: events");
    require(kRateCountsSource, "where that comes from");
    for (const NodeColumn& column : kColumns) {
      if (!column.is_optional) {
        require(column.name,
                std::string(column.help) + (*column.unit != '\0' ? ", in " : "") + column.unit);
      }
      // Several columns may share a source; name it once.
      if (column.source != nullptr && (!column.is_optional || find(column.name)) &&
          required_.emplace(column.source, true).second) {
        require(column.source, "where " + std::string(column.name) + " comes from");
      }
    }
  }

  std::optional<std::size_t> find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? std::nullopt : std::optional<std::size_t>(found->second);
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::map<std::string, bool> required_;
};

std::string allowed(const NodeColumn& column) {
  return std::string("give ") + (column.is_whole ? "a whole number" : "a number") + " from " +
         number_text(column.least) + " to " + number_text(column.most) +
         (*column.unit != '\0' ? std::string(" ") + column.unit : "") + ": " + column.help;
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
    Sourced counts;
    read_source(kRateCountsSource, counts);
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
      number = {0.0, "A:not given", Provenance::kAssumed};
      return;
    }
    const std::string text = text_in(column.name);
    const std::optional<double> value = parse_real(text);
    if (!value) {
      add(column.name, text.empty() ? "the cell is empty" : "'" + text + "' is not a number",
          allowed(column));
    } else if (*value < column.least || *value > column.most ||
               (column.is_whole && *value != std::floor(*value))) {
      add(column.name, text + " is out of range", allowed(column));
    } else {
      number.value = *value;
    }
    if (column.source != nullptr) {
      read_source(column.source, number);
    } else {
      number.provenance = Provenance::kPrimary;  // a name rather than a finding
    }
  }

  void read_source(const char* column, Sourced& number) {
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
  }

  void check(const TechnologyNode& node) {
    if (node.neutron_rate.value < node.neutron_low.value ||
        node.neutron_rate.value > node.neutron_high.value) {
      add("ser_n_fit_mb",
          number_text(node.neutron_rate.value) + " lies outside its band of " +
              number_text(node.neutron_low.value) + " to " + number_text(node.neutron_high.value),
          "let ser_n_lo <= ser_n_fit_mb <= ser_n_hi");
    }
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
