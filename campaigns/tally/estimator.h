// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Rates with intervals, of what a tally has counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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

class Estimator {
 public:
  /// `is_exact`: all of a census is counted.
  Estimator(const Plan& plan, double confidence, bool is_exact)
      : confidence_(confidence),
        weight_(plan.weight()),
        is_persistent_(plan.is_persistent()),
        is_exact_(is_exact) {}

  // `weights`: the strata of the group of trials; none: it is not divided.
  /// The accuracy when faults come with the plan's probability: the golden one, and what trials
  /// gain or lose on their own images.
  Estimate accuracy(const TrialCounts& counts, const Weights& weights, double golden) const;
  /// Among trials with a fault.
  Estimate of_all(const TrialCounts& counts, const Weights& weights, Rate rate) const;
  /// Among all.
  Group group(const std::string& name, const TrialCounts& counts, const Weights& weights) const;

 private:
  template <class SharesOf>
  Estimate mean_of(const TrialCounts& counts, const Weights& weights,
                   const SharesOf& shares_of) const;

  double confidence_;
  double weight_;
  bool is_persistent_;
  bool is_exact_;
};

}  // namespace tilestrike::campaigns
