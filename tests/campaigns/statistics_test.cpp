// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the intervals the published ones, do they cover, and does a campaign stop at the right time?
#include "campaigns/statistics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace tilestrike::campaigns {
namespace {

TEST(StatisticsTest, ClopperPearsonMatchesPublishedValues) {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 5.
  struct Case {
    int hits, n;
    double low, high;
  };
  for (const Case& c : {Case{81, 263, 0.2527, 0.3676}, Case{15, 148, 0.0578, 0.1617},
                        Case{0, 20, 0.0000, 0.1684}, Case{1, 29, 0.0009, 0.1776}}) {
    const Interval interval = clopper_pearson(c.hits, c.n, 0.95);
    EXPECT_NEAR(interval.low, c.low, 5e-5);
    EXPECT_NEAR(interval.high, c.high, 5e-5);
  }
}

TEST(StatisticsTest, NoTrialsSayNothing) {
  for (const Interval& interval : {clopper_pearson(0, 0, 0.95), interval_of_trials(0, 0, 0.95),
                                   interval_of_shares({}, 0.95)}) {
    EXPECT_EQ(interval.low, 0.0);
    EXPECT_EQ(interval.high, 1.0);
  }
}

TEST(StatisticsTest, NoHitGivesTheOneSidedBound) {
  for (const std::int64_t n : {1, 10, 1000, 1'000'000}) {
    const double high = interval_of_trials(0, n, 0.95).high;
    EXPECT_NEAR(std::pow(1.0 - high, static_cast<double>(n)), 0.05, 1e-9) << n;
    const Interval all = interval_of_trials(n, n, 0.95);
    EXPECT_NEAR(all.low, 1.0 - high, 1e-12);
    EXPECT_EQ(all.high, 1.0);
  }
  EXPECT_NEAR(interval_of_trials(0, 1000, 0.95).high * 1000, 3.0, 0.01);  // the rule of three
}

TEST(StatisticsTest, SharesThatAreAllOrNothingAreTrials) {
  Shares shares;
  for (int i = 0; i < 29; ++i) {
    shares.add(i == 7 ? 1.0 : 0.0);
  }
  const Interval interval = interval_of_shares(shares, 0.95);
  const Interval exact = clopper_pearson(1, 29, 0.95);
  EXPECT_DOUBLE_EQ(interval.low, exact.low);
  EXPECT_DOUBLE_EQ(interval.high, exact.high);
  // So are they where the general way is taken.
  EXPECT_NEAR(upper_bound_of_mean(shares.seen(), 0.025), exact.high, 1e-8);
  EXPECT_NEAR(lower_bound_of_mean(shares.seen(), 0.025), exact.low, 1e-8);
}

// The definition: the bound is a quantile of means with random weights, drawn here.
TEST(StatisticsTest, BoundsAreQuantilesOfRandomlyWeightedMeans) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> spacing;
  for (const int n : {2, 5, 30, 200}) {
    Histogram seen;
    std::vector<double> shares;
    for (int i = 0; i < n; ++i) {
      shares.push_back(i % 7 == 1 ? 0.3 + 0.7 * i / n : i % 11 == 3 ? 0.001 * i : 0.0);
      ++seen[shares.back()];
    }
    constexpr int kDraws = 100'000;
    int above = 0, below = 0;
    const double high = upper_bound_of_mean(seen, 0.025);
    const double low = lower_bound_of_mean(seen, 0.025);
    for (int draw = 0; draw < kDraws; ++draw) {
      const double rest = spacing(random);
      double sum = 0.0, weights = rest;
      for (const double share : shares) {
        const double weight = spacing(random);
        sum += weight * share;
        weights += weight;
      }
      above += (sum + rest) / weights > high ? 1 : 0;
      below += sum / weights < low ? 1 : 0;
    }
    const double deviation = std::sqrt(0.025 * 0.975 * kDraws);
    EXPECT_NEAR(above, 0.025 * kDraws, 5 * deviation) << n;
    EXPECT_NEAR(below, 0.025 * kDraws, 5 * deviation) << n;
  }
}

