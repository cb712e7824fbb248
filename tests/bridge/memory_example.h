// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A small network and accelerators with small memories, for tests of who holds what.
#pragma once

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "bridge/layout/placement.h"

namespace tilestrike::bridge {

using MemoryRules = std::tuple<sim::Dataflow, WeightReload, sim::Buffering>;

/// All combinations, for INSTANTIATE_TEST_SUITE_P.
inline auto all_memory_rules() {
  return ::testing::Combine(
      ::testing::Values(sim::Dataflow::kWeightStationary, sim::Dataflow::kOutputStationary),
      ::testing::Values(WeightReload::kPerPass, WeightReload::kPerInference, WeightReload::kAtBoot),
      ::testing::Values(sim::Buffering::kDouble, sim::Buffering::kSingle));
}

/// A 4 x 4 mesh with memories w, a, s and a backing memory d, all with SEC-DED.
inline AcceleratorConfig memory_example_accelerator(const MemoryRules& rules) {
  AcceleratorConfig config;
  config.mesh.rows = 4;
  config.mesh.columns = 4;
  config.mesh.dataflow = std::get<0>(rules);
  config.schedule.vector_lanes = 4;
  config.schedule.dma_bytes = 2;
  config.schedule.dma_latency = 5;
  config.schedule.weights = std::get<1>(rules);
  const auto memory = [&](sim::MemoryContent content, std::int64_t bytes) {
    sim::MemoryConfig made;
    made.holds = {content};
    made.capacity_bytes = bytes;
    made.row_bytes = 16;
    made.data_bits = 32;
    made.ecc = sim::EccKind::kSecded;
    made.buffering = std::get<2>(rules);
    return made;
  };
  config.memory = {{"w", memory(sim::MemoryContent::kWeights, 1024)},
                   {"a", memory(sim::MemoryContent::kActivations, 256)},
                   {"s", memory(sim::MemoryContent::kAccumulators, 512)},
                   {"d", memory(sim::MemoryContent::kBacking, 4096)}};
  return config;
}

/// A linear layer, an addition of its result to the input, and a second linear layer.
struct MemoryExample {
  std::vector<LayerWork> work;
  std::vector<StoredTensor> tensors = {{"w0", 16 * 16, 1, true},   {"w1", 16 * 10, 1, true},
                                       {"x", 12 * 16, 1, false},   {"y", 12 * 16, 1, false},
                                       {"sum", 12 * 16, 1, false}, {"z", 12 * 10, 4, false}};
  MemoryExample() {
    GemmShape gemm;
    gemm.rows = 12;
    gemm.depth = 16;
    gemm.columns = 16;
    work.push_back({gemm, 0, {{2, 12 * 16}, {0, 16 * 16}}, {3}});
    work.push_back({std::nullopt, 12 * 16, {{3, 12 * 16}, {2, 12 * 16}}, {4}});
    gemm.columns = 10;
    work.push_back({gemm, 0, {{4, 12 * 16}, {1, 16 * 10}}, {5}});
  }
};

}  // namespace tilestrike::bridge
