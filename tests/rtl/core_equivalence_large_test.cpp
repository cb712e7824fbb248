// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the core in RTL do what the stepped core does under stuck-ats and pairs of faults, with
// empty and full traffic, other arithmetic, fixed ticks and in the shipped sizes?
#include <gtest/gtest.h>

#include "rtl/core_model.h"
#include "tests/rtl/core_lockstep_check.h"
#include "tests/whole_proofs.h"

namespace tilestrike::rtl {
namespace {

using sim::busy_taste;
using sim::CoreConfig;
using sim::CoreLockstepCheck;
using sim::CoreRun;
using sim::CoreSites;
using sim::CoreTaste;
using sim::small_core;

TEST(CoreEquivalenceLargeTest, EmptyAndFullTraffic) {
  RandomStream random(74, 0, Purpose::kTest);
  const CoreSites sites(small_core());
  CoreModel rtl(sites);
  CoreLockstepCheck check(sites, rtl);
  for (const double pending : {0.0, 1.0}) {
    CoreTaste taste = busy_taste();
    taste.pending = pending;
    taste.has_late_events = pending > 0;
    const CoreRun run = sim::random_run(small_core(), taste, random);
    ASSERT_NO_FATAL_FAILURE(check.begin(run));
    ASSERT_NO_FATAL_FAILURE(check.sample(proof_size(200'000, 4'000), random));
  }
  check.print("16 x 16, empty and full traffic, half of it stuck-ats and pairs");
  EXPECT_GT(check.hung(), 10);
}

TEST(CoreEquivalenceLargeTest, OtherArithmeticAndSmallQueues) {
  RandomStream random(75, 0, Purpose::kTest);
  CoreConfig saturating = small_core();
  saturating.membrane_bits = 16;
  saturating.queue = 4;
  saturating.overflow = NeuronOverflow::kSaturate;
  CoreConfig symmetric = small_core();
  symmetric.axons = 128;
  symmetric.neurons = 32;
  symmetric.destinations = 16;
  symmetric.overflow = NeuronOverflow::kSymmetric;
  for (const CoreConfig& config : {saturating, symmetric}) {
    const CoreSites sites(config);
    CoreModel rtl(sites);
    CoreLockstepCheck check(sites, rtl);
    for (int trial = 0; trial < 4; ++trial) {
      CoreTaste taste = busy_taste();
      taste.is_extreme = trial % 2 == 0;
      taste.barrier = trial % 3;
      const CoreRun run = sim::random_run(config, taste, random);
      ASSERT_NO_FATAL_FAILURE(check.begin(run));
      ASSERT_NO_FATAL_FAILURE(
          check.sample(proof_size(50'000, config.axons == 16 ? 1'500 : 500), random));
    }
    check.print(config.axons == 16 ? "16 x 16, 16 bits, saturating" : "128 x 32, symmetric");
    EXPECT_GT(check.corrupted(), 100);
  }
}

TEST(CoreEquivalenceLargeTest, FixedTicks) {
  RandomStream random(76, 0, Purpose::kTest);
  const CoreSites sites(small_core());
  CoreModel rtl(sites);
  CoreLockstepCheck check(sites, rtl);
  CoreTaste taste = busy_taste();
  CoreRun run = sim::random_run(small_core(), taste, random);
  Cycle longest = 0;
  for (int tick = 0; tick < run.ticks(); ++tick) {
    longest = std::max(longest, run.tick(tick).length);
  }
  sim::CoreFeed feed = run.feed();
  feed.fixed_tick = longest;
  const CoreRun fixed(small_core(), run.contents(), feed);
  ASSERT_NO_FATAL_FAILURE(check.begin(fixed));
  ASSERT_NO_FATAL_FAILURE(check.sample(proof_size(100'000, 3'000), random));
}

TEST(CoreEquivalenceLargeTest, SamplesOfTheShippedSizes) {
  RandomStream random(77, 0, Purpose::kTest);
  for (const char* name : {"core_1024x64", "core_256x256"}) {
    const CoreConfig config = sim::core_named(name);
    const CoreSites sites(config);
    CoreModel rtl(sites);
    CoreLockstepCheck check(sites, rtl);
    CoreTaste taste;
    taste.ticks = 3;
    taste.pending = 0.05;
    const CoreRun run = sim::random_run(config, taste, random);
    ASSERT_NO_FATAL_FAILURE(check.begin(run));
    ASSERT_NO_FATAL_FAILURE(check.sample(proof_size(3'000, 15), random));
  }
}

}  // namespace
}  // namespace tilestrike::rtl
