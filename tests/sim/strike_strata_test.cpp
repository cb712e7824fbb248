// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the strata's probabilities exact, edges and taps included, and are strikes within a stratum
// drawn as they are among all?
#include "sim/memory/strike_strata.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "tests/sim/chi_square.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

/// All strikes by trying every shape, struck cell and place.
struct BruteForce {
  std::array<double, kStrata> probabilities{};
  /// Of (number of cells of the shape that are left, struck cell), by stratum.
  std::array<std::map<std::pair<int, Cell>, double>, kStrata> by_strike;

  BruteForce(const ClusterLaw& law, const ArrayGeometry& geometry, int tap_rows,
             const StrikeStrata& strata) {
    const std::vector<double> sizes = size_probabilities(law);
    const auto shapes = enumerate_shapes(law.word_line_share, static_cast<int>(sizes.size()));
    Cluster cluster;
    Upset upset;
    for (std::size_t n = 0; n < sizes.size(); ++n) {
      for (const ClusterShape& shape : shapes[n]) {
        for (std::size_t struck = 0; struck <= n; ++struck) {
          cluster.set(shape.used(), struck);
          for (std::uint64_t index = 0; index < geometry.cells(); ++index) {
            const Cell cell = geometry.cell_at(index);
            place_cluster(cluster, cell, geometry, tap_rows, upset);
            sort_by_codeword(upset);
            const auto stratum = static_cast<std::size_t>(strata.stratum_of(upset));
            const double weight =
                sizes[n] * shape.struck[struck] / static_cast<double>(geometry.cells());
            probabilities[stratum] += weight;
            by_strike[stratum][{upset.size(), cell}] += weight;
          }
        }
      }
    }
  }
};

ClusterLaw law_of(double share, double ratio, int most, double word_line_share) {
  ClusterLaw law;
  law.multi_cell_share = share;
  law.tail_ratio = ratio;
  law.most_cells = most;
  law.word_line_share = word_line_share;
  return law;
}

