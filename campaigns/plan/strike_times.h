// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When the faults of a strike act.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fault.h"
#include "base/random.h"
#include "bridge/words/study_facts.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {

/// Each cycle of an inference in which a transient fault may strike, or the one window of a fault
/// that lasts.
class StrikeTimes {
 public:
  /// Of what knows no cycles: tensors.
  StrikeTimes() = default;
  static StrikeTimes lasting(CycleWindow window);
  /// One of the cycles of these windows, which are in order and apart.
  static StrikeTimes one_of(std::vector<CycleWindow> windows);

  /// Cycles to strike in; 0: there is nothing to choose.
  Cycle cycles() const { return cycles_; }
  /// How many different times there are.
  std::uint64_t count() const { return cycles_ > 0 ? static_cast<std::uint64_t>(cycles_) : 1; }
  CycleWindow at(std::uint64_t index) const;
  /// Takes no number where there is nothing to choose.
  CycleWindow draw(RandomStream& stream) const;

 private:
  CycleWindow lasting_;
  std::vector<CycleWindow> windows_;
  Cycle cycles_ = 0;  // of all windows
};

/// Of a strike on hardware: one of the cycles of `windows`, unless its faults last. Throws Failure
/// where they last beyond the inference.
StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study,
                     std::vector<CycleWindow> windows);
/// The same, in the whole inference.
StrikeTimes times_of(const StrikeConfig& strike, const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns
