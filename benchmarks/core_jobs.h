// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Cores as the benchmarks take them: a share of the axons pending in each tick, a few neurons
// firing.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/fault.h"
#include "base/random.h"
#include "sim/core/core_golden.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

/// `used` of the axons have synapses and, each in a quarter of the ticks, an event.
inline CoreRun busy_run(const std::string& name, std::int32_t used, std::int32_t ticks) {
  const CoreConfig config = core_named(name);
  RandomStream random(5, 0, Purpose::kTest);
  CoreContents contents;
  contents.ticks = ticks;
  for (int i = 0; i < used * config.neurons; ++i) {
    contents.synapses.push_back(static_cast<std::int8_t>(random.next()));
  }
  for (int i = 0; i < config.neurons; ++i) {
    NeuronParameters neuron;
    neuron.threshold = 1500;
    neuron.leak = 512;
    neuron.is_soft_reset = true;
    contents.neurons.push_back(neuron);
    contents.routes.push_back({i, 1});
    contents.destinations.push_back({true, 1, i, 1});
  }
  CoreFeed feed;
  feed.ticks = ticks;
  feed.readout = 10;
  std::vector<std::vector<std::int32_t>> spikes(static_cast<std::size_t>(ticks));
  for (std::vector<std::int32_t>& tick : spikes) {
    for (std::int32_t axon = 0; axon < used; ++axon) {
      if (random.below(4) == 0) {
        tick.push_back(axon);
      }
    }
  }
  feed.arrivals = host_arrivals(config, spikes);
  return CoreRun(config, std::move(contents), std::move(feed));
}

/// Flips that are uniform over the storage that `takes` and over the cycles of the inference.
template <class Takes>
std::vector<RegisterFault> uniform_flips(const CoreRun& run, const CoreSites& sites,
                                         std::size_t count, const Takes& takes) {
  RandomStream random(6, 0, Purpose::kTest);
  std::vector<RegisterFault> faults;
  while (faults.size() < count) {
    const SiteId site(random.below(sites.total_bits()));
    if (takes(sites.describe(site))) {
      const Cycle from =
          1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles())));
      faults.push_back({site, FaultKind::kFlip, {from, from + 1}});
    }
  }
  return faults;
}

/// A rate beside its goal.
inline void report_rate(benchmark::State& state, double rate, double goal) {
  state.counters["rate"] = rate;
  state.counters["goal"] = goal;
  state.counters["of_goal"] = rate / goal;
}

}  // namespace tilestrike::sim
