// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is an engine that is wrong found, with the register, and where it parts from the others?
#include "sim/compare/engine_comparison.h"

#include <gtest/gtest.h>

#include "sim/mesh/engine_set.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

// A copy of an engine in which one register kind is wired wrong: its faults hit the next bit.
class BrokenEngine final : public MeshEngine {
 public:
  explicit BrokenEngine(Register broken) : broken_(broken) {}
  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override {
    const MeshSites sites(job.run->config());
    std::vector<RegisterFault> faults(job.faults.begin(), job.faults.end());
    for (RegisterFault& fault : faults) {
      MeshSite site = sites.describe(fault.site);
      if (site.kind == broken_) {
        site.bit = (site.bit + 1) % sites.block(site.kind).bits;
        fault.site = sites.id_of(site);
      }
    }
    MeshJob other = job;
    other.faults = faults;
    return engine_->run(other);
  }

 private:
  Register broken_;
  std::unique_ptr<MeshEngine> engine_ = builtin_engines().make("closed_form");
};

TEST(EngineComparisonTest, ABrokenRegisterIsFoundAndNoOther) {
  RandomStream random(31, 0, Purpose::kTest);
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    const MeshRun run({4, 4, dataflow, Overflow::kWrap, Preload::kOverlapped},
                      {{4, 4, 4}, {4, 4, 4}, {4, 4, 4}});
    const RandomOperands operands(run, random);
    const MeshSites sites(run.config());
    const auto reference = builtin_engines().make("stepped");
    for (const Register broken : {Register::kActivation, Register::kVertical, Register::kDeskew}) {
      BrokenEngine engine(broken);
      int found = 0;
      for (int trial = 0; trial < 2000; ++trial) {
        const RegisterFault fault =
            flip_of(random.below(sites.total_bits()),
                    1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
        MeshJob job;
        job.run = &run;
        job.operands = &operands;
        job.faults = {&fault, 1};
        const std::string difference = first_difference(job, reference->run(job), engine.run(job));
        const bool is_broken = sites.describe(fault.site).kind == broken;
        ASSERT_EQ(!difference.empty(), is_broken) << difference << text_of_faults(job, sites);
        found += is_broken ? 1 : 0;
      }
      EXPECT_GT(found, 20);
    }
  }
}

TEST(EngineComparisonTest, TheFirstDifferenceIsNamed) {
  const MeshRun run({4, 4, Dataflow::kWeightStationary}, {{4, 4, 4}});
  MeshJob job;
  job.run = &run;
  MeshResult expected;
  expected.changes = {{0, 1, 2, 0, 16}, {0, 2, 2, 7, 3}};
  MeshResult other = expected;
  EXPECT_EQ(first_difference(job, expected, other), "");
  other.changes[1].golden = 0;  // as from a mesh of differences
  other.changes[1].faulty = -4;
  EXPECT_EQ(first_difference(job, expected, other), "");
  other.changes[1].faulty = 4;
  EXPECT_EQ(first_difference(job, expected, other), "pass 0, row 2, column 2: off by 4, not -4");
  other.changes = {{0, 2, 2, 0, -4}};
  EXPECT_EQ(first_difference(job, expected, other), "pass 0, row 1, column 2: off by 0, not 16");
  other.changes = {{0, 0, 3, 4, 5}, {0, 1, 2, 0, 16}, {0, 2, 2, 0, -4}};
  EXPECT_EQ(first_difference(job, expected, other), "pass 0, row 0, column 3: off by 1, not 0");
  other = expected;
  other.activated = true;
  EXPECT_EQ(first_difference(job, expected, other), "activated");
  other = expected;
  other.after = 3;
  EXPECT_EQ(first_difference(job, expected, other), "struck word 0 -> 3, not 0 -> 0");
  other = expected;
  job.wants_end = true;
  expected.end.stationary[0].assign(16, 0);
  expected.end.stationary[1].assign(16, 0);
  other.end = expected.end;
  other.end.stationary[1][6] = 1;
  EXPECT_EQ(first_difference(job, expected, other), "end state: c1[1][2]");
  const MeshSites sites(run.config());
  const RegisterFault fault = flip_of(sites.id_of({Register::kVertical, 1, 2, 0, 5}).value, 7);
  job.faults = {&fault, 1};
  EXPECT_EQ(text_of_faults(job, sites), "flip of partial_sum[1][2] bit 5 at state 7");
}

}  // namespace
}  // namespace tilestrike::sim
