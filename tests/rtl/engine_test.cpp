// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the engine `rtl` answer a job as the engine `stepped` does, although it simulates only what
// the faults touch? And what does it say of a mesh that is not built?
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "rtl/engines.h"
#include "rtl/mesh_model.h"
#include "tests/sim/equivalence.h"

namespace tilestrike::sim {
namespace {

EngineSet with_rtl() {
  EngineSet engines = builtin_engines();
  rtl::add_engines(engines);
  return engines;
}

class RtlEngineTest : public EquivalenceTest {
 protected:
  void expect_equal(const MeshJob& job) {
    const MeshResult expected = stepped_->run(job);
    const MeshResult result = rtl_->run(job);
    ASSERT_EQ(result.changes, expected.changes) << described(job);
    ASSERT_EQ(result.outputs, expected.outputs) << described(job);
    ASSERT_EQ(result.activated, expected.activated) << described(job);
    ASSERT_EQ(result.before, expected.before) << described(job);
    ASSERT_EQ(result.after, expected.after) << described(job);
    ASSERT_EQ(result.cycles, expected.cycles);
    if (job.wants_end || job.wants_outputs) {
      ASSERT_EQ(result.end, expected.end) << described(job);
    }
    changed_ += expected.changes.empty() ? 0 : 1;
  }

  const std::unique_ptr<MeshEngine> rtl_ = with_rtl().make("rtl");
};

TEST_F(RtlEngineTest, EqualsStepped) {
  RandomStream random(41, 0, Purpose::kTest);
  for (const auto& [rows, columns] : {std::pair(4, 4), std::pair(8, 4), std::pair(8, 8)}) {
    for (const MeshConfig& config : all_configs(rows, columns)) {
      const MeshSites sites(config);
      MeshState start, other;
      const MeshRun run(config, random_shapes(config, random, 7, rows + 5));
      const RandomOperands operands(run, random);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      if (!rtl_->covers(job)) {
        EXPECT_EQ(config.overflow, Overflow::kSaturate);
        continue;
      }
      for (MeshState* state : {&start, &other}) {
        for (std::vector<std::int32_t>& words : state->stationary) {
          for (int cell = 0; cell < rows * columns; ++cell) {
            words.push_back(fitted(static_cast<std::uint32_t>(random.next()),
                                   sites.block(Register::kStationary0).bits));
          }
        }
      }
      for (int trial = 0; trial < 400; ++trial) {
        std::vector<RegisterFault> faults;
        for (int i = 0; i <= trial % 5 / 4; ++i) {
          faults.push_back(flip_of(
              random.below(sites.total_bits()),
              static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()) + 2))));
          if (trial % 3 == 2) {
            faults.back().kind = trial % 2 == 0 ? FaultKind::kStuckAt0 : FaultKind::kStuckAt1;
            faults.back().when.until = faults.back().when.from + 1 + trial % 50;
          }
        }
        std::sort(faults.begin(), faults.end(),
                  [](const auto& x, const auto& y) { return x.when.from < y.when.from; });
        job.faults = faults;
        job.golden_start = trial % 4 == 0 ? nullptr : &start;
        job.faulty_start = trial % 16 == 5 ? &other : nullptr;
        job.wants_end = trial % 2 == 0;
        job.wants_outputs = trial % 32 == 7;
        ASSERT_NO_FATAL_FAILURE(expect_equal(job));
      }
    }
  }
  EXPECT_GT(changed_, 500);
}

TEST_F(RtlEngineTest, IsAmongTheEngines) {
  const std::vector<std::string> names = with_rtl().names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "rtl"), 1);
  EXPECT_EQ(with_rtl().find_absent("rtl"), nullptr);
}

TEST_F(RtlEngineTest, AMeshThatIsNotBuiltIsNotCovered) {
  RandomStream random(42, 0, Purpose::kTest);
  const MeshConfig config{5, 3};
  const MeshRun run(config, {{4, 3, 3}});
  const RandomOperands operands(run, random);
  MeshJob job;
  job.run = &run;
  job.operands = &operands;
  EXPECT_FALSE(rtl_->covers(job));
  const MeshSites sites(config);
  try {
    const rtl::MeshModel model(config, sites);
    FAIL() << "a model of a mesh that is not built";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors().front().what, "the RTL of a mesh of 5x3 ws is not built");
    EXPECT_NE(failure.errors().front().cure.find("rtl/CMakeLists.txt"), std::string::npos);
    EXPECT_NE(failure.errors().front().cure.find("8x4 os"), std::string::npos);
  }
}

}  // namespace
}  // namespace tilestrike::sim
