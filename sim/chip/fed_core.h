// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A clean core that is fed otherwise than golden, tick by tick: only the neurons whose input or
// state differs are computed, by the integer neuron itself. For use by StruckChip.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "sim/chip/chip_run.h"

namespace tilestrike::sim {

/// What of a tick is not golden.
struct FedTick {
  std::vector<std::int32_t> changed;  // neurons that fire where they do not, or the other way round
  bool is_retimed = false;            // spikes may leave at other edges, or others leave
  Cycle own = 0;                      // cycles that the core is busy
};

class FedCore {
 public:
  /// The run must outlive this object.
  FedCore(const ChipRun& run, std::int32_t core) : run_(run), core_(core) {}

  /// Whether a neuron's state is not golden.
  bool has_changed_state() const { return !states_.empty(); }
  /// One tick in which the core works. Ticks may be left out while all states are golden and no
  /// spike that is read differs. `axons`: those that pend where they do not, or the other way
  /// round.
  FedTick compute(std::int32_t tick, std::span<const std::int32_t> axons);
  /// Membranes that the host reads after the last tick.
  std::vector<std::int32_t> readout() const;

 private:
  const CoreRun& core() const { return run_.core(core_); }
  void add_currents(std::int32_t tick, std::span<const std::int32_t> axons);
  NeuronState golden_after(std::int32_t tick, std::int32_t neuron) const;

  const ChipRun& run_;
  const std::int32_t core_;
  std::map<std::int32_t, NeuronState> states_;  // of neurons that are not golden
  std::vector<std::int32_t> currents_;          // by neuron: faulty less golden
  std::int64_t pending_ = 0;                    // axons: faulty less golden
};

}  // namespace tilestrike::sim
