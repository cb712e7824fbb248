// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Counts of a campaign's trials, taken one by one: all of them, and those of each part of the
// population and of each layer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "campaigns/plan/sampling.h"
#include "campaigns/results/results.h"
#include "campaigns/tally/strike_tally.h"

namespace tilestrike::campaigns {

/// Trials of one stratum; without strata, all. A transient trial's share is 0 or 1.
struct StratumCounts {
  Shares activated;
  RateArray<Shares> all;
  RateArray<Shares> of_activated;
  /// Scores under faults that are judged on all images; else what an image's own score gained.
  Shares scores;
  Shares differing;  // shares of the answers' parts that differ

  void merge(const StratumCounts& other);
  bool operator==(const StratumCounts&) const = default;
};

/// Trials that have something in common, by stratum.
struct TrialCounts {
  std::int64_t n = 0;
  std::int64_t activated = 0;
  std::int64_t faults = 0;
  std::map<std::string, StratumCounts> strata;
  std::map<std::string, std::int64_t> masked_at;

  /// `is_persistent`: judged on every image.
  void add(const TrialRecord& trial, bool is_persistent);
  void merge(const TrialCounts& other);
  /// 0 where there is no trial.
  double mean_faults() const;
  bool operator==(const TrialCounts&) const = default;
};

/// How trials are counted.
struct TallyRules {
  bool is_persistent = false;
  bool is_by_structure = false;        // parts are structures; else registers, or tensors
  std::optional<StrikeTally> strikes;  // empty, where each trial is one particle
};

/// Trials one by one, without an order; what is counted in parts is merged, and is the same.
class Tally {
 public:
  explicit Tally(const TallyRules& rules)
      : is_persistent_(rules.is_persistent),
        is_by_structure_(rules.is_by_structure),
        strikes_(rules.strikes) {}

  void add(const TrialRecord& trial);
  /// Of the same plan, and of other trials.
  void merge(const Tally& other);

  std::int64_t trials() const { return all_.n; }
  const TrialCounts& all() const { return all_; }
  const std::map<std::string, TrialCounts>& parts() const { return parts_; }
  /// By the first layer struck; empty: none.
  const std::map<std::string, TrialCounts>& layers() const { return layers_; }
  const std::optional<StrikeTally>& strikes() const { return strikes_; }

  bool operator==(const Tally&) const = default;

 private:
  bool is_persistent_;
  bool is_by_structure_;
  TrialCounts all_;
  std::map<std::string, TrialCounts> parts_, layers_;
  std::optional<StrikeTally> strikes_;
};

/// What tallies look at.
Fields tallied_fields();

/// Goes on with trials tally.trials(), ... up to the first that is missing, or `most` in all.
/// Trials are struck image by image, so those beyond a gap are no random sample.
void count_up_to(std::int64_t most, const Results& results, std::int64_t scenario, Tally& tally);

}  // namespace tilestrike::campaigns
