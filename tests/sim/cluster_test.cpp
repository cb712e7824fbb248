// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are clusters drawn as the technology node says, over a million strikes for every node: how often
// several cells, how many, in which direction, in which shapes? Are they cut off where they must?
#include "sim/strikes/cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sim/strikes/cluster_shapes.h"
#include "tests/sim/chi_square.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

constexpr std::uint64_t kStrikes = 1'000'000;

/// The cells of a cluster where a shape has them, and which of them is the struck one.
std::pair<std::vector<ClusterCell>, std::size_t> shape_of(const Cluster& cluster) {
  std::vector<ClusterCell> cells(cluster.cells().begin(), cluster.cells().end());
  std::int16_t row = 0, column = 0;
  for (const ClusterCell cell : cells) {
    row = std::min(row, cell.row);
    column = std::min(column, cell.column);
  }
  for (ClusterCell& cell : cells) {
    cell.row = static_cast<std::int16_t>(cell.row - row);
    cell.column = static_cast<std::int16_t>(cell.column - column);
  }
  const ClusterCell struck = cells.front();
  std::sort(cells.begin(), cells.end());
  const auto at = std::find(cells.begin(), cells.end(), struck) - cells.begin();
  return {cells, static_cast<std::size_t>(at)};
}

/// What a million strikes of a node came to, and what was expected of shapes of 2 to 5 cells.
class Census {
 public:
  static constexpr std::size_t kLargestShape = 5;

  Census(const ClusterLaw& law, std::uint64_t seed) : sizes(kMostClusterCells) {
    const auto shapes = enumerate_shapes(law.word_line_share, kLargestShape);
    for (std::size_t n = 2; n <= kLargestShape; ++n) {
      for (const ClusterShape& shape : shapes[n - 1]) {
        const std::vector<ClusterCell> cells(shape.used().begin(), shape.used().end());
        index[cells] = counts[n].size();
        for (std::size_t i = 0; i < n; ++i) {
          probabilities[n].push_back(shape.struck[i]);
          counts[n].push_back(0);
        }
      }
    }
    const ClusterSampler sampler(law);
    Cluster cluster;
    for (std::uint64_t k = 0; k < kStrikes; ++k) {
      RandomStream random(seed, k, Purpose::kCluster);
      sampler.draw(random, cluster);
      const auto size = static_cast<std::size_t>(cluster.size());
      ++sizes[size - 1];
      if (size == 2) {
        horizontal_pairs += cluster.cells()[1].row == 0 ? 1 : 0;
      }
      if (2 <= size && size <= kLargestShape) {
        const auto [cells, struck] = shape_of(cluster);
        ++counts[size][index.at(cells) + struck];
      }
    }
  }

  std::vector<std::uint64_t> sizes;
  std::uint64_t horizontal_pairs = 0;
  std::map<std::vector<ClusterCell>, std::size_t> index;
  std::vector<std::uint64_t> counts[kLargestShape + 1];
  std::vector<double> probabilities[kLargestShape + 1];
};

TEST(ClusterTest, AMillionStrikesOfEveryNodeFitItsParameters) {
  for (const TechnologyNode& node : shipped_nodes()) {
    SCOPED_TRACE(node.name);
    const ClusterLaw law = cluster_law(node, Radiation::kNeutron);
    const Census census(law, 28);
    const std::uint64_t several = kStrikes - census.sizes[0];
    EXPECT_LT(std::abs(binomial_score(several, kStrikes, node.multi_cell_share.value)), kFarOff);

    double mean = 0.0, square = 0.0;
    std::uint64_t largest = 0;
    for (std::size_t i = 0; i < census.sizes.size(); ++i) {
      const double share = static_cast<double>(census.sizes[i]) / kStrikes;
      mean += share * static_cast<double>(i + 1);
      square += share * static_cast<double>((i + 1) * (i + 1));
      largest = census.sizes[i] > 0 ? i + 1 : largest;
    }
    const double deviation = std::sqrt((square - mean * mean) / kStrikes);
    constexpr double kRounding = 0.0005;  // of the file's mean
    EXPECT_LT(std::abs(mean - node.mean_cells.value), kFarOff * deviation + kRounding);
    EXPECT_LE(largest, static_cast<std::uint64_t>(node.most_cells.value));

    std::vector<double> expected = size_probabilities(law);
    expected.resize(census.sizes.size());
    for (double& number : expected) {
      number *= kStrikes;
    }
    EXPECT_LT(std::abs(chi_square_score(census.sizes, expected)), kFarOff);

    EXPECT_LT(std::abs(binomial_score(census.horizontal_pairs, census.sizes[1],
                                      node.word_line_share.value)),
              kFarOff);

    for (std::size_t n = 2; n <= Census::kLargestShape; ++n) {
      std::vector<double> shapes = census.probabilities[n];
      for (double& number : shapes) {
        number *= static_cast<double>(census.sizes[n - 1]);
      }
      EXPECT_LT(std::abs(chi_square_score(census.counts[n], shapes)), kFarOff) << n << " cells";
    }
  }
}

