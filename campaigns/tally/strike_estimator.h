// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Rates of particles' strikes with intervals, of what a tally has counted and of what is enumerated
// (docs/memory_strikes.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "campaigns/tally/strike_tally.h"

namespace tilestrike::campaigns {

/// Rates of one structure, of one kind of radiation, or of all.
struct StrikeRates {
  std::string name;
  std::uint64_t cells = 0;
  std::int64_t trials = 0;
  sim::EventRates fit;  // strikes in 1e9 hours on cells that hold 0 and 1 equally often
  /// Strikes on what the cells do hold, over that: 1 where it does not count.
  Estimate stored{1.0, {1.0, 1.0}};
  std::array<bool, 3> is_known{true, true, true};  // neutron, alpha, thermal: else 0 for want of it
  Estimate activated;
  RateArray<Estimate> avf;  // P(outcome | one strike): shares of strikes()
  Estimate false_due;
  Estimate false_of_due;  // of the detected errors, those without which the answer would be right
  Estimate wrong_on;      // wrong answers if detected errors stopped nothing
  Estimate wrong_event;   // at least one wrong inference, later ones included
  Estimate due_event;
  Estimate wrong_inferences;  // mean number of one strike
  /// What reading codewords while they are upset comes to at most, in FIT, enumerated.
  std::optional<EnumeratedRates> enumerated;

  /// Strikes in 1e9 hours, on what the cells hold.
  double strikes() const { return fit.total() * stored.value; }
  /// Of a rate of one strike, per 1e9 hours.
  Estimate in_fit(const Estimate& rate) const { return rate.times(strikes()); }
};

/// Some of the population's groups.
using GroupSelection = std::function<bool(const StrikeGroup&)>;
inline bool is_any_group(const StrikeGroup&) { return true; }

/// Whether an outcome can come of a group, and whether it is sampled there.
struct Chance {
  bool is_possible = true;
  bool is_sampled = true;
};

class StrikeEstimator {
 public:
  /// `tally` must outlive it.
  StrikeEstimator(const StrikeTally& tally, double confidence)
      : tally_(tally), population_(tally.population()), confidence_(confidence) {}

  /// Over all strikes.
  Estimate rate_of(Rate rate) const;
  /// All but name, cells and what is enumerated.
  StrikeRates rates_of(const GroupSelection& is_meant) const;

 private:
  using ChanceOf = std::function<Chance(const StrikeGroup&)>;
  using HitsOf = std::function<const ByStored&(const StrikeCounts&)>;

  Estimate estimate(const GroupSelection& is_meant, const ChanceOf& chance_of,
                    const HitsOf& hits) const;
  Estimate estimate_of(Rate rate, const GroupSelection& is_meant) const;
  Estimate false_of_due(const GroupSelection& is_meant) const;
  Estimate wrong_inferences(const GroupSelection& is_meant) const;
  Estimate stored_of(const GroupSelection& is_meant) const;
  double fit_of(const GroupSelection& is_meant) const;

  const StrikeTally& tally_;
  const ParticlePopulation& population_;
  double confidence_;
};

/// What all structures come to is at most what they come to one by one.
void keep_within_parts(std::vector<StrikeRates>& parts, StrikeRates& all);
/// And a part at most what all come to.
void keep_within_all(StrikeRates& all, StrikeRates& part);

}  // namespace tilestrike::campaigns
