// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A small network and small memories, in which much happens: for comparisons with the platform.
#pragma once

#include "bridge/reference/platform_run.h"
#include "dnn/integer/quantise.h"
#include "tests/bridge/zoo.h"
#include "tests/dnn/network_maker.h"

namespace tilestrike::bridge {

inline at::Tensor small_pictures() { return dnn::NetworkMaker::noise({8, 3, 9, 9}, 1000); }

/// Padding, stride, a grouped convolution, folds of rows, depth and columns, a residual addition, a
/// pooling layer, a view, and a float answer.
inline dnn::Network small_network() {
  using dnn::ValueId;
  const auto list = [](std::vector<std::int64_t> numbers) {
    return c10::IValue(std::move(numbers));
  };
  dnn::NetworkMaker maker;
  ValueId x = maker.convolution("first", maker.images(), 3, 10, 3, 1, 1);
  x = maker.call("first_relu", "aten.relu.default", {x});
  const ValueId y = maker.convolution("second", x, 10, 10, 3, 1, 1, 2);
  x = maker.call("residual", "aten.add.Tensor", {x, y});
  x = maker.call("pool", "aten.max_pool2d.default", {x, list({2, 2}), list({2, 2})});
  x = maker.convolution("third", x, 10, 6, 3, 2, 1);
  x = maker.call("flat", "aten.flatten.using_ints", {x, c10::IValue(std::int64_t{1})});
  return dnn::quantise(maker.finish(maker.linear("head", x, 24, 5)), small_pictures());
}

inline sim::MemoryConfig small_memory(std::vector<sim::MemoryContent> holds, std::int64_t bytes,
                                      int data_bits = 32,
                                      sim::EccKind ecc = sim::EccKind::kSecded) {
  sim::MemoryConfig made;
  made.holds = std::move(holds);
  made.capacity_bytes = bytes;
  made.row_bytes = 16;
  made.data_bits = data_bits;
  made.ecc = ecc;
  return made;
}

/// A 4 x 4 mesh with small memories: blocks, halves and chunks change often.
inline AcceleratorConfig small_accelerator(sim::Dataflow dataflow, WeightReload rule,
                                           sim::EccKind ecc = sim::EccKind::kSecded) {
  using enum sim::MemoryContent;
  AcceleratorConfig config = mesh_of(4, 4, dataflow);
  config.schedule.vector_lanes = 4;
  config.schedule.dma_bytes = 3;
  config.schedule.dma_latency = 5;
  config.schedule.weights = rule;
  config.memory = {{"w", small_memory({kWeights}, 4096, 32, ecc)},
                   {"a", small_memory({kActivations}, 512, 32, ecc)},
                   {"s", small_memory({kAccumulators}, 512, 32, ecc)}};
  return config;
}

}  // namespace tilestrike::bridge
