// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The plan of a scenario: its population, and trial k as a function of (seed, k) alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/words/study_facts.h"
#include "campaigns/plan/drawn_trial.h"
#include "campaigns/plan/population.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

/// The population's members, struck by each kind of fault, at each time, on each image: some of
/// them, drawn, or all of them, a census.
class Plan {
 public:
  /// Throws Failure where the strike does not fit the study, which must outlive it: no such layer,
  /// a cycle beyond the inference, an image that is not in use, a census that is too large.
  Plan(const Scenario& scenario, const bridge::StudyFacts& study);

  /// Trials are 0 .. trials() - 1.
  std::int64_t trials() const { return trials_; }
  /// Whether every member of the population is a trial.
  bool is_census() const { return is_census_; }
  const Population& population() const { return *population_; }
  /// Different single faults, and for transients images: what a trial with one fault is drawn from.
  std::uint64_t population_size() const { return size_; }
  std::string population_text() const;

  DrawnTrial draw(TrialId trial) const;
  /// The image of that trial, for much less; nothing: it is judged on every image in use.
  std::optional<ImageId> image_of(TrialId trial) const;

  bool keeps_outcomes() const { return keeps_outcomes_; }
  AfterDetection after_detection() const { return after_detection_; }

  // What the population says.
  bool is_persistent() const { return population_->is_persistent(); }
  /// What a rate over the trials is multiplied by: the probability that there is anything to strike
  /// a trial with. 1 where the number of faults is given.
  double weight() const { return population_->weight(); }
  /// Sites, cells, bits or words that may be struck; none where faults are listed.
  std::uint64_t sites() const { return population_->is_list() ? 0 : population_->members(); }
  /// Cycles to strike in; 0: faults last, or know no cycles.
  Cycle cycles() const { return population_->times().cycles(); }

 private:
  /// A trial of a census.
  struct Place {
    std::uint64_t kind = 0, member = 0, image = 0;
    CycleWindow when;
  };
  bool goes_by_place() const { return is_census_ && !population_->is_list(); }
  Place place_of(TrialId trial) const;
  /// Times and images to strike in; of what lasts, times alone.
  std::uint64_t moments() const;
  void count_trials(const TrialCount& asked);

  std::unique_ptr<Population> population_;
  std::uint64_t seed_ = 0;
  bool is_census_ = false;
  std::int64_t images_ = 0;
  bool keeps_outcomes_ = true;
  AfterDetection after_detection_ = AfterDetection::kStops;
  std::uint64_t size_ = 0;
  std::int64_t trials_ = 0;
};

}  // namespace tilestrike::campaigns
