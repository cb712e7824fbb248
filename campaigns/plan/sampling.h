// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The plan of a scenario: its population, and trial k as a function of (seed, k) alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "bridge/words/strike_job.h"
#include "bridge/words/study_facts.h"
#include "campaigns/plan/memory_population.h"
#include "campaigns/plan/tensor_population.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

struct DrawnFault {
  RegisterFault fault;  // of kind kRandom as it was asked for
  bool acts = true;     // false: the random value is the one that the bit has
};

struct DrawnTrial {
  std::optional<ImageId> image;    // nothing: judged on every image in use
  std::vector<DrawnFault> faults;  // on the mesh, or ...
  DrawnWords words;                // ... on tensors, or ...
  std::optional<DrawnStrike>
      strike;                        // ... on memories; on the mesh, too, where it is drawn by rate
  bridge::ScrubPhases scrub_phases;  // where memories are struck: of each of them

  /// What strikes: without random faults, which have become a flip or nothing.
  bridge::StrikeJob job() const;
};

class Plan {
 public:
  /// Throws Failure where the strike does not fit the study: no such layer, a cycle beyond the
  /// inference, an image that is not in use, a census that is too large.
  Plan(const Scenario& scenario, const bridge::StudyFacts& study);

  /// Trials are 0 .. trials() - 1.
  std::int64_t trials() const { return trials_; }
  bool is_persistent() const { return is_persistent_; }
  /// Whether every member of the population is a trial.
  bool is_census() const { return is_census_; }
  /// Not null: tensors are struck, not the mesh.
  const TensorPopulation* tensors() const { return tensors_ ? &*tensors_ : nullptr; }
  /// Not null: memories are struck, and the mesh where `where` says so.
  const MemoryPopulation* memories() const { return memories_.get(); }
  bool strikes_constants() const { return strikes_constants_; }
  bool keeps_outcomes() const { return keeps_outcomes_; }
  AfterDetection after_detection() const { return after_detection_; }
  /// What a rate over the trials is multiplied by: the probability that there is anything to strike
  /// a trial with. 1 where the number of faults is given.
  double weight() const {
    return tensors_ ? tensors_->weight() : memories_ ? memories_->weight() : 1.0;
  }
  std::uint64_t sites() const {
    return tensors_ ? tensors_->members() : memories_ ? memories_->members() : sites_.size();
  }
  /// Of the mesh, that may be struck; none where faults are listed or other things are struck.
  const std::vector<SiteId>& struck_sites() const { return sites_; }
  Cycle cycles() const { return cycles_; }
  /// Different single faults, and for transients images: what a trial with one fault is drawn from.
  std::uint64_t population() const { return population_; }
  std::string population_text() const;

  DrawnTrial draw(TrialId trial) const;

 private:
  DrawnTrial draw_uniform(TrialId trial) const;
  DrawnTrial draw_member(TrialId trial) const;
  DrawnTrial draw_listed(TrialId trial) const;
  DrawnTrial draw_words(TrialId trial) const;
  DrawnTrial draw_strike(TrialId trial) const;
  bridge::ScrubPhases draw_scrub_phases(TrialId trial) const;
  void plan_population(const Scenario& scenario, std::uint64_t members);
  void plan_memories(const Scenario& scenario, const bridge::StudyFacts& study);
  void plan_tensors(const Scenario& scenario, const bridge::StudyFacts& study);
  bool strikes_listed_constants(const bridge::StudyFacts& study) const;
  CycleWindow window_of(FaultKind kind, std::uint64_t cycle_index) const;
  void check_list(const bridge::StudyFacts& study) const;

  StrikeConfig strike_;
  std::uint64_t seed_ = 0;
  bool is_persistent_ = false;
  bool is_census_ = false;
  std::int64_t images_ = 0;
  std::vector<SiteId> sites_;                // that may be struck
  std::vector<CycleWindow> windows_;         // when, in order and apart
  Cycle cycles_ = 0;                         // of all windows
  std::vector<std::vector<SiteId>> listed_;  // sites of the list's faults
  std::optional<TensorPopulation> tensors_;
  std::unique_ptr<MemoryPopulation> memories_;
  std::vector<Cycle> scrub_periods_;  // of the study's memories; 0: there is no scrubber
  bool strikes_constants_ = false;
  bool keeps_outcomes_ = true;
  AfterDetection after_detection_ = AfterDetection::kStops;
  std::uint64_t population_ = 0;
  std::int64_t trials_ = 0;
};

}  // namespace tilestrike::campaigns
