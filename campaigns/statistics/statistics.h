// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Intervals for rates, and when a campaign is precise enough (docs/architecture.md).
#pragma once

#include <cstdint>

#include "campaigns/statistics/bounded_mean.h"

namespace tilestrike::campaigns {

struct Interval {
  double low = 0.0;
  double high = 1.0;
  double half_width() const { return (high - low) / 2.0; }
};

/// What an estimate rests on.
enum class Basis {
  kSampled,
  kEnumerated,  // what it is at most is enumerated, and nothing of it is sampled
  kImpossible,  // what is to be estimated cannot happen
};

/// A share of n trials, the mean share over n lasting faults, or what follows from these.
struct Estimate {
  double value = 0.0;
  Interval interval;
  std::int64_t n = 0;
  Basis basis = Basis::kSampled;

  /// Whether more trials change nothing.
  bool is_settled() const { return basis != Basis::kSampled; }
  /// Whether there is neither a trial nor an enumeration to tell it from.
  bool is_unknown() const { return n == 0 && !is_settled(); }
  Estimate times(double factor) const {
    return {value * factor, {interval.low * factor, interval.high * factor}, n, basis};
  }
};

/// The exact interval of a proportion (Clopper and Pearson, Biometrika 26, 1934). Wilson's is
/// narrower, and fails where few hits are expected: at 0.17 of them it holds 84 % of the time.
Interval clopper_pearson(std::int64_t hits, std::int64_t n, double confidence);

/// What is reported of independent Bernoulli trials: Clopper and Pearson; with no hit, or nothing
/// but hits, the exact one-sided bound, which for 95 % is about 3 / n.
Interval interval_of_trials(std::int64_t hits, std::int64_t n, double confidence);

/// What was seen of faults that are each judged on many images: the fault is the unit, and its
/// share of the images, in [0, 1], the observation.
class Shares {
 public:
  void add(double share, std::int64_t count = 1) {
    if (count > 0) {
      seen_[share] += count;
    }
  }
  void add(const Shares& other);
  std::int64_t n() const;
  double mean() const;
  const Histogram& seen() const { return seen_; }
  bool operator==(const Shares&) const = default;

 private:
  Histogram seen_;
};

/// Interval of the mean share, whatever its distribution: Gaffke's bound on either side
/// (bounded_mean.h). A fault's share of wrong answers is zero for most faults and near one for the
/// rest, so that Student's t over faults lies below the truth in up to 40 % of the cases. With
/// nothing but zeros, or ones, the one-sided bound of interval_of_trials().
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
