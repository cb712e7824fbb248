// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Attention on the mesh: both of its products are layers like any other, their weights are
// activations, and hybrid equals full simulation, bit for bit.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "bridge/reference/full_simulation.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "dnn/count_different.h"
#include "dnn/integer/quantise.h"
#include "tests/bridge/attention_network.h"
#include "tests/bridge/touched.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

TEST(AttentionTest, FusedAttentionBecomesTwoIntegerProducts) {
  const dnn::Network network = attention_network();
  const dnn::Network integer = dnn::quantise(network, attention_pictures());
  for (const char* name : {"attention.matmul_qk", "attention.matmul_v"}) {
    EXPECT_EQ(layer_named(integer, name).target, "int8.matmul");
    EXPECT_NE(dnn::matrix_kernel(layer_named(integer, name)), nullptr);
  }
  const at::Tensor expected = dnn::Executor(network).run(attention_pictures());
  const at::Tensor found = dnn::Executor(integer).run(attention_pictures());
  EXPECT_LE(((found - expected).norm() / expected.norm()).item<double>(), 0.04);
}

TEST(AttentionTest, ProductsAreThoseOfPlainIntegers) {
  const dnn::Network integer = dnn::quantise(attention_network(), attention_pictures());
  const dnn::Tape tape = dnn::Executor(integer).record(attention_pictures());
  for (const char* name : {"attention.matmul_qk", "attention.matmul_v"}) {
    const dnn::Layer& layer = layer_named(integer, name);
    const auto value = [&](std::size_t argument) {
      return tape.values[static_cast<std::size_t>(layer.arguments[argument].values.front().value)]
          .toTensor()
          .to(c10::kInt);
    };
    const at::Tensor a = value(0), b = value(1);
    const at::Tensor expected = (a.unsqueeze(-1) * b.unsqueeze(-3)).sum(-2, false, c10::kInt);
    const auto index = static_cast<std::size_t>(&layer - integer.layers.data());
    EXPECT_EQ(dnn::count_different(tape.accumulators[index], expected), 0) << name;
  }
}

class AttentionOnMeshTest : public testing::TestWithParam<sim::Dataflow> {};

TEST_P(AttentionOnMeshTest, HybridEqualsFullSimulation) {
  const dnn::Network network = dnn::quantise(attention_network(), attention_pictures());
  const dnn::Executor executor(network);
  AcceleratorConfig accelerator = mesh_of(4, 4, GetParam());
  dnn::Tape golden = executor.record(attention_pictures().narrow(0, 0, 1));
  Mapping mapping(network, golden, accelerator);
  MeshTrials runner(network, mapping, sim::builtin_engines(), "systemc", kTopK);
  const auto engine = sim::builtin_engines().make("systemc");
  const sim::MeshSites sites(accelerator.mesh);
  RandomStream random(5, 0, Purpose::kTest);
  const auto period = static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference());
  int changed = 0, changed_again = 0, trials = 0;
  for (; changed < 1000 && trials < 20000; ++trials) {
    const at::Tensor image =
        attention_pictures().narrow(0, static_cast<std::int64_t>(trials % 8), 1);
    golden = executor.record(image);
    if (trials < 8) {
      const FullRun full = simulate_all(network, mapping, *engine, image);
      for (std::size_t i = 0; i < golden.accumulators.size(); ++i) {
        if (golden.accumulators[i].defined()) {
          ASSERT_EQ(dnn::count_different(golden.accumulators[i], full.tape.accumulators[i]), 0);
        }
      }
    }
    std::vector<RegisterFault> faults;
    for (std::uint64_t count = 1 + random.below(3); count > 0; --count) {
      const auto& block = sites.blocks()[random.below(sites.blocks().size())];
      RegisterFault fault;
      fault.site = SiteId(block.first + random.below(block.size()));
      fault.kind = static_cast<FaultKind>(random.below(3));
      fault.when.from = static_cast<Cycle>(random.below(period));
      fault.when.until = fault.when.from + 1 +
                         static_cast<Cycle>(fault.kind == FaultKind::kFlip ? 0 : random.below(500));
      faults.push_back(fault);
    }
    Touched struck;
    const TrialResult result = runner.run(golden, faults, &struck);
    const FullRun full = simulate_all(network, mapping, *engine, image, faults);
    for (const Touched::Layer& layer : struck.layers) {
      ASSERT_EQ(
          dnn::count_different(
              layer.accumulators.defined() ? layer.accumulators : golden.accumulators[layer.layer],
              full.tape.accumulators[layer.layer]),
          0)
          << network.layers[layer.layer].name << ", trial " << trials;
      changed_again += layer.is_product && layer.accumulators.defined() ? 1 : 0;
    }
    const auto output = static_cast<std::size_t>(network.output.value);
    const at::Tensor logits = full.tape.values[output].toTensor();
    const at::Tensor expected = golden.values[output].toTensor();
    for (std::int64_t i = 0; i < logits.numel(); ++i) {
      const float mine = result.logits.empty() ? expected.data_ptr<float>()[i]
                                               : result.logits[static_cast<std::size_t>(i)];
      ASSERT_EQ(mine, logits.data_ptr<float>()[i]) << "trial " << trials;
    }
    changed += result.changed_accumulators > 0 ? 1 : 0;
  }
  EXPECT_EQ(changed, 1000);
  EXPECT_GT(changed_again, 100);
  std::printf(
      "%d lists compared, %d changed an accumulator, %d times one of attention's products\n",
      trials, changed, changed_again);
}

