// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the fault-free run of a chip what plain neurons behind matrix products say, and what all cores
// in lockstep do edge by edge?
#include "sim/chip/chip_run.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/chip/chip_lockstep.h"
#include "sim/core/stepped_core.h"
#include "tests/sim/chip_jobs.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

std::unique_ptr<CoreMachine> stepped(const CoreSites& sites) {
  return std::make_unique<SteppedCore>(sites);
}

/// The chip as neurons alone, tick by tick.
class PlainChip {
 public:
  PlainChip(const BootedChip& chip, const InputSpikes& spikes) : chip_(chip) {
    for (std::int32_t core = 0; core < chip.cores(); ++core) {
      states_.emplace_back(static_cast<std::size_t>(chip.config().core.neurons));
    }
    for (std::size_t tick = 0; tick < spikes.size(); ++tick) {
      for (const std::int32_t input : spikes[tick]) {
        for (const CorePlace& to : chip.inputs()[static_cast<std::size_t>(input)]) {
          const std::int32_t first = chip.core(to.core).contents().first_tick;
          bring(static_cast<std::int32_t>(tick) + first, to.core, to.axon);
        }
      }
    }
    for (std::int32_t tick = 0; tick < chip.ticks(); ++tick) {
      for (std::int32_t core = 0; core < chip.cores(); ++core) {
        compute(tick, core);
      }
    }
  }

  const std::set<std::int32_t>& fired(std::int32_t tick, std::int32_t core) {
    return fired_[{tick, core}];
  }
  const std::vector<NeuronState>& states(std::int32_t core) const {
    return states_[static_cast<std::size_t>(core)];
  }
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> outputs;  // by tick and output
  std::int64_t spikes = 0;

 private:
  // What is read when the core works next in a tick of that slot.
  void bring(std::int32_t tick, std::int32_t core, std::int32_t axon) {
    const CoreContents& contents = chip_.core(core).contents();
    while (tick < contents.first_tick || tick >= contents.first_tick + contents.ticks) {
      if (tick >= chip_.ticks()) {
        return;
      }
      tick += kRingSlots;
    }
    coming_[{tick, core}].insert(axon);
  }

  void compute(std::int32_t tick, std::int32_t core) {
    const CoreContents& contents = chip_.core(core).contents();
    const CoreConfig& config = chip_.config().core;
    if (tick < contents.first_tick || tick >= contents.first_tick + contents.ticks) {
      return;
    }
    for (std::int32_t neuron = 0; neuron < config.neurons; ++neuron) {
      std::int32_t sum = 0;
      for (const std::int32_t axon : coming_[{tick, core}]) {
        sum += contents.synapses[static_cast<std::size_t>(axon * config.neurons + neuron)];
      }
      const auto at = static_cast<std::size_t>(neuron);
      NeuronState& state = states_[static_cast<std::size_t>(core)][at];
      const NeuronStep step = step_neuron(contents.neurons[at], config.format(), state, sum);
      state = step.state;
      if (!step.fires) {
        continue;
      }
      ++spikes;
      fired_[{tick, core}].insert(neuron);
      for (std::int32_t i = 0; i < contents.routes[at].count; ++i) {
        const SpikeDestination& to =
            contents.destinations[static_cast<std::size_t>(contents.routes[at].first + i)];
        if (to.is_valid && to.core < chip_.cores()) {
          bring(tick + (to.delay == 0 ? 16 : to.delay), to.core, to.axon);
        } else if (to.is_valid && to.core == kHostCore) {
          ++outputs[{tick, to.axon}];
        }
      }
    }
  }

  const BootedChip& chip_;
  std::vector<std::vector<NeuronState>> states_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::set<std::int32_t>> coming_, fired_;
};

void expect_plain(const ChipRun& run, PlainChip& plain) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> outputs;
  const std::vector<std::vector<ChipOutput>> sent = run.outputs();
  for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
    for (std::int32_t core = 0; core < run.cores(); ++core) {
      const std::vector<std::int32_t>& fired = run.core(core).tick(tick).fired;
      ASSERT_EQ(std::set<std::int32_t>(fired.begin(), fired.end()), plain.fired(tick, core))
          << "core " << core << " in tick " << tick;
    }
    for (const ChipOutput& output : sent[static_cast<std::size_t>(tick)]) {
      outputs[{tick, output.output}] = output.events;
    }
  }
  ASSERT_EQ(outputs, plain.outputs);
  std::vector<std::int32_t> membranes;
  for (const CoreReadout& part : run.chip().readout()) {
    for (std::int32_t neuron = 0; neuron < part.membranes; ++neuron) {
      membranes.push_back(plain.states(part.core)[static_cast<std::size_t>(neuron)].membrane);
    }
  }
  ASSERT_EQ(run.readout(), membranes);
}

