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

/// By local tick: the inputs of the chip that have a spike.
using InputSpikes = std::vector<std::vector<std::int32_t>>;

/// What the host writes, by core: to each core the spikes of its ticks in order of axon, one per
/// edge, as host_arrivals() does. Throws Failure where an input is none, or a tick is not there.
std::vector<std::vector<std::vector<CoreArrival>>> host_arrivals(const BootedChip& chip,
                                                                 const InputSpikes& spikes);

/// Events of an output in a chip tick.
struct ChipOutput {
  std::int32_t output = 0;
  std::int32_t events = 0;
  friend bool operator==(const ChipOutput&, const ChipOutput&) = default;
};

class ChipRun {
 public:
  /// Throws Failure where an input is none, or a tick does not fit a watchdog or the fixed tick.
  ChipRun(std::shared_ptr<const BootedChip> chip, InputSpikes spikes);

  const BootedChip& chip() const { return *chip_; }
  const InputSpikes& spikes() const { return spikes_; }
  std::int32_t ticks() const { return chip_->ticks(); }
  std::int32_t cores() const { return chip_->cores(); }
  /// The run of a core; starts and lengths of ticks are the chip's.
  const CoreRun& core(std::int32_t core) const { return *runs_[static_cast<std::size_t>(core)]; }
  /// Cycles of a tick, -1 to ticks() - 1.
  Cycle length(std::int32_t tick) const { return runs_.front()->tick(tick).length; }

  /// Edges of the inference, the reset first, the readout last: cycles 1 to cycles().
  Cycle cycles() const { return cycles_; }
  /// Of a cycle of 1 to cycles(). Tick -1 is the lead-in, tick ticks() the readout.
  CoreMoment moment_of(Cycle cycle) const { return runs_.front()->moment_of(cycle); }
  Cycle cycle_of(const CoreMoment& moment) const { return runs_.front()->cycle_of(moment); }

  /// The answer in membranes.
  std::vector<std::int32_t> readout() const;
  /// The answer in spikes: by chip tick, the outputs that had any, ascending.
  std::vector<std::vector<ChipOutput>> outputs() const;

  // What follows is computed for a core when it is first asked for, and kept. Not for several
  // threads at once.
  /// All storage of a core, tick by tick.
  const CoreGolden& golden(std::int32_t core) const;
  /// Golden events that a core reads in a chip tick at an axon. Two of them are one spike.
  std::int32_t events(std::int32_t core, std::int32_t tick, std::int32_t axon) const;
  /// The summed weights of a core's golden spikes in a tick in which it works, by neuron.
  const std::vector<std::int32_t>& currents(std::int32_t core, std::int32_t tick) const;

 private:
  struct Kept {
    std::unique_ptr<CoreGolden> golden;
    std::vector<std::uint16_t> events;  // tick x axons + axon
    std::vector<std::vector<std::int32_t>> currents;
  };
  using Feeds = std::vector<std::vector<CoreArrival>>;
  bool compute(std::int32_t core, const Feeds& from_host);
  void compute_all();
  void retime();
  void count_events(std::int32_t core, std::vector<std::uint16_t>& events) const;

  std::shared_ptr<const BootedChip> chip_;
  InputSpikes spikes_;
  std::vector<std::unique_ptr<CoreRun>> runs_;
  Cycle cycles_ = 0;
  mutable std::vector<Kept> kept_;
};

/// The chip tick in which a core reads an event for `slot` that comes in `tick`; ticks(): in none.
/// `early`: the edge at which it comes, where it may be before the edge that latches its word; else
/// 0. The axon goes round at the core's.
std::int32_t tick_read(const CoreRun& run, std::int32_t tick, std::int32_t slot, std::int32_t axon,
                       Cycle early);

}  // namespace tilestrike::sim
