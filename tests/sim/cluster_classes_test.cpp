// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are clusters divided by their reach with exact probabilities, and drawn within a class as they
// are among all?
#include "sim/strikes/cluster_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "tests/sim/chi_square.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

int reach_by_hand(const Cluster& cluster) {
  std::map<int, std::pair<int, int>> rows;
  for (const ClusterCell cell : cluster.cells()) {
    auto [row, is_new] = rows.try_emplace(cell.row, cell.column, cell.column);
    row->second.first = std::min<int>(row->second.first, cell.column);
    row->second.second = std::max<int>(row->second.second, cell.column);
  }
  int reach = 0;
  for (const auto& [row, columns] : rows) {
    reach = std::max(reach, columns.second - columns.first + 1);
  }
  return reach;
}

ClusterLaw wide_law() {
  ClusterLaw law;
  law.multi_cell_share = 0.6;
  law.tail_ratio = 0.8;
  law.most_cells = 5;
  law.word_line_share = 0.6;
  return law;
}

TEST(ClusterClassesTest, ProbabilitiesAreThoseOfFreeDraws) {
  const ClusterLaw law = wide_law();
  const ClusterClasses classes(law);
  const ClusterSampler sampler(law);
  constexpr std::uint64_t kDraws = 200'000;
  std::vector<std::uint64_t> counts(6);
  Cluster cluster;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    RandomStream random(3, k, Purpose::kCluster);
    sampler.draw(random, cluster);
    ++counts[static_cast<std::size_t>(reach_by_hand(cluster))];
  }
  std::vector<double> means;
  double sum = 0.0;
  for (int reach = 1; reach <= 5; ++reach) {
    means.push_back(kDraws * classes.probability(reach));
    sum += classes.probability(reach);
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
  counts.erase(counts.begin());
  EXPECT_LT(std::abs(chi_square_score(counts, means)), kFarOff);
}

// By shape and struck cell, which the cells in order, as seen from the struck one, tell.
TEST(ClusterClassesTest, ClustersOfAClassAreDrawnAsAmongAll) {
  const ClusterLaw law = wide_law();
  const ClusterClasses classes(law);
  for (int reach = 1; reach <= 4; ++reach) {
    std::map<std::vector<ClusterCell>, std::uint64_t> drawn;
    constexpr std::uint64_t kDraws = 100'000;
    Cluster cluster;
    for (std::uint64_t k = 0; k < kDraws; ++k) {
      RandomStream random(5, k, Purpose::kCluster);
      classes.draw(reach, random, cluster);
      ASSERT_EQ(reach_by_hand(cluster), reach);
      std::vector<ClusterCell> cells(cluster.cells().begin(), cluster.cells().end());
      std::ranges::sort(cells);
      ++drawn[cells];
    }
    std::vector<std::uint64_t> counts;
    std::vector<double> means;
    std::uint64_t known = 0;
    for (std::size_t n = 0; n < classes.shapes().size(); ++n) {
      for (const ClusterShape& shape : classes.shapes()[n]) {
        for (std::size_t struck = 0; reach_of(shape) == reach && struck <= n; ++struck) {
          cluster.set(shape.used(), struck);
          std::vector<ClusterCell> cells(cluster.cells().begin(), cluster.cells().end());
          std::ranges::sort(cells);
          counts.push_back(drawn[cells]);
          known += counts.back();
          means.push_back(kDraws * classes.sizes()[n] * shape.struck[struck] /
                          classes.probability(reach));
        }
      }
    }
    EXPECT_EQ(known, kDraws);
    EXPECT_LT(std::abs(chi_square_score(counts, means)), kFarOff) << reach;
  }
}

TEST(ClusterClassesTest, WhatIsRareIsReached) {
  const ClusterClasses classes(cluster_law(shipped_node("28nm"), Radiation::kNeutron));
  EXPECT_GT(classes.probability(5), 1e-8);
  EXPECT_LT(classes.probability(5), 1e-5);
  Cluster cluster;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    RandomStream random(8, k, Purpose::kCluster);
    classes.draw(5, random, cluster);
    EXPECT_EQ(reach_by_hand(cluster), 5);
  }
}

TEST(ClusterClassesTest, LargeClustersAreAClassOfTheirOwn) {
  const ClusterLaw law =
      cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, /*heavy_tail=*/1e-3);
  const ClusterClasses classes(law);
  EXPECT_NEAR(classes.probability(kLargeReach), 1e-3 - size_probabilities(law)[9], 1e-12);
  Cluster cluster;
  int largest = 0;
  for (std::uint64_t k = 0; k < 2000; ++k) {
    RandomStream random(9, k, Purpose::kCluster);
    classes.draw(kLargeReach, random, cluster);
    EXPECT_GT(cluster.size(), kMostEnumeratedCells);
    largest = std::max(largest, cluster.size());
  }
  EXPECT_GT(largest, 90);
}

}  // namespace
}  // namespace tilestrike::sim
