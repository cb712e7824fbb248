// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs jobs on all engines and expects the same of them; the stepped machine decides.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/mesh/closed_form.h"
#include "sim/mesh/engine_set.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {

class EquivalenceTest : public testing::Test {
 protected:
  using Named = std::pair<std::string, MeshEngine*>;

  // Deltas, activation, struck word and, where it is asked for, the end state.
  void expect_equal(const MeshJob& job) {
    const MeshResult expected = stepped_->run(job);
    ++jobs_;
    changed_ += expected.changes.empty() ? 0 : 1;
    activated_ += expected.activated ? 1 : 0;
    ASSERT_TRUE(expected.activated || expected.changes.empty()) << described(job);
    expect_closed_form(job, expected);
    int windows = -1;  // as the first of them counts them
    for (const auto& [name, engine] :
         {Named{"wavefront", wavefront_.get()}, Named{"systemc", systemc_.get()},
          Named{"closed_form", closed_form_.get()}}) {
      if (!engine->covers(job)) {
        continue;
      }
      const MeshResult result = engine->run(job);
      ASSERT_EQ(result.changes, expected.changes) << name << described(job);
      ASSERT_EQ(result.outputs, expected.outputs) << name << described(job);
      ASSERT_EQ(result.activated, expected.activated) << name << described(job);
      ASSERT_EQ(result.before, expected.before) << name << described(job);
      ASSERT_EQ(result.after, expected.after) << name << described(job);
      ASSERT_EQ(result.cycles, expected.cycles);
      windows = windows < 0 ? result.windows_simulated : windows;
      if (!job.wants_end && job.faulty_start == nullptr) {
        ASSERT_EQ(result.windows_simulated, windows) << name << described(job);
      }
      if (job.wants_end || job.wants_outputs) {
        ASSERT_EQ(result.end, expected.end) << name << described(job);
      }
    }
  }

  // What a job asks of the end is left to the replay: the formulas are to meet every strike.
  void expect_closed_form(MeshJob job, const MeshResult& expected) {
    job.wants_end = false;
    const MeshSites sites(job.run->config());
    if (!formulas_.has_formula(job, sites)) {
      return;
    }
    ++by_formula_;
    formulas_.compute(formula_result_);
    ASSERT_EQ(formula_result_.changes, expected.changes) << described(job);
    ASSERT_EQ(formula_result_.activated, expected.activated) << described(job);
    ASSERT_EQ(formula_result_.before, expected.before) << described(job);
    ASSERT_EQ(formula_result_.after, expected.after) << described(job);
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

  const std::unique_ptr<MeshEngine> stepped_ = builtin_engines().make("stepped");
  const std::unique_ptr<MeshEngine> wavefront_ = builtin_engines().make("wavefront");
  const std::unique_ptr<MeshEngine> systemc_ = builtin_engines().make("systemc");
  const std::unique_ptr<MeshEngine> closed_form_ = builtin_engines().make("closed_form");
  ClosedForm formulas_;
  MeshResult formula_result_;
  int jobs_ = 0;
  int by_formula_ = 0;
  int changed_ = 0;
  int activated_ = 0;
};

inline std::vector<PassShape> random_shapes(const MeshConfig& config, RandomStream& random,
                                            int passes, int longest) {
  std::vector<PassShape> shapes;
  for (int pass = 0; pass < passes; ++pass) {
    shapes.push_back(random_shape(config, random, longest));
  }
  return shapes;
}

}  // namespace tilestrike::sim
