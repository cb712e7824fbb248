// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an inference of which every element goes through the platform's memories give what the
// executor gives, layer by layer and bit for bit?
#include "bridge/memory/platform_run.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dnn/integer/quantise.h"
#include "tests/bridge/zoo.h"
#include "tests/dnn/network_maker.h"

namespace tilestrike::bridge {
namespace {

using dnn::NetworkMaker;
using dnn::ValueId;

c10::IValue list(std::vector<std::int64_t> numbers) { return c10::IValue(std::move(numbers)); }

at::Tensor pictures() { return NetworkMaker::noise({8, 3, 9, 9}, 1000); }

// Padding, stride, a grouped convolution, folds of rows, depth and columns, a residual addition, a
// pooling layer, a view, and a float answer.
dnn::Network small() {
  NetworkMaker maker;
  ValueId x = maker.convolution("first", maker.images(), 3, 10, 3, 1, 1);
  x = maker.call("first_relu", "aten.relu.default", {x});
  ValueId y = maker.convolution("second", x, 10, 10, 3, 1, 1, 2);
  x = maker.call("residual", "aten.add.Tensor", {x, y});
  x = maker.call("pool", "aten.max_pool2d.default", {x, list({2, 2}), list({2, 2})});
  x = maker.convolution("third", x, 10, 6, 3, 2, 1);
  x = maker.call("flat", "aten.flatten.using_ints", {x, c10::IValue(std::int64_t{1})});
  return maker.finish(maker.linear("head", x, 24, 5));
}

sim::MemoryConfig memory(std::vector<sim::MemoryContent> holds, std::int64_t bytes,
                         int data_bits = 32) {
  sim::MemoryConfig made;
  made.holds = std::move(holds);
  made.capacity_bytes = bytes;
  made.row_bytes = 16;
  made.data_bits = data_bits;
  made.ecc = sim::EccKind::kSecded;
  return made;
}

/// A 4 x 4 mesh whose memories are small: blocks, halves and chunks change often.
AcceleratorConfig small_accelerator(sim::Dataflow dataflow, WeightReload rule) {
  using enum sim::MemoryContent;
  AcceleratorConfig config = mesh_of(4, 4, dataflow);
  config.schedule.vector_lanes = 4;
  config.schedule.dma_bytes = 3;
  config.schedule.dma_latency = 5;
  config.schedule.weights = rule;
  config.memory = {{"w", memory({kWeights}, 4096)},
                   {"a", memory({kActivations}, 512)},
                   {"s", memory({kAccumulators}, 512)}};
  return config;
}

void expect_golden(const dnn::Network& network, const dnn::Inputs& images,
                   const AcceleratorConfig& accelerator, std::int64_t count) {
  const dnn::Executor executor(network);
  const dnn::Tape shapes = executor.record(images.narrow(0, 1));
  const Mapping mapping(network, shapes, accelerator);
  PlatformRun run(network, mapping, shapes);
  run.boot();
  for (std::int64_t i = 0; i < count; ++i) {
    const dnn::Tape golden = executor.record(images.narrow(i, 1));
    const PlatformInference found =
        run.infer(golden, i * mapping.schedule().cycles_per_inference());
    ASSERT_FALSE(found.report.first_detected);
    ASSERT_TRUE(found.answer.defined());
    for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
      const std::string& name = network.layers[layer].name;
      if (golden.accumulators[layer].defined()) {
        ASSERT_EQ(dnn::count_different(golden.accumulators[layer], found.accumulators[layer]), 0)
            << name << ", image " << i;
      }
      for (const ValueId id : network.layers[layer].outputs) {
        const c10::IValue& computed = found.computed[static_cast<std::size_t>(id.value)];
        if (computed.isTensor()) {
          ASSERT_EQ(
              dnn::count_different(golden.values[static_cast<std::size_t>(id.value)].toTensor(),
                                   computed.toTensor()),
              0)
              << name << ", image " << i;
        }
      }
    }
    ASSERT_EQ(
        dnn::count_different(
            golden.values[static_cast<std::size_t>(network.output.value)].toTensor(), found.answer),
        0);
  }
}

class PlatformRunTest : public testing::TestWithParam<std::tuple<sim::Dataflow, WeightReload>> {};

TEST_P(PlatformRunTest, WithoutStrikesEveryLayerIsTheExecutors) {
  using enum sim::MemoryContent;
  const auto [dataflow, rule] = GetParam();
  const dnn::Network network = dnn::quantise(small(), pictures());
  AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
  expect_golden(network, pictures(), accelerator, 3);
  // Backing copies in a memory with ECC; single buffers; the other preload; no DMA latency.
  accelerator.memory.emplace_back("d", memory({kBacking}, 16384, 64));
  accelerator.memory[1].second.buffering = sim::Buffering::kSingle;
  accelerator.memory[2].second.buffering = sim::Buffering::kSingle;
  accelerator.mesh.preload = sim::Preload::kSerial;
  accelerator.schedule.dma_latency = 0;
  expect_golden(network, pictures(), accelerator, 3);
  // One memory for weights and activations; a mesh that is wider than it is high.
  AcceleratorConfig shared = small_accelerator(dataflow, rule);
  shared.mesh.rows = 3;
  shared.mesh.columns = 8;
  shared.memory = {{"wa", memory({kWeights, kActivations}, 8192, 64)},
                   {"s", memory({kAccumulators}, 1024, 64)}};
  shared.schedule.dma_bytes = 16;
  expect_golden(network, pictures(), shared, 3);
}

INSTANTIATE_TEST_SUITE_P(All, PlatformRunTest,
                         testing::Combine(testing::ValuesIn(kDataflows),
                                          testing::Values(WeightReload::kPerPass,
                                                          WeightReload::kPerInference,
                                                          WeightReload::kAtBoot)));

}  // namespace
}  // namespace tilestrike::bridge
