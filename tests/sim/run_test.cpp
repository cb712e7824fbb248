// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How long does a run take, which windows does it have, and which faults fall into it?
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "sim/mesh/engine_set.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

// The formulas of docs/mesh.md, "Cycles".
Cycle cycles_by_formula(const MeshConfig& config, const std::vector<PassShape>& passes) {
  const Cycle r = config.rows;
  Cycle cycles = r + config.columns - 1;
  if (config.is_weight_stationary()) {
    if (config.preload == Preload::kSerial) {
      for (const PassShape& pass : passes) {
        cycles += r + pass.rows;
      }
      return cycles;
    }
    cycles += r + passes.back().rows;
    for (std::size_t p = 0; p + 1 < passes.size(); ++p) {
      cycles += std::max<Cycle>(passes[p].rows, r);
    }
    return cycles;
  }
  cycles += r;
  for (const PassShape& pass : passes) {
    cycles += config.preload == Preload::kSerial ? pass.depth + r : std::max<Cycle>(pass.depth, r);
  }
  return cycles + (config.preload == Preload::kSerial ? 0 : r);
}

TEST(RunTest, CyclesAreTheFormula) {
  RandomStream random(10, 0, Purpose::kTest);
  for (const auto& [rows, columns] : {std::pair(2, 2), std::pair(7, 5), std::pair(16, 16)}) {
    for (const MeshConfig& config : all_configs(rows, columns)) {
      for (int count = 1; count <= 5; ++count) {
        std::vector<PassShape> shapes;
        for (int pass = 0; pass < count; ++pass) {
          shapes.push_back(random_shape(config, random, 3 * rows));
        }
        EXPECT_EQ(MeshRun(config, shapes).cycles(), cycles_by_formula(config, shapes));
      }
    }
  }
}

// One pass on the full mesh beside a fold of SCALE-Sim, whose total is the sum of its folds less 1.
TEST(RunTest, AFoldOfScaleSimIsOneCycleLessInWsAndHasNoLoadAndDrainInOs) {
  for (const auto& [rows, columns] : {std::pair(4, 4), std::pair(7, 5), std::pair(16, 16)}) {
    for (const std::int32_t streamed : {16, 64, 200}) {
      MeshConfig config{rows, columns};
      config.dataflow = Dataflow::kWeightStationary;
      const PassShape ws{streamed, rows, columns};
      EXPECT_EQ(scale_sim_cycles(config, ws.rows, ws.depth, ws.columns) + 1,
                MeshRun(config, {ws}).cycles() - 1);
      config.dataflow = Dataflow::kOutputStationary;
      const PassShape os{rows, streamed, columns};
      EXPECT_EQ(MeshRun(config, {os}).cycles(),
                scale_sim_cycles(config, os.rows, os.depth, os.columns) + 1 + 2 * rows + 1);
    }
  }
  MeshConfig config{8, 8};
  config.dataflow = Dataflow::kWeightStationary;
  EXPECT_EQ(scale_sim_cycles(config, 100, 16, 24), 2 * 3 * (16 + 8 + 100 - 2) - 1);
  config.dataflow = Dataflow::kOutputStationary;
  EXPECT_EQ(scale_sim_cycles(config, 100, 16, 24), 13 * 3 * (8 + 8 + 16 - 2) - 1);
}

// The stepped machine collects the last row at the last cycle: a strike on the last output register
// is felt there, and not one cycle later.
TEST(RunTest, TheLastCycleIsTheLastCollectedRow) {
  RandomStream random(11, 0, Purpose::kTest);
  const auto engine = builtin_engines().make("stepped");
  for (const MeshConfig& config : all_configs(4, 3)) {
    const bool ws = config.is_weight_stationary();
    const MeshRun run(config, {ws ? PassShape{5, 4, 3} : PassShape{4, 5, 3}});
    const RandomOperands operands(run, random);
    const MeshSites sites(config);
    MeshSite last;
    last.kind = Register::kOutput;
    last.column = config.columns - 1;
    for (const Cycle cycle : {run.cycles(), run.cycles() + 1}) {
      const RegisterFault fault = flip_of(sites.id_of(last).value, cycle);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.faults = {&fault, 1};
      const MeshResult result = engine->run(job);
      ASSERT_EQ(result.changes.size(), cycle == run.cycles() ? 1U : 0U);
      EXPECT_EQ(result.activated, cycle == run.cycles());
      EXPECT_EQ(result.cycles, run.cycles());
      if (cycle == run.cycles()) {
        EXPECT_EQ(result.changes[0].row, ws ? 4 : 0);  // OS drains the last row first
        EXPECT_EQ(result.changes[0].column, config.columns - 1);
      }
    }
  }
}

// A strike at t meets what was written at tw and is read at tr iff tw <= t < tr. The weight operand
// of step k is in PE (r, c) at state k + R + 1 + r + c only (one load window before it).
TEST(RunTest, AStrikeMeetsTheWordThatIsThereAtItsCycle) {
  RandomStream random(12, 0, Purpose::kTest);
  MeshConfig config{4, 4};
  config.dataflow = Dataflow::kOutputStationary;
  const MeshRun run(config, {{4, 8, 4}});
  const RandomOperands operands(run, random);
  const MeshSites sites(config);
  MeshSite site;
  site.kind = Register::kVertical;
  site.row = 3;
  site.column = 2;
  site.bit = 7;
  const Cycle written = 5 + config.rows + 1 + site.row + site.column;  // of step 5
  for (const std::string& name : builtin_engines().names()) {
    for (const int step : {4, 5, 6}) {
      const RegisterFault fault = flip_of(sites.id_of(site).value, written + step - 5);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.faults = {&fault, 1};
      const std::int32_t word = operands.weight(0, step, 2);
      const std::int32_t delta = (word < 0 ? 128 : -128) * operands.activation(0, 3, step);
      const std::vector<OutputChange> expected = {{0, 3, 2, 0, delta}};
      const MeshResult result = builtin_engines().make(name)->run(job);
      EXPECT_EQ(result.before, static_cast<std::uint8_t>(word)) << name;
      EXPECT_EQ(result.after, static_cast<std::uint8_t>(word ^ 0x80)) << name;
      EXPECT_EQ(result.changes, expected) << name << " step " << step;
    }
  }
}

