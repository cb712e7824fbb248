// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// All engines against the stepped machine: every flip of a 4x4 mesh, in full and in edge tiles, and
// samples on meshes up to the largest.
#include <gtest/gtest.h>

#include "tests/sim/equivalence.h"

namespace tilestrike::sim {
namespace {

class ExhaustiveTest : public EquivalenceTest {
 protected:
  void strike_a_4x4(Dataflow dataflow, const std::vector<PassShape>& shapes) {
    RandomStream random(8, 0, Purpose::kTest);
    for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
      for (const Overflow overflow : {Overflow::kWrap, Overflow::kSaturate}) {
        const MeshRun run({4, 4, dataflow, overflow, preload}, shapes);
        const RandomOperands operands(run, random);
        ASSERT_NO_FATAL_FAILURE(strike_everywhere(run, operands));
      }
    }
    RecordProperty("jobs", jobs_);
    RecordProperty("changed", changed_);
    EXPECT_GT(changed_, jobs_ / 10);
  }

  // Flips that are uniform over sites and cycles, and stuck-ats.
  void sample(int rows, int columns, int trials) {
    RandomStream random(9, static_cast<std::uint64_t>(rows), Purpose::kTest);
    for (const MeshConfig& config : all_configs(rows, columns)) {
      const MeshSites sites(config);
      const MeshRun run(config, random_shapes(config, random, 3, rows + 5));
      const RandomOperands operands(run, random);
      for (int trial = 0; trial < trials; ++trial) {
        RegisterFault fault =
            flip_of(random.below(sites.total_bits()),
                    1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
        if (trial % 4 == 0) {
          fault.kind = trial % 8 == 0 ? FaultKind::kStuckAt0 : FaultKind::kStuckAt1;
          fault.when.until = fault.when.from + 30;
        }
        MeshJob job;
        job.run = &run;
        job.operands = &operands;
        job.faults = {&fault, 1};
        ASSERT_NO_FATAL_FAILURE(expect_equal(job));
      }
    }
  }
};

TEST_F(ExhaustiveTest, EveryFlipOfFullTilesInWs) {
  strike_a_4x4(Dataflow::kWeightStationary, {{4, 4, 4}, {6, 4, 4}, {4, 4, 4}});
}
TEST_F(ExhaustiveTest, EveryFlipOfEdgeTilesInWs) {
  strike_a_4x4(Dataflow::kWeightStationary, {{3, 4, 2}, {6, 3, 4}, {1, 4, 4}, {2, 1, 3}});
}
TEST_F(ExhaustiveTest, EveryFlipOfFullTilesInOs) {
  strike_a_4x4(Dataflow::kOutputStationary, {{4, 4, 4}, {4, 6, 4}, {4, 4, 4}});
}
TEST_F(ExhaustiveTest, EveryFlipOfEdgeTilesInOs) {
  strike_a_4x4(Dataflow::kOutputStationary, {{3, 4, 2}, {4, 3, 4}, {1, 7, 4}, {4, 1, 3}});
}
TEST_F(ExhaustiveTest, Samples7x5) { sample(7, 5, 2000); }
TEST_F(ExhaustiveTest, Samples8x8) { sample(8, 8, 1000); }
TEST_F(ExhaustiveTest, Samples16x16) { sample(16, 16, 300); }
TEST_F(ExhaustiveTest, Samples32x32) { sample(32, 32, 40); }
TEST_F(ExhaustiveTest, Samples128x128) { sample(128, 128, 2); }

}  // namespace
}  // namespace tilestrike::sim
