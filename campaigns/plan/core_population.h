// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Bits of neuromorphic cores by what they mean, uniformly over sites and the cycles of all images;
// or whole fields that are made a number (docs/core.md, "Strikes").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/population.h"
#include "campaigns/scenario/core_selection.h"

namespace tilestrike::campaigns {

/// When cores are struck: in every cycle of each image, or in those of a tick. Throws Failure where
/// no image has that tick.
StrikeTimes core_times(const StrikeConfig& strike, const bridge::StudyFacts& study);

/// The cores that a selection means. Throws Failure where they are none, or not there.
std::vector<std::size_t> selected_cores(const CoreSelection& selection,
                                        const bridge::StudyCores& cores);

/// What of a chip of cores nothing strikes.
std::vector<std::string> unstruck_of_cores();

class CorePopulation final : public Population {
 public:
  /// Throws Failure where the scenario does not fit the study.
  CorePopulation(const StrikeConfig& strike, const bridge::StudyFacts& study);

  std::uint64_t members() const override { return members_; }
  std::string text() const override;
  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;
  DrawnTrial member(std::uint64_t index, FaultKind kind, CycleWindow when) const override;
  bridge::ScrubPhases scrub_phases(const TrialStreams& streams) const override;
  std::string what() const override;
  std::vector<std::string> parts() const override;
  Headings headings() const override { return {"field", "(no core)"}; }
  bool are_parts_structures() const override { return true; }
  bool is_told_by_part(double faults) const override { return faults == 1.0 || is_whole(); }
  std::vector<std::string> not_modelled() const override;
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  /// A field of one core.
  struct Part {
    std::size_t core = 0;
    const sim::CoreField* field = nullptr;
    std::uint64_t end = 0;  // members of it and of those before
  };
  bool is_whole() const { return strike().where.core.value != FieldValue::kOneBit; }
  /// Members of one instance of a field.
  std::uint64_t in_instance(const sim::CoreField& field) const;
  std::vector<int> bits_of(const sim::CoreField& field) const;
  void add(const Part& part, std::uint64_t number, FaultKind kind, CycleWindow when,
           DrawnTrial& drawn) const;
  void add(std::uint64_t member, FaultKind kind, CycleWindow when, DrawnTrial& drawn) const;

  const bridge::StudyCores& cores_;
  const std::vector<bridge::StudyMemory>& memories_;  // its arrays
  std::vector<Part> parts_;
  std::uint64_t members_ = 0;
  std::size_t chosen_ = 0;  // cores
  std::vector<std::string> warnings_;
};

}  // namespace tilestrike::campaigns
