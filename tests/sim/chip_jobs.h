// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Made-up chips: layers of random cores of 16 x 16, joined by random routes.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/chip/chip_run.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::sim {

/// What a made-up chip is like.
struct ChipTaste {
  const char* core = "core_16x16";
  std::int32_t layers = 3;
  std::int32_t most_cores = 2;  // of a layer
  std::int32_t local_ticks = 5;
  std::int32_t longest_delay = 3;
  int loops = 0;                // of so many routes back, or within a core, one is there; 0: none
  bool is_open = false;         // all cores work in all ticks
  bool has_spikes = false;      // the last layer sends to the host; else its membranes are read
  bool has_long_delay = false;  // some events are read 16 ticks later
  double input_rate = 0.4;
  Cycle barrier = 1;
  EccKind ecc = EccKind::kNone;
};

inline ChipTaste chip_taste_of(int trial) {
  ChipTaste taste;
  taste.core = trial % 5 == 4 ? "core_128x16" : "core_16x16";
  taste.layers = 1 + trial % 4;
  taste.most_cores = 1 + trial % 3;
  taste.local_ticks = 3 + trial % 5;
  taste.longest_delay = trial % 3 == 0 ? 1 : 3;
  taste.loops = trial % 4 == 1 ? 8 : 0;
  taste.is_open = trial % 6 == 5;
  taste.has_spikes = trial % 2 == 1;
  taste.barrier = trial % 3;
  if (trial % 12 == 11) {
    taste.has_long_delay = true;
    taste.local_ticks = 22;
  }
  return taste;
}

/// Which cores a chip has in which layer.
struct MadeChip {
  std::shared_ptr<const BootedChip> chip;
  std::vector<std::int32_t> layer_of;  // by core
};

class ChipMaker {
 public:
  ChipMaker(const ChipTaste& taste, RandomStream& random) : taste_(taste), random_(random) {
    config_.core = core_named(taste.core);
    config_.core.membrane_bits = random.below(3) == 0 ? 16 : 24;
    config_.core.overflow = static_cast<NeuronOverflow>(random.below(3));
    config_.core.ecc = {taste.ecc, taste.ecc};
    config_.barrier = taste.barrier;
    for (std::int32_t layer = 0; layer < taste.layers; ++layer) {
      const auto most = static_cast<std::uint64_t>(taste.most_cores);
      for (std::int32_t i = 1 + static_cast<std::int32_t>(random.below(most)); i > 0; --i) {
        layer_of_.push_back(layer);
      }
    }
  }

  MadeChip make(Cycle fixed_tick = 0) {
    ChipContents contents = contents_;
    if (contents.cores.empty()) {
      fill(contents);
      contents_ = contents;
    }
    config_.fixed_tick = fixed_tick;
    return {std::make_shared<const BootedChip>(config_, std::move(contents)), layer_of_};
  }

  InputSpikes spikes() {
    InputSpikes spikes(static_cast<std::size_t>(taste_.local_ticks));
    for (std::vector<std::int32_t>& tick : spikes) {
      for (std::int32_t input = 0; input < kInputs; ++input) {
        if (random_.unit() < taste_.input_rate) {
          tick.push_back(input);
        }
      }
    }
    return spikes;
  }

 private:
  static constexpr std::int32_t kInputs = 20;

  std::int32_t below(std::int32_t end) {
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(end)));
  }

  void fill(ChipContents& contents) {
    const auto cores = static_cast<std::int32_t>(layer_of_.size());
    contents.ticks = taste_.local_ticks + taste_.layers - 1;
    for (std::int32_t core = 0; core < cores; ++core) {
      contents.cores.push_back(random_core(core));
    }
    contents.inputs.resize(kInputs);
    for (std::vector<CorePlace>& places : contents.inputs) {
      for (std::int32_t core = 0; core < cores; ++core) {
        if ((layer_of_[static_cast<std::size_t>(core)] == 0 && below(4) > 0) || below(20) == 0) {
          places.push_back({core, below(config_.core.axons)});
        }
      }
    }
    for (std::int32_t core = 0; core < cores; ++core) {
      if (is_last(core) || below(6) == 0) {
        contents.readout.push_back({core, 1 + below(16)});
      }
    }
    contents.outputs = taste_.has_spikes ? 24 : 0;
  }

  bool is_last(std::int32_t core) const {
    return layer_of_[static_cast<std::size_t>(core)] == taste_.layers - 1;
  }

  CoreContents random_core(std::int32_t core) {
    CoreTaste taste;
    taste.first_tick = taste_.is_open ? 0 : layer_of_[static_cast<std::size_t>(core)];
    taste.window = taste_.is_open ? 1000 : taste_.local_ticks;
    CoreContents contents = random_contents(config_.core, taste, random_);
    contents.destinations.clear();
    for (std::int32_t neuron = 0; neuron < config_.core.neurons; ++neuron) {
      const auto first = static_cast<std::int32_t>(contents.destinations.size());
      add_destinations(core, neuron, contents.destinations);
      contents.routes[static_cast<std::size_t>(neuron)] = {
          first, static_cast<std::int32_t>(contents.destinations.size()) - first};
    }
    return contents;
  }

  void add_destinations(std::int32_t core, std::int32_t neuron,
                        std::vector<SpikeDestination>& all) {
    const std::size_t most = all.size() + 4;
    const auto add = [&](std::int32_t to, std::int32_t axon) {
      if (all.size() < most) {
        const bool is_long = taste_.has_long_delay && below(4) == 0;
        all.push_back({below(12) > 0, to, axon, is_long ? 0 : 1 + below(taste_.longest_delay)});
      }
    };
    for (std::int32_t to = 0; to < static_cast<std::int32_t>(layer_of_.size()); ++to) {
      const std::int32_t ahead =
          layer_of_[static_cast<std::size_t>(to)] - layer_of_[static_cast<std::size_t>(core)];
      if ((ahead == 1 && below(5) > 0) || (ahead > 1 && below(6) == 0) ||
          (taste_.loops > 0 && ahead < 1 && below(taste_.loops) == 0)) {
        add(to, below(4) == 0 ? below(config_.core.axons) : neuron);
      }
    }
    if (taste_.has_spikes && (is_last(core) || below(8) == 0)) {
      add(kHostCore, below(24));
    }
    if (below(20) == 0) {
      add(200, below(1024));  // of no core: lost
    }
  }

  const ChipTaste taste_;
  RandomStream& random_;
  ChipConfig config_;
  std::vector<std::int32_t> layer_of_;
  ChipContents contents_;
};

}  // namespace tilestrike::sim
