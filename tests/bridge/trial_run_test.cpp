// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one loop: trials that wait between two layers, and a guard between the mesh and
// requantisation.
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "bridge/trial/mesh_trials.h"
#include "tests/bridge/small_network.h"
#include "tests/bridge/touched.h"
#include "tests/bridge/trial_text.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

/// A network on an accelerator with memories, and the golden run of one image.
struct Example {
  explicit Example(GuardKind guard = GuardKind::kNone) {
    AcceleratorConfig accelerator = small_accelerator(
        sim::Dataflow::kWeightStationary, WeightReload::kPerInference, sim::EccKind::kNone);
    accelerator.guard = guard;
    mapping.emplace(network, golden, accelerator);
    cycles = static_cast<std::uint64_t>(mapping->schedule().cycles_per_inference());
  }

  RegisterFault register_fault(RandomStream& random) const {
    RegisterFault fault;
    fault.site = SiteId(random.below(sim::MeshSites(mapping->accelerator().mesh).total_bits()));
    fault.when.from = static_cast<Cycle>(random.below(cycles));
    fault.when.until = fault.when.from + 1;
    return fault;
  }

  CellFault cell_fault(RandomStream& random) const {
    CellFault fault;
    fault.memory = random.below(mapping->accelerator().memory.size());
    const sim::ArrayGeometry array(mapping->accelerator().memory[fault.memory].second.array());
    fault.bit = {CodewordId(random.below(array.codewords())),
                 static_cast<int>(random.below(static_cast<std::uint64_t>(array.codeword_bits())))};
    fault.when.from = static_cast<Cycle>(random.below(cycles));
    fault.when.until = fault.when.from + 1;
    return fault;
  }

  dnn::Network network = small_network();
  dnn::Tape golden = dnn::Executor(network).record(small_pictures().narrow(0, 0, 1));
  std::optional<Mapping> mapping;
  std::uint64_t cycles = 0;
};

TEST(TrialRunTest, TrialsThatWaitBetweenLayersEndAsThoseThatRunThrough) {
  const Example example;
  MeshTrials mesh(example.network, *example.mapping, sim::builtin_engines(), "systemc", kTopK);
  MemoryTrials memories(example.network, *example.mapping, sim::builtin_engines().at("systemc"),
                        kTopK);
  RandomStream random(1, 0, Purpose::kTest);
  constexpr std::size_t kTrials = 60;
  std::vector<std::vector<RegisterFault>> registers(kTrials);
  std::vector<std::vector<CellFault>> cells(kTrials);
  std::vector<CellStrike> strikes(kTrials);
  std::vector<std::unique_ptr<TrialRun>> runs;
  std::vector<std::unique_ptr<StrikePath>> paths;
  for (std::size_t i = 0; i < kTrials; ++i) {
    registers[i] = {example.register_fault(random)};
    cells[i] = {example.cell_fault(random)};
    strikes[i] = {cells[i], {}};
    runs.push_back(
        std::make_unique<TrialRun>(example.network, *example.mapping, example.golden, nullptr));
    paths.push_back(i % 2 == 0 ? mesh.path(registers[i]) : memories.path(strikes[i]));
  }
  std::size_t waited = 0;  // trials that were under way while others went on
  for (std::size_t until = 1; until <= example.network.layers.size(); ++until) {
    for (std::size_t i = 0; i < kTrials; ++i) {
      waited += run_layers(*runs[i], *paths[i], nullptr, until) ? 1 : 0;
    }
  }
  EXPECT_GT(waited, 2 * kTrials);
  int visible = 0;
  for (std::size_t i = 0; i < kTrials; ++i) {
    const TrialResult waited_for = conclude(*runs[i], *paths[i], kTopK);
    const TrialResult through = i % 2 == 0 ? mesh.run(example.golden, registers[i], nullptr)
                                           : memories.run(example.golden, strikes[i], nullptr);
    EXPECT_EQ(text_of(waited_for), text_of(through)) << i;
    visible += through.judgement.outcome != Outcome::kMasked ? 1 : 0;
  }
  EXPECT_GT(visible, 5);
}

