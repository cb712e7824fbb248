// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What intervals of Bernoulli trials hold, exactly: the sum over all numbers of hits.
#include "tests/coverage/other_intervals.h"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <functional>

namespace tilestrike::coverage {
namespace {

using campaigns::Interval;
using campaigns::Shares;

Shares shares_of(std::int64_t hits, std::int64_t n) {
  Shares shares;
  if (hits > 0) {
    shares.add(1.0, hits);
  }
  if (hits < n) {
    shares.add(0.0, n - hits);
  }
  return shares;
}

/// P(the interval of n trials of this rate contains it).
double coverage_of(const std::function<Interval(const Shares&, double)>& interval, std::int64_t n,
                   double rate) {
  const boost::math::binomial hits(static_cast<double>(n), rate);
  double covered = 0.0;
  for (std::int64_t k = 0; k <= n; ++k) {
    const Interval found = interval(shares_of(k, n), 0.95);
    if (found.low <= rate && rate <= found.high) {
      covered += boost::math::pdf(hits, static_cast<double>(k));
    }
  }
  return covered;
}

TEST(OtherIntervalsTest, WilsonsIsThePublishedOne) {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  const Interval interval = wilson_interval(shares_of(15, 148), 0.95);
  EXPECT_NEAR(interval.low, 0.0624, 5e-5);
  EXPECT_NEAR(interval.high, 0.1605, 5e-5);
}

TEST(OtherIntervalsTest, StudentsIsTheMeanOfATable) {
  // Of 0.1, 0.2, 0.3, 0.4: mean 0.25, deviation 0.1291, and t(3, 97.5 %) = 3.1824.
  Shares shares;
  for (const double share : {0.1, 0.2, 0.3, 0.4}) {
    shares.add(share);
  }
  const Interval interval = student_interval(shares, 0.95);
  EXPECT_NEAR(interval.low, 0.0446, 5e-5);
  EXPECT_NEAR(interval.high, 0.4554, 5e-5);
}

TEST(OtherIntervalsTest, WilsonsFailsWhereFewHitsAreExpected) {
  constexpr std::int64_t kTrials = 1000;
  const auto ours = [](const Shares& shares, double confidence) {
    return campaigns::interval_of_shares(shares, confidence);
  };
  const auto at = [](double expected) { return expected / static_cast<double>(kTrials); };
  EXPECT_NEAR(coverage_of(wilson_interval, kTrials, at(0.1)), 0.905, 0.002);
  EXPECT_NEAR(coverage_of(wilson_interval, kTrials, at(0.17)), 0.844, 0.002);
  EXPECT_NEAR(coverage_of(wilson_interval, kTrials, at(0.5)), 0.910, 0.002);
  EXPECT_NEAR(coverage_of(wilson_interval, kTrials, at(1.0)), 0.920, 0.002);
  for (const double expected : {0.05, 0.1, 0.17, 0.3, 0.5, 1.0, 2.0, 5.0, 20.0}) {
    EXPECT_GE(coverage_of(ours, kTrials, at(expected)), 0.95) << expected;
  }
  // The price of a one-sided bound without a hit, where that is as likely as the bound allows.
  EXPECT_NEAR(coverage_of(ours, kTrials, at(3.0)), 0.939, 0.001);
}

}  // namespace
}  // namespace tilestrike::coverage
