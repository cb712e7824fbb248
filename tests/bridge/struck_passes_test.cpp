// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What runs on the platform when a memory is struck: which passes, on whose mesh, and what an audit
// says of a mesh that is wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "bridge/accelerator/engines.h"
#include "bridge/trial/engine_audit.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "sim/mesh/engine.h"
#include "tests/bridge/attention_network.h"
#include "tests/bridge/small_network.h"
#include "tests/bridge/trial_text.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

/// A mesh of which the first result of every pass is off by one.
class WrongEngine final : public sim::MeshEngine {
 public:
  bool covers(const sim::MeshJob& job) const override { return right_->covers(job); }
  sim::MeshResult run(const sim::MeshJob& job) override {
    sim::MeshResult result = right_->run(job);
    for (std::vector<std::int32_t>& outputs : result.outputs) {
      ++outputs.front();
    }
    return result;
  }

 private:
  std::unique_ptr<sim::MeshEngine> right_ = sim::builtin_engines().make("wavefront");
};

sim::EngineSet with_a_wrong_one() {
  sim::EngineSet engines = engines_of_this_build();
  engines.add({.name = "off_by_one", .make = [] { return std::make_unique<WrongEngine>(); }});
  return engines;
}

CellFault flip(std::size_t memory, std::uint64_t codeword, int bit, Cycle cycle) {
  return {memory, {sim::CodewordId(codeword), bit}, FaultKind::kFlip, {cycle, cycle + 1}};
}

class StruckPassesTest : public testing::TestWithParam<sim::Dataflow> {
 protected:
  /// A cell of a memory of the small accelerator, in a cycle.
  static CellFault draw(const AcceleratorConfig& accelerator, std::size_t memory, Cycle cycles,
                        RandomStream& random) {
    const sim::ArrayGeometry geometry(accelerator.memory[memory].second.array());
    return flip(
        memory, random.below(geometry.codewords()),
        static_cast<int>(random.below(static_cast<std::uint64_t>(geometry.codeword_bits()))),
        static_cast<Cycle>(random.below(static_cast<std::uint64_t>(cycles))));
  }
};

TEST_P(StruckPassesTest, OnlyThePassesThatReadItAreSimulated) {
  const dnn::Network network = small_network();
  const dnn::Tape golden = dnn::Executor(network).record(small_pictures().narrow(0, 0, 1));
  AcceleratorConfig accelerator = small_accelerator(GetParam(), WeightReload::kPerPass);
  accelerator.memory[0].second.capacity_bytes = 512;
  accelerator.memory.emplace_back("d", small_memory({sim::MemoryContent::kBacking}, 8192, 64));
  Mapping mapping(network, golden, accelerator);
  MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  MemoryTrials formula(network, mapping, sim::builtin_engines().at("closed_form"), kTopK);
  const Cycle cycles = mapping.schedule().cycles_per_inference();
  std::array<int, 4> live{};
  for (int k = 0; k < 4000; ++k) {
    RandomStream random(80, static_cast<std::uint64_t>(k), Purpose::kTest);
    const auto memory = static_cast<std::size_t>(k % 4);
    const CellFault fault = draw(accelerator, memory, cycles, random);
    const Occupant held = trial.residency().at(memory, fault.bit.codeword, fault.when.from);
    const TrialResult result = trial.run(golden, {{&fault, 1}, {}}, nullptr);
    const std::int64_t passes = result.passes_simulated;
    EXPECT_EQ(formula.run(golden, {{&fault, 1}, {}}, nullptr).passes_simulated, 0);
    const Tiling* const tiling =
        held.has_layer() ? mapping.schedule().layers()[held.layer].tiling.get() : nullptr;
    if (tiling == nullptr) {  // whole operands, operators beside the mesh, or nothing
      EXPECT_EQ(passes, 0) << k;
      continue;
    }
    ++live[memory];
    if (held.copies == &trial.residency().sums()) {
      EXPECT_EQ(passes, tiling->depth_folds()) << k;
      continue;
    }
    // The rest of a tile or block may be read later than the codeword.
    const bool is_read = result.corrected_codewords > 0;
    EXPECT_EQ(passes > 0, is_read) << k;
    EXPECT_LE(passes, held.copies == &trial.residency().weights() ? 1 : tiling->passes()) << k;
  }
  EXPECT_GT(*std::min_element(live.begin(), live.begin() + 3), 10);
  EXPECT_EQ(live[3], 0);
}