TEST(ClusterTest, TheShareRisesAsTheVoltageFalls) {
  const TechnologyNode& node = shipped_node("5nm");
  EXPECT_DOUBLE_EQ(multi_cell_share_at(node, 0.75), 0.1);
  EXPECT_NEAR(multi_cell_share_at(node, 0.55), 0.50, 0.01);
  EXPECT_LT(multi_cell_share_at(node, 0.85), 0.05);
  // Nothing is known of planar nodes: no slope.
  EXPECT_DOUBLE_EQ(multi_cell_share_at(shipped_node("28nm"), 0.6), 0.277);
  EXPECT_DOUBLE_EQ(cluster_law(node, Radiation::kNeutron, 0.55).multi_cell_share,
                   multi_cell_share_at(node, 0.55));
}

TEST(ClusterTest, AlphaAndThermalEventsHaveAMultiplicityOfTheirOwn) {
  TechnologyNode node = shipped_node("28nm");
  for (const Radiation radiation : {Radiation::kAlpha, Radiation::kThermal}) {
    EXPECT_EQ(cluster_law(node, radiation).multi_cell_share, 0.0);
    const ClusterSampler sampler(cluster_law(node, radiation, 0.6, 1e-3));
    Cluster cluster;
    for (std::uint64_t k = 0; k < 1000; ++k) {
      RandomStream random(1, k, Purpose::kCluster);
      sampler.draw(random, cluster);
      EXPECT_EQ(cluster.size(), 1);
    }
  }
  node.alpha_multi_cell_share.value = 0.2;
  EXPECT_EQ(cluster_law(node, Radiation::kAlpha).multi_cell_share, 0.2);
  EXPECT_EQ(cluster_law(node, Radiation::kNeutron).multi_cell_share, 0.277);
}

