// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does every number of the shipped node table follow from its source: the radiation of its column,
// the number and unit of the publication, the formula, the area of the cell?
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "base/csv.h"
#include "base/provenance.h"
#include "base/text.h"
#include "sim/strikes/source_note.h"
#include "tests/sim/nodes.h"
#include "tests/sim/source_formula.h"

namespace tilestrike::sim {
namespace {

/// Columns of which one source speaks.
struct Group {
  std::string main, low, high;  // low and high: where there is a band
  std::string radiation;
};

std::map<std::string, Group> groups() {
  const auto band = [](const std::string& low, const std::string& high) {
    return Group{"", low, high, ""};
  };
  return {{"ser_n_src", {"ser_n_fit_mb", "ser_n_lo", "ser_n_hi", "neutron"}},
          {"ser_alpha_src", {"ser_alpha_fit_mb", "", "", "alpha"}},
          {"ser_thermal_src", {"ser_thermal_fit_mb", "", "", "thermal"}},
          {"ff_n_src", {"ff_n_fit_mb", "", "", "neutron"}},
          {"ff_alpha_src", {"ff_alpha_fit_mb", "", "", "alpha"}},
          {"ff_thermal_src", {"ff_thermal_fit_mb", "", "", "thermal"}},
          {"mcu_frac_src", {"mcu_frac", "", "", ""}},
          {"mcu_band_src", band("mcu_lo", "mcu_hi")},
          {"geo_r_src", {"geo_r", "", "", ""}},
          {"geo_r_band_src", band("geo_r_lo", "geo_r_hi")},
          {"mean_mult_src", {"mean_mult", "", "", ""}},
          {"max_mult_src", {"max_mult", "", "", ""}},
          {"growth_p_src", {"growth_p_wl", "", "", ""}},
          {"growth_band_src", band("growth_lo", "growth_hi")},
          {"mcu_logit_src", {"mcu_logit_per_v", "", "", ""}},
          {"cell_src", {"", "", "", ""}},
          {"vdd_src", {"vdd_v", "", "", ""}},
          {"tap_src", {"tap_rows", "", "", ""}},
          {"alpha_mcu_src", {"alpha_mcu_frac", "", "", ""}},
          {"zero_to_one_src", {"zero_to_one_ratio", "", "", ""}},
          {"rate_counts_src", {"", "", "", ""}}};
}

const std::set<std::string>& radiations() {
  static const std::set<std::string> all = {"neutron", "alpha", "thermal"};
  return all;
}

/// A table of text, cell by cell: nothing of what reads it for the program.
class Cells {
 public:
  explicit Cells(const std::string& text) {
    ErrorList errors;
    table_ = parse_csv(text, "n.csv", "node", errors);
    errors.throw_if_any();
  }
  std::size_t size() const { return table_.rows.size(); }
  std::string text(std::size_t row, const std::string& column) const {
    for (std::size_t i = 0; i < table_.header.size(); ++i) {
      if (table_.header[i].text == column) {
        return table_.rows[row][i].text;
      }
    }
    ADD_FAILURE() << "no column " << column;
    return "";
  }
  std::optional<double> number(std::size_t row, const std::string& column) const {
    return parse_real(text(row, column));
  }
  std::optional<std::size_t> row_of(double node) const {
    for (std::size_t row = 0; row < size(); ++row) {
      if (number(row, "node_nm") == node) {
        return row;
      }
    }
    return std::nullopt;
  }
  std::vector<std::string> source_columns() const {
    std::vector<std::string> names;
    for (const CsvCell& cell : table_.header) {
      if (cell.text.ends_with("_src")) {
        names.push_back(cell.text);
      }
    }
    return names;
  }

 private:
  CsvTable table_;
};

class Audit {
 public:
  explicit Audit(const std::string& text) : cells_(text) {
    const auto known = groups();
    for (const std::string& source : cells_.source_columns()) {
      const auto group = known.find(source);
      if (group == known.end()) {
        problems_.push_back(source + ": a column that nobody checks");
        continue;
      }
      for (row_ = 0; row_ < cells_.size(); ++row_) {
        check(source, group->second);
      }
    }
  }
  const std::vector<std::string>& problems() const { return problems_; }
  int formulas() const { return formulas_; }

 private:
  void report(const std::string& source, const std::string& what) {
    problems_.push_back(cells_.text(row_, "node_nm") + "nm " + source + " '" +
                        cells_.text(row_, source) + "': " + what);
  }

