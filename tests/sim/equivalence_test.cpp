// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do all engines compute the same, fault by fault? The stepped machine decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/sim/equivalence.h"

namespace tilestrike::sim {
namespace {

TEST_F(EquivalenceTest, AllOutputsAreThePlainProduct) {
  RandomStream random(1, 0, Purpose::kTest);
  for (const auto& [rows, columns] : {std::pair(2, 2), std::pair(4, 4), std::pair(7, 5),
                                      std::pair(5, 7), std::pair(16, 16), std::pair(3, 40)}) {
    for (const MeshConfig& config : all_configs(rows, columns)) {
      const MeshRun run(config, random_shapes(config, random, 4, 2 * rows + 70));
      const RandomOperands operands(run, random);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.wants_outputs = true;
      for (const auto& [name, engine] :
           {Named{"stepped", stepped_.get()}, Named{"wavefront", wavefront_.get()},
            Named{"systemc", systemc_.get()}}) {
        const MeshResult result = engine->run(job);
        ASSERT_EQ(result.outputs.size(), run.passes().size());
        for (std::size_t pass = 0; pass < run.passes().size(); ++pass) {
          EXPECT_EQ(result.outputs[pass], operands.product(static_cast<int>(pass)))
              << name << described(job);
        }
        EXPECT_EQ(result.end, golden_end(run, operands, nullptr)) << name;
        EXPECT_FALSE(result.activated);
      }
    }
  }
}

// Random flips, stuck-ats and pairs of them, within the run and around it.
std::vector<RegisterFault> random_faults(const MeshRun& run, const MeshSites& sites,
                                         RandomStream& random) {
  const auto cycles = static_cast<std::uint64_t>(run.cycles());
  std::vector<RegisterFault> faults;
  const std::uint64_t first = random.below(sites.total_bits());
  for (std::uint64_t i = 0; i <= random.below(3); ++i) {
    RegisterFault fault;
    // Several faults are near to each other: in one register, chain or column.
    fault.site = random.below(2) == 0 ? SiteId(random.below(sites.total_bits()))
                                      : SiteId((first + random.below(20)) % sites.total_bits());
    fault.kind = static_cast<FaultKind>(random.below(3));
    fault.when.from = static_cast<Cycle>(random.below(cycles + 10)) - 5;
    if (fault.kind == FaultKind::kFlip) {
      fault.when.until = fault.when.from + 1;
    } else if (random.below(3) > 0) {
      fault.when.until = fault.when.from + 1 + static_cast<Cycle>(random.below(20));
    }
    faults.push_back(fault);
  }
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& x, const auto& y) { return x.when.from < y.when.from; });
  return faults;
}

MeshState random_state(const MeshConfig& config, RandomStream& random) {
  MeshState state;
  for (auto& words : state.stationary) {
    for (int i = 0; i < config.rows * config.columns; ++i) {
      words.push_back(config.is_weight_stationary() ? static_cast<std::int8_t>(random.next())
                                                    : static_cast<std::int32_t>(random.next()));
    }
  }
  return state;
}

struct Sample {
  int rows, columns;
  int runs;    // per configuration
  int trials;  // per run
};

class RandomFaultsTest : public EquivalenceTest, public testing::WithParamInterface<Sample> {};

TEST_P(RandomFaultsTest, EnginesAgree) {
  const Sample sample = GetParam();
  RandomStream random(2, static_cast<std::uint64_t>(sample.rows), Purpose::kTest);
  for (const MeshConfig& config : all_configs(sample.rows, sample.columns)) {
    const MeshSites sites(config);
    for (int i = 0; i < sample.runs; ++i) {
      const MeshRun run(config, random_shapes(config, random, 1 + static_cast<int>(random.below(6)),
                                              config.rows + 5));
      const RandomOperands operands(run, random);
      const MeshState golden_start = random_state(config, random);
      const MeshState faulty_start = random_state(config, random);
      for (int trial = 0; trial < sample.trials; ++trial) {
        const std::vector<RegisterFault> faults = random_faults(run, sites, random);
        MeshJob job;
        job.run = &run;
        job.operands = &operands;
        job.faults = faults;
        job.golden_start = random.below(2) == 0 ? &golden_start : nullptr;
        job.faulty_start = random.below(4) == 0 ? &faulty_start : nullptr;
        job.wants_outputs = random.below(8) == 0;
        job.wants_end = random.below(4) == 0;
        ASSERT_NO_FATAL_FAILURE(expect_equal(job));
      }
    }
  }
  EXPECT_GT(changed_, jobs_ / 4);
  EXPECT_LT(activated_, jobs_);
}

INSTANTIATE_TEST_SUITE_P(Meshes, RandomFaultsTest,
                         testing::Values(Sample{2, 2, 20, 20}, Sample{4, 4, 20, 20},
                                         Sample{7, 5, 10, 20}, Sample{3, 6, 10, 20},
                                         Sample{8, 8, 3, 20}, Sample{16, 16, 1, 20}),
                         [](const auto& info) {
                           return std::to_string(info.param.rows) + "x" +
                                  std::to_string(info.param.columns);
                         });

TEST_F(EquivalenceTest, EveryFlipOfA2x2) {
  RandomStream random(3, 0, Purpose::kTest);
  for (const MeshConfig& config : all_configs(2, 2)) {
    const MeshRun run(config, {{2, 2, 2}, {1, 2, 1}, {2, 1, 2}, {2, 2, 2}});
    const RandomOperands operands(run, random);
    ASSERT_NO_FATAL_FAILURE(strike_everywhere(run, operands));
  }
  EXPECT_GT(changed_, jobs_ / 10);
}

}  // namespace
}  // namespace tilestrike::sim
