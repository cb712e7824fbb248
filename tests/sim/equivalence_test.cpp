// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do all engines compute the same, fault by fault? The stepped machine decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

class EquivalenceTest : public testing::Test {
 protected:
  // Deltas, activation, struck word and, where it is asked for, the end state.
  void expect_equal(const MeshJob& job) {
    const MeshResult expected = stepped_->run(job);
    ++jobs_;
    changed_ += expected.deltas.empty() ? 0 : 1;
    activated_ += expected.activated ? 1 : 0;
    ASSERT_TRUE(expected.activated || expected.deltas.empty()) << described(job);
    for (Engine* engine : {wavefront_.get(), systemc_.get()}) {
      const MeshResult result = engine->run(job);
      ASSERT_EQ(result.deltas, expected.deltas) << engine->name() << described(job);
      ASSERT_EQ(result.outputs, expected.outputs) << engine->name() << described(job);
      ASSERT_EQ(result.activated, expected.activated) << engine->name() << described(job);
      ASSERT_EQ(result.before, expected.before) << engine->name() << described(job);
      ASSERT_EQ(result.after, expected.after) << engine->name() << described(job);
      ASSERT_EQ(result.cycles, expected.cycles);
      if (job.wants_end || job.wants_outputs) {
        ASSERT_EQ(result.end, expected.end) << engine->name() << described(job);
      }
    }
  }

  static std::string described(const MeshJob& job) {
    const MeshConfig& config = job.run->config();
    const MeshSites sites(config);
    std::string text = " on " + std::to_string(config.rows) + " x " +
                       std::to_string(config.columns) +
                       (config.is_weight_stationary() ? " ws" : " os") +
                       (config.preload == Preload::kSerial ? " serial" : "") +
                       (config.overflow == Overflow::kSaturate ? " saturating" : "") + ", passes";
    for (const PassShape& pass : job.run->passes()) {
      text += " " + std::to_string(pass.rows) + "x" + std::to_string(pass.depth) + "x" +
              std::to_string(pass.columns);
    }
    for (const RegisterFault& fault : job.faults) {
      text += "; " + std::string(name_of(fault.kind)) + " of " + sites.text(fault.site) + " at " +
              std::to_string(fault.when.from) + " until " + std::to_string(fault.when.until);
    }
    return text;
  }

  // Every site, bit and cycle of a run, and the cycles around it.
  void strike_everywhere(const MeshRun& run, const Operands& operands) {
    const MeshSites sites(run.config());
    for (std::uint64_t site = 0; site < sites.total_bits(); ++site) {
      for (Cycle cycle = 0; cycle <= run.cycles() + 1; ++cycle) {
        const RegisterFault fault = flip_of(site, cycle);
        MeshJob job;
        job.run = &run;
        job.operands = &operands;
        job.faults = {&fault, 1};
        job.wants_end = cycle % 8 == 0;
        ASSERT_NO_FATAL_FAILURE(expect_equal(job));
      }
    }
  }

  const std::unique_ptr<Engine> stepped_ = make_engine("stepped");
  const std::unique_ptr<Engine> wavefront_ = make_engine("wavefront");
  const std::unique_ptr<Engine> systemc_ = make_engine("systemc");
  int jobs_ = 0;
  int changed_ = 0;
  int activated_ = 0;
};

std::vector<PassShape> random_shapes(const MeshConfig& config, RandomStream& random, int passes,
                                     int longest) {
  std::vector<PassShape> shapes;
  for (int pass = 0; pass < passes; ++pass) {
    shapes.push_back(random_shape(config, random, longest));
  }
  return shapes;
}

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
      for (Engine* engine : {stepped_.get(), wavefront_.get(), systemc_.get()}) {
        const MeshResult result = engine->run(job);
        ASSERT_EQ(result.outputs.size(), run.passes().size());
        for (std::size_t pass = 0; pass < run.passes().size(); ++pass) {
          EXPECT_EQ(result.outputs[pass], operands.product(static_cast<int>(pass)))
              << engine->name() << described(job);
        }
        EXPECT_EQ(result.end, golden_end(run, operands, nullptr)) << engine->name();
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

TEST_F(EquivalenceTest, RandomFaultsOnRandomRuns) {
  RandomStream random(2, 0, Purpose::kTest);
  for (const auto& [rows, columns, runs] :
       {std::tuple(2, 2, 30), std::tuple(4, 4, 30), std::tuple(7, 5, 20), std::tuple(3, 6, 20),
        std::tuple(8, 8, 8), std::tuple(16, 16, 2)}) {
    for (const MeshConfig& config : all_configs(rows, columns)) {
      const MeshSites sites(config);
      for (int i = 0; i < runs; ++i) {
        const MeshRun run(
            config, random_shapes(config, random, 1 + static_cast<int>(random.below(6)), rows + 5));
        const RandomOperands operands(run, random);
        const MeshState golden_start = random_state(config, random);
        const MeshState faulty_start = random_state(config, random);
        for (int trial = 0; trial < 20; ++trial) {
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
  }
  EXPECT_GT(changed_, jobs_ / 3);
  EXPECT_LT(activated_, jobs_);
}

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
