// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Accelerators with memories, for the tests of bridge.
#pragma once

#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {

inline sim::MemoryConfig memory_of(std::vector<sim::MemoryContent> holds, std::int64_t bytes,
                                   int row_bytes, int data_bits, sim::EccKind ecc) {
  sim::MemoryConfig memory;
  memory.holds = std::move(holds);
  memory.capacity_bytes = bytes;
  memory.row_bytes = row_bytes;
  memory.data_bits = data_bits;
  memory.ecc = ecc;
  return memory;
}

/// A mesh with a scratchpad of weights and activations, an accumulator memory, and DRAM.
inline AcceleratorConfig with_memories(int rows, int columns, sim::Dataflow dataflow,
                                       sim::EccKind ecc = sim::EccKind::kNone) {
  using sim::MemoryContent;
  AcceleratorConfig config = mesh_of(rows, columns, dataflow);
  config.memory = {
      {"scratchpad", memory_of({MemoryContent::kWeights, MemoryContent::kActivations},
                               std::int64_t{64} << 10, 64, 64, ecc)},
      {"accumulator",
       memory_of({MemoryContent::kAccumulators}, std::int64_t{32} << 10, 64, 64, ecc)},
      {"dram", memory_of({MemoryContent::kBacking}, std::int64_t{1} << 20, 256, 64, ecc)},
  };
  return config;
}

}  // namespace tilestrike::bridge
