// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the intervals the published ones, do they cover, and does a campaign stop at the right time?
#include "campaigns/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tilestrike::campaigns {
namespace {

TEST(StatisticsTest, WilsonMatchesPublishedValues) {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  struct Case {
    int hits, n;
    double low, high;
  };
  for (const Case& c : {Case{81, 263, 0.2553, 0.3662}, Case{15, 148, 0.0624, 0.1605},
                        Case{0, 20, 0.0000, 0.1611}, Case{1, 29, 0.0061, 0.1718}}) {
    const Interval interval = wilson(c.hits, c.n, 0.95);
    EXPECT_NEAR(interval.low, c.low, 5e-5);
    EXPECT_NEAR(interval.high, c.high, 5e-5);
  }
}

TEST(StatisticsTest, ClopperPearsonMatchesPublishedValues) {
  // The same table, method 5.
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
  for (const Interval& interval : {wilson(0, 0, 0.95), clopper_pearson(0, 0, 0.95),
                                   interval_of_trials(0, 0, 0.95), interval_of_shares({}, 0.95)}) {
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

TEST(StatisticsTest, IntervalOfSharesIsStudentsT) {
  Shares shares;
  for (const double share : {0.1, 0.2, 0.3, 0.4, 0.5}) {
    shares.add(share);
  }
  // mean 0.3, standard deviation 0.158114, t(4, 97.5 %) = 2.776445
  const Interval interval = interval_of_shares(shares, 0.95);
  EXPECT_NEAR(interval.low, 0.3 - 2.776445 * 0.158114 / std::sqrt(5.0), 1e-6);
  EXPECT_NEAR(interval.high, 0.3 + 2.776445 * 0.158114 / std::sqrt(5.0), 1e-6);
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