TEST(ClusterTest, AHeavyTailReachesAHundredCells) {
  const ClusterLaw law =
      cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, /*heavy_tail=*/0.01);
  const std::vector<double> sizes = size_probabilities(law);
  ASSERT_EQ(sizes.size(), 100);
  double sum = 0.0, tail = 0.0;
  for (std::size_t m = 1; m <= sizes.size(); ++m) {
    sum += sizes[m - 1];
    tail += m > 9 ? sizes[m - 1] : 0.0;
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
  EXPECT_NEAR(tail, 0.01, 1e-12);
  EXPECT_NEAR(sizes[9] * 10, sizes[99] * 100, 1e-12);
  const ClusterSampler sampler(law);
  Cluster cluster;
  std::uint64_t large = 0;
  int largest = 0;
  for (std::uint64_t k = 0; k < 100'000; ++k) {
    RandomStream random(2, k, Purpose::kCluster);
    sampler.draw(random, cluster);
    large += cluster.size() > 9 ? 1 : 0;
    largest = std::max(largest, cluster.size());
    std::vector<ClusterCell> cells(cluster.cells().begin(), cluster.cells().end());
    std::sort(cells.begin(), cells.end());
    EXPECT_EQ(std::adjacent_find(cells.begin(), cells.end()), cells.end());
  }
  EXPECT_LT(std::abs(binomial_score(large, 100'000, 0.01)), kFarOff);
  EXPECT_GT(largest, 90);
}

TEST(ClusterTest, ClustersGrowOnlyAlongTheBitLineOrTheWordLineWhereTheShareSaysSo) {
  ClusterLaw law = cluster_law(shipped_node("28nm"), Radiation::kNeutron);
  for (const double share : {0.0, 1.0}) {
    law.word_line_share = share;
    const ClusterSampler sampler(law);
    Cluster cluster;
    for (std::uint64_t k = 0; k < 1000; ++k) {
      RandomStream random(3, k, Purpose::kCluster);
      sampler.grow(9, random, cluster);
      for (const ClusterCell cell : cluster.cells()) {
        EXPECT_EQ(share == 0.0 ? cell.column : cell.row, 0);
      }
    }
  }
}

TEST(ClusterTest, ExactlyWhatLiesBeyondEdgesAndTapsIsCutOff) {
  // Two banks of 12 rows and 26 columns; taps in front of rows 0, 5 and 10.
  const ArrayGeometry geometry({48, 2, 2, 8, 5, 2});
  ASSERT_EQ(geometry.rows(), 12);
  ASSERT_EQ(geometry.columns(), 26);
  ClusterLaw law = cluster_law(shipped_node("28nm"), Radiation::kNeutron);
  law.word_line_share = 0.5;
  const ClusterSampler sampler(law);
  Cluster cluster;
  Upset upset;
  std::uint64_t cut = 0;
  for (const int tap_rows : {0, 5}) {
    for (std::uint64_t index = 0; index < geometry.cells(); ++index) {
      const Cell struck = geometry.cell_at(index);
      for (std::uint64_t k = 0; k < 20; ++k) {
        RandomStream random(4, index * 20 + k, Purpose::kCluster);
        sampler.grow(1 + static_cast<int>(k) % 9, random, cluster);
        place_cluster(cluster, struck, geometry, tap_rows, upset);
        std::vector<Cell> expected;
        for (const ClusterCell offset : cluster.cells()) {
          const int row = struck.row + offset.row;
          const int column = struck.column + offset.column;
          const bool is_here = 0 <= row && row < 12 && 0 <= column && column < 26;
          if (is_here && (tap_rows == 0 || row / tap_rows == struck.row / tap_rows)) {
            expected.push_back({struck.bank, row, column});
          }
        }
        cut += cluster.cells().size() - expected.size();
        ASSERT_EQ(std::vector<Cell>(upset.cells().begin(), upset.cells().end()), expected);
        EXPECT_EQ(upset.cells()[0], struck);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_EQ(upset.bits()[i], geometry.bit_at(expected[i]));
        }
        sort_by_codeword(upset);
        EXPECT_TRUE(std::is_sorted(upset.bits().begin(), upset.bits().end()));
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_EQ(upset.bits()[i], geometry.bit_at(upset.cells()[i]));
        }
      }
    }
  }
  EXPECT_GT(cut, 1000);
}

TEST(ClusterTest, SampledCodewordsFitTheEnumeratedOnes) {
  const TechnologyNode& node = shipped_node("28nm");
  const ClusterLaw law = cluster_law(node, Radiation::kNeutron);
  const ClusterSampler sampler(law);
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const JudgeCodeword judge = judge_by(code);
  const auto tap_rows = static_cast<int>(node.tap_rows.value);
  for (const int interleave : {1, 2}) {
    SCOPED_TRACE(interleave);
    // Rows so long that their ends do not show.
    const ArrayGeometry geometry({8 << 20, 2, 8192, 64, code.check_bits(), interleave});
    ASSERT_EQ(geometry.rows() % tap_rows, 0);
    std::uint64_t several_cells = 0, several = 0, three = 0, detected = 0, silent = 0;
    Cluster cluster;
    Upset upset;
    std::vector<int> bits;
    for (std::uint64_t k = 0; k < kStrikes; ++k) {
      RandomStream site(5, k, Purpose::kSite);
      RandomStream random(5, k, Purpose::kCluster);
      sampler.draw(random, cluster);
      place_cluster(cluster, geometry.cell_at(site.below(geometry.cells())), geometry, tap_rows,
                    upset);
      sort_by_codeword(upset);
      several_cells += upset.size() >= 2 ? 1 : 0;
      std::size_t most = 0;
      bool is_detected = false, is_silent = false;
      for (std::size_t i = 0; i < upset.bits().size();) {
        const CodewordId codeword = upset.bits()[i].codeword;
        bits.clear();
        for (; i < upset.bits().size() && upset.bits()[i].codeword == codeword; ++i) {
          bits.push_back(upset.bits()[i].bit);
        }
        most = std::max(most, bits.size());
        const ReadResult result = judge(bits);
        is_detected = is_detected || result == ReadResult::kDetected;
        is_silent = is_silent || result == ReadResult::kSilent;
      }
      several += most >= 2 ? 1 : 0;
      three += most >= 3 ? 1 : 0;
      detected += is_detected ? 1 : 0;
      silent += is_silent ? 1 : 0;
    }
    const EventProbabilities expected =
        enumerate_events(law, {code.codeword_bits(), interleave, tap_rows}, judge);
    EXPECT_LT(std::abs(binomial_score(several_cells, kStrikes, expected.several_cells)), kFarOff);
    EXPECT_LT(std::abs(binomial_score(several, kStrikes, expected.several_bits)), kFarOff);
    EXPECT_LT(std::abs(binomial_score(detected, kStrikes, expected.detected)), kFarOff);
    if (interleave == 1) {
      EXPECT_LT(std::abs(binomial_score(three, kStrikes, expected.three_bits)), kFarOff);
      EXPECT_LT(std::abs(binomial_score(silent, kStrikes, expected.silent)), kFarOff);
    } else {
      EXPECT_LE(three, 5);  // 0.5 expected
    }
  }
}

TEST(ClusterTest, WeightsOfStoredValuesHaveMeanOneAndTheRatio) {
  EXPECT_DOUBLE_EQ(stored_value_weight(1.4, false) / stored_value_weight(1.4, true), 1.4);
  EXPECT_DOUBLE_EQ(stored_value_weight(1.4, false) + stored_value_weight(1.4, true), 2.0);
  EXPECT_DOUBLE_EQ(stored_value_weight(1.0, true), 1.0);
}

}  // namespace
}  // namespace tilestrike::sim
