// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The same on larger meshes: every flip of an 8x8, and samples with stuck-ats and double faults of
// 8x8, 16x16 and a mesh that is not square.
#include <gtest/gtest.h>

#include "tests/rtl/lockstep_check.h"
#include "tests/whole_proofs.h"

namespace tilestrike::rtl {
namespace {

using sim::Dataflow;
using sim::MeshConfig;
using sim::MeshRun;
using sim::PassShape;

std::string title_of(const MeshConfig& config, const char* what) {
  return std::to_string(config.rows) + "x" + std::to_string(config.columns) +
         (config.is_weight_stationary() ? " ws, " : " os, ") + what;
}

// A full tile, an edge tile and another full one, back to back.
std::vector<PassShape> shapes_of(const MeshConfig& config) {
  const int r = config.rows;
  const int c = config.columns;
  return config.is_weight_stationary()
             ? std::vector<PassShape>{{r + 3, r, c}, {3, r - 1, c - 1}, {r, r, c}}
             : std::vector<PassShape>{{r, r + 3, c}, {r - 1, 3, c - 1}, {r, r, c}};
}

void strike_an_8x8(Dataflow dataflow) {
  MeshConfig config{8, 8};
  config.dataflow = dataflow;
  RandomStream random(31, 0, Purpose::kTest);
  LockstepCheck check(config);
  const MeshRun run(config, shapes_of(config));
  const ExtremeOperands operands(run, random);
  // 5 divides no width of a register, so every bit has its turn.
  ASSERT_NO_FATAL_FAILURE(
      check.strike_everywhere(run, operands, static_cast<std::uint64_t>(proof_size(1, 5))));
  check.print(title_of(config, "every flip").c_str());
}

void sample(int rows, int columns) {
  const int kStrikes = proof_size(100'000, 25'000);
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    MeshConfig config{rows, columns};
    config.dataflow = dataflow;
    RandomStream random(32, static_cast<std::uint64_t>(rows), Purpose::kTest);
    LockstepCheck check(config);
    const MeshRun run(config, shapes_of(config));
    const sim::RandomOperands plain(run, random);
    ASSERT_NO_FATAL_FAILURE(check.sample(run, plain, kStrikes / 2, random));
    const ExtremeOperands extreme(run, random);
    ASSERT_NO_FATAL_FAILURE(check.sample(run, extreme, kStrikes / 2, random));
    check.print(title_of(config, "sampled, a quarter stuck-ats and double faults").c_str());
    EXPECT_EQ(check.strikes(), kStrikes);
  }
}

TEST(EquivalenceLargeTest, EveryFlipOf8x8Ws) { strike_an_8x8(Dataflow::kWeightStationary); }
TEST(EquivalenceLargeTest, EveryFlipOf8x8Os) { strike_an_8x8(Dataflow::kOutputStationary); }
TEST(EquivalenceLargeTest, Samples8x8) { sample(8, 8); }
TEST(EquivalenceLargeTest, Samples8x4) { sample(8, 4); }
TEST(EquivalenceLargeTest, Samples16x16) { sample(16, 16); }

}  // namespace
}  // namespace tilestrike::rtl
