// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the core, clock edge by clock edge, compute what its neurons and a matrix product say, and
// in the time that the formula says? And does a strike do what docs/core.md says, at its cycle and
// not at another?
#include "sim/core/stepped_core.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "sim/core/core_drive.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::sim {
namespace {

// The core as a network, without ring, queue, groups and edges: events by the tick that reads them.
class PlainNetwork {
 public:
  explicit PlainNetwork(const CoreRun& run) : run_(run) {
    membranes_.resize(static_cast<std::size_t>(run.config().neurons));
    for (std::int32_t tick = -1; tick < run.ticks(); ++tick) {
      step(tick);
    }
  }
  const std::vector<NeuronState>& states() const { return membranes_; }
  const std::map<std::int32_t, std::multiset<CoreEvent>>& events() const { return events_; }
  int spikes() const { return spikes_; }

 private:
  void step(std::int32_t tick) {
    // An event of the tick's own slot that comes after its latch waits for sixteen ticks.
    for (const CoreArrival& arrival : run_.arrivals(tick)) {
      const std::int32_t axon = arrival.axon % run_.config().axons;
      const std::int32_t ahead = (arrival.slot - tick + 2 * kRingSlots) % kRingSlots;
      const bool is_late = ahead == 0 && arrival.cycle > axon / run_.config().ring_bits();
      due_[tick + ahead + (is_late ? kRingSlots : 0)].insert(axon);
    }
    if (tick < run_.contents().first_tick ||
        tick >= run_.contents().first_tick + run_.contents().ticks) {
      if (tick >= 0) {  // what nobody reads stays in the ring
        due_[tick + kRingSlots].merge(due_[tick]);
      }
      return;
    }
    for (std::int32_t neuron = 0; neuron < run_.config().neurons; ++neuron) {
      std::int64_t current = 0;
      for (std::int32_t axon = 0; axon < run_.config().axons; ++axon) {
        current += due_[tick].count(axon) * run_.weight(axon, neuron);
      }
      NeuronState& state = membranes_[static_cast<std::size_t>(neuron)];
      const NeuronStep step =
          step_neuron(run_.contents().neurons[static_cast<std::size_t>(neuron)],
                      run_.config().format(), state, static_cast<std::int32_t>(current));
      state = step.state;
      if (step.fires) {
        ++spikes_;
        send(tick, neuron);
      }
    }
  }
  void send(std::int32_t tick, std::int32_t neuron) {
    const NeuronRoute& route = run_.contents().routes[static_cast<std::size_t>(neuron)];
    const std::vector<SpikeDestination>& all = run_.contents().destinations;
    for (std::int32_t i = 0; i < route.count; ++i) {
      const SpikeDestination& to = all[static_cast<std::size_t>(route.first + i) % all.size()];
      if (to.is_valid) {
        const std::int32_t delay = to.delay == 0 ? 16 : to.delay;
        events_[tick].insert({to.core, to.axon, (tick + delay) % 16});
        if (to.core == run_.feed().core_number) {
          due_[tick + delay].insert(to.axon % run_.config().axons);
        }
      }
    }
  }

  const CoreRun& run_;
  std::map<std::int32_t, std::set<std::int32_t>> due_;  // axons by tick
  std::map<std::int32_t, std::multiset<CoreEvent>> events_;
  std::vector<NeuronState> membranes_;
  int spikes_ = 0;
};

class CoreSteppedTest : public testing::Test {
 protected:
  static CoreConfig small() {
    CoreConfig config;
    config.axons = 16;
    config.neurons = 16;
    config.destinations = 64;
    return config;
  }

  void expect_fault_free(const CoreRun& run) {
    const CoreSites sites(run.config());
    SteppedCore core(sites);
    boot(run.contents(), core.state());
    CoreDrive drive(run, core);
    std::map<std::int32_t, Cycle> busy;
    while (!drive.is_over()) {
      const std::int32_t tick = drive.next().tick;
      const auto phase = static_cast<CorePhase>(core.state().value(CoreStorage::kState));
      busy[tick] += phase != CorePhase::kIdle ? 1 : 0;
      drive.step();
    }
    ASSERT_EQ(drive.errors(), 0U);
    ASSERT_EQ(drive.edges(), run.cycles());
    const PlainNetwork plain(run);
    std::map<std::int32_t, std::multiset<CoreEvent>> events;
    std::vector<CoreDeparture> golden;
    for (const CoreDeparture& departure : drive.departures()) {
      events[departure.tick].insert(departure.event);
    }
    ASSERT_EQ(events, plain.events());
    for (std::int32_t neuron = 0; neuron < run.config().neurons; ++neuron) {
      const NeuronState& state = plain.states()[static_cast<std::size_t>(neuron)];
      ASSERT_EQ(core.membrane(neuron), state.membrane) << neuron;
      ASSERT_EQ(run.end()[static_cast<std::size_t>(neuron)].membrane, state.membrane);
      ASSERT_EQ(run.end()[static_cast<std::size_t>(neuron)].refractory, state.refractory);
    }
    ASSERT_EQ(drive.readout(), run.readout());
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      ASSERT_EQ(busy[tick], run.tick(tick).own) << tick;
      for (const CoreOutput& output : run.tick(tick).outputs) {
        golden.push_back({tick, output.cycle, output.event});
      }
    }
    ASSERT_EQ(drive.departures(), golden);
    ASSERT_EQ(busy[-1], run.config().reset_words());
    spikes_ += plain.spikes();
  }

