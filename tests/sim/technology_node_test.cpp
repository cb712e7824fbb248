// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are technology nodes read with their bands and provenance, and is every bad file refused with
// line, column and cure?
#include "sim/memory/technology_node.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/text.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

/// The shipped file's header and its 28 nm line, cell by cell.
struct Lines {
  std::vector<std::string> header, cells;

  Lines() {
    std::istringstream file(read_text_file(shipped_nodes_file()));
    std::string line, cell;
    std::getline(file, line);
    for (std::istringstream rest(line); std::getline(rest, cell, ',');) {
      header.push_back(cell);
    }
    while (std::getline(file, line) && line.rfind("28,", 0) != 0) {
    }
    for (std::istringstream rest(line); std::getline(rest, cell, ',');) {
      cells.push_back(cell);
    }
  }
  std::size_t index(const std::string& column) const {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), column) -
                                    header.begin());
  }
  Lines& set(const std::string& column, const std::string& text) {
    cells.at(index(column)) = text;
    return *this;
  }
  Lines& remove(const std::string& column) {
    const auto at = static_cast<std::ptrdiff_t>(index(column));
    header.erase(header.begin() + at);
    cells.erase(cells.begin() + at);
    return *this;
  }
  Lines& add(const std::string& column, const std::string& text) {
    header.push_back(column);
    cells.push_back(text);
    return *this;
  }
  std::string text() const { return join(header, ",") + "\n" + join(cells, ",") + "\n"; }
};

std::string errors_of(const std::string& text) {
  try {
    parse_technology_nodes(text, "n.csv");
  } catch (const Failure& failure) {
    std::string all;
    for (const Error& error : failure.errors()) {
      all += error.text() + "\n";
    }
    return all;
  }
  return "";
}

TEST(TechnologyNodeTest, AllSixteenNodesAreRead) {
  std::vector<std::string> names;
  for (const TechnologyNode& node : shipped_nodes()) {
    names.push_back(node.name);
  }
  EXPECT_EQ(join(names, " "),
            "250nm 180nm 130nm 90nm 65nm 45nm 40nm 32nm 28nm 22nm 20nm 16nm 10nm 7nm 5nm 3nm");
}

TEST(TechnologyNodeTest, ValuesKeepBandsAndProvenance) {
  const TechnologyNode& node = shipped_node("28nm");
  EXPECT_EQ(node.device, "planar");
  EXPECT_EQ(node.neutron_rate.value, 66);
  EXPECT_EQ(node.neutron_low.value, 12.6);
  EXPECT_EQ(node.neutron_high.value, 76);
  EXPECT_EQ(node.neutron_rate.source, "Q2:UG116-BRAM");
  EXPECT_EQ(node.neutron_rate.provenance, Provenance::kTranscribed);
  EXPECT_EQ(node.tail_ratio.provenance, Provenance::kAssumed);
  EXPECT_EQ(node.word_line_share.value, 0.121);
  EXPECT_EQ(node.word_line_share.provenance, Provenance::kMeasured);
  EXPECT_EQ(node.zero_to_one.value, 1.4);
  EXPECT_EQ(node.most_cells.value, 9);
  EXPECT_EQ(node.thermal_rate.value, 0);  // the file gives none
  EXPECT_EQ(node.thermal_rate.source, "A:not given");
  // "Q:WikiChip-area10.26;A:asp1.46" is no better than its weakest part.
  EXPECT_EQ(shipped_node("250nm").cell_width_um.provenance, Provenance::kAssumed);
}

TEST(TechnologyNodeTest, AFileOfOnesOwnMayNameNodesAndGiveThermalRates) {
  const auto nodes = parse_technology_nodes(Lines()
                                                .add("name", "28nm boron")
                                                .add("ser_thermal_fit_mb", "300")
                                                .add("ser_thermal_src", "M:own beam")
                                                .text(),
                                            "n.csv");
  ASSERT_EQ(nodes.size(), 1);
  EXPECT_EQ(nodes[0].name, "28nm boron");
  EXPECT_EQ(nodes[0].thermal_rate.value, 300);
  EXPECT_EQ(nodes[0].thermal_rate.source, "M:own beam");
  EXPECT_EQ(parse_technology_nodes(Lines().text(), "n.csv")[0].name, "28nm");
}

