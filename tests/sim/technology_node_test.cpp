// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are technology nodes read with their bands and provenance, and is every bad file refused with
// line, column and cure?
#include "sim/strikes/technology_node.h"

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
  EXPECT_EQ(node.neutron_rate.source, "Q2:UG116-BRAM[neutron]");
  EXPECT_EQ(node.neutron_rate.provenance, Provenance::kTranscribed);
  EXPECT_EQ(node.tail_ratio.provenance, Provenance::kAssumed);
  EXPECT_EQ(node.word_line_share.value, 0.121);
  EXPECT_EQ(node.word_line_share.provenance, Provenance::kMeasured);
  EXPECT_EQ(node.zero_to_one.value, 1.4);
  EXPECT_EQ(node.most_cells.value, 9);
  EXPECT_EQ(node.thermal_rate.value, 1.8);
  EXPECT_EQ(node.thermal_rate.provenance, Provenance::kTranscribed);
  // "Q:WikiChip[area 10.26 um2];A:[h/w 1.46]" is no better than its weakest part.
  EXPECT_EQ(shipped_node("250nm").cell_width_um.provenance, Provenance::kAssumed);
}

TEST(TechnologyNodeTest, FlipFlopsHaveARateOfEachRadiation) {
  const TechnologyNode& node = shipped_node("40nm");
  EXPECT_EQ(node.flip_flop_neutron_rate.value, 106.5);
  EXPECT_EQ(node.flip_flop_neutron_rate.provenance, Provenance::kAssumed);
  EXPECT_EQ(node.flip_flop_alpha_rate.value, 75);
  EXPECT_EQ(node.flip_flop_alpha_rate.source, "Q2:FIdelity[alpha 600 FIT/MB]");
  EXPECT_FALSE(is_known(node.flip_flop_thermal_rate));
}

TEST(TechnologyNodeTest, WhatIsUnknownIsNoZero) {
  for (const TechnologyNode& node : shipped_nodes()) {
    EXPECT_EQ(is_known(node.flip_flop_alpha_rate), node.name == "40nm") << node.name;
    EXPECT_FALSE(is_known(node.flip_flop_thermal_rate)) << node.name;
    const bool has_thermal =
        node.name == "40nm" || node.name == "28nm" || node.name == "20nm" || node.name == "16nm";
    EXPECT_EQ(is_known(node.thermal_rate), has_thermal) << node.name;
    EXPECT_TRUE(is_known(node.flip_flop_neutron_rate)) << node.name;
  }
  // A missing column is as unknown as '-'; a zero is known.
  const TechnologyNode node = parse_technology_nodes(Lines()
                                                         .remove("ser_thermal_fit_mb")
                                                         .remove("ser_thermal_src")
                                                         .set("ser_alpha_fit_mb", "-")
                                                         .set("ser_alpha_src", "-:not measured")
                                                         .set("ff_alpha_fit_mb", "0")
                                                         .set("ff_alpha_src", "M:own beam")
                                                         .text(),
                                                     "n.csv")[0];
  EXPECT_FALSE(is_known(node.thermal_rate));
  EXPECT_EQ(node.thermal_rate.source, "-");
  EXPECT_FALSE(is_known(node.alpha_rate));
  EXPECT_EQ(node.alpha_rate.source, "-:not measured");
  EXPECT_TRUE(is_known(node.flip_flop_alpha_rate));
}

