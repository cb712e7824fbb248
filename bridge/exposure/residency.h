// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What lies in a codeword at a cycle: asked one codeword at a time, answered by binary search in
// the schedule's loads (docs/memory_schedule.md). No LibTorch in this header.
#pragma once

#include <array>
#include <vector>

#include "bridge/exposure/activation_blocks.h"
#include "bridge/exposure/backing_copies.h"
#include "bridge/exposure/sum_blocks.h"
#include "bridge/exposure/weight_tiles.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::bridge {

class Residency {
 public:
  /// `schedule` has memories, and must outlive this object.
  explicit Residency(const Schedule& schedule);

  const Schedule& schedule() const { return schedule_; }
  const MemorySchedule& memory() const { return *schedule_.memory(); }
  const Placement& placement() const { return memory().placement(); }

  const WeightTiles& weights() const { return weights_; }
  const ActivationBlocks& activations() const { return activations_; }
  const SumBlocks& sums() const { return sums_; }
  const BackingCopies& backing() const { return backing_; }
  /// These, one after another.
  const std::array<const Copies*, 4>& all() const { return all_; }

  /// What the codeword holds just after the edge of `cycle`.
  Occupant at(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const;
  /// All that it holds in an inference, in order; and what of it at some time within a window.
  std::vector<Occupant> all_in(std::size_t memory, sim::CodewordId codeword) const;
  std::vector<Occupant> during(std::size_t memory, sim::CodewordId codeword,
                               CycleWindow window) const;

 private:
  std::int64_t address_of(std::size_t memory, sim::CodewordId codeword) const {
    return static_cast<std::int64_t>(codeword.value) * placement().codeword_bytes(memory);
  }
  /// nullptr: nothing is ever put there.
  const Copies* copies_at(std::size_t memory, std::int64_t address) const;

  const Schedule& schedule_;
  WeightTiles weights_;
  ActivationBlocks activations_;
  SumBlocks sums_;
  BackingCopies backing_;
  std::array<const Copies*, 4> all_;
};

}  // namespace tilestrike::bridge
