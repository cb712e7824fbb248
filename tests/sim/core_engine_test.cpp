// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do all engines answer a struck core as `stepped` does, which moves all storage at every clock
// edge from the first to the last? And has no dead bit an effect?
#include "sim/core/core_engine.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "sim/core/burst_core.h"
#include "sim/core/core_drive.h"
#include "sim/core/core_liveness.h"
#include "tests/sim/core_engine_jobs.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

TEST_F(CoreEngineTest, SystemCEqualsStepped) {
  for (int trial = 0; trial < 48; ++trial) {
    const Case job(small_core(trial % 2 == 0 ? 24 : 16, static_cast<NeuronOverflow>(trial % 3)),
                   taste_of(trial), random_);
    for (int i = 0; i < proof_size(4000, 250); ++i) {
      std::vector<RegisterFault> faults;
      for (int j = 0; j < (i % 6 == 5 ? 2 : 1); ++j) {
        faults.push_back(any_fault(job, i % 2 == 0 ? 0 : static_cast<int>(random_.below(3))));
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, faults, *systemc_)) << trial;
    }
  }
  std::printf("%d strikes compared, %d with an effect, %d hung, %d shorter\n", compared_, changed_,
              hung_, saved_);
  EXPECT_GT(changed_, compared_ / 10);
  EXPECT_GT(hung_, 20);
  EXPECT_GT(saved_, compared_ / 2);
}

TEST_F(CoreEngineTest, SystemCEqualsSteppedWithFixedTicks) {
  for (int trial = 0; trial < 6; ++trial) {
    CoreTaste taste = taste_of(trial);
    const CoreRun free = random_run(small_core(), taste, random_);
    CoreFeed feed = free.feed();
    for (int tick = 0; tick < free.ticks(); ++tick) {
      feed.fixed_tick = std::max(feed.fixed_tick, free.tick(tick).length);
    }
    Case job(small_core(), taste, random_);
    const CoreRun run(small_core(), free.contents(), feed);
    const CoreGolden golden(run);
    int overruns = 0;
    for (int i = 0; i < 300; ++i) {
      RegisterFault fault = any_fault(job, static_cast<int>(random_.below(3)));
      fault.when.from %= run.cycles();
      fault.when.until = fault.when.from + 20;
      const CoreJob asked{&golden, {&fault, 1}};
      const CoreResult expected = stepped_->run(asked), result = systemc_->run(asked);
      ASSERT_EQ(result.changes, expected.changes) << described(job, {&fault, 1});
      ASSERT_EQ(result.readout, expected.readout);
      ASSERT_EQ(result.errors, expected.errors);
      overruns += (expected.errors & kErrorOverrun) != 0 ? 1 : 0;
      EXPECT_FALSE(closed_form_->covers(asked));
    }
    EXPECT_GT(overruns, 2);
  }
}

// A core that is fed otherwise than in the golden run: its ticks may be longer than golden time.
TEST_F(CoreEngineTest, EnginesEqualSteppedWithAnotherFeedInGoldenTime) {
  int grown = 0;
  for (int trial = 0; trial < 16; ++trial) {
    CoreTaste taste = taste_of(trial);
    taste.has_loop = trial % 4 == 3;
    const CoreRun golden_run = random_run(small_core(), taste, random_);
    CoreFeed feed = random_feed(small_core(), taste, random_);
    for (int tick = -1; tick < golden_run.ticks(); ++tick) {
      feed.golden_lengths.push_back(golden_run.tick(tick).length);
    }
    const Case job(golden_run, feed);
    EXPECT_EQ(job.run.cycles(), golden_run.cycles());
    for (int tick = -1; tick < job.run.ticks(); ++tick) {
      EXPECT_EQ(job.run.tick(tick).start, golden_run.tick(tick).start);
      grown += job.run.tick(tick).lasts > job.run.tick(tick).length ? 1 : 0;
    }
    for (int i = 0; i < 200; ++i) {
      const RegisterFault fault = any_fault(job, i % 3);
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *systemc_)) << trial;
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *closed_form_)) << trial;
    }
    // A flip acts at its golden tick and edge, however long the ticks before were.
    const CoreMoment when{1, 3};
    const CoreSite site{CoreStorage::kMembranes, 0, 5};
    const RegisterFault fault =
        core_fault(job.sites.id_of(site).value, FaultKind::kFlip, golden_run.cycle_of(when), 0);
    SteppedCore core(job.sites);
    core.set_state(job.run.core().state());
    CoreDrive drive(job.run, core, {&fault, 1});
    while (drive.next() != when) {
      drive.step();
    }
    EXPECT_TRUE(drive.changes().empty());
    drive.step();
    EXPECT_EQ(drive.changes().size(), 1U);
  }
  EXPECT_GT(grown, 10);
}

TEST_F(CoreEngineTest, EnginesEqualSteppedInTheShippedSizes) {
  for (const char* name : {"core_1024x64", "core_256x256"}) {
    CoreTaste taste;
    taste.pending = 0.1;
    taste.ticks = 5;
    const Case job(core_named(name), taste, random_);
    for (int i = 0; i < proof_size(3000, 120); ++i) {
      const RegisterFault fault = any_fault(job, i % 2 == 0 ? 0 : 1 + i % 4 / 2);
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *systemc_));
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *closed_form_));
    }
  }
  EXPECT_GT(changed_, 40);
}