// The first fault changes the keys, which the next product loads as weights; the second makes the
// first load of the layer after it slip, which brings back what the product has left.
TEST(AttentionTest, ChangedKeysStayInTheMeshForALaterFault) {
  const dnn::Network network = dnn::quantise(attention_network(), attention_pictures());
  const dnn::Executor executor(network);
  const at::Tensor image = attention_pictures().narrow(0, 0, 1);
  const dnn::Tape golden = executor.record(image);
  Mapping mapping(network, golden, mesh_of(4, 4, sim::Dataflow::kWeightStationary));
  MeshTrials runner(network, mapping, sim::builtin_engines(), "systemc", kTopK);
  const auto engine = sim::builtin_engines().make("systemc");
  const sim::MeshSites sites(mapping.accelerator().mesh);
  RandomStream random(6, 0, Purpose::kTest);
  const auto index_of = [&](const char* name) {
    return static_cast<std::size_t>(&layer_named(network, name) - network.layers.data());
  };
  // In column 0, the only one that the last tile of the keys fills.
  const auto site_in = [&](sim::Register kind, std::uint64_t bits) {
    return sites.id_of(
        {kind, static_cast<int>(random.below(4)), 0, 0, static_cast<int>(random.below(bits))});
  };
  const auto flip = [](SiteId site, Cycle cycle) {
    return RegisterFault{site, FaultKind::kFlip, {cycle, cycle + 1}};
  };
  const ScheduledLayer& keys = mapping.schedule().layers()[index_of("k")];
  const ScheduledLayer& after = mapping.schedule().layers()[index_of("attention.matmul_v")];
  for (int trial = 0; trial < 1000; ++trial) {
    const auto at_keys =
        static_cast<Cycle>(random.below(static_cast<std::uint64_t>(keys.mesh_cycles)));
    const auto at_load = static_cast<Cycle>(random.below(12));
    const auto weight = trial % 4 < 2 ? sim::Register::kStationary0 : sim::Register::kStationary1;
    const auto slip = trial % 2 == 0 ? sim::Register::kValid : sim::Register::kPropagate;
    const std::vector<RegisterFault> faults{flip(site_in(weight, 8), keys.start + at_keys),
                                            flip(site_in(slip, 1), after.start + at_load)};
    const TrialResult result = runner.run(golden, faults, nullptr);
    const FullRun full = simulate_all(network, mapping, *engine, image, faults);
    const auto output = static_cast<std::size_t>(network.output.value);
    const at::Tensor logits = full.tape.values[output].toTensor();
    const at::Tensor expected = golden.values[output].toTensor();
    for (std::int64_t i = 0; i < logits.numel(); ++i) {
      const float mine = result.logits.empty() ? expected.data_ptr<float>()[i]
                                               : result.logits[static_cast<std::size_t>(i)];
      ASSERT_EQ(mine, logits.data_ptr<float>()[i]) << "trial " << trial;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dataflows, AttentionOnMeshTest, testing::ValuesIn(kDataflows));

}  // namespace
}  // namespace tilestrike::bridge
