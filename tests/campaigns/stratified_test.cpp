// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are means over strata right, and do their intervals cover?
#include "campaigns/statistics/stratified.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "campaigns/statistics/difference.h"
#include "tests/campaigns/strata.h"

namespace tilestrike::campaigns {
namespace {

TEST(StratifiedTest, OneStratumIsNoStratum) {
  for (const auto& [hits, n] : {std::pair<std::int64_t, std::int64_t>{3, 100}, {50, 60}, {0, 70}}) {
    const std::vector<StratumShares> one = {stratum_of(1.0, hits, n)};
    const Estimate estimate = stratified_mean(one, 0.95);
    const Interval expected = interval_of_trials(hits, n, 0.95);
    EXPECT_NEAR(estimate.value, static_cast<double>(hits) / static_cast<double>(n), 1e-15);
    EXPECT_NEAR(estimate.interval.low, expected.low, 1e-12);
    EXPECT_NEAR(estimate.interval.high, expected.high, 1e-9);
  }
}

TEST(StratifiedTest, TwoStrataByHand) {
  const std::vector<StratumShares> counts = {stratum_of(0.9, 10, 100), stratum_of(0.1, 60, 120)};
  const Estimate estimate = stratified_mean(counts, 0.95);
  EXPECT_NEAR(estimate.value, 0.9 * 0.1 + 0.1 * 0.5, 1e-15);
  // Exact: 10 of 100 is [0.0490047, 0.1762226]; 60 of 120 is [0.4073828, 0.5926172].
  EXPECT_NEAR(estimate.interval.low,
              0.14 - std::hypot(0.9 * (0.1 - 0.0490047), 0.1 * (0.5 - 0.4073828)), 1e-6);
  EXPECT_NEAR(estimate.interval.high,
              0.14 + std::hypot(0.9 * (0.1762226 - 0.1), 0.1 * (0.5926172 - 0.5)), 1e-6);
}

TEST(StratifiedTest, AStratumWithoutATrialIsTakenToBeAsTheOthers) {
  const std::vector<StratumShares> all = {stratum_of(0.5, 9, 9), stratum_of(0.3, 4, 4),
                                          stratum_of(0.2, 0, 0)};
  const Estimate estimate = stratified_mean(all, 0.95);
  EXPECT_NEAR(estimate.value, 1.0, 1e-15) << "all that were looked at";
  EXPECT_LT(estimate.interval.low, 0.8) << "the rest may be right";
  EXPECT_NEAR(estimate.interval.high, 1.0, 1e-15);
  // Whatever the rest is, in many campaigns of the part that is looked at.
  std::mt19937_64 random(3);
  for (const auto& [seen, n, p, rest] :
       {std::tuple{0.5, 100, 0.5, 0.0}, {0.8, 100, 0.6, 0.0}, {0.9, 1000, 0.3, 1.0}}) {
    int held = 0;
    for (int k = 0; k < 1000; ++k) {
      const auto hits = std::binomial_distribution<std::int64_t>(n, p)(random);
      const Interval found =
          stratified_mean(std::vector{stratum_of(seen, hits, n), stratum_of(1.0 - seen, 0, 0)},
                          0.95)
              .interval;
      const double truth = seen * p + (1.0 - seen) * rest;
      held += found.low <= truth && truth <= found.high ? 1 : 0;
    }
    EXPECT_GE(held, 930) << seen << " of the population seen, the rest at " << rest;
  }
  const Estimate some = stratified_mean(
      std::vector{stratum_of(0.5, 10, 100), stratum_of(0.25, 60, 120), stratum_of(0.25, 0, 0)},
      0.95);
  EXPECT_NEAR(some.value, (0.5 * 0.1 + 0.25 * 0.5) / 0.75, 1e-15);
  // As those of its own part, where there are some.
  std::vector<StratumShares> parts = {stratum_of(0.5, 10, 100), stratum_of(0.25, 60, 120),
                                      stratum_of(0.25, 0, 0)};
  parts[1].part = parts[2].part = 1;
  EXPECT_NEAR(stratified_mean(parts, 0.95).value, 0.5 * 0.1 + 0.5 * 0.5, 1e-15);
}

// Pairs that go up, down or stay, and pairs of two strikes that have nothing in common.
TEST(MeanDifferenceTest, IntervalsCoverAndPairsThatStayAreNarrow) {
  std::mt19937_64 random(1);
  struct Case {
    double up, down;
    int n;
  };
  for (const auto& [up, down, n] :
       {Case{0.05, 0.02, 100}, Case{0.3, 0.3, 100}, Case{0.01, 0.0, 300}, Case{0.002, 0.001, 500},
        Case{0.45, 0.45, 60}, Case{0.6, 0.1, 40}}) {
    int held = 0;
    const int campaigns = 2000;
    for (int k = 0; k < campaigns; ++k) {
      Differences all{{}, -1.0, 1.0};
      for (int i = 0; i < n; ++i) {
        const double unit = std::uniform_real_distribution<>()(random);
        all.values.push_back(unit < up ? 1.0 : unit < up + down ? -1.0 : 0.0);
      }
      const Interval found = mean_difference({&all, 1}, 0.95).interval;
      held += found.low <= up - down && up - down <= found.high ? 1 : 0;
    }
    EXPECT_GE(held, 0.93 * campaigns) << up << " up, " << down << " down, of " << n;
  }
  const Differences still{std::vector<double>(300, 0.0), -1.0, 1.0};
  const Estimate none = mean_difference({&still, 1}, 0.95);
  EXPECT_EQ(none.value, 0.0);
  EXPECT_NEAR(none.interval.high, 1.0 - std::pow(0.05, 1.0 / 300), 1e-12);
  // What can only go down, and weights that differ by their rounding.
  const Differences down{{-0.25, 0.0, -0.25, 3e-17}, -0.25, 0.0};
  EXPECT_EQ(mean_difference({&down, 1}, 0.95).value, -0.125);
  EXPECT_EQ(mean_difference({&down, 1}, 0.95).interval.high <= 0.0, true);
}

TEST(StratifiedTest, WithoutAHitTheBoundIsThatOfTheWorstCase) {
  // Any rates that make "no hit" likelier than 5 % lie below the bound, and some reach it.
  const std::vector<StratumShares> counts = {stratum_of(0.7, 0, 50), stratum_of(0.3, 0, 20)};
  const double bound = bound_of_none(counts, 0.95);
  double most = 0.0;
  for (int i = 0; i <= 20000; ++i) {
    const double p = i / 20000.0 * (1.0 - std::pow(0.05, 1.0 / 50));
    const double rest = 0.05 / std::pow(1.0 - p, 50);
    most = std::max(most, 0.7 * p + 0.3 * (1.0 - std::pow(rest, 1.0 / 20)));
  }
  EXPECT_NEAR(bound, most, 1e-7);
  // What was not looked at may always happen.
  const std::vector<StratumShares> unseen = {stratum_of(0.7, 0, 50), stratum_of(0.3, 0, 0)};
  EXPECT_NEAR(bound_of_none(unseen, 0.95), 0.3 + 0.7 * (1.0 - std::pow(0.05, 1.0 / 50)), 1e-9);
  EXPECT_EQ(bound_of_none({}, 0.95), 0.0);
}

TEST(StratifiedTest, IntervalsCover) {
  std::mt19937_64 random(1);
  struct Case {
    std::vector<double> weights, rates;
    std::vector<int> n;
  };
  for (const Case& each : std::vector<Case>{{{0.94, 0.06}, {0.02, 0.3}, {300, 300}},
                                            {{0.5, 0.3, 0.2}, {0.1, 0.05, 0.01}, {100, 100, 100}},
                                            {{0.8, 0.2}, {0.001, 0.02}, {200, 200}},
                                            {{0.2, 0.2, 0.6}, {0.5, 0.9, 0.4}, {30, 40, 60}}}) {
    double truth = 0.0;
    for (std::size_t h = 0; h < each.n.size(); ++h) {
      truth += each.weights[h] * each.rates[h];
    }
    int covered = 0;
    constexpr int kRuns = 4000;
    for (int run = 0; run < kRuns; ++run) {
      std::vector<StratumShares> counts;
      for (std::size_t h = 0; h < each.n.size(); ++h) {
        std::binomial_distribution<int> draw(each.n[h], each.rates[h]);
        counts.push_back(stratum_of(each.weights[h], draw(random), each.n[h]));
      }
      const Interval interval = stratified_mean(counts, 0.95).interval;
      covered += interval.low <= truth && truth <= interval.high ? 1 : 0;
    }
    EXPECT_GT(covered, 0.94 * kRuns) << "truth " << truth;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
