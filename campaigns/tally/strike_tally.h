// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Counts of trials that are one particle each: by what was struck, and by what ECC makes of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "campaigns/plan/particle_population.h"
#include "campaigns/results/trial_record.h"
#include "campaigns/statistics/rates.h"
#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {

/// One trial as this tally sees it.
struct StrikeSeen {
  std::string structure, radiation, stratum;
  std::optional<bool> stored;  // what the struck cell held; nothing where that does not count
  bool is_activated = false;
  RateArray<bool> is;
  bool is_false_due = false;  // a due that is masked or corrected without the stop
  bool is_wrong_on = false;   // wrong, or would be if a detected error did not stop it
  double later_wrong = 0.0;   // share of later inferences; 0 where none reads the cells
  double later_due = 0.0;
};
StrikeSeen strike_seen(const TrialRecord& trial);

/// Trials by what the struck cell held: 0, 1, or what does not count.
using ByStored = std::array<std::int64_t, 3>;
/// Relative rates of the strikes on such cells.
using StoredFactors = std::array<double, 3>;

std::int64_t total_of(const ByStored& counts);

/// Trials of one group of strikes.
struct StrikeCounts {
  std::int64_t n = 0;
  ByStored struck{}, activated{};
  RateArray<ByStored> hits;
  ByStored false_due{}, wrong_on{}, wrong_events{}, due_events{};
  Shares wrong;  // wrong inferences, with the cell's factor, over the most of the structure

  void merge(const StrikeCounts& other);
  bool operator==(const StrikeCounts&) const = default;
};

/// Trials one by one; what is counted in parts is merged, and is the same.
class StrikeTally {
 public:
  /// `later_inferences`: that a strike on contents that stay lasts on average.
  StrikeTally(const ParticlePopulation& population, double later_inferences,
              AfterDetection after_detection);

  void add(const StrikeSeen& seen);
  /// Of the same population.
  void merge(const StrikeTally& other);

  const StrikeCounts& of(const StrikeGroup& group) const;
  const ParticlePopulation& population() const { return *population_; }
  AfterDetection after_detection() const { return after_detection_; }
  double later_inferences() const { return later_inferences_; }
  /// By what the struck cell held, and the largest of them.
  const StoredFactors& factors() const { return factors_; }
  double most_factor() const;
  /// Inferences that a strike on a structure can reach beyond its own.
  double lasting(const Structure& structure) const;

  /// Whether both counted the same.
  bool operator==(const StrikeTally& other) const { return counts_ == other.counts_; }

 private:
  const ParticlePopulation* population_;
  double later_inferences_;
  AfterDetection after_detection_;
  StoredFactors factors_{1.0, 1.0, 1.0};
  std::map<std::string, StrikeCounts> counts_;  // by StrikeGroup::key()
};

}  // namespace tilestrike::campaigns