// Of the arrays that closed_form knows, every bit; every cycle in the whole proof.
TEST_F(CoreEngineTest, ClosedFormEqualsSteppedOnEveryBit) {
  for (int trial = 0; trial < 4; ++trial) {
    CoreTaste taste;
    taste.pending = 0.4;
    taste.barrier = trial % 2;
    taste.is_extreme = trial == 1;
    taste.first_tick = trial == 2 ? 1 : 0;
    taste.window = trial == 2 ? 2 : 1000;
    const Case job(small_core(trial == 3 ? 16 : 24, static_cast<NeuronOverflow>(trial % 3)), taste,
                   random_);
    const auto stride = static_cast<Cycle>(proof_size(1, 150));
    for (std::uint64_t site = 0; site < job.sites.total_bits(); ++site) {
      const RegisterFault probe = core_fault(site, FaultKind::kFlip, 1, 0);
      if (!closed_form_->covers({&job.golden, {&probe, 1}})) {
        continue;
      }
      for (auto cycle = static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(stride)));
           cycle <= job.run.cycles() + 1; cycle += stride) {
        const RegisterFault fault = core_fault(site, FaultKind::kFlip, cycle, 0);
        ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *closed_form_)) << trial;
      }
    }
  }
  std::printf("%d flips compared, %d with an effect\n", compared_, changed_);
  EXPECT_GT(compared_, 30'000);
  EXPECT_GT(changed_, compared_ / 10);
}

TEST_F(CoreEngineTest, ClosedFormEqualsSteppedUnderStuckAts) {
  for (int trial = 0; trial < 32; ++trial) {
    CoreTaste taste = taste_of(trial);
    taste.has_loop = false;
    const Case job(small_core(trial % 2 == 0 ? 24 : 16, static_cast<NeuronOverflow>(trial % 3)),
                   taste, random_);
    for (int i = 0; i < proof_size(5000, 500); ++i) {
      const RegisterFault fault = any_fault(job, i % 3);
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, {&fault, 1}, *closed_form_)) << trial;
    }
  }
  std::printf("%d faults compared, %d with an effect\n", compared_, changed_);
  EXPECT_GT(compared_, 5'000);
  EXPECT_GT(changed_, compared_ / 10);
}

TEST_F(CoreEngineTest, ClosedFormCoversWhatItHasAFormulaFor) {
  CoreTaste taste;
  taste.has_loop = true;
  const Case loop(small_core(), taste, random_);
  taste.has_loop = false;
  const Case job(small_core(), taste, random_);
  const auto covers = [&](const Case& asked, const CoreSite& site, int faults = 1) {
    const std::vector<RegisterFault> all(
        static_cast<std::size_t>(faults),
        core_fault(job.sites.id_of(site).value, FaultKind::kFlip, 30, 0));
    return closed_form_->covers({&asked.golden, all});
  };
  EXPECT_TRUE(covers(job, {CoreStorage::kSynapses, 3, 5}));
  EXPECT_TRUE(covers(job, {CoreStorage::kRing, 3, 5}));
  EXPECT_FALSE(covers(job, {CoreStorage::kSynapses, 3, 5}, 2));
  EXPECT_FALSE(covers(job, {CoreStorage::kSynapses, 3, 5}, 0));
  EXPECT_FALSE(covers(job, {CoreStorage::kState, 0, 0}));
  EXPECT_FALSE(covers(job, {CoreStorage::kQueue, 0, 0}));
  const RegisterFault fault = core_fault(0, FaultKind::kFlip, 30, 0);
  EXPECT_FALSE(closed_form_->covers({&job.golden, {&fault, 1}, true}));
  EXPECT_FALSE(covers(loop, {CoreStorage::kSynapses, 3, 5}));
}

// What is dead may change without effect, and what is live is mostly felt with some weights.
TEST_F(CoreEngineTest, NoDeadBitHasAnEffect) {
  int dead = 0, live = 0, felt = 0;
  for (int trial = 0; trial < 6; ++trial) {
    const Case job(small_core(), taste_of(trial), random_);
    for (std::uint64_t site = 0; site < job.sites.total_bits(); ++site) {
      const auto stride = static_cast<Cycle>(proof_size(1, 300));
      for (auto cycle = 1 + static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(stride)));
           cycle <= job.run.cycles(); cycle += stride) {
        const RegisterFault fault = core_fault(site, FaultKind::kFlip, cycle, 0);
        const CoreResult result = systemc_->run({&job.golden, {&fault, 1}});
        const bool has_effect = !result.changes.empty() || result.hung || result.errors != 0 ||
                                result.readout != job.run.readout();
        const bool is_live =
            sim::is_live(job.run, job.sites, job.sites.describe(fault.site), cycle);
        ASSERT_TRUE(is_live || !has_effect) << trial << ": " << described(job, {&fault, 1});
        ASSERT_EQ(result.activated, is_live);
        dead += is_live ? 0 : 1;
        live += is_live ? 1 : 0;
        felt += has_effect ? 1 : 0;
      }
    }
  }
  std::printf("%d dead, %d live, %d of them felt\n", dead, live, felt);
  EXPECT_GT(dead, 10'000);
  EXPECT_GT(felt, live / 5);
}