  RandomStream random_{61, 0, Purpose::kTest};
  int spikes_ = 0;
};

TEST_F(CoreSteppedTest, EqualsNeuronsBehindAMatrixProduct) {
  for (int trial = 0; trial < 240; ++trial) {
    CoreConfig config = small();
    config.axons = trial % 3 == 0 ? 128 : 16;
    config.neurons = trial % 5 == 0 ? 32 : 16;
    config.membrane_bits = trial % 2 == 0 ? 24 : 16;
    config.overflow = static_cast<NeuronOverflow>(trial / 2 % 3);
    CoreTaste taste;
    taste.is_extreme = trial % 4 >= 2;
    taste.has_loop = trial % 7 == 0;
    taste.pending = trial % 11 == 0 ? 0.0 : trial % 11 == 1 ? 1.0 : 0.3;
    taste.barrier = trial % 4;
    taste.ticks = 20;
    taste.first_tick = trial % 6 == 0 ? 3 : 0;
    taste.window = trial % 6 == 0 ? 5 : 1000;
    ASSERT_NO_FATAL_FAILURE(expect_fault_free(random_run(config, taste, random_))) << trial;
  }
  EXPECT_GT(spikes_, 5'000);
}

TEST_F(CoreSteppedTest, EqualsThemInTheShippedSizes) {
  for (const char* name : {"core_1024x64", "core_256x256"}) {
    CoreTaste taste;
    taste.ticks = 6;
    ASSERT_NO_FATAL_FAILURE(expect_fault_free(random_run(core_named(name), taste, random_)));
  }
  EXPECT_GT(spikes_, 200);
}

TEST_F(CoreSteppedTest, ATickLastsAsLongAsTheFormulaSays) {
  // NA/64 + a (1 + 2 G) + 2 G + sum over fired (1 + count) + 1, of a core with G = 2 and NA = 128.
  CoreConfig config = small();
  config.axons = 128;
  CoreContents contents;
  contents.synapses.assign(128 * 16, 1);
  for (int i = 0; i < 16; ++i) {
    NeuronParameters neuron;
    neuron.threshold = i % 2 == 0 ? 2 : 100;
    contents.neurons.push_back(neuron);
    contents.routes.push_back({0, i == 4 ? 0 : 3});
  }
  contents.destinations.assign(3, {true, 9, 5, 1});
  CoreFeed feed;
  feed.arrivals = host_arrivals(config, {{7, 70, 71}});
  const CoreRun run(config, contents, feed);
  EXPECT_EQ(run.tick(0).fired, (std::vector<std::int32_t>{0, 2, 4, 6, 8, 10, 12, 14}));
  EXPECT_EQ(run.tick(0).own, 2 + 3 * (1 + 4) + 4 + (8 + 7 * 3) + 1);
  ASSERT_NO_FATAL_FAILURE(expect_fault_free(run));
}

// A stored bit that lasts from one edge to another: struck just before, within and at its end.
class StruckTest : public CoreSteppedTest {
 protected:
  StruckTest() {
    CoreContents contents;
    contents.synapses.assign(256, 10);
    NeuronParameters neuron;
    neuron.threshold = 1000;
    contents.neurons.assign(16, neuron);
    contents.ticks = 2;
    CoreFeed feed;
    feed.ticks = 2;
    feed.readout = 16;
    feed.arrivals = host_arrivals(config_, {{2, 5}, {2}});
    run_.emplace(config_, contents, feed);
  }
  std::int32_t membrane_after(const CoreSite& site, std::int32_t tick, Cycle edge,
                              std::int32_t neuron) {
    const RegisterFault fault =
        core_fault(sites_.id_of(site).value, FaultKind::kFlip, run_->cycle_of({tick, edge}), 0);
    SteppedCore core(sites_);
    boot(run_->contents(), core.state());
    CoreDrive drive(*run_, core, {&fault, 1});
    drive.run();
    return drive.readout()[static_cast<std::size_t>(neuron)];
  }

  const CoreConfig config_ = small();
  const CoreSites sites_{config_};
  std::optional<CoreRun> run_;
};

TEST_F(StruckTest, MeetsAValueBetweenItsWriteAndItsRead) {
  ASSERT_EQ(run_->readout(), std::vector<std::int32_t>(16, 30));
  // Tick 0 takes LATCH 1; axon 2: SCAN 2, groups 3-6; axon 5: SCAN 7, groups 8-11; UPDR, UPDW
  // 12-15; DONE 16. Group 1 of axon 5 is read at edge 10.
  const CoreSite weight{CoreStorage::kSynapses, 5 * 2 + 1, 8 * 3 + 2};
  EXPECT_EQ(membrane_after(weight, 0, 9, 11), 34);
  EXPECT_EQ(membrane_after(weight, 0, 10, 11), 30);
  // Axon 2 is read in both ticks.
  const CoreSite again{CoreStorage::kSynapses, 2 * 2 + 1, 8 * 3 + 2};
  EXPECT_EQ(membrane_after(again, 0, 4, 11), 38);
  EXPECT_EQ(membrane_after(again, 0, 5, 11), 34);
  // The accumulator of group 0 is last written at edge 9 and read at edge 12, cleared at 13.
  const CoreSite sum{CoreStorage::kAccumulators, 0, 7};
  EXPECT_EQ(membrane_after(sum, 0, 7, 0), 30 + 128);
  EXPECT_EQ(membrane_after(sum, 0, 8, 0), 30);  // read, to be written
  EXPECT_EQ(membrane_after(sum, 0, 9, 0), 30 + 128);
  EXPECT_EQ(membrane_after(sum, 0, 11, 0), 30 + 128);
  EXPECT_EQ(membrane_after(sum, 0, 12, 0), 30);
  EXPECT_EQ(membrane_after(sum, 0, 13, 0), 30 + 128);  // after its clearing: in tick 1
  // A membrane is written at edge 13 and read at edge 12.
  const CoreSite membrane{CoreStorage::kMembranes, 0, 24 + 6};
  EXPECT_EQ(membrane_after(membrane, 0, 11, 1), 30 + 64);
  EXPECT_EQ(membrane_after(membrane, 0, 12, 1), 30);
  EXPECT_EQ(membrane_after(membrane, 0, 13, 1), 30 + 64);
  // The ring's slot 1 is written in tick 0 at edge 1, and latched at edge 1 of tick 1.
  const CoreSite event{CoreStorage::kRing, 1, 2};
  EXPECT_EQ(membrane_after(event, -1, run_->tick(-1).length, 0), 30);  // the host writes it again
  EXPECT_EQ(membrane_after(event, 0, 1, 0), 20);
  EXPECT_EQ(membrane_after(event, 0, run_->tick(0).length, 0), 20);
  EXPECT_EQ(membrane_after(event, 1, 1, 0), 30);
}

TEST_F(StruckTest, AStuckBitIsHeldInItsWindow) {
  const CoreSite bit{CoreStorage::kMembranes, 0, 6};  // 64 of neuron 0
  const auto after = [&](Cycle from, Cycle until) {
    const RegisterFault fault =
        core_fault(sites_.id_of(bit).value, FaultKind::kStuckAt1, from, until);
    SteppedCore core(sites_);
    boot(run_->contents(), core.state());
    CoreDrive drive(*run_, core, {&fault, 1});
    drive.run();
    return drive.readout()[0];
  };
  const Cycle written = run_->cycle_of({0, 13});
  EXPECT_EQ(after(written, written + 1), 64 + 30);
  EXPECT_EQ(after(written - 1, written), 30);       // overwritten
  EXPECT_EQ(after(written - 2, written), 30 + 64);  // read so at edge 12
  EXPECT_EQ(after(1, run_->cycles() + 1), 64 + 20 + 10);
}

TEST_F(StruckTest, AStateThatNoStateHasIsIdle) {
  // ACCW is 5, 0101: with bit 3 it is 13.
  const CoreSite bit{CoreStorage::kState, 0, 3};
  const RegisterFault fault =
      core_fault(sites_.id_of(bit).value, FaultKind::kFlip, run_->cycle_of({0, 3}), 0);
  SteppedCore core(sites_);
  boot(run_->contents(), core.state());
  CoreDrive drive(*run_, core, {&fault, 1});
  while (drive.next() != CoreMoment{0, 4}) {
    drive.step();
  }
  EXPECT_EQ(core.state().value(CoreStorage::kState), 13U);
  drive.step();
  EXPECT_EQ(core.state().value(CoreStorage::kState), 0U);
  drive.run();
  EXPECT_EQ(drive.errors(), 0U);
  EXPECT_EQ(drive.edges(), run_->cycles());  // it waits for the chip
  EXPECT_EQ(drive.readout()[0], 10);         // tick 1 alone, with the sum of tick 0 not begun
}

TEST_F(StruckTest, AHangIsCaught) {
  // The group's counter, held at 0: the sum never comes to the last group.
  const CoreSite bit{CoreStorage::kGroup, 0, 0};
  const RegisterFault fault = core_fault(sites_.id_of(bit).value, FaultKind::kStuckAt0,
                                         run_->cycle_of({0, 2}), run_->cycles());
  SteppedCore core(sites_);
  boot(run_->contents(), core.state());
  CoreDrive drive(*run_, core, {&fault, 1});
  drive.run();
  EXPECT_TRUE(drive.is_hung());
  EXPECT_EQ(drive.errors(), kErrorHung);
  EXPECT_EQ(drive.edges(), run_->tick(-1).length + config_.watchdog_cycles());
}

TEST_F(StruckTest, ATickThatIsTooLongIsAnError) {
  CoreFeed feed = run_->feed();
  feed.fixed_tick = run_->tick(0).own;
  const CoreRun run(config_, run_->contents(), feed);
  ASSERT_NO_FATAL_FAILURE(expect_fault_free(run));
  // One more pending axon.
  const CoreSite bit{CoreStorage::kPending, 0, 15};
  const RegisterFault fault =
      core_fault(sites_.id_of(bit).value, FaultKind::kFlip, run.cycle_of({0, 1}), 0);
  SteppedCore core(sites_);
  boot(run.contents(), core.state());
  CoreDrive drive(run, core, {&fault, 1});
  drive.run();
  EXPECT_FALSE(drive.is_hung());
  EXPECT_EQ(drive.errors(), kErrorOverrun);
  feed.fixed_tick = run_->tick(0).own - 1;
  EXPECT_THROW(CoreRun(config_, run_->contents(), feed), Failure);
}

TEST_F(StruckTest, AGhostInTheQueueLeaves) {
  // The pointers differ by two: the two entries from there on leave, one per edge.
  const CoreSite bit{CoreStorage::kQueueWrite, 0, 1};
  const RegisterFault fault =
      core_fault(sites_.id_of(bit).value, FaultKind::kFlip, run_->cycle_of({0, 5}), 0);
  SteppedCore core(sites_);
  boot(run_->contents(), core.state());
  CoreDrive drive(*run_, core, {&fault, 1});
  drive.run();
  EXPECT_EQ(drive.departures(), (std::vector<CoreDeparture>{{0, 6, {}}, {0, 7, {}}}));
}

TEST_F(CoreSteppedTest, AnEmissionIntoAFullQueueWaits) {
  const CoreConfig config = small();
  const CoreSites sites(config);
  CoreContents contents;
  contents.neurons.assign(1, {});  // it fires with nothing
  contents.routes = {{0, 1}};
  contents.destinations = {{true, 9, 5, 3}};
  CoreFeed feed;
  feed.barrier = 40;  // no tick waits for a queue: what is left in it at the end is lost
  const CoreRun run(config, contents, feed);
  const Cycle choice = run.tick(0).choices.at(0);
  ASSERT_EQ(run.tick(0).outputs.at(0).cycle, choice + 2);
  // The pointers seem to be a whole queue apart: sixteen old entries are to leave.
  const RegisterFault fault = core_fault(sites.id_of({CoreStorage::kQueueRead, 0, 4}).value,
                                         FaultKind::kFlip, run.cycle_of({0, choice}), 0);
  SteppedCore core(sites);
  boot(run.contents(), core.state());
  CoreDrive drive(run, core, {&fault, 1});
  while (drive.next() != CoreMoment{0, choice + 2}) {
    drive.step();
  }
  EXPECT_EQ(core.state().value(CoreStorage::kRemaining), 1U);  // it has waited
  drive.step();
  EXPECT_EQ(core.state().value(CoreStorage::kRemaining), 0U);
  drive.run();
  ASSERT_EQ(drive.departures().size(), 17U);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(drive.departures()[i].event, CoreEvent{}) << i;
  }
  EXPECT_EQ(drive.departures()[16], (CoreDeparture{0, choice + 17, {9, 5, 3}}));
}

}  // namespace
}  // namespace tilestrike::sim
