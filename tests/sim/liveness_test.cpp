// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a register live exactly when some operands make a flip of it change a result?
#include <gtest/gtest.h>

#include "sim/mesh/engine_set.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

constexpr int kDraws = 6;

// For every site and cycle of a run: whether any of several draws of operands lets its flip change
// a result.
void expect_live_is_felt(const MeshRun& run, bool has_padding) {
  const MeshSites sites(run.config());
  const auto engine = builtin_engines().make("wavefront");
  RandomStream random(5, 0, Purpose::kTest);
  std::vector<RandomOperands> draws;
  for (int i = 0; i < kDraws; ++i) {
    draws.emplace_back(run, random);
  }
  int live = 0;
  int dead = 0;
  for (const RegisterBlock& block : sites.blocks()) {
    for (std::uint64_t cell = 0; cell < block.cells; ++cell) {
      for (Cycle cycle = 1; cycle <= run.cycles(); ++cycle) {
        const auto bit =
            (cell + static_cast<std::uint64_t>(cycle)) % static_cast<std::uint64_t>(block.bits);
        const RegisterFault fault =
            flip_of(block.first + cell * static_cast<std::uint64_t>(block.bits) + bit, cycle);
        bool is_felt = false;
        bool is_activated = false;
        for (const RandomOperands& operands : draws) {
          MeshJob job;
          job.run = &run;
          job.operands = &operands;
          job.faults = {&fault, 1};
          const MeshResult result = engine->run(job);
          ASSERT_NE(result.before, result.after);
          is_felt = is_felt || !result.changes.empty();
          is_activated = result.activated;
        }
        const MeshSite site = sites.describe(fault.site);
        ASSERT_EQ(is_live(run, site, cycle - 1 - sites.delay(site)), is_activated);
        ASSERT_TRUE(is_activated || !is_felt) << sites.text(fault.site) << " at " << cycle;
        ASSERT_TRUE(is_felt || !is_activated || has_padding)
            << sites.text(fault.site) << " at " << cycle << " of " << run.cycles();
        ++(is_activated ? live : dead);
      }
    }
  }
  EXPECT_GT(live, 100);
  EXPECT_GT(dead, 100);
}

TEST(LivenessTest, LiveIsFeltAndDeadIsNot) {
  for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
    const MeshConfig ws{4, 4, Dataflow::kWeightStationary, Overflow::kWrap, preload};
    expect_live_is_felt(MeshRun(ws, {{6, 4, 4}, {2, 4, 3}, {4, 4, 1}}), false);
    const MeshConfig os{4, 4, Dataflow::kOutputStationary, Overflow::kWrap, preload};
    expect_live_is_felt(MeshRun(os, {{4, 6, 4}, {2, 4, 3}, {3, 9, 2}, {4, 4, 4}}), false);
  }
}

TEST(LivenessTest, DeadIsNotFeltInEdgeTiles) {
  for (const MeshConfig& config : all_configs(3, 4)) {
    expect_live_is_felt(MeshRun(config, {{2, 1, 3}, {1, 2, 4}, {3, 3, 2}, {3, 2, 4}}), true);
  }
}

// Dead values stay dead together: whatever is put into all of them, nothing is felt.
TEST(LivenessTest, SetsOfDeadValuesAreNotFelt) {
  RandomStream random(6, 0, Purpose::kTest);
  const auto engine = builtin_engines().make("stepped");
  for (const MeshConfig& config : all_configs(3, 3)) {
    const MeshSites sites(config);
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<PassShape> shapes;
      for (int pass = 0; pass < 4; ++pass) {
        shapes.push_back(random_shape(config, random, 5));
      }
      const MeshRun run(config, shapes);
      const RandomOperands operands(run, random);
      std::vector<RegisterFault> faults;
      while (faults.size() < 300) {
        const RegisterFault fault =
            flip_of(random.below(sites.total_bits()),
                    1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
        const MeshSite site = sites.describe(fault.site);
        if (!is_live(run, site, fault.when.from - 1 - sites.delay(site))) {
          faults.push_back(fault);
        }
      }
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.faults = faults;
      const MeshResult result = engine->run(job);
      EXPECT_FALSE(result.activated);
      ASSERT_TRUE(result.changes.empty()) << result.changes.front();
    }
  }
}

}  // namespace
}  // namespace tilestrike::sim
