// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The technology nodes that ship, for the tests of sim.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "sim/strikes/technology_node.h"

namespace tilestrike::sim {

inline std::string shipped_nodes_file() {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  return std::string(root != nullptr ? root : ".") + "/data/technology_nodes.csv";
}

inline const std::vector<TechnologyNode>& shipped_nodes() {
  static const std::vector<TechnologyNode> nodes = read_technology_nodes(shipped_nodes_file());
  return nodes;
}

inline const TechnologyNode& shipped_node(const std::string& name) {
  const auto found = std::find_if(shipped_nodes().begin(), shipped_nodes().end(),
                                  [&](const TechnologyNode& node) { return node.name == name; });
  EXPECT_NE(found, shipped_nodes().end()) << name;
  return *found;
}

}  // namespace tilestrike::sim