  void expect(const std::string& source, const std::string& column, double expected) {
    const std::string text = cells_.text(row_, column);
    const std::optional<double> value = parse_real(text);
    if (!value || std::abs(*value - expected) > rounding_of(text)) {
      report(source, column + " is " + text + ", not " + std::to_string(expected));
    }
  }

  void check(const std::string& source, const Group& group) {
    for (const SourcePart& part : parts_of_source(cells_.text(row_, source))) {
      if ((part.text + part.formula).find_first_of("[]") != std::string::npos) {
        report(source, "a note that cannot be read");
      }
      if (part.tag == "I" && part.formula.empty()) {
        report(source, "interpolated between what?");
      }
      if (part.tag == "X" && part.formula.empty() && part.text.empty()) {
        report(source, "extrapolated from what?");
      }
      std::string column = group.main;
      int radiations_named = 0;
      for (const SourceNote& note : part.notes) {
        radiations_named += radiations().contains(note.about) ? 1 : 0;
        check_note(source, group, part, note, column);
      }
      if (!group.radiation.empty() && part.tag != "-" && radiations_named != 1) {
        report(source, "which radiation?");
      }
      if (!part.formula.empty()) {
        check_formula(source, column, part.formula);
      }
    }
  }

  void check_note(const std::string& source, const Group& group, const SourcePart& part,
                  const SourceNote& note, std::string& column) {
    const auto as_rate = [&](const std::string& of) {
      if (note.number) {
        const std::optional<double> fit = fit_per_mbit(*note.number, note.unit);
        fit ? expect(source, of, *fit) : report(source, "unit " + note.unit);
      }
    };
    if (radiations().contains(note.about)) {
      if (note.about != group.radiation) {
        report(source, "events of another radiation");
      }
      as_rate(column);
    } else if ((note.about == "lo" && !group.low.empty()) ||
               (note.about == "hi" && !group.high.empty())) {
      column = note.about == "lo" ? group.low : group.high;
      as_rate(column);
      if (!note.number && part.formula.empty()) {
        report(source, "an end of a band from nowhere");
      }
    } else if (source != "cell_src" || !note.number || !check_cell(source, note)) {
      report(source, "'" + note.about + "' is no known note");
    }
  }

  /// Of the cell: its area, an aspect ratio, a length, or twice the gate pitch as its height.
  bool check_cell(const std::string& source, const SourceNote& note) {
    const std::string width = cells_.text(row_, "cell_w_wl_um");
    const std::string height = cells_.text(row_, "cell_h_bl_um");
    const double w = *parse_real(width), h = *parse_real(height);
    const double dw = rounding_of(width), dh = rounding_of(height);
    const auto near = [&](double value, double tolerance) {
      if (std::abs(value - *note.number) > tolerance) {
        report(source, note.about + " is " + std::to_string(value));
      }
      return true;
    };
    if (note.about == "area" && note.unit == "um2") {
      return near(w * h, w * dh + h * dw);
    }
    if (note.about == "w/h") {
      return near(w / h, dw / h + w * dh / (h * h));
    }
    if (note.about == "h/w") {
      return near(h / w, dh / w + h * dw / (w * w));
    }
    if (note.about == "gate" && note.unit == "nm") {
      return near(h * 1000.0 / 2.0, dh * 1000.0 / 2.0);
    }
    return (note.about == "w" && note.unit == "um" && near(w, dw)) ||
           (note.about == "h" && note.unit == "um" && near(h, dh));
  }