// Several dead bits at once.
TEST_F(CoreEngineTest, NoSetOfDeadBitsHasAnEffect) {
  for (int trial = 0; trial < 20; ++trial) {
    const Case job(small_core(), taste_of(trial), random_);
    for (int i = 0; i < 40; ++i) {
      const auto cycle =
          1 + static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(job.run.cycles())));
      std::vector<RegisterFault> faults;
      for (std::uint64_t site = 0; site < job.sites.total_bits(); ++site) {
        if (random_.below(2) == 0 &&
            !is_live(job.run, job.sites, job.sites.describe(SiteId(site)), cycle)) {
          faults.push_back(core_fault(site, FaultKind::kFlip, cycle, 0));
        }
      }
      const CoreResult result = stepped_->run({&job.golden, faults});
      ASSERT_TRUE(result.changes.empty()) << trial << " at " << cycle;
      ASSERT_EQ(result.readout, job.run.readout()) << trial << " at " << cycle;
      ASSERT_FALSE(result.activated);
    }
  }
}

TEST_F(CoreEngineTest, BurstsLeaveAllStorageAsStepsDo) {
  for (int trial = 0; trial < 60; ++trial) {
    const CoreConfig config = trial % 10 == 9 ? core_named("core_128x32") : small_core();
    CoreTaste taste = taste_of(trial);
    taste.has_loop = trial % 2 == 0;
    const CoreRun run = random_run(config, taste, random_);
    const CoreSites sites(config);
    SteppedCore stepped(sites);
    BurstCore bursts(sites);
    boot(run.contents(), stepped.state());
    boot(run.contents(), bursts.state());
    CoreDrive by_edge(run, stepped), by_burst(run, bursts);
    Cycle edges = 0, most = 0;
    while (!by_burst.is_over()) {
      const Cycle taken = by_burst.advance(1 + static_cast<Cycle>(random_.below(200)));
      for (Cycle i = 0; i < taken; ++i) {
        by_edge.step();
      }
      ASSERT_EQ(bursts.state(), stepped.state()) << trial << " after " << edges + taken;
      edges += taken;
      most = std::max(most, taken);
    }
    ASSERT_EQ(edges, run.cycles());
    EXPECT_GE(most, 5);
    EXPECT_EQ(by_edge.departures(), by_burst.departures());
    EXPECT_EQ(by_edge.readout(), by_burst.readout());
  }
}

// What leaves is counted here, golden and struck, from two whole runs.
TEST_F(CoreEngineTest, ChangesAreWhatLeavesMoreOrLessOften) {
  using Counts = std::map<std::pair<std::int32_t, CoreEvent>, int>;
  const auto count = [](const Case& job, std::span<const RegisterFault> faults) {
    SteppedCore core(job.sites);
    core.set_state(job.run.core().state());
    CoreDrive drive(job.run, core, faults);
    drive.run();
    Counts counts;
    for (const CoreDeparture& departure : drive.departures()) {
      ++counts[{departure.tick, departure.event}];
    }
    return drive.is_hung() ? Counts{} : counts;
  };
  int early = 0;
  for (int trial = 0; trial < 24; ++trial) {
    const Case job(small_core(), taste_of(trial), random_);
    const Counts golden = count(job, {});
    for (int i = 0; i < 80; ++i) {
      RegisterFault fault = any_fault(job, 0);
      if (i % 4 == 0) {  // old entries leave, some of them while a slot is latched
        fault.site = job.sites.id_of({CoreStorage::kQueueWrite, 0, 4});
      }
      const CoreResult result = systemc_->run({&job.golden, {&fault, 1}});
      if (result.hung) {
        continue;
      }
      Counts sums, expected = count(job, {&fault, 1});
      for (const auto& [place, times] : golden) {
        expected[place] -= times;
      }
      for (const CoreOutputChange& change : result.changes) {
        ASSERT_NE(change.golden, change.faulty);
        sums[{change.tick, change.event}] += change.faulty - change.golden;
        early += change.early > 0 ? 1 : 0;
      }
      std::erase_if(expected, [](const auto& entry) { return entry.second == 0; });
      std::erase_if(sums, [](const auto& entry) { return entry.second == 0; });
      ASSERT_EQ(sums, expected) << described(job, {&fault, 1});
    }
  }
  EXPECT_GT(early, 0);
}

TEST_F(CoreEngineTest, AnEngineThatIsNotThereIsNamed) {
  try {
    make_core_engine("steped");
    FAIL() << "an engine";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors().front().what, "no engine for cores is called 'steped'");
    EXPECT_EQ(failure.errors().front().cure, "did you mean 'stepped'?");
  }
}

}  // namespace
}  // namespace tilestrike::sim