// Sums of the same numbers in another order differ in their last digits.
TEST(StatisticsTest, ObservationsThatAreNearlyAlikeHaveBounds) {
  for (const double share : {1e-9, 0.1, 0.5, 0.999}) {
    Histogram seen;
    seen[share] = 100;
    seen[share * (1.0 + 1e-15)] = 100;
    EXPECT_NEAR(upper_bound_of_mean(seen, 0.025),
                share + (1.0 - share) * -std::expm1(std::log(0.025) / 200), 1e-6);
    EXPECT_NEAR(lower_bound_of_mean(seen, 0.025) / share, std::pow(0.025, 1.0 / 200), 1e-6);
  }
}

// What Student's t does not do: hold where most shares are zero and the others near one. A
// population of 100 shares; 2000 samples with replacement for each size.
TEST(StatisticsTest, IntervalsOfSkewedSharesHold) {
  std::vector<double> population(100, 0.0);
  population[1] = 0.93;
  population[2] = 0.88;
  population[3] = 0.02;
  population[4] = 0.001;
  const double truth = (0.93 + 0.88 + 0.02 + 0.001) / 100.0;
  std::mt19937_64 random(2);
  std::uniform_int_distribution<std::size_t> member(0, population.size() - 1);
  for (const int n : {10, 30, 100, 300}) {
    constexpr int kCampaigns = 2000;
    int below = 0, above = 0;
    for (int campaign = 0; campaign < kCampaigns; ++campaign) {
      Shares shares;
      for (int i = 0; i < n; ++i) {
        shares.add(population[member(random)]);
      }
      const Interval interval = interval_of_shares(shares, 0.95);
      below += interval.high < truth ? 1 : 0;
      above += interval.low > truth ? 1 : 0;
    }
    EXPECT_LE(below, 0.05 * kCampaigns) << n;
    EXPECT_LE(above, 0.03 * kCampaigns) << n;
    EXPECT_LE(below + above, 0.06 * kCampaigns) << n;
  }
}

TEST(StatisticsTest, EqualSharesDoNotGiveAnEmptyInterval) {
  Shares none, half;
  for (int i = 0; i < 20; ++i) {
    none.add(0.0);
    half.add(0.5);
  }
  EXPECT_EQ(interval_of_shares(none, 0.95).low, 0.0);
  EXPECT_NEAR(interval_of_shares(none, 0.95).high, 0.1391, 1e-4);  // 1 - 0.05^(1/20)
  EXPECT_LT(interval_of_shares(half, 0.95).low, 0.45);
  EXPECT_GT(interval_of_shares(half, 0.95).high, 0.55);
}

TEST(StatisticsTest, PrecisionIsAskedForInTwoWays) {
  const Interval interval{0.08, 0.12};
  EXPECT_TRUE(is_precise(0.1, interval, 0.2, 0.0));
  EXPECT_FALSE(is_precise(0.1, interval, 0.19, 0.0));
  EXPECT_TRUE(is_precise(0.1, interval, 0.0, 0.02));
  EXPECT_FALSE(is_precise(0.1, interval, 0.0, 0.019));
  EXPECT_FALSE(is_precise(0.1, interval, 0.2, 0.019));
  EXPECT_FALSE(is_precise(0.0, {0.0, 0.001}, 0.2, 0.0)) << "nothing is relative to no hit";
}

TEST(StatisticsTest, LooksGrowAndAreFixed) {
  EXPECT_EQ(trials_at_look(0), 200);
  EXPECT_EQ(trials_at_look(1), 250);
  for (int look = 0; look < 60; ++look) {
    EXPECT_GT(trials_at_look(look + 1), trials_at_look(look));
  }
}

// Stopping when the interval is narrow must not spoil what the interval promises.
TEST(StatisticsTest, IntervalsStillCoverAfterStoppingByPrecision) {
  std::mt19937_64 random(1);
  for (const double rate : {0.02, 0.1, 0.5}) {
    std::bernoulli_distribution hit(rate);
    constexpr int kCampaigns = 1000;
    int covered = 0;
    for (int campaign = 0; campaign < kCampaigns; ++campaign) {
      std::int64_t hits = 0, n = 0;
      Interval interval;
      for (int look = 0; look < 60; ++look) {
        for (; n < trials_at_look(look); ++n) {
          hits += hit(random) ? 1 : 0;
        }
        interval = interval_of_trials(hits, n, 0.95);
        const double seen = static_cast<double>(hits) / static_cast<double>(n);
        if (is_precise(seen, interval, 0.2, 0.0)) {
          break;
        }
      }
      covered += interval.low <= rate && rate <= interval.high ? 1 : 0;
    }
    EXPECT_GE(covered, 0.93 * kCampaigns) << rate;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
