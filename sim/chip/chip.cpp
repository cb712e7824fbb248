// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tilestrike::sim {

void add_named(const Failure& failure, std::int32_t core, ErrorList& errors) {
  for (const Error& error : failure.errors()) {
    errors.add(error.code, "core " + std::to_string(core) + ": " + error.what, error.where,
               error.cure);
  }
}

BootedChip::BootedChip(const ChipConfig& config, ChipContents contents)
    : config_(config), contents_(std::move(contents)) {
  check();
  boot_cores();
  const std::size_t all = cores_.size();
  sends_.assign(all * all, false);
  for (std::int32_t core = 0; core < cores(); ++core) {
    look_at_routes(core);
  }
  sort();
}

void BootedChip::check() const {
  ErrorList errors;
  const auto refuse = [&](const std::string& what, const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, what, "chip", cure);
  };
  const std::size_t count = contents_.cores.size();
  if (count < 1 || count > kHostCore) {
    refuse("a chip of " + std::to_string(count) + " cores",
           "give 1 to " + std::to_string(kHostCore) + "; take larger cores, or fewer neurons");
  }
  if (config_.barrier < 0 || config_.fixed_tick < 0) {
    refuse("a tick of negative length", "give a barrier and a fixed tick of 0 or more cycles");
  }
  const auto exists = [&](std::int32_t core) {
    return core >= 0 && static_cast<std::size_t>(core) < count;
  };
  for (std::size_t input = 0; input < contents_.inputs.size(); ++input) {
    for (const CorePlace& place : contents_.inputs[input]) {
      if (!exists(place.core) || place.axon < 0 || place.axon >= config_.core.axons) {
        refuse("input " + std::to_string(input) + " goes to axon " + std::to_string(place.axon) +
                   " of core " + std::to_string(place.core),
               "the chip has " + std::to_string(count) + " cores of " +
                   std::to_string(config_.core.axons) + " axons");
      }
    }
  }
  std::set<std::int32_t> read;
  for (const CoreReadout& readout : contents_.readout) {
    if (!exists(readout.core) || readout.membranes < 1 ||
        readout.membranes > config_.core.neurons || !read.insert(readout.core).second) {
      refuse("a readout of " + std::to_string(readout.membranes) + " membranes of core " +
                 std::to_string(readout.core),
             "name each core at most once, and 1 to " + std::to_string(config_.core.neurons) +
                 " membranes");
    }
  }
  if (contents_.outputs < 0 || contents_.outputs > 1 << kAxonBits) {
    refuse(std::to_string(contents_.outputs) + " outputs in spikes",
           "an event can name " + std::to_string(1 << kAxonBits));
  }
  if (contents_.ticks < 1 || contents_.ticks >= 1 << kTickBits) {
    refuse("an inference of " + std::to_string(contents_.ticks) + " ticks",
           "give 1 to " + std::to_string((1 << kTickBits) - 1));
  }
  errors.throw_if_any();
}

void BootedChip::boot_cores() {
  ErrorList errors;
  for (std::size_t i = 0; i < contents_.cores.size(); ++i) {
    try {
      cores_.push_back(
          std::make_shared<const BootedCore>(config_.core, std::move(contents_.cores[i])));
    } catch (const Failure& failure) {
      add_named(failure, static_cast<std::int32_t>(i), errors);
    }
  }
  errors.throw_if_any();
  contents_.cores.clear();
}

void BootedChip::look_at_routes(std::int32_t number) {
  const CoreContents& contents = core(number).contents();
  std::vector<Route>& routes = routes_.emplace_back();
  std::int64_t events = 0;
  for (std::size_t neuron = 0; neuron < contents.routes.size(); ++neuron) {
    const NeuronRoute& route = contents.routes[neuron];
    events += route.count;
    for (std::int32_t i = 0; i < route.count; ++i) {
      const auto at = static_cast<std::size_t>((route.first + i) % config_.core.destinations);
      if (at < contents.destinations.size() && contents.destinations[at].is_valid) {
        const SpikeDestination& to = contents.destinations[at];
        routes.push_back({{to.core, to.axon}, static_cast<std::int32_t>(neuron), to.delay});
        if (to.core < cores() && to.core != number) {
          sends_[static_cast<std::size_t>(number) * cores_.size() +
                 static_cast<std::size_t>(to.core)] = true;
        }
      }
    }
  }
  std::ranges::stable_sort(routes, {}, &Route::to);
  can_trip_.push_back(config_.core.tick_cycles(config_.core.axons, config_.core.neurons, events) >=
                      config_.core.watchdog_cycles());
}

std::int32_t BootedChip::sender_of(std::int32_t core, std::int32_t tick,
                                   const CoreEvent& event) const {
  const auto named = std::ranges::equal_range(routes_[static_cast<std::size_t>(core)],
                                              CorePlace{event.core, event.axon}, {}, &Route::to);
  const auto found = std::ranges::find_if(
      named, [&](const Route& route) { return (tick + route.delay) % kRingSlots == event.slot; });
  return named.empty() ? -1 : found == named.end() ? named.front().neuron : found->neuron;
}

void BootedChip::sort() {
  std::vector<std::int32_t> senders(cores_.size(), 0);
  std::vector<bool> is_sorted(cores_.size(), false);
  for (std::int32_t to = 0; to < cores(); ++to) {
    for (std::int32_t from = 0; from < cores(); ++from) {
      senders[static_cast<std::size_t>(to)] += sends(from, to) ? 1 : 0;
    }
    if (senders[static_cast<std::size_t>(to)] == 0) {
      order_.push_back(to);
    }
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    is_sorted[static_cast<std::size_t>(order_[i])] = true;
    for (std::int32_t to = 0; to < cores(); ++to) {
      if (sends(order_[i], to) && --senders[static_cast<std::size_t>(to)] == 0) {
        order_.push_back(to);
      }
    }
  }
  ordered_ = order_.size();
  for (std::int32_t core = 0; core < cores(); ++core) {
    if (!is_sorted[static_cast<std::size_t>(core)]) {
      order_.push_back(core);
    }
  }
}

std::int32_t BootedChip::readout_of(std::int32_t core) const {
  const auto found = std::ranges::find(contents_.readout, core, &CoreReadout::core);
  return found == contents_.readout.end() ? 0 : found->membranes;
}

std::string BootedChip::text(SiteId site) const {
  return "core " + std::to_string(core_of(site)) + " " + core_sites().text(within_core(site));
}

}  // namespace tilestrike::sim
