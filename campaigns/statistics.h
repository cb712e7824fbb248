// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Intervals for rates, and when a campaign is precise enough (docs/architecture.md).
#pragma once

#include <cstdint>

namespace tilestrike::campaigns {

struct Interval {
  double low = 0.0;
  double high = 1.0;
  double half_width() const { return (high - low) / 2.0; }
};

/// Wilson score interval of a proportion (Wilson, JASA 22, 1927).
Interval wilson(std::int64_t hits, std::int64_t n, double confidence);

/// The exact interval of a proportion (Clopper and Pearson, Biometrika 26, 1934).
Interval clopper_pearson(std::int64_t hits, std::int64_t n, double confidence);

/// What is reported of independent Bernoulli trials: Wilson; with no hit, or nothing but hits, the
/// exact one-sided bound, which for 95 % is about 3 / n.
Interval interval_of_trials(std::int64_t hits, std::int64_t n, double confidence);

/// Sums over faults that are each judged on many images: the fault is the unit.
struct Shares {
  std::int64_t n = 0;
  double sum = 0.0;
  double sum_of_squares = 0.0;
  void add(double share) {
    ++n;
    sum += share;
    sum_of_squares += share * share;
  }
  double mean() const { return n == 0 ? 0.0 : sum / static_cast<double>(n); }
};

/// Student's t interval of the mean share, cut to [0, 1]. Where all shares are equal, the spread
/// says nothing: a fault that differs would have been seen with the asked confidence if its share
/// of the population were above 1 - (1 - confidence)^(1/n), so the mean is bounded by that.
Interval interval_of_shares(const Shares& shares, double confidence);

/// The interval of a census: it has no sampling error.
inline Interval exact_interval(double rate) { return {rate, rate}; }

/// How many trials there are at look 0, 1, 2, ...: 200, then a quarter more each time.
///
/// A campaign with `until` looks only then, and the confidence is not divided among the looks: it
/// stops because the interval is narrow, not because of where it lies. Such intervals keep their
/// coverage as they narrow (Chow and Robbins, Annals of Mathematical Statistics 36, 1965); a test
/// measures it at the widths that are asked for.
std::int64_t trials_at_look(int look);

/// Whether an interval around `rate` is narrow enough. `relative` and `half_width` are limits; 0 is
/// none. A rate of zero is never relatively precise.
bool is_precise(double rate, const Interval& interval, double relative, double half_width);

}  // namespace tilestrike::campaigns