/// Whether any column of the layer's sums differs, added up number by number.
bool differs_in_columns(const Touched::Layer& layer, const at::Tensor& golden) {
  if (!layer.accumulators.defined()) {
    return false;
  }
  const at::Tensor off =
      at::sub(layer.accumulators.to(c10::kLong), golden.to(c10::kLong));  // no sum reaches 2^63
  const at::Tensor columns = off.dim() == 4 ? at::sum(off, {0, 2, 3}) : at::sum(off, {0});
  for (std::int64_t i = 0; i < columns.numel(); ++i) {
    if (static_cast<std::int32_t>(columns.const_data_ptr<std::int64_t>()[i]) != 0) {
      return true;
    }
  }
  return false;
}

TEST(TrialRunTest, ColumnSumsStopWhatTheyFind) {
  const Example bare, guarded(GuardKind::kColumnSums);
  MeshTrials without(bare.network, *bare.mapping, sim::builtin_engines(), "systemc", kTopK);
  MeshTrials with(guarded.network, *guarded.mapping, sim::builtin_engines(), "systemc", kTopK);
  RandomStream random(2, 0, Purpose::kTest);
  int found = 0, saved = 0;
  for (int i = 0; i < 600; ++i) {
    const RegisterFault fault = bare.register_fault(random);
    Touched touched;
    const TrialResult expected = without.run(bare.golden, {&fault, 1}, &touched);
    const TrialResult result = with.run(guarded.golden, {&fault, 1}, nullptr);
    // A flip meets one layer; what it leaves in the mesh may meet the next one, whose own sums are
    // then known only from its wrong inputs.
    if (touched.layers.size() != 1) {
      continue;
    }
    const Touched::Layer& layer = touched.layers.front();
    const bool is_found = differs_in_columns(layer, bare.golden.accumulators[layer.layer]);
    ASSERT_EQ(result.is_guarded, is_found) << i;
    EXPECT_EQ(result.without_stop, expected.judgement.outcome);
    EXPECT_EQ(result.judgement.outcome,
              is_found || expected.hung ? Outcome::kDue : expected.judgement.outcome);
    EXPECT_EQ(result.changed_accumulators, expected.changed_accumulators);
    found += is_found ? 1 : 0;
    saved += is_found && expected.judgement.outcome == Outcome::kSdc ? 1 : 0;
  }
  EXPECT_GT(found, 50);
  EXPECT_GT(saved, 10);
}

TEST(TrialRunTest, ColumnSumsMissWhatCancelsOut) {
  GemmShape layer;
  layer.rows = 4;
  layer.columns = 3;
  const ColumnSums guard;
  const std::vector<AccumulatorDelta> cancels = {{1, 7}, {4, -7}};  // rows 0 and 1 of column 1
  const std::vector<AccumulatorDelta> apart = {{1, 7}, {5, -7}};
  const std::vector<AccumulatorDelta> wraps = {{0, std::numeric_limits<std::int32_t>::min()},
                                               {3, std::numeric_limits<std::int32_t>::min()}};
  EXPECT_EQ(guard.find(layer, cancels), "");
  EXPECT_EQ(guard.find(layer, apart), "the sum of column 1 of group 0 is off by 7");
  EXPECT_EQ(guard.find(layer, wraps), "");  // modulo 2^32
  EXPECT_EQ(guard.overhead(layer), 0.25);
}

TEST(TrialRunTest, AGuardFindsWhatMemoriesGiveWrong) {
  const Example bare, guarded(GuardKind::kColumnSums);
  MemoryTrials without(bare.network, *bare.mapping, sim::builtin_engines().at("systemc"), kTopK);
  MemoryTrials with(guarded.network, *guarded.mapping, sim::builtin_engines().at("systemc"), kTopK);
  RandomStream random(3, 0, Purpose::kTest);
  int found = 0, kept = 0;
  for (int i = 0; i < 400; ++i) {
    const CellFault fault = bare.cell_fault(random);
    const TrialResult expected = without.run(bare.golden, {{&fault, 1}, {}}, nullptr);
    const TrialResult result = with.run(guarded.golden, {{&fault, 1}, {}}, nullptr);
    EXPECT_EQ(result.without_stop, expected.judgement.outcome);
    EXPECT_LE(result.is_guarded, expected.changed_accumulators > 0);
    found += result.is_guarded ? 1 : 0;
    kept += expected.changed_accumulators == 0 && !result.is_guarded ? 1 : 0;
  }
  EXPECT_GT(found, 20);
  EXPECT_GT(kept, 20);
}

}  // namespace
}  // namespace tilestrike::bridge
