// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Made-up cores: random contents and events that let neurons fire, clip, wrap and rest.
#pragma once

#include <algorithm>
#include <vector>

#include "base/fault.h"
#include "base/random.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

/// What a made-up core is like.
struct CoreTaste {
  double pending = 0.3;  // share of the axons that the host sends to in a tick
  bool is_extreme =
      false;  // membranes, thresholds, biases and resets up to the ends of their ranges
  bool has_late_events = true;  // from other cores, anywhere in a tick, with delays up to 16
  bool has_loop = false;        // routes that lead back to the core
  std::int32_t ticks = 4;
  std::int32_t first_tick = 0;
  std::int32_t window = 1000;
  Cycle barrier = 1;
  Cycle fixed_tick = 0;
};

inline std::int32_t any_signed(RandomStream& random, int bits) {
  return sign_extended(static_cast<std::int64_t>(random.next()), bits);
}

inline NeuronParameters random_neuron(RandomStream& random, bool is_extreme) {
  NeuronParameters neuron;
  const auto small = [&](std::uint64_t range) {
    return static_cast<std::int32_t>(random.below(2 * range)) - static_cast<std::int32_t>(range);
  };
  neuron.threshold = static_cast<std::int32_t>(random.below(300)) - 20;
  neuron.bias = small(40);
  neuron.reset = small(60);
  if (is_extreme) {
    neuron.threshold = any_signed(random, random.below(2) == 0 ? 24 : 14);
    neuron.bias = any_signed(random, random.below(2) == 0 ? 24 : 16);
    neuron.reset = any_signed(random, 24);
  }
  neuron.leak = static_cast<std::int32_t>(random.below(4097));
  neuron.refractory =
      static_cast<std::int32_t>(random.below(3) == 0 ? random.below(16) : random.below(2));
  neuron.is_enabled = random.below(12) != 0;
  neuron.is_soft_reset = random.below(2) == 0;
  neuron.rounding = static_cast<LeakRounding>(random.below(3));
  neuron.holds = random.below(2) == 0;
  return neuron;
}

inline CoreContents random_contents(const CoreConfig& config, const CoreTaste& taste,
                                    RandomStream& random) {
  CoreContents contents;
  contents.synapses.resize(static_cast<std::size_t>(config.axons) *
                           static_cast<std::size_t>(config.neurons));
  for (std::int8_t& weight : contents.synapses) {
    const auto any = static_cast<std::int8_t>(random.next());
    weight = random.below(8) == 0 ? (any < 0 ? -128 : 127) : any;
  }
  for (int i = 0; i < config.neurons; ++i) {
    contents.neurons.push_back(random_neuron(random, taste.is_extreme));
    const auto first =
        static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.destinations)));
    contents.routes.push_back({first, static_cast<std::int32_t>(random.below(4))});
  }
  for (int i = 0; i < config.destinations; ++i) {
    const bool comes_back = taste.has_loop && random.below(3) == 0;
    contents.destinations.push_back(
        {random.below(8) != 0,
         comes_back ? 0 : 1 + static_cast<std::int32_t>(random.below(kHostCore)),
         static_cast<std::int32_t>(random.below(comes_back ? 1 << kAxonBits : 256)),
         static_cast<std::int32_t>(random.below(16))});
  }
  contents.first_tick = taste.first_tick;
  contents.ticks = taste.window;
  return contents;
}

inline CoreFeed random_feed(const CoreConfig& config, const CoreTaste& taste,
                            RandomStream& random) {
  CoreFeed feed;
  feed.ticks = taste.ticks;
  feed.barrier = taste.barrier;
  feed.fixed_tick = taste.fixed_tick;
  feed.readout = std::min(config.neurons, 10);
  std::vector<std::vector<std::int32_t>> spikes(static_cast<std::size_t>(taste.ticks));
  for (std::vector<std::int32_t>& tick : spikes) {
    for (std::int32_t axon = 0; axon < config.axons; ++axon) {
      if (random.unit() < taste.pending) {
        tick.push_back(axon);
      }
    }
  }
  feed.arrivals = host_arrivals(config, spikes);
  feed.arrivals.resize(static_cast<std::size_t>(taste.ticks) + 1);
  for (std::size_t i = 0; taste.has_late_events && i < feed.arrivals.size(); ++i) {
    const Cycle first = i == 0 ? 2 + config.reset_words() : 1;
    for (int event = 0; event < config.axons / 4; ++event) {
      const auto delay = 1 + static_cast<std::int32_t>(random.below(random.below(4) == 0 ? 16 : 2));
      feed.arrivals[i].push_back({first + static_cast<Cycle>(random.below(60)),
                                  static_cast<std::int32_t>(random.below(1 << kAxonBits)),
                                  (static_cast<std::int32_t>(i) - 1 + delay) % kRingSlots});
    }
    std::ranges::stable_sort(feed.arrivals[i], {}, &CoreArrival::cycle);
  }
  return feed;
}

inline CoreRun random_run(const CoreConfig& config, const CoreTaste& taste, RandomStream& random) {
  return CoreRun(config, random_contents(config, taste, random),
                 random_feed(config, taste, random));
}

inline RegisterFault core_fault(std::uint64_t site, FaultKind kind, Cycle from, Cycle until) {
  return {SiteId(site), kind, {from, until}};
}

}  // namespace tilestrike::sim