TEST(StrikeStrataTest, ProbabilitiesAreExactUpToEdgesAndTaps) {
  struct Case {
    ArrayConfig array;
    EccKind kind;
    int tap_rows, most;
  };
  const Case cases[] = {
      {{48, 2, 4, 8, 5, 2}, EccKind::kSecded, 4, 5},      // two groups, taps that do not divide
      {{24, 1, 4, 8, 5, 1}, EccKind::kSecded, 0, 5},      // four codewords side by side
      {{8, 1, 1, 8, 5, 1}, EccKind::kSecded, 3, 5},       // one codeword to a row
      {{6, 1, 1, 8, 0, 1}, EccKind::kNone, 1, 5},         // rows that are alone
      {{16, 1, 4, 8, 1, 4}, EccKind::kParity, 2, 5},      // parity
      {{2, 1, 1, 8, 1, 1}, EccKind::kParity, 0, 7},       // shapes taller and as wide as the bank
      {{24, 1, 4, 8, 5, 2}, EccKind::kSecdedDaec, 0, 5},  // neighbours are corrected
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message() << each.array.capacity_bytes << " " << each.array.interleave
                                    << " " << info_of(each.kind).name);
    const EccCode& code = EccCode::make(each.kind, each.array.data_bits);
    ASSERT_EQ(code.check_bits(), each.array.check_bits);
    const ArrayGeometry geometry(each.array);
    const ClusterLaw law = law_of(0.6, 0.8, each.most, 0.6);
    const StrikeStrata strata(law, geometry, each.tap_rows, judge_by(code));
    const BruteForce brute(law, geometry, each.tap_rows, strata);
    double sum = 0.0;
    for (std::size_t i = 0; i < kStrata; ++i) {
      const auto stratum = static_cast<Stratum>(i);
      EXPECT_NEAR(strata.probability(stratum), brute.probabilities[i], 1e-12) << name_of(stratum);
      sum += strata.probability(stratum);
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

TEST(StrikeStrataTest, StrikesOfAStratumAreDrawnAsAmongAll) {
  const ArrayGeometry geometry({12, 1, 4, 8, 5, 1});
  const EccCode& code = EccCode::make(EccKind::kSecded, 8);
  const ClusterLaw law = law_of(0.6, 0.8, 5, 0.6);
  const StrikeStrata strata(law, geometry, 2, judge_by(code));
  const BruteForce brute(law, geometry, 2, strata);
  for (const Stratum stratum :
       {Stratum::kRight, Stratum::kDetected, Stratum::kSilent, Stratum::kBoth}) {
    SCOPED_TRACE(name_of(stratum));
    const auto& expected = brute.by_strike[static_cast<std::size_t>(stratum)];
    std::map<std::pair<int, Cell>, std::uint64_t> drawn;
    Cell struck;
    Upset upset;
    constexpr std::uint64_t kDraws = 100'000;
    for (std::uint64_t k = 0; k < kDraws; ++k) {
      RandomStream random(7, k, Purpose::kCluster);
      strata.draw(stratum, random, struck, upset);
      ASSERT_EQ(strata.stratum_of(upset), stratum);
      ++drawn[{upset.size(), struck}];
    }
    std::vector<std::uint64_t> counts;
    std::vector<double> means;
    std::uint64_t known = 0;
    for (const auto& [strike, weight] : expected) {
      counts.push_back(drawn[strike]);
      known += counts.back();
      means.push_back(kDraws * weight / strata.probability(stratum));
    }
    EXPECT_EQ(known, kDraws);
    EXPECT_LT(std::abs(chi_square_score(counts, means)), kFarOff);
  }
}

TEST(StrikeStrataTest, WhatIsRareIsReached) {
  const TechnologyNode& node = shipped_node("28nm");
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const ClusterLaw law = cluster_law(node, Radiation::kNeutron);
  Cell struck;
  Upset upset;
  const auto reach = [&](int interleave, Stratum stratum) {
    const ArrayGeometry geometry({256 * 1024, 4, 128, 64, 8, interleave});
    const StrikeStrata strata(law, geometry, 32, judge_by(code));
    for (std::uint64_t k = 0; k < 1000; ++k) {
      RandomStream random(8, k, Purpose::kCluster);
      strata.draw(stratum, random, struck, upset);
      EXPECT_EQ(strata.stratum_of(upset), stratum);
    }
    return strata.probability(stratum);
  };
  // As enumerated without side edges, of which these rows are nearly free.
  const auto enumerated = [&](int interleave) {
    return enumerate_events(law, {72, interleave, 32}, judge_by(code));
  };
  EXPECT_NEAR(reach(1, Stratum::kSilent) / enumerated(1).silent_only, 1.0, 0.005);
  EXPECT_NEAR(reach(2, Stratum::kSilent) / enumerated(2).silent_only, 1.0, 0.005);
  EXPECT_NEAR(reach(4, Stratum::kDetected) / enumerated(4).detected, 1.0, 0.005);
}

TEST(StrikeStrataTest, LargeClustersAreAStratumOfTheirOwn) {
  const ArrayGeometry geometry({64 * 1024, 1, 128, 64, 8, 1});
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const ClusterLaw law =
      cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, /*heavy_tail=*/1e-3);
  const StrikeStrata strata(law, geometry, 0, judge_by(code));
  double sum = 0.0;
  for (std::size_t i = 0; i < kStrata; ++i) {
    sum += strata.probability(static_cast<Stratum>(i));
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
  EXPECT_NEAR(strata.probability(Stratum::kLarge), 1e-3 - size_probabilities(law)[9], 1e-12);
  Cell struck;
  Upset upset;
  int largest = 0;
  for (std::uint64_t k = 0; k < 2000; ++k) {
    RandomStream random(9, k, Purpose::kCluster);
    strata.draw(Stratum::kLarge, random, struck, upset);
    largest = std::max(largest, upset.size());
  }
  EXPECT_GT(largest, 90);
}

}  // namespace
}  // namespace tilestrike::sim