TEST(TechnologyNodeTest, LawsHaveBands) {
  const TechnologyNode& planar = shipped_node("28nm");
  EXPECT_EQ(planar.multi_cell_low.value, 0.1385);
  EXPECT_EQ(planar.multi_cell_high.value, 0.554);
  EXPECT_EQ(planar.tail_low.value, 0.165);
  EXPECT_EQ(planar.tail_high.value, 0.495);
  EXPECT_EQ(planar.word_line_high.value, 0.242);
  EXPECT_EQ(planar.word_line_high.provenance, Provenance::kAssumed);
  // Tilted incidence sends clusters of fins along the word line.
  EXPECT_EQ(shipped_node("16nm").word_line_high.value, 0.73);
  EXPECT_EQ(shipped_node("130nm").word_line_high.value, 0.9);
  for (const TechnologyNode& node : shipped_nodes()) {
    EXPECT_LT(node.multi_cell_low.value, node.multi_cell_high.value) << node.name;
    EXPECT_LE(node.tail_high.value, 0.7) << node.name;
  }
  const TechnologyNode bare = parse_technology_nodes(
      Lines().remove("mcu_lo").remove("mcu_hi").remove("mcu_band_src").text(), "n.csv")[0];
  EXPECT_FALSE(is_known(bare.multi_cell_high));
}

TEST(TechnologyNodeTest, AFileOfOnesOwnMayNameNodesAndGiveThermalRates) {
  const auto nodes = parse_technology_nodes(Lines()
                                                .add("name", "28nm boron")
                                                .set("ser_thermal_fit_mb", "300")
                                                .set("ser_thermal_src", "M:own beam")
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
  EXPECT_NE(errors_of(Lines().remove("ser_thermal_src").text())
                .find("the column 'ser_thermal_src' is missing"),
            std::string::npos);
  EXPECT_NE(errors_of("").find("the column 'node_nm' is missing"), std::string::npos);
}

TEST(TechnologyNodeTest, TheOldColumnOfFlipFlopsSaysWhatItIsCalledNow) {
  const std::string errors = errors_of(Lines()
                                           .remove("ff_n_fit_mb")
                                           .remove("ff_n_src")
                                           .add("ff_fit_mb", "33")
                                           .add("ff_src", "A")
                                           .text());
  EXPECT_NE(errors.find("the column 'ff_fit_mb' is now 'ff_n_fit_mb'; name it 'ff_n_fit_mb': it "
                        "counts the neutron events of flip-flops, which follow the altitude; alpha "
                        "events go to 'ff_alpha_fit_mb', thermal ones to 'ff_thermal_fit_mb'"),
            std::string::npos)
      << errors;
  EXPECT_NE(errors.find("the column 'ff_src' is now 'ff_n_src'"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("missing"), std::string::npos) << errors;
}

TEST(TechnologyNodeTest, BadCellsNameLineColumnAndRange) {
  EXPECT_EQ(errors_of(Lines().set("ser_alpha_fit_mb", "-39").text()),
            "n.csv:2:51: technology node: ser_alpha_fit_mb: -39 is out of range; give a number "
            "from 0 to 1e+09 FIT/Mbit, or '-' where nothing is known: alpha events\n");
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
  expect(Lines().set("ser_n_fit_mb", "-"), "ser_n_fit_mb: '-' is not a number");
  expect(Lines().set("ser_thermal_src", "-"),
         "ser_thermal_src: '-' is the source of what is unknown, but ser_thermal_fit_mb is 1.8; "
         "write '-' in both, or a number and where it comes from");
  expect(Lines().set("ser_thermal_fit_mb", "-"),
         "ser_thermal_fit_mb is unknown, but has the source 'Q2:UG116[thermal]'");
  expect(Lines().set("mcu_frac", "0.6").set("mean_mult", "1.893"),
         "mcu_frac: 0.6 lies outside its band of 0.1385 to 0.554; let mcu_lo <= mcu_frac <= "
         "mcu_hi");
  expect(Lines().set("geo_r_hi", "0.3"), "geo_r: 0.33 lies outside its band of 0.165 to 0.3");
  expect(Lines().set("growth_lo", "0.2"),
         "growth_p_wl: 0.121 lies outside its band of 0.2 to 0.242");
  expect(Lines().remove("growth_hi"),
         "growth_lo: the band has one end alone; give both growth_lo and growth_hi");
  expect(Lines().set("ser_n_src", "somebody"),
         "ser_n_src: 'somebody' begins with no tag of provenance; write TAG or TAG:SOURCE, several "
         "with ';' between; tags: Q, Q2, M, D, I, X, R, q?, A, -");
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