  void check_formula(const std::string& source, const std::string& column,
                     const std::string& formula) {
    static const std::map<std::string, std::string> kNames = {
        {"n", "ser_n_fit_mb"},    {"a", "ser_alpha_fit_mb"}, {"f", "mcu_frac"},
        {"r", "geo_r"},           {"m", "max_mult"},         {"p", "growth_p_wl"},
        {"v", "mcu_logit_per_v"}, {"w", "cell_w_wl_um"},     {"h", "cell_h_bl_um"}};
    FormulaNames names;
    names.value = [&](const std::string& name) -> std::optional<double> {
      const std::size_t digits = std::min(name.find_first_of("0123456789"), name.size());
      const std::string letters = name.substr(0, digits);
      std::optional<std::size_t> row = row_;
      if (digits < name.size()) {
        row = cells_.row_of(*parse_real(name.substr(digits)));
      }
      if (name == "mean") {
        return mean_cells(*cells_.number(row_, "mcu_frac"), *cells_.number(row_, "geo_r"),
                          static_cast<int>(*cells_.number(row_, "max_mult")));
      }
      if (name == "lo" || name == "hi") {
        return cells_.number(row_,
                             groups().at(source).*(name == "lo" ? &Group::low : &Group::high));
      }
      const auto known = kNames.find(letters);
      return row && known != kNames.end() ? cells_.number(*row, known->second) : std::nullopt;
    };
    names.line = [&](double node, double other) -> std::optional<double> {
      const auto first = cells_.row_of(node), second = cells_.row_of(other);
      if (!first || !second) {
        return std::nullopt;
      }
      const auto log_of = [&](std::size_t row) { return std::log(*cells_.number(row, column)); };
      const double part = std::log(*cells_.number(row_, "node_nm") / node) / std::log(other / node);
      return std::exp(log_of(*first) + part * (log_of(*second) - log_of(*first)));
    };
    const std::optional<double> value = Formula(formula, names).value();
    ++formulas_;
    value ? expect(source, column, *value) : report(source, "'" + formula + "' is no formula");
  }

