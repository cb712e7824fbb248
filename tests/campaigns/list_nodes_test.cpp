// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does `tilestrike list nodes` print every number as it is, and the unknown as what it is?
#include "campaigns/cli/list_nodes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/scenario/library.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns::cli {
namespace {

TEST(ListNodesTest, JsonHasNumbersInFullAndNullForTheUnknown) {
  const auto nodes = technology_nodes();
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(nodes_json("").dump());
  ASSERT_EQ(json.size(), nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(json[i]["name"], nodes[i].name);
    for (const sim::NodeColumn& column : sim::node_columns()) {
      const Sourced& number = nodes[i].*column.member;
      const auto& printed = json[i][column.name];
      if (is_known(number)) {
        ASSERT_TRUE(printed.is_number()) << column.name;
        EXPECT_EQ(printed.get<double>(), number.value) << column.name;
      } else {
        EXPECT_TRUE(printed.is_null()) << column.name;
      }
      if (column.source != nullptr) {
        EXPECT_EQ(json[i][std::string(column.name) + "_from"], number.source);
      }
    }
  }
  EXPECT_EQ(json[6]["ff_n_fit_mb"], 106.5);
  EXPECT_TRUE(json[8]["ff_alpha_fit_mb"].is_null());
  EXPECT_EQ(json[8]["ff_alpha_fit_mb_from"], "-");
  EXPECT_EQ(json[8]["mcu_hi"], 0.554);
}

TEST(ListNodesTest, TheTableHasADashForTheUnknown) {
  const auto table = nodes_table("");
  const auto cell = [&](const std::string& node, const std::string& column) {
    const auto at = std::find(table.front().begin(), table.front().end(), column);
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const auto& each) { return each.front() == node; });
    return row->at(static_cast<std::size_t>(at - table.front().begin()));
  };
  EXPECT_EQ(cell("28nm", "thermal"), "1.8 Q2");
  EXPECT_EQ(cell("65nm", "thermal"), "-");
  EXPECT_EQ(cell("40nm", "ff_neutron"), "106.5 A");
  EXPECT_EQ(cell("40nm", "ff_alpha"), "75 Q2");
  EXPECT_EQ(cell("28nm", "ff_alpha"), "-");
  EXPECT_NE(nodes_footnote().find("-   nothing is known"), std::string::npos);
}

TEST(ListNodesTest, ProbabilitiesOfClustersAreNumbersInFull) {
  const std::string shipped =
      read_text_file((root_folder() / "data" / "technology_nodes.csv").string());
  const std::size_t line = shipped.find("\n28,") + 1;
  const ScratchFolder folder;
  const std::string file =
      folder.write("n.csv", shipped.substr(0, shipped.find('\n') + 1) +
                                shipped.substr(line, shipped.find('\n', line) + 1 - line));
  const auto json = clusters_json(file, "secded", 64);
  const auto table = clusters_table(file, "secded", 64);
  ASSERT_EQ(json.size(), 1U);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_NEAR(json[0]["due_1"].get<double>(), 5.77e-2, 5e-5);
  EXPECT_EQ(json[0]["silent_4"], 0.0);
  // More digits than the table's three.
  EXPECT_EQ(table[0][3], "several_4");
  const double full = json[0]["several_4"].get<double>();
  EXPECT_NE(full, std::stod(table[1][3]));
  EXPECT_NEAR(full, std::stod(table[1][3]), 0.006 * full);
}

}  // namespace
}  // namespace tilestrike::campaigns::cli
