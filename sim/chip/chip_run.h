// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The fault-free inference of one image on a chip: what each core is fed, what it sends, and the
// time of every tick (docs/core.md, "The chip").
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/chip/chip.h"
#include "sim/core/core_golden.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

class ChipRun {
 public:
  /// `spikes`: by local tick, the inputs that have a spike. Throws Failure where an input is none,
  /// or a tick does not fit a watchdog or the fixed tick.
  ChipRun(std::shared_ptr<const BootedChip> chip,
          const std::vector<std::vector<std::int32_t>>& spikes);

  const BootedChip& chip() const { return *chip_; }
  std::int32_t ticks() const { return chip_->ticks(); }
  std::int32_t cores() const { return chip_->cores(); }
  /// The run of a core; starts and lengths of ticks are the chip's.
  const CoreRun& core(std::int32_t core) const { return runs_[static_cast<std::size_t>(core)]; }
  /// All storage of a core, tick by tick; computed when it is first asked for. Not for several
  /// threads at once.
  const CoreGolden& golden(std::int32_t core) const;

  /// Edges of the inference, the reset first, the readout last: cycles 1 to cycles().
  Cycle cycles() const { return cycles_; }
  /// Of a cycle of 1 to cycles(). Tick -1 is the lead-in, tick ticks() the readout.
  CoreMoment moment_of(Cycle cycle) const;
  Cycle cycle_of(const CoreMoment& moment) const;

  /// The answer in membranes.
  std::vector<std::int32_t> readout() const;
  /// The answer in spikes: by chip tick, how many events came of each output that had any.
  struct Output {
    std::int32_t output = 0;
    std::int32_t events = 0;
    friend bool operator==(const Output&, const Output&) = default;
  };
  std::vector<std::vector<Output>> outputs() const;

  /// Golden events that are read by a core in a chip tick at an axon; computed for a core when it
  /// is first asked for. Two of them are one spike.
  std::int32_t events(std::int32_t core, std::int32_t tick, std::int32_t axon) const;
  /// The chip tick in which a core reads an event that comes in `tick` after the slot's word of
  /// that tick was latched; ticks(): in none.
  std::int32_t tick_read(std::int32_t core, std::int32_t tick, std::int32_t slot) const;

 private:
  void compute(const std::vector<std::vector<std::int32_t>>& spikes);

  std::shared_ptr<const BootedChip> chip_;
  std::vector<CoreRun> runs_;
  Cycle cycles_ = 0;
  mutable std::vector<std::unique_ptr<CoreGolden>> goldens_;
  mutable std::vector<std::vector<std::uint16_t>> events_;  // by core: tick x axons + axon
};

}  // namespace tilestrike::sim