  Cells cells_;
  std::size_t row_ = 0;
  int formulas_ = 0;
  std::vector<std::string> problems_;
};

std::string shipped_text() { return read_text_file(shipped_nodes_file()); }

/// The shipped text with one cell changed.
std::string changed(const std::string& node, const std::string& column, const std::string& cell) {
  std::istringstream lines(shipped_text());
  std::vector<std::string> header, all;
  std::string line, part;
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    for (std::istringstream rest(line); std::getline(rest, part, ',');) {
      cells.push_back(part);
    }
    if (header.empty()) {
      header = cells;
    } else if (cells.front() == node) {
      const auto at = std::find(header.begin(), header.end(), column) - header.begin();
      cells.at(static_cast<std::size_t>(at)) = cell;
    }
    all.push_back(join(cells, ","));
  }
  return join(all, "\n") + "\n";
}

std::string problems_of(const std::string& text) { return join(Audit(text).problems(), "\n"); }

/// What the program says of the text.
std::string refusal(const std::string& text) {
  try {
    parse_technology_nodes(text, "n.csv");
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(NodeSourcesTest, EveryShippedNumberFollowsFromItsSource) {
  const Audit audit(shipped_text());
  EXPECT_EQ(join(audit.problems(), "\n"), "");
  // 6 formulas of bands at each of 16 nodes, the mean, flip-flops, growth (but one), and the rest.
  EXPECT_GT(audit.formulas(), 16 * (6 + 1 + 1) + 15 + 20);
}

TEST(NodeSourcesTest, AlphaEventsAreNotBookedAsNeutrons) {
  // The table once said that flip-flops at 40 nm have 75 FIT/Mbit of neutrons.
  const std::string old = changed("40", "ff_n_fit_mb", "75");
  expect_part(problems_of(old), "40nm ff_n_src 'A:[neutron]=0.5*n': ff_n_fit_mb is 75, not 106.5");
  for (const char* source : {"Q2:FIdelity600FIT/MB-alpha", "Q2:FIdelity[alpha 600 FIT/MB]"}) {
    EXPECT_NE(problems_of(changed("40", "ff_n_src", source)), "") << source;
  }
  expect_part(refusal(changed("40", "ff_n_src", "Q2:FIdelity[alpha 600 FIT/MB]")),
              "ff_n_src: 'Q2:FIdelity[alpha 600 FIT/MB]' is of alpha events; ff_n_fit_mb counts "
              "neutron events: move the number to the column of its radiation");
}

TEST(NodeSourcesTest, AWrongRadiationIsSeen) {
  for (const auto& [column, source] :
       std::vector<std::pair<std::string, std::string>>{{"ser_n_src", "Q2:UG116-BRAM[alpha]"},
                                                        {"ser_alpha_src", "Q2:UG116[thermal]"},
                                                        {"ser_thermal_src", "Q2:UG116[neutron]"},
                                                        {"ff_n_src", "A:[thermal]=0.5*n"}}) {
    expect_part(problems_of(changed("28", column, source)), "events of another radiation");
    expect_part(refusal(changed("28", column, source)), "events: move the number");
  }
  expect_part(problems_of(changed("28", "ser_n_src", "Q2:UG116-BRAM")), "which radiation?");
}

TEST(NodeSourcesTest, MegabytesAreNotMegabits) {
  expect_part(problems_of(changed("40", "ff_alpha_fit_mb", "600")),
              "ff_alpha_fit_mb is 600, not 75");
  expect_part(refusal(changed("40", "ff_alpha_fit_mb", "600")),
              "600 does not follow from 'Q2:FIdelity[alpha 600 FIT/MB]', which is 75 FIT/Mbit; "
              "correct one of the two; MB is 8 Mb");
  const std::string megabits = "Q2:FIdelity[alpha 600 FIT/Mb]";
  expect_part(problems_of(changed("40", "ff_alpha_src", megabits)), "is 75, not 600");
  expect_part(refusal(changed("40", "ff_alpha_src", megabits)), "which is 600 FIT/Mbit");
  expect_part(refusal(changed("40", "ff_alpha_src", "Q2:FIdelity[alpha 600 FIT/GB]")),
              "'FIT/GB' is not a unit of rates; units: FIT/Mb, FIT/MB, FIT/bit, cm2");
}

TEST(NodeSourcesTest, ANumberThatItsFormulaDoesNotGiveIsSeen) {
  for (const auto& [node, column, cell] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"45", "ser_alpha_fit_mb", "159"},  // 0.56 x 283 = 158.48: the table once said 159
           {"32", "ser_n_fit_mb", "104"},     {"22", "ser_n_fit_mb", "36"},
           {"5", "ser_n_fit_mb", "11"},       {"7", "ser_n_lo", "1.6"},
           {"7", "ser_n_fit_mb", "8"},        {"65", "mcu_frac", "0.132"},
           {"180", "mcu_frac", "0.054"},      {"22", "mcu_frac", "0.057"},
           {"16", "growth_p_wl", "0.121"},    {"40", "growth_p_wl", "0.102"},
           {"28", "mean_mult", "1.415"},      {"10", "max_mult", "6"},
           {"28", "cell_h_bl_um", "0.25"},    {"65", "cell_w_wl_um", "1.26"},
           {"250", "cell_h_bl_um", "4.0"},    {"90", "cell_w_wl_um", "1.7"},
           {"28", "mcu_hi", "0.5"},           {"28", "geo_r_lo", "0.175"},
           {"16", "growth_hi", "0.12"},       {"130", "growth_hi", "1.0"}}) {
    EXPECT_NE(problems_of(changed(node, column, cell)), "") << node << " " << column;
  }
  expect_part(problems_of(changed("45", "ser_alpha_src", "X:[alpha]=0.56*q")), "is no formula");
  expect_part(problems_of(changed("45", "ser_alpha_src", "X:[alpha")), "cannot be read");
  expect_part(problems_of(changed("45", "ser_n_src", "I:65-40[neutron]")), "between what?");
}

TEST(NodeSourcesTest, NotesAndFormulasAreTakenApart) {
  const auto parts = parts_of_source("Q2:FIdelity[alpha 600 FIT/MB];A:[lo]=2*(f-1)<=0.9;A");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].tag + "|" + parts[0].text + "|" + parts[0].formula, "Q2|FIdelity|");
  ASSERT_NE(parts[0].find("alpha"), nullptr);
  EXPECT_EQ(parts[0].find("alpha")->number, 600.0);
  EXPECT_EQ(parts[0].find("alpha")->unit, "FIT/MB");
  EXPECT_EQ(parts[0].find("neutron"), nullptr);
  EXPECT_EQ(parts[1].tag + "|" + parts[1].text + "|" + parts[1].formula, "A||2*(f-1)<=0.9");
  EXPECT_EQ(parts[2].tag, "A");
  // Brackets of a citation are text.
  EXPECT_EQ(parts_of_source("Q:a paper [12, table 3]")[0].text, "a paper [12, table 3]");
  EXPECT_EQ(fit_per_mbit(600, "FIT/MB"), 75.0);
  EXPECT_EQ(fit_per_mbit(600, "FIT/Mb"), 600.0);
  EXPECT_NEAR(*fit_per_mbit(1e-16, "cm2"), 1.3, 1e-12);
  EXPECT_FALSE(fit_per_mbit(1, "per device"));
}

TEST(NodeSourcesTest, RoundingIsHalfTheLastDigit) {
  EXPECT_NEAR(rounding_of("283"), 0.5, 1e-6);
  EXPECT_NEAR(rounding_of("0.070"), 0.0005, 1e-9);
  EXPECT_NEAR(rounding_of("1.5e-3"), 0.05e-3, 1e-9);
}

}  // namespace
}  // namespace tilestrike::sim