void expect_lockstep(const ChipRun& run) {
  const LockstepRun all = run_lockstep(run.chip(), run.spikes(), {}, {}, &stepped);
  ASSERT_FALSE(all.hung);
  ASSERT_EQ(all.errors, 0U);
  Cycle cycles = 0;
  for (std::int32_t tick = -1; tick < run.ticks(); ++tick) {
    ASSERT_EQ(all.lengths[static_cast<std::size_t>(tick + 1)], run.length(tick)) << tick;
    ASSERT_EQ(run.cycle_of({tick, 1}), cycles + 1);
    cycles += run.length(tick);
  }
  std::vector<std::int32_t> membranes;
  for (const CoreReadout& part : run.chip().readout()) {
    const std::vector<std::int32_t>& read = all.readouts[static_cast<std::size_t>(part.core)];
    membranes.insert(membranes.end(), read.begin(), read.end());
  }
  ASSERT_EQ(run.readout(), membranes);
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    std::vector<CoreDeparture> expected;
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      for (const CoreOutput& output : run.core(core).tick(tick).outputs) {
        expected.push_back({tick, output.cycle, output.event});
      }
    }
    ASSERT_EQ(all.departures[static_cast<std::size_t>(core)], expected) << core;
    ASSERT_EQ(run.core(core).cycles(), cycles + run.chip().readout_of(core));
  }
}

TEST(ChipRun, EqualsPlainNeuronsAndTheLockstep) {
  RandomStream random(82, 0, Purpose::kTest);
  std::int64_t spikes = 0, outputs = 0, looped = 0;
  for (int trial = 0; trial < proof_size(20000, 1000); ++trial) {
    ChipMaker maker(chip_taste_of(trial), random);
    const MadeChip made = maker.make();
    const InputSpikes input = maker.spikes();
    const ChipRun run(made.chip, input);
    PlainChip plain(*made.chip, input);
    ASSERT_NO_FATAL_FAILURE(expect_plain(run, plain)) << trial;
    ASSERT_NO_FATAL_FAILURE(expect_lockstep(run)) << trial;
    spikes += plain.spikes;
    outputs += static_cast<std::int64_t>(plain.outputs.size());
    looped += made.chip->ordered() < made.chip->order().size() ? 1 : 0;
    // The same with ticks of a fixed length.
    Cycle longest = 0;
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      longest = std::max(longest, run.length(tick));
    }
    const ChipRun fixed(maker.make(longest).chip, input);
    ASSERT_NO_FATAL_FAILURE(expect_plain(fixed, plain)) << trial;
    ASSERT_NO_FATAL_FAILURE(expect_lockstep(fixed)) << trial;
  }
  std::printf("%ld spikes, %ld outputs, %ld chips with loops\n", spikes, outputs, looped);
  EXPECT_GT(spikes, 20'000);
  EXPECT_GT(outputs, 1'000);
  EXPECT_GT(looped, 20);
}

// An axon pends where events are counted for it.
TEST(ChipRun, CountsTheEventsThatAreRead) {
  RandomStream random(83, 0, Purpose::kTest);
  std::int64_t twice = 0;
  for (int trial = 0; trial < 60; ++trial) {
    ChipMaker maker(chip_taste_of(trial), random);
    const MadeChip made = maker.make();
    const ChipRun run(made.chip, maker.spikes());
    for (std::int32_t core = 0; core < run.cores(); ++core) {
      for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
        std::vector<std::int32_t> pending;
        for (std::int32_t axon = 0;
             run.core(core).works_in(tick) && axon < run.core(core).config().axons; ++axon) {
          const std::int32_t events = run.events(core, tick, axon);
          twice += events > 1 ? 1 : 0;
          if (events > 0) {
            pending.push_back(axon);
          }
        }
        ASSERT_EQ(pending, run.core(core).tick(tick).pending) << trial;
      }
    }
  }
  EXPECT_GT(twice, 20);
}

std::string first_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.errors().front().text();
  }
  return "none";
}

TEST(ChipRun, WhatDoesNotFitIsNamed) {
  ChipConfig config{core_named("core_16x16")};
  const auto boot = [&](const ChipContents& contents) {
    return std::make_shared<const BootedChip>(config, contents);
  };
  ChipContents contents;
  EXPECT_EQ(first_error([&] { boot(contents); }),
            "chip: a chip of 0 cores; give 1 to 255; take larger cores, or fewer neurons");
  contents.cores.resize(2);
  contents.inputs = {{{2, 0}}};
  EXPECT_EQ(first_error([&] { boot(contents); }),
            "chip: input 0 goes to axon 0 of core 2; the chip has 2 cores of 16 axons");
  contents.inputs = {{{1, 0}}};
  contents.readout = {{1, 17}};
  EXPECT_EQ(first_error([&] { boot(contents); }),
            "chip: a readout of 17 membranes of core 1; name each core at most once, and 1 to 16 "
            "membranes");
  contents.readout = {};
  contents.cores[1].neurons.resize(17);
  EXPECT_EQ(first_error([&] { boot(contents); }),
            "core: core 1: 17 neurons; the core has room for 16; split the layer over more cores, "
            "or take a larger core");
  contents.cores[1].neurons.resize(16);
  EXPECT_EQ(first_error([&] { ChipRun(boot(contents), {{1}}); }),
            "chip: a spike of input 1 in tick 0; the chip has 1 inputs");
  EXPECT_EQ(first_error([&] {
              ChipRun(boot(contents), {{}, {}});
            }),
            "chip: spikes of 2 ticks; an inference has 1");
  config.fixed_tick = 3;
  EXPECT_EQ(first_error([&] { ChipRun(boot(contents), {{0}}); }),
            "tick: core 0: tick 0 takes 6 cycles of 3; give a tick as many cycles as the longest "
            "takes, or take 'barrier'");
}

}  // namespace
}  // namespace tilestrike::sim