// With one bit that ECC corrects nothing differs, but what the mesh makes of it.
TEST_P(StruckPassesTest, TheEngineThatIsAskedForComputesThem) {
  const dnn::Network network = small_network();
  const dnn::Tape golden = dnn::Executor(network).record(small_pictures().narrow(0, 0, 1));
  const AcceleratorConfig accelerator = small_accelerator(GetParam(), WeightReload::kPerPass);
  Mapping mapping(network, golden, accelerator);
  MemoryTrials right(network, mapping, sim::builtin_engines().at("stepped"), kTopK);
  MemoryTrials wrong(network, mapping, with_a_wrong_one().at("off_by_one"), kTopK);
  const Cycle cycles = mapping.schedule().cycles_per_inference();
  int computed = 0;
  for (int k = 0; k < 400; ++k) {
    RandomStream random(81, static_cast<std::uint64_t>(k), Purpose::kTest);
    const CellFault fault = draw(accelerator, k % 3, cycles, random);
    const TrialResult good = right.run(golden, {{&fault, 1}, {}}, nullptr);
    const TrialResult bad = wrong.run(golden, {{&fault, 1}, {}}, nullptr);
    EXPECT_EQ(good.changed_accumulators, 0);
    EXPECT_EQ(good.passes_simulated, bad.passes_simulated);
    const bool has_run = bad.passes_simulated > 0;
    // One of each block of sums, and the folds of a block add up.
    EXPECT_EQ(bad.changed_accumulators > 0, has_run) << k;
    if (k % 3 != 1) {
      EXPECT_EQ(bad.changed_accumulators, has_run ? 1 : 0) << k;
    }
    computed += has_run ? 1 : 0;
    if (k % 20 == 0 && has_run) {
      EngineAudit audit(with_a_wrong_one(), "off_by_one");
      wrong.run(golden, {{&fault, 1}, {}}, &audit);
      const std::string found = audit.take().disagreement;
      EXPECT_TRUE(found.starts_with("off_by_one and closed_form part in layer ")) << found;
    }
  }
  EXPECT_GT(computed, 30);
}

TEST_P(StruckPassesTest, AnAuditNamesTheEngineThatIsWrong) {
  const dnn::Network network = small_network();
  const dnn::Tape golden = dnn::Executor(network).record(small_pictures().narrow(0, 0, 1));
  const AcceleratorConfig accelerator = small_accelerator(GetParam(), WeightReload::kPerPass);
  Mapping mapping(network, golden, accelerator);
  MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  const Cycle cycles = mapping.schedule().cycles_per_inference();
  EngineAudit others(with_a_wrong_one(), "systemc");
  int found = 0;
  for (int k = 0; k < 100; ++k) {
    RandomStream random(82, static_cast<std::uint64_t>(k), Purpose::kTest);
    const CellFault fault = draw(accelerator, k % 3, cycles, random);
    const TrialResult result = trial.run(golden, {{&fault, 1}, {}}, &others);
    const TrialAudit audit = others.take();
    EXPECT_EQ(audit.disagreement, result.passes_simulated == 0
                                      ? ""
                                      : "systemc and off_by_one part in layer " + result.layer +
                                            ": the same operands give other results of a pass");
    EXPECT_EQ(std::ranges::count(audit.engines, "systemc"), 0);
    EXPECT_EQ(std::ranges::count(audit.engines, "closed_form"), 1);
    found += audit.disagreement.empty() ? 0 : 1;
  }
  EXPECT_GT(found, 10);
}

// Their weights are activations, loaded for each pass.
TEST_P(StruckPassesTest, ProductsOfTwoActivationsToo) {
  const dnn::Network network = dnn::quantise(attention_network(), attention_pictures());
  const dnn::Tape golden = dnn::Executor(network).record(attention_pictures().narrow(0, 0, 1));
  AcceleratorConfig accelerator =
      small_accelerator(GetParam(), WeightReload::kPerInference, sim::EccKind::kNone);
  accelerator.mesh.overflow = sim::Overflow::kSaturate;
  try {  // a row fold of the first layer needs two lines of its input
    Mapping(network, golden, accelerator);
    EXPECT_EQ(GetParam(), sim::Dataflow::kWeightStationary);
  } catch (const Failure& failure) {
    EXPECT_EQ(GetParam(), sim::Dataflow::kOutputStationary);
    EXPECT_NE(failure.errors().front().what.find("the input of one pass does not fit"),
              std::string::npos);
  }
  accelerator.memory[1].second.capacity_bytes = 1024;
  Mapping mapping(network, golden, accelerator);
  MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  MemoryTrials formula(network, mapping, sim::builtin_engines().at("closed_form"), kTopK);
  const Cycle cycles = mapping.schedule().cycles_per_inference();
  int of_products = 0;
  for (int k = 0; k < 5000; ++k) {
    RandomStream random(83, static_cast<std::uint64_t>(k), Purpose::kTest);
    const CellFault fault = draw(accelerator, k % 3, cycles, random);
    const TrialResult result = trial.run(golden, {{&fault, 1}, {}}, nullptr);
    ASSERT_EQ(text_of(result), text_of(formula.run(golden, {{&fault, 1}, {}}, nullptr))) << k;
    of_products +=
        result.passes_simulated > 0 && result.layer.starts_with("attention.matmul") ? 1 : 0;
  }
  EXPECT_GT(of_products, 20);
}

INSTANTIATE_TEST_SUITE_P(Both, StruckPassesTest, testing::ValuesIn(kDataflows));

}  // namespace
}  // namespace tilestrike::bridge
