// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Rates with intervals, of what a tally has counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bridge/words/judge_config.h"
#include "campaigns/tally/tally.h"

namespace tilestrike::campaigns {

/// Rates of trials that have something in common.
struct Group {
  std::string name;
  Estimate activated;
  RateArray<Estimate> rates;               // over all trials of the group
  RateArray<Estimate> rates_of_activated;  // over its activated trials
  std::map<std::string, std::int64_t> masked_at;
};

/// What faults leave of a metric.
struct ScoreEstimate {
  Estimate estimate;
  /// Of what the metric of a struck image changes by; else of the metric of all images.
  bool is_change = false;
  /// Over trials with a fault, of a metric without a bound above; else the mean when faults come
  /// with the plan's probability.
  bool is_median = false;
};

class Estimator {
 public:
  /// `is_exact`: all of a census is counted.
  Estimator(const Plan& plan, double confidence, bool is_exact)
      : confidence_(confidence),
        weight_(plan.weight()),
        is_persistent_(plan.is_persistent()),
        is_exact_(is_exact) {}

  // `weights`: the strata of the group of trials; none: it is not divided.
  /// Of the judge's metric, whose value without faults is `golden`.
  ScoreEstimate score(const TrialCounts& counts, const Weights& weights,
                      const bridge::Metric& metric, double golden) const;
  /// The mean share of an answer's parts that differ, when faults come with the plan's probability.
  Estimate differing(const TrialCounts& counts, const Weights& weights) const;
  /// Among trials with a fault.
  Estimate of_all(const TrialCounts& counts, const Weights& weights, Rate rate) const;
  /// Among all.
  Group group(const std::string& name, const TrialCounts& counts, const Weights& weights) const;

 private:
  template <class SharesOf>
  Estimate mean_of(const TrialCounts& counts, const Weights& weights,
                   const SharesOf& shares_of) const;

  /// Of scores as shares: `to_share` makes one of each.
  template <class ToShare>
  Estimate mean_score(const TrialCounts& counts, const Weights& weights,
                      const ToShare& to_share) const;
  Estimate median_score(const TrialCounts& counts, const Weights& weights) const;

  double confidence_;
  double weight_;
  bool is_persistent_;
  bool is_exact_;
};

}  // namespace tilestrike::campaigns