TEST(TechnologyNodeTest, MissingUnknownAndDoubleColumnsAreErrors) {
  EXPECT_EQ(errors_of(Lines().remove("ser_n_lo").text()),
            "n.csv:1:1: technology node: the column 'ser_n_lo' is missing; add it: lower end of "
            "their band, in FIT/Mbit\n");
  EXPECT_EQ(errors_of(Lines().remove("cell_src").text()),
            "n.csv:1:1: technology node: the column 'cell_src' is missing; add it: where "
            "cell_w_wl_um comes from\n");
  EXPECT_NE(errors_of(Lines().add("ser_alfa_src", "Q").text())
                .find("unknown column 'ser_alfa_src'; did you mean 'ser_alpha_src'?"),
            std::string::npos);
  EXPECT_NE(errors_of(Lines().add("geo_r", "0.3").text()).find("'geo_r' is there twice"),
            std::string::npos);
  EXPECT_NE(errors_of(Lines().add("ser_thermal_fit_mb", "1").text())
                .find("the column 'ser_thermal_src' is missing"),
            std::string::npos);
  EXPECT_NE(errors_of("").find("the column 'node_nm' is missing"), std::string::npos);
}

TEST(TechnologyNodeTest, BadCellsNameLineColumnAndRange) {
  EXPECT_EQ(errors_of(Lines().set("ser_alpha_fit_mb", "-39").text()),
            "n.csv:2:42: technology node: ser_alpha_fit_mb: -39 is out of range; give a number "
            "from 0 to 1e+09 FIT/Mbit: alpha events\n");
  const auto expect = [](const Lines& lines, const std::string& part) {
    EXPECT_NE(errors_of(lines.text()).find(part), std::string::npos) << part << "\n"
                                                                     << errors_of(lines.text());
  };
  expect(Lines().set("vdd_v", "0.9 V"), "vdd_v: '0.9 V' is not a number; give a number from");
  expect(Lines().set("vdd_v", "nan"), "vdd_v: 'nan' is not a number");
  expect(Lines().set("vdd_v", ""), "vdd_v: the cell is empty");
  expect(Lines().set("mcu_frac", "1.2"),
         "mcu_frac: 1.2 is out of range; give a number from 0 to 1");
  expect(Lines().set("max_mult", "2.5"), "max_mult: 2.5 is out of range; give a whole number");
  expect(Lines().set("max_mult", "1"), "max_mult: events upset several cells, but at most one");
  expect(Lines().set("mean_mult", "2.0"),
         "mean_mult: 2.0 does not follow from mcu_frac, geo_r and max_mult, which give 1.413");
  expect(Lines().set("ser_n_fit_mb", "80"), "ser_n_fit_mb: 80 lies outside its band of 12.6 to 76");
  expect(Lines().set("ser_n_src", "somebody"),
         "ser_n_src: 'somebody' begins with no tag of provenance; write TAG or TAG:SOURCE, several "
         "with ';' between; tags: Q, Q2, M, D, I, X, R, q?, A");
  expect(Lines().set("rate_counts", "bits"), "rate_counts: rates count 'bits'; divide them by");
}

TEST(TechnologyNodeTest, NodesThatAreThereTwiceAndNoNodesAreErrors) {
  const std::string text = Lines().text();
  const std::string line = text.substr(text.find('\n') + 1);
  EXPECT_NE(errors_of(text + line)
                .find("n.csv:3:1: technology node: '28nm' is there twice; it is "
                      "also in line 2"),
            std::string::npos);
  EXPECT_NE(errors_of(text.substr(0, text.size() - line.size())).find("the file has no nodes"),
            std::string::npos);
}

TEST(TechnologyNodeTest, AllErrorsOfAFileComeAtOnce) {
  const std::string errors = errors_of(Lines().set("vdd_v", "x").set("geo_r", "-1").text());
  EXPECT_NE(errors.find("vdd_v"), std::string::npos);
  EXPECT_NE(errors.find("geo_r"), std::string::npos);
}

TEST(TechnologyNodeTest, MeanOfTheTruncatedGeometricLaw) {
  EXPECT_DOUBLE_EQ(mean_cells(0.0, 0.3, 9), 1.0);
  EXPECT_DOUBLE_EQ(mean_cells(0.5, 0.3, 2), 1.5);
  EXPECT_DOUBLE_EQ(mean_cells(1.0, 0.5, 3), (2 + 0.5 * 3) / 1.5);
  EXPECT_DOUBLE_EQ(mean_cells(0.5, 0.3, 1), 1.0);
}

}  // namespace
}  // namespace tilestrike::sim
