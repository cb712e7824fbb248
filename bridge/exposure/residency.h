// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What lies in a codeword at a cycle, and who reads it: asked one codeword at a time, answered by
// binary search in the schedule's loads (docs/memory_schedule.md). No LibTorch in this header.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/fault.h"
#include "bridge/schedule/schedule.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::bridge {

/// When what was written at boot was written.
inline constexpr Cycle kBoot = std::numeric_limits<Cycle>::min() / 2;

/// The content of a codeword from one write to the next.
struct Occupant {
  enum class Kind : std::uint8_t {
    kNothing,      // nothing that is read later: never used, or left over
    kWeights,      // of tile `index` of a layer on the mesh
    kActivations,  // of block `index` of MemorySchedule::blocks()
    kSums,         // of block `index` of a layer's accumulators
    kTensor,       // of stored tensor `index`, in the backing memory
  };
  Kind kind = Kind::kNothing;
  bool is_used = false;   // kNothing: whether these cells ever hold anything in an inference
  std::size_t layer = 0;  // that reads it; kTensor: none
  std::int64_t index = 0;
  std::int64_t offset = 0;  // of the codeword's first byte in the tile, block or tensor
  Cycle written = kBoot;
};

class Residency {
 public:
  /// `schedule` has memories, and must outlive this object.
  explicit Residency(const Schedule& schedule);

  const Schedule& schedule() const { return schedule_; }
  const MemorySchedule& memory() const { return *schedule_.memory(); }
  const Placement& placement() const { return memory().placement(); }

  /// What the codeword holds just after the edge of `cycle`.
  Occupant at(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const;
  /// All that it holds in an inference, in order; and what of it at some time within a window.
  std::vector<Occupant> all_in(std::size_t memory, sim::CodewordId codeword) const;
  std::vector<Occupant> during(std::size_t memory, sim::CodewordId codeword,
                               CycleWindow window) const;

  /// When a codeword of a stored tensor is written: that which holds its byte `offset`.
  Cycle tensor_written(int tensor, std::int64_t offset) const;
  /// The last byte of a codeword of a tensor, at most the tensor's last.
  std::int64_t last_byte(int tensor, std::int64_t offset) const;

 private:
  Occupant weights_at(std::int64_t address, Cycle cycle) const;
  Occupant activations_at(std::int64_t address, Cycle cycle) const;
  Occupant sums_at(std::int64_t address, Cycle cycle) const;
  Occupant tensor_at(std::int64_t address, Cycle cycle) const;
  bool place_is_in_turn(std::size_t layer) const;
  // Nothing: the codeword lies beyond it.
  std::optional<Occupant> weight_tile(std::size_t layer, std::int64_t tile,
                                      std::int64_t offset) const;
  std::optional<Occupant> activation_block(std::size_t index, std::int64_t offset) const;
  std::optional<Occupant> sum_block(std::size_t layer, std::int64_t block,
                                    std::int64_t offset) const;
  Cycle result_arrives(std::size_t layer, std::size_t output, std::int64_t element) const;

  const Schedule& schedule_;
  std::vector<std::size_t> mesh_layers_;  // in order
  std::vector<std::int64_t> tile_base_;   // of layers whose tiles have places of their own ...
  std::vector<std::size_t> tile_layer_;   // ... by base
  std::vector<std::size_t> turn_layers_;  // layers whose tiles take slots in turn
  struct Producer {
    std::size_t layer = 0, output = 0;
    bool is_input = true;
  };
  std::vector<Producer> producers_;  // by tensor
};

}  // namespace tilestrike::bridge
