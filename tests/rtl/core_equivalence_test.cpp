// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the core in RTL do what the stepped core does, edge by edge and bit by bit, fault-free and
// struck? And does the comparison find a copy that is broken?
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

TEST(CoreEquivalenceTest, WithoutFaultsInEverySizeThatIsBuilt) {
  RandomStream random(72, 0, Purpose::kTest);
  int runs = 0;
  for (const BuiltCore& built : built_cores()) {
    CoreConfig config;
    config.axons = built.axons;
    config.neurons = built.neurons;
    config.membrane_bits = built.membrane_bits;
    config.destinations = built.destinations;
    config.queue = built.queue;
    config.overflow = built.overflow;
    const CoreSites sites(config);
    CoreModel rtl(sites);
    CoreLockstepCheck check(sites, rtl);
    for (int trial = 0; trial < (config.axons >= 256 ? 2 : 60); ++trial) {
      CoreTaste taste = busy_taste();
      taste.is_extreme = trial % 2 == 1;
      taste.has_loop = trial % 3 == 0;
      taste.pending = trial % 5 == 4 ? 1.0 : trial % 7 == 6 ? 0.0 : 0.3;
      taste.first_tick = trial % 4 == 3 ? 2 : 0;
      taste.window = trial % 4 == 3 ? 3 : 1000;
      taste.barrier = trial % 3;
      taste.ticks = config.axons >= 256 ? 2 : 18;
      ASSERT_NO_FATAL_FAILURE(check.begin(sim::random_run(config, taste, random)))
          << config.axons << "x" << config.neurons << ", " << trial;
      ++runs;
    }
  }
  EXPECT_GE(runs, 180);
}

TEST(CoreEquivalenceTest, EveryBitOf16x16) {
  RandomStream random(73, 0, Purpose::kTest);
  const CoreSites sites(small_core());
  CoreModel rtl(sites);
  CoreLockstepCheck check(sites, rtl);
  const CoreRun run = sim::random_run(small_core(), busy_taste(), random);
  ASSERT_NO_FATAL_FAILURE(check.begin(run));
  if (proof_size(1, 0) == 1) {
    ASSERT_NO_FATAL_FAILURE(check.strike_everywhere());
  } else {
    ASSERT_NO_FATAL_FAILURE(check.strike_every_bit(2, random));
  }
  check.print("16 x 16, every bit");
  EXPECT_GT(check.corrupted(), check.strikes() / 50);
}

// The stepped core with one thing wrong.
class BrokenCore final : public sim::CoreMachine {
 public:
  explicit BrokenCore(const CoreSites& sites) : core_(sites) {}
  bool is_crossed = false;  // a strike on one bit hits its neighbour
  bool is_deaf = false;     // a stuck-at-1 of the refractory counters is not taken

  const CoreSites& sites() const override { return core_.sites(); }
  void set_state(const sim::CoreState& state) override { core_.set_state(state); }
  void get_state(sim::CoreState& state) const override { core_.get_state(state); }
  void step(const sim::CoreEdge& edge) override { core_.step(edge); }
  void write_events(std::span<const sim::CoreArrival> arrivals) override {
    core_.write_events(arrivals);
  }
  std::optional<sim::CoreEvent> outgoing() const override { return core_.outgoing(); }
  bool is_busy() const override { return core_.is_busy(); }
  std::uint64_t errors() const override { return core_.errors(); }
  std::int32_t membrane(std::int32_t neuron) const override { return core_.membrane(neuron); }
  std::uint64_t field(const sim::CoreSite& site) const override { return core_.field(site); }
  bool strike(const sim::CoreSite& site, FaultKind kind) override {
    if (is_deaf && kind == FaultKind::kStuckAt1 && site.storage == sim::CoreStorage::kRefractory) {
      return false;
    }
    sim::CoreSite hit = site;
    hit.bit += is_crossed && site == crossed() ? 1 : 0;
    return core_.strike(hit, kind);
  }
  static sim::CoreSite crossed() { return {sim::CoreStorage::kSumLatch, 0, 100}; }

 private:
  sim::SteppedCore core_;
};

TEST(CoreEquivalenceTest, ABrokenCopyIsFoundWhereItIsBroken) {
  RandomStream random(78, 0, Purpose::kTest);
  const CoreSites sites(small_core());
  CoreModel rtl(sites);
  BrokenCore broken(sites);
  const CoreRun run = sim::random_run(small_core(), busy_taste(), random);
  sim::CoreLockstep pair(run, rtl, broken);
  ASSERT_FALSE(pair.record());
  broken.is_crossed = true;
  broken.is_deaf = true;
  const Cycle cycle = run.cycle_of({1, 7});
  int found = 0;
  for (std::uint64_t site = 0; site < sites.total_bits(); site += 7) {
    const RegisterFault fault =
        sim::core_fault(sites.describe(SiteId(site)).storage == sim::CoreStorage::kSumLatch
                            ? sites.id_of(BrokenCore::crossed()).value
                            : site,
                        FaultKind::kFlip, cycle, 0);
    const sim::CoreLockstepResult result = pair.strike({&fault, 1});
    const bool is_crossed = sites.describe(fault.site) == BrokenCore::crossed();
    ASSERT_EQ(result.disagreement.has_value(), is_crossed);
    if (is_crossed) {
      EXPECT_EQ(result.disagreement->moment, (sim::CoreMoment{1, 7}));
      EXPECT_EQ(
          result.disagreement->text(sites).rfind("sum_latch lane 4 bit 4 at edge 7 of tick 1: ", 0),
          0U);
      ++found;
    }
  }
  EXPECT_GT(found, 5);
  const RegisterFault stuck =
      sim::core_fault(sites.id_of({sim::CoreStorage::kRefractory, 1, 3}).value,
                      FaultKind::kStuckAt1, cycle, CycleWindow{}.until);
  EXPECT_TRUE(pair.strike({&stuck, 1}).disagreement);
}

}  // namespace
}  // namespace tilestrike::rtl
