// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck core of a chip on an engine, fed as in the golden run or otherwise. For use by
// StruckChip.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "base/fault.h"
#include "sim/chip/chip_run.h"
#include "sim/core/core_engine.h"

namespace tilestrike::sim {

class EngineCore {
 public:
  /// Sites and memories are the core's. All must outlive this object.
  EngineCore(const ChipRun& run, std::int32_t core, std::vector<RegisterFault> faults,
             std::vector<CellFault> cells);

  std::int32_t core() const { return core_; }
  /// The chip tick of the first strike; ticks(): nothing strikes.
  std::int32_t first_tick() const { return first_tick_; }
  /// What comes in ticks up to this one may meet a fault, so that its edges matter: a fault that
  /// acts again and again, or one of the ring, the queue or a register; with a fixed tick, where a
  /// tick may begin while the core is busy, any. None: -2.
  std::int32_t meets_events_until() const { return meets_events_until_; }
  /// Whether it matters how long the core waits between two ticks: while a register is held, or old
  /// entries leave the queue.
  bool meets_waiting() const { return meets_waiting_; }

  /// Events that come more, or less often than golden, in a tick of 0 or later and after its words
  /// are latched.
  void feed(std::int32_t tick, const CoreEvent& event, std::int32_t more);
  /// Whether feed() has changed what is read since compute().
  bool is_stale() const { return is_stale_; }
  /// On the engine, or on `other` where the engine does not cover it. As it is fed now; time stays
  /// golden.
  void compute(CoreEngine* engine, CoreEngine& other);

  const CoreResult& result() const { return result_; }
  /// What leaves otherwise than in the golden run of the chip, sorted, up to the readout.
  const std::vector<CoreOutputChange>& changes() const { return changes_; }
  /// Of the golden feed: a live bit was changed.
  bool is_activated() const { return is_activated_; }

 private:
  CoreFeed changed_feed() const;
  void compare(const CoreRun& fed);

  const ChipRun& run_;
  const std::int32_t core_;
  const std::vector<RegisterFault> faults_;
  const std::vector<CellFault> cells_;
  std::int32_t first_tick_, meets_events_until_ = -2;
  bool meets_waiting_ = false;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::int32_t>
      more_;  // by tick, axon and slot
  bool is_stale_ = true, is_activated_ = false;
  CoreResult result_;
  std::vector<CoreOutputChange> changes_;
};

}  // namespace tilestrike::sim
