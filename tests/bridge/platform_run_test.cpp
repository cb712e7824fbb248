// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an inference of which every element goes through the platform's memories give what the
// executor gives, layer by layer and bit for bit?
#include "bridge/reference/platform_run.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dnn/count_different.h"
#include "tests/bridge/small_network.h"

namespace tilestrike::bridge {
namespace {

using dnn::ValueId;

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
  const dnn::Network network = small_network();
  AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
  expect_golden(network, small_pictures(), accelerator, 3);
  // Backing copies in a memory with ECC; single buffers; the other preload; no DMA latency.
  accelerator.memory.emplace_back("d", small_memory({kBacking}, 16384, 64));
  accelerator.memory[1].second.buffering = sim::Buffering::kSingle;
  accelerator.memory[2].second.buffering = sim::Buffering::kSingle;
  accelerator.mesh.preload = sim::Preload::kSerial;
  accelerator.schedule.dma_latency = 0;
  expect_golden(network, small_pictures(), accelerator, 3);
  // One memory for weights and activations; a mesh that is wider than it is high.
  AcceleratorConfig shared = small_accelerator(dataflow, rule);
  shared.mesh.rows = 3;
  shared.mesh.columns = 8;
  shared.memory = {{"wa", small_memory({kWeights, kActivations}, 8192, 64)},
                   {"s", small_memory({kAccumulators}, 1024, 64)}};
  shared.schedule.dma_bytes = 16;
  expect_golden(network, small_pictures(), shared, 3);
}

INSTANTIATE_TEST_SUITE_P(All, PlatformRunTest,
                         testing::Combine(testing::ValuesIn(kDataflows),
                                          testing::Values(WeightReload::kPerPass,
                                                          WeightReload::kPerInference,
                                                          WeightReload::kAtBoot)));

}  // namespace
}  // namespace tilestrike::bridge
