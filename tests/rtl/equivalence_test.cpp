// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the RTL the stepped machine, register by register and edge by edge, whatever is struck? Every
// bit of every register of a 4x4 mesh at every cycle; and is a wrong register found?
#include <gtest/gtest.h>

#include "tests/rtl/lockstep_check.h"
#include "tests/sim/defective_mesh.h"

namespace tilestrike::rtl {
namespace {

using sim::Dataflow;
using sim::MeshConfig;
using sim::MeshRun;
using sim::Overflow;
using sim::PassShape;
using sim::Preload;
using sim::Register;

// Two depth folds of one full tile, then edge tiles back to back.
std::vector<PassShape> folds_and_edges(Dataflow dataflow) {
  return dataflow == Dataflow::kWeightStationary
             ? std::vector<PassShape>{{6, 4, 4}, {6, 3, 4}, {1, 4, 2}, {3, 1, 3}}
             : std::vector<PassShape>{{4, 5, 4}, {4, 3, 4}, {1, 6, 2}, {3, 1, 3}};
}

void strike_a_4x4(Dataflow dataflow, Overflow overflow, const char* title) {
  MeshConfig config{4, 4, dataflow, overflow, Preload::kOverlapped};
  RandomStream random(21, 0, Purpose::kTest);
  LockstepCheck check(config);
  for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
    config.preload = preload;
    const MeshRun run(config, folds_and_edges(dataflow));
    const sim::RandomOperands plain(run, random);
    ASSERT_NO_FATAL_FAILURE(check.strike_everywhere(run, plain));
    const ExtremeOperands extreme(run, random);
    ASSERT_NO_FATAL_FAILURE(check.strike_everywhere(run, extreme));
  }
  check.print(title);
  EXPECT_GT(check.corrupted(), check.strikes() / 10);
}

TEST(EquivalenceTest, EveryFlipOf4x4Ws) {
  strike_a_4x4(Dataflow::kWeightStationary, Overflow::kWrap, "4x4 ws, every flip");
}
TEST(EquivalenceTest, EveryFlipOf4x4Os) {
  strike_a_4x4(Dataflow::kOutputStationary, Overflow::kWrap, "4x4 os, every flip");
}

TEST(EquivalenceTest, SaturatingSums) {
  RandomStream random(22, 0, Purpose::kTest);
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    const MeshConfig config{4, 4, dataflow, Overflow::kSaturate, Preload::kOverlapped};
    LockstepCheck check(config);
    const MeshRun run(config, folds_and_edges(dataflow));
    const ExtremeOperands operands(run, random);
    ASSERT_NO_FATAL_FAILURE(check.sample(run, operands, 20'000, random));
    check.print(dataflow == Dataflow::kWeightStationary ? "4x4 ws, saturating, sampled"
                                                        : "4x4 os, saturating, sampled");
  }
}

TEST(EquivalenceTest, StuckAtsAndDoubleFaultsOf4x4) {
  RandomStream random(23, 0, Purpose::kTest);
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    const MeshConfig config{4, 4, dataflow, Overflow::kWrap, Preload::kOverlapped};
    LockstepCheck check(config);
    const MeshRun run(config, folds_and_edges(dataflow));
    const sim::RandomOperands operands(run, random);
    ASSERT_NO_FATAL_FAILURE(check.sample(run, operands, 20'000, random));
  }
}

using sim::DefectiveMesh;

class BrokenCopyTest : public testing::Test {
 protected:
  const MeshConfig config_{4, 4};
  const sim::MeshSites sites_{config_};
  const MeshRun run_{config_, {{6, 4, 4}, {6, 3, 4}}};
  RandomStream random_{24, 0, Purpose::kTest};
  const sim::RandomOperands operands_{run_, random_};
  MeshModel rtl_{config_, sites_};
  DefectiveMesh defective_{config_, sites_};
};

TEST_F(BrokenCopyTest, ALateRegisterIsFoundAtItsFirstLateCycle) {
  // When load[2][1] first changes: three weights have come down column 1 after its skew.
  sim::SteppedMesh whole(config_, sites_);
  sim::RunEdges edges(run_, operands_);
  std::vector<std::int32_t> words(16, 0);
  Cycle first_change = 0;
  while (words[DefectiveMesh::late_cell(config_)] == 0) {
    whole.step(edges.of(first_change++));
    whole.read_all(Register::kLoad, words);
  }
  defective_.is_late = true;
  sim::Lockstep pair(run_, operands_, sites_, rtl_, defective_);
  const auto found = pair.record();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, first_change);
  ASSERT_TRUE(found->site);
  EXPECT_EQ(found->text(sites_), "load[2][1] at cycle " + std::to_string(first_change) + ": " +
                                     std::to_string(words[DefectiveMesh::late_cell(config_)]) +
                                     " against 0");
}

TEST_F(BrokenCopyTest, AWrongBitIsFoundAtTheCycleOfItsStrike) {
  defective_.is_crossed = true;
  sim::Lockstep pair(run_, operands_, sites_, rtl_, defective_);
  ASSERT_FALSE(pair.record());
  int found = 0;
  for (std::uint64_t bit = 0; bit < sites_.total_bits(); ++bit) {
    const RegisterFault fault = sim::flip_of(bit, 12);
    const sim::LockstepResult result = pair.strike({&fault, 1});
    ASSERT_EQ(result.disagreement.has_value(), fault.site == DefectiveMesh::crossed_site(sites_))
        << sites_.text(fault.site);
    if (result.disagreement) {
      ++found;
      EXPECT_EQ(result.disagreement->state, 12);
      EXPECT_EQ(result.disagreement->text(sites_).rfind("partial_sum[2][1] at cycle 12:", 0), 0);
    }
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace tilestrike::rtl
