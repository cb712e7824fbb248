// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the closed form equal to the stepped machine, wherever it has a formula? Every flip of 4 x 4
// meshes with random and with extreme operands; samples of flips, held bits, windows and pairs on
// larger ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/sim/equivalence.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

class ClosedFormTest : public EquivalenceTest {
 protected:
  // The formula against the stepped machine alone.
  void expect_formula(const MeshJob& job) {
    const MeshResult expected = stepped_->run(job);
    ++jobs_;
    changed_ += expected.changes.empty() ? 0 : 1;
    expect_closed_form(job, expected);
  }

  void strike_a_4x4(Dataflow dataflow, const std::vector<PassShape>& shapes) {
    RandomStream random(21, 0, Purpose::kTest);
    for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
      const MeshRun run({4, 4, dataflow, Overflow::kWrap, preload}, shapes);
      const RandomOperands operands(run, random, Draw::kExtreme);
      const MeshState start = golden_end(run, operands, nullptr);
      const MeshSites sites(run.config());
      for (std::uint64_t site = 0; site < sites.total_bits(); ++site) {
        for (Cycle cycle = 0; cycle <= run.cycles() + 1; ++cycle) {
          const RegisterFault fault = flip_of(site, cycle);
          MeshJob job;
          job.run = &run;
          job.operands = &operands;
          job.faults = {&fault, 1};
          job.golden_start = cycle % 2 == 0 ? nullptr : &start;
          ASSERT_NO_FATAL_FAILURE(expect_formula(job));
        }
      }
    }
    EXPECT_EQ(by_formula_, jobs_);
    EXPECT_GT(changed_, jobs_ / 20);
    RecordProperty("jobs", jobs_);
    RecordProperty("changed", changed_);
  }

  RegisterFault random_fault(const MeshRun& run, const MeshSites& sites, RandomStream& random,
                             bool holds) {
    RegisterFault fault =
        flip_of(random.below(sites.total_bits()),
                1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
    if (holds) {
      fault.kind = random.below(2) == 0 ? FaultKind::kStuckAt0 : FaultKind::kStuckAt1;
      fault.when.until = random.below(2) == 0
                             ? CycleWindow().until
                             : fault.when.from + 1 + static_cast<Cycle>(random.below(40));
    }
    return fault;
  }

  // Windows that wait, in every third run.
  static WindowHold waits(int which, RandomStream& random) {
    if (which % 3 != 0) {
      return {};
    }
    return [&random](const Window& window, const Window&) {
      return window.length + static_cast<std::int64_t>(random.below(6));
    };
  }

  // Of ten jobs, seven flips, two held bits, and a pair of any.
  void sample(int rows, int columns, int trials) {
    RandomStream random(22, static_cast<std::uint64_t>(rows), Purpose::kTest);
    std::array<int, 3> jobs{}, formulas{};  // flips, held, pairs
    for (const MeshConfig& config : all_configs(rows, columns)) {
      if (config.overflow == Overflow::kSaturate) {
        continue;  // has no formulas
      }
      const MeshSites sites(config);
      for (int which = 0; which < kRuns; ++which) {
        const MeshRun run(config, random_shapes(config, random, 3, rows + 5), waits(which, random));
        const RandomOperands operands(run, random,
                                      which % 2 == 0 ? Draw::kUniform : Draw::kExtreme);
        for (int trial = 0; trial < trials / (4 * kRuns); ++trial) {
          const std::size_t sort = trial % 10 < 7 ? 0 : trial % 10 < 9 ? 1 : 2;
          std::vector<RegisterFault> faults;
          faults.push_back(random_fault(run, sites, random, sort == 1));
          if (sort == 2) {
            faults.push_back(random_fault(run, sites, random, random.below(2) == 0));
            std::stable_sort(faults.begin(), faults.end(), [](const auto& x, const auto& y) {
              return x.when.from < y.when.from;
            });
          }
          MeshJob job;
          job.run = &run;
          job.operands = &operands;
          job.faults = faults;
          const int before = by_formula_;
          ASSERT_NO_FATAL_FAILURE(expect_formula(job));
          ++jobs[sort];
          formulas[sort] += by_formula_ - before;
        }
      }
    }
    EXPECT_EQ(formulas[0], jobs[0]);
    EXPECT_GT(formulas[1], jobs[1] / 3);  // not of c0, c1, valid and propagate
    EXPECT_GT(formulas[2], jobs[2] / 5);
    RecordProperty("jobs", jobs_);
    RecordProperty("by_formula", by_formula_);
    RecordProperty("changed", changed_);
  }
  static constexpr int kRuns = 10;
};

TEST_F(ClosedFormTest, EveryFlipOfFullTilesInWs) {
  strike_a_4x4(Dataflow::kWeightStationary, {{4, 4, 4}, {6, 4, 4}, {4, 4, 4}});
}
TEST_F(ClosedFormTest, EveryFlipOfEdgeTilesInWs) {
  strike_a_4x4(Dataflow::kWeightStationary, {{3, 4, 2}, {6, 3, 4}, {1, 4, 4}, {2, 1, 3}});
}
TEST_F(ClosedFormTest, EveryFlipOfFullTilesInOs) {
  strike_a_4x4(Dataflow::kOutputStationary, {{4, 4, 4}, {4, 6, 4}, {4, 4, 4}});
}
TEST_F(ClosedFormTest, EveryFlipOfEdgeTilesInOs) {
  strike_a_4x4(Dataflow::kOutputStationary, {{3, 4, 2}, {4, 3, 4}, {1, 7, 4}, {4, 1, 3}});
}
const int kSampled = proof_size(100'000, 15'000);
TEST_F(ClosedFormTest, Samples7x5) { sample(7, 5, kSampled); }
TEST_F(ClosedFormTest, Samples8x8) { sample(8, 8, kSampled); }
TEST_F(ClosedFormTest, Samples16x16) { sample(16, 16, kSampled); }

}  // namespace
}  // namespace tilestrike::sim