TEST(RunTest, WindowsCoverTheRunAndNameTheirPasses) {
  RandomStream random(13, 0, Purpose::kTest);
  for (const MeshConfig& config : all_configs(5, 3)) {
    std::vector<PassShape> shapes;
    for (int pass = 0; pass < 6; ++pass) {
      shapes.push_back(random_shape(config, random, 12));
    }
    const MeshRun run(config, shapes);
    Cycle end = 0;
    std::vector<int> streamed, loaded, drained;
    for (int index = 0; index < run.windows(); ++index) {
      const Window window = run.window(index);
      EXPECT_EQ(window.start, end);
      EXPECT_EQ(window.propagate, index % 2 == 1);
      end = window.end();
      EXPECT_EQ(run.window_of(window.start), index);
      EXPECT_EQ(run.window_of(window.end() - 1), index);
      for (const auto& [pass, list] :
           {std::pair(window.streams, &streamed), std::pair(window.loads, &loaded),
            std::pair(window.drains, &drained)}) {
        if (pass >= 0) {
          EXPECT_EQ(pass, static_cast<int>(list->size()));
          list->push_back(pass);
        }
      }
    }
    EXPECT_EQ(end, run.cycles());
    EXPECT_EQ(run.window_of(-1), -1);
    EXPECT_EQ(streamed.size(), 6U);
    EXPECT_EQ(loaded.size(), 6U);
    EXPECT_EQ(drained.size(), config.is_weight_stationary() ? 0U : 6U);
  }
}

TEST(RunTest, RefusesPassesThatDoNotFit) {
  MeshConfig config{4, 4};
  EXPECT_THROW(MeshRun(config, {}), Failure);
  for (const PassShape& shape : {PassShape{0, 1, 1}, PassShape{1, 0, 1}, PassShape{1, 1, 0},
                                 PassShape{1, 5, 1}, PassShape{1, 1, 5}}) {
    EXPECT_THROW(MeshRun(config, {shape}), Failure);
  }
  config.dataflow = Dataflow::kOutputStationary;
  EXPECT_THROW(MeshRun(config, {{5, 1, 1}}), Failure);
  EXPECT_NO_THROW(MeshRun(config, {{1, 500, 1}}));
}

TEST(RunTest, ATransientInALongRunIsComputedFromAFewWindows) {
  RandomStream random(14, 0, Purpose::kTest);
  for (const MeshConfig& config : all_configs(4, 4)) {
    const MeshRun run(config, std::vector<PassShape>(2000, PassShape{4, 4, 4}));
    const RandomOperands operands(run, random);
    const MeshSites sites(config);
    for (const std::string name : {"wavefront", "systemc"}) {
      const auto engine = builtin_engines().make(name);
      for (int trial = 0; trial < 200; ++trial) {
        const RegisterFault fault =
            flip_of(random.below(sites.total_bits()),
                    1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
        MeshJob job;
        job.run = &run;
        job.operands = &operands;
        job.faults = {&fault, 1};
        EXPECT_LE(engine->run(job).windows_simulated, 6);
      }
    }
  }
}

TEST(RunTest, SumsThatAreNotLinearHaveNoFormula) {
  RandomStream random(16, 0, Purpose::kTest);
  const auto engine = builtin_engines().make("closed_form");
  for (const MeshConfig& config : all_configs(4, 4)) {
    const MeshRun run(config, {{4, 4, 4}});
    const RandomOperands operands(run, random);
    const RegisterFault fault = flip_of(0, 8);
    MeshJob job;
    job.run = &run;
    job.operands = &operands;
    job.faults = {&fault, 1};
    EXPECT_EQ(arithmetic_of(config).is_linear, config.overflow == Overflow::kWrap);
    EXPECT_EQ(engine->has_own_way(job), arithmetic_of(config).is_linear);
  }
}

TEST(RunTest, UnknownEnginesAreRefusedWithASuggestion) {
  try {
    builtin_engines().make("sistemc");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(failure.errors().front().text().find("did you mean 'systemc'?"), std::string::npos)
        << failure.what();
  }
}

// Operands that fail, to see that an exception passes through the SystemC kernel unharmed.
class FailingOperands final : public Operands {
 public:
  void activations(int, int, int, std::int8_t*) const override { refuse(); }
  void weights(int, int, int, std::int8_t*) const override { refuse(); }
  void accumulators(int, int, int, std::int32_t*) const override { refuse(); }

 private:
  [[noreturn]] static void refuse() { fail(ErrorCode::kMachine, "no operands"); }
};

TEST(RunTest, AFailureOfTheOperandsPassesThroughTheKernel) {
  RandomStream random(15, 0, Purpose::kTest);
  const MeshRun run(MeshConfig{4, 4}, {{4, 4, 4}});
  const auto engine = builtin_engines().make("systemc");
  MeshJob job;
  job.run = &run;
  job.wants_outputs = true;
  const FailingOperands failing;
  job.operands = &failing;
  EXPECT_THROW(engine->run(job), Failure);
  const RandomOperands operands(run, random);
  job.operands = &operands;
  EXPECT_EQ(engine->run(job).outputs[0], operands.product(0));
}

}  // namespace
}  // namespace tilestrike::sim
