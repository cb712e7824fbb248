// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the strata's probabilities exact for each reach of the cluster, edges and taps included?
#include "sim/strikes/strike_strata.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

/// All strikes by trying every shape, struck cell and place.
struct BruteForce {
  std::array<std::array<double, kStrata>, kLargeReach + 1> probabilities{};

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
            probabilities[static_cast<std::size_t>(reach_of(shape))][stratum] += weight;
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
      for (int reach = 1; reach <= kLargeReach; ++reach) {
        EXPECT_NEAR(strata.probability(reach, stratum),
                    brute.probabilities[static_cast<std::size_t>(reach)][i], 1e-12)
            << name_of(stratum) << ", reach " << reach;
      }
      sum += strata.probability(stratum);
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

TEST(StrikeStrataTest, RareStrataAgreeWithTheEnumerationOfAnEndlessRow) {
  const TechnologyNode& node = shipped_node("28nm");
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const ClusterLaw law = cluster_law(node, Radiation::kNeutron);
  const auto here = [&](int interleave, Stratum stratum) {
    const ArrayGeometry geometry({256 * 1024, 4, 128, 64, 8, interleave});
    return StrikeStrata(law, geometry, 32, judge_by(code)).probability(stratum);
  };
  // As enumerated without side edges, of which these rows are nearly free.
  const auto enumerated = [&](int interleave) {
    return enumerate_events(law, {72, interleave, 32}, judge_by(code));
  };
  EXPECT_NEAR(here(1, Stratum::kSilent) / enumerated(1).silent_only, 1.0, 0.005);
  EXPECT_NEAR(here(2, Stratum::kSilent) / enumerated(2).silent_only, 1.0, 0.005);
  EXPECT_NEAR(here(4, Stratum::kDetected) / enumerated(4).detected, 1.0, 0.005);
  // Two bits of one codeword need a cluster that reaches from one to the other.
  const ArrayGeometry geometry({256 * 1024, 4, 128, 64, 8, 4});
  const StrikeStrata strata(law, geometry, 32, judge_by(code));
  for (int reach = 1; reach <= 4; ++reach) {
    EXPECT_EQ(strata.probability(reach, Stratum::kDetected), 0.0);
  }
  EXPECT_GT(strata.probability(5, Stratum::kDetected), 0.0);
}

TEST(StrikeStrataTest, LargeClustersAreAStratumOfTheirOwn) {
  const ArrayGeometry geometry({64 * 1024, 1, 128, 64, 8, 1});
  const ClusterLaw law =
      cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, /*heavy_tail=*/1e-3);
  const StrikeStrata strata(law, geometry, 0, judge_by(EccCode::make(EccKind::kSecded, 64)));
  double sum = 0.0;
  for (std::size_t i = 0; i < kStrata; ++i) {
    sum += strata.probability(static_cast<Stratum>(i));
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
  EXPECT_NEAR(strata.probability(Stratum::kLarge), 1e-3 - size_probabilities(law)[9], 1e-12);
}

}  // namespace
}  // namespace tilestrike::sim
