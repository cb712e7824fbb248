// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Jobs of made-up cores, given to two engines of which one is `stepped`.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/core/core_engine.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::sim {

inline CoreConfig small_core(int membrane_bits = 24,
                             NeuronOverflow overflow = NeuronOverflow::kWrap) {
  CoreConfig config = core_named("core_16x16");
  config.membrane_bits = membrane_bits;
  config.overflow = overflow;
  return config;
}

class CoreEngineTest : public testing::Test {
 protected:
  // A run and all that follows from it.
  struct Case {
    Case(const CoreConfig& config, const CoreTaste& taste, RandomStream& random)
        : run(random_run(config, taste, random)), sites(run.core().sites()), golden(run) {}
    // The core of a run, fed otherwise.
    Case(const CoreRun& other, const CoreFeed& feed)
        : run(other.shared_core(), feed), sites(run.core().sites()), golden(run) {}
    CoreRun run;
    const CoreSites& sites;
    CoreGolden golden;
  };

  std::string described(const Case& job, std::span<const RegisterFault> faults) {
    std::string text;
    for (const RegisterFault& fault : faults) {
      text += std::string(name_of(fault.kind)) + " of " + job.sites.text(fault.site) + " from " +
              std::to_string(fault.when.from) + " until " + std::to_string(fault.when.until) + "; ";
    }
    return text;
  }

  void expect_equal(const Case& job, std::span<const RegisterFault> faults, CoreEngine& engine) {
    CoreJob asked{&job.golden, faults};
    if (!engine.covers(asked)) {
      ++not_covered_;
      return;
    }
    asked.wants_whole = random_.below(8) == 0;
    asked.wants_whole = asked.wants_whole && engine.covers(asked);
    const CoreResult expected = stepped_->run(asked);
    const CoreResult result = engine.run(asked);
    ASSERT_EQ(result.hung, expected.hung) << described(job, faults);
    ASSERT_EQ(result.changes, expected.changes) << described(job, faults);
    ASSERT_EQ(result.readout, expected.readout) << described(job, faults);
    ASSERT_EQ(result.errors, expected.errors) << described(job, faults);
    ASSERT_EQ(result.before, expected.before) << described(job, faults);
    ASSERT_EQ(result.after, expected.after) << described(job, faults);
    ASSERT_EQ(result.activated, expected.activated) << described(job, faults);
    ++compared_;
    changed_ += !expected.changes.empty() || expected.readout != job.run.readout() ? 1 : 0;
    hung_ += expected.hung ? 1 : 0;
    saved_ += expected.ticks_simulated > result.ticks_simulated ? 1 : 0;
  }

  RegisterFault any_fault(const Case& job, int kind) {
    const CoreField& field = job.sites.fields()[random_.below(job.sites.fields().size())];
    const CoreSite site = job.sites.site_of(field, random_.below(job.sites.bits_of(field)));
    const auto from =
        static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(job.run.cycles()) + 4));
    const Cycle until = random_.below(6) == 0 ? CycleWindow{}.until
                                              : from + 1 + static_cast<Cycle>(random_.below(90));
    return core_fault(job.sites.id_of(site).value,
                      kind == 0   ? FaultKind::kFlip
                      : kind == 1 ? FaultKind::kStuckAt0
                                  : FaultKind::kStuckAt1,
                      from, until);
  }

  RandomStream random_{81, 0, Purpose::kTest};
  const std::unique_ptr<CoreEngine> stepped_ = make_core_engine("stepped");
  const std::unique_ptr<CoreEngine> systemc_ = make_core_engine("systemc");
  const std::unique_ptr<CoreEngine> closed_form_ = make_core_engine("closed_form");
  int compared_ = 0, not_covered_ = 0, changed_ = 0, hung_ = 0, saved_ = 0;
};

inline CoreTaste taste_of(int trial) {
  CoreTaste taste;
  taste.is_extreme = trial % 3 == 2;
  taste.has_loop = trial % 4 == 1;
  taste.pending = trial % 5 == 4 ? 1.0 : trial % 7 == 6 ? 0.0 : 0.3;
  taste.first_tick = trial % 6 == 5 ? 2 : 0;
  taste.window = trial % 6 == 5 ? 3 : 1000;
  taste.barrier = trial % 3;
  taste.ticks = trial % 8 == 7 ? 19 : 5;
  return taste;
}

}  // namespace tilestrike::sim
