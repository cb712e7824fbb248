// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Means over a population that is divided into strata of known weight, each sampled by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {

/// What was seen in one stratum: shares of lasting faults, or zeros and ones of transient trials.
struct StratumShares {
  double weight = 0.0;  // its share of the population, exact
  Shares shares;
  std::size_t part = 0;  // of the population, whose strata are more alike than those of other parts
};

/// A mean in one stratum with its own interval.
struct StratumMean {
  double weight = 0.0;
  double value = 0.0;
  Interval interval;
};

/// The mean sum(w p) of means p known with intervals [l, u]:
///     low = mean - sqrt(sum((w (p - l))^2)),  high = mean + sqrt(sum((w (u - p))^2)).
/// The method of variance estimates recovery for a linear function of proportions (Zou, Huang and
/// Zhang, Computational Statistics and Data Analysis 53, 2009, section 2).
Estimate combined(std::span<const StratumMean> means);

/// The mean share sum(w mean): combined() of the strata's intervals (interval_of_shares). A stratum
/// without trials may be anything from 0 to 1: its weight is added to the upper end as it is. It is
/// estimated by the mean of those of its part that have trials, by 0 where the part has none. Where
/// no fault of any stratum has a share above 0, the one-sided bound of bound_of_none().
Estimate stratified_mean(std::span<const StratumShares> strata, double confidence);

/// The largest rate sum(w p) under which no hit in any stratum has a probability of
/// 1 - confidence: the maximum over all p with prod((1 - p)^n) >= 1 - confidence, which is that of
/// interval_of_trials() for one stratum. Strata without trials count as p = 1.
double bound_of_none(std::span<const StratumShares> strata, double confidence);

}  // namespace tilestrike::campaigns
