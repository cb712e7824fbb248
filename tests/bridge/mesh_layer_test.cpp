// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Single matrix layers of any geometry through the mesh: tiles, operands, collection and splice
// against the exact bulk path.
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.h"
#include "bridge/effects/splice.h"
#include "bridge/reference/full_simulation.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "dnn/count_different.h"
#include "tests/bridge/touched.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

at::Tensor random_int8(std::vector<std::int64_t> sizes, RandomStream& random) {
  at::Tensor tensor = at::empty(sizes, c10::TensorOptions(c10::kChar));
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<std::int8_t>()[i] = static_cast<std::int8_t>(random.next());
  }
  return tensor;
}

// A network of one matrix layer whose input is int8 already and whose output is float.
dnn::Network single_layer(const dnn::MatrixShape& shape, RandomStream& random) {
  dnn::MatrixKernel::Parameters parameters;
  parameters.shape = shape;
  const std::int64_t inputs = shape.in_channels / shape.groups;
  parameters.weight =
      shape.is_convolution
          ? random_int8({shape.out_channels, inputs, shape.kernel[0], shape.kernel[1]}, random)
          : random_int8({shape.out_channels, inputs}, random);
  parameters.input_zero = static_cast<int>(random.below(256)) - 128;  // what padding holds
  parameters.bias = at::empty({shape.out_channels}, c10::TensorOptions(c10::kInt));
  parameters.scale = at::empty({shape.out_channels}, c10::TensorOptions(c10::kFloat));
  for (std::int64_t o = 0; o < shape.out_channels; ++o) {
    parameters.bias.data_ptr<std::int32_t>()[o] =
        static_cast<std::int32_t>(random.below(2000)) - 1000;
    parameters.scale.data_ptr<float>()[o] = 0.5F;
  }
  dnn::Network network;
  network.inputs = {network.add_value({"x", {-1}, c10::kChar, false, {1.0F}})};
  network.output = network.add_value({"y", {-1}, c10::kFloat, false, {}});
  dnn::Layer layer;
  layer.name = "layer";
  layer.target = "int8.matrix";
  layer.inputs = network.inputs;
  layer.outputs = {network.output};
  layer.kernel = dnn::MatrixKernel::make(parameters, "layer");
  network.layers.push_back(std::move(layer));
  return network;
}

struct Case {
  dnn::MatrixShape shape;
  std::vector<std::int64_t> input;  // of one image
};

std::vector<Case> cases() {
  const auto convolution =
      [](std::int64_t groups, std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel,
         std::array<std::int64_t, 2> stride, std::array<std::int64_t, 2> padding,
         std::array<std::int64_t, 2> dilation) {
        return dnn::MatrixShape{true, groups, in, out, kernel, stride, padding, dilation};
      };
  dnn::MatrixShape linear;
  linear.is_convolution = false;
  linear.in_channels = 37;
  linear.out_channels = 11;
  return {
      {convolution(1, 3, 10, {3, 3}, {1, 1}, {1, 1}, {1, 1}), {1, 3, 7, 6}},
      {convolution(1, 5, 9, {5, 3}, {2, 3}, {2, 0}, {1, 2}), {1, 5, 11, 13}},
      {convolution(1, 16, 20, {1, 1}, {2, 2}, {0, 0}, {1, 1}), {1, 16, 6, 6}},
      {convolution(3, 6, 9, {3, 2}, {1, 2}, {1, 1}, {2, 1}), {1, 6, 8, 7}},   // grouped
      {convolution(6, 6, 12, {3, 3}, {1, 1}, {1, 1}, {1, 1}), {1, 6, 5, 5}},  // depthwise
      {linear, {1, 37}},
      {linear, {1, 6, 37}},  // six positions
  };
}

std::vector<AcceleratorConfig> accelerators() {
  std::vector<AcceleratorConfig> all;
  for (const auto& [rows, columns] : {std::pair(4, 4), std::pair(7, 5), std::pair(8, 16)}) {
    for (const auto dataflow :
         {sim::Dataflow::kWeightStationary, sim::Dataflow::kOutputStationary}) {
      for (const auto preload : {sim::Preload::kOverlapped, sim::Preload::kSerial}) {
        AcceleratorConfig config;
        config.mesh.rows = rows;
        config.mesh.columns = columns;
        config.mesh.dataflow = dataflow;
        config.mesh.preload = preload;
        config.schedule.rows_per_pass = rows == 7 ? 9 : 0;
        all.push_back(config);
      }
    }
  }
  return all;
}

TEST(MeshLayerTest, AllTilesGiveTheBulkAccumulators) {
  RandomStream random(3, 0, Purpose::kTest);
  const auto engine = sim::builtin_engines().make("systemc");
  for (const Case& example : cases()) {
    const dnn::Network network = single_layer(example.shape, random);
    const at::Tensor image = random_int8(example.input, random);
    const dnn::Tape golden = dnn::Executor(network).record(image);
    for (const AcceleratorConfig& config : accelerators()) {
      Mapping mapping(network, golden, config);
      const FullRun full = simulate_all(network, mapping, *engine, image);
      ASSERT_EQ(dnn::count_different(golden.accumulators[0], full.tape.accumulators[0]), 0);
      EXPECT_EQ(full.passes, mapping.mesh_layer(0)->tiling->passes());
    }
  }
}

// Hybrid against full simulation for random flips, stuck-ats and pairs on one layer, until enough
// of them have changed an accumulator.
void expect_hybrid_equals_full(sim::Overflow overflow, int wanted) {
  RandomStream random(4, static_cast<std::uint64_t>(overflow), Purpose::kTest);
  const auto engine = sim::builtin_engines().make("systemc");
  int changed = 0;
  for (const Case& example : cases()) {
    const dnn::Network network = single_layer(example.shape, random);
    const at::Tensor image = random_int8(example.input, random);
    const dnn::Tape golden = dnn::Executor(network).record(image);
    for (AcceleratorConfig config : accelerators()) {
      config.mesh.overflow = overflow;
      Mapping mapping(network, golden, config);
      MeshTrials runner(network, mapping, sim::builtin_engines(), "systemc", kTopK);
      const sim::MeshSites sites(config.mesh);
      const auto cycles = static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference());
      for (int trial = 0; trial < wanted; ++trial) {
        std::vector<RegisterFault> faults;
        for (std::uint64_t i = 0; i <= random.below(2); ++i) {
          RegisterFault fault;
          fault.site = SiteId(random.below(sites.total_bits()));
          fault.kind = static_cast<FaultKind>(random.below(3));
          fault.when.from = static_cast<Cycle>(random.below(cycles));
          if (random.below(2) == 0) {
            fault.when.until = fault.when.from + 1 + static_cast<Cycle>(random.below(30));
          }
          faults.push_back(fault);
        }
        Touched struck;
        const TrialResult result = runner.run(golden, faults, &struck);
        const FullRun full = simulate_all(network, mapping, *engine, image, faults);
        const at::Tensor hybrid = !struck.layers.empty() && struck.layers[0].accumulators.defined()
                                      ? struck.layers[0].accumulators
                                      : golden.accumulators[0];
        ASSERT_EQ(dnn::count_different(hybrid, full.tape.accumulators[0]), 0)
            << sites.text(faults[0].site) << " at " << faults[0].when.from;
        changed += result.changed_accumulators > 0 ? 1 : 0;
      }
    }
  }
  EXPECT_GT(changed, 7 * 12 * wanted / 4);
}

TEST(MeshLayerTest, HybridEqualsFullSimulation) {
  expect_hybrid_equals_full(sim::Overflow::kWrap, 20);
}

TEST(MeshLayerTest, HybridEqualsFullSimulationWhereSumsSaturate) {
  expect_hybrid_equals_full(sim::Overflow::kSaturate, 20);
}

}  // namespace
}  // namespace tilestrike::bridge
