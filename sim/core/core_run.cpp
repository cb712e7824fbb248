// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_run.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::sim {

std::vector<std::vector<CoreArrival>> host_arrivals(
    const CoreConfig& config, const std::vector<std::vector<std::int32_t>>& spikes) {
  std::vector<std::vector<CoreArrival>> arrivals(spikes.size());
  for (std::size_t tick = 0; tick < spikes.size(); ++tick) {
    Cycle edge = tick == 0 ? 2 + config.reset_words() : 1;
    for (const std::int32_t axon : spikes[tick]) {
      arrivals[tick].push_back({edge++, axon, static_cast<std::int32_t>(tick % kRingSlots)});
    }
  }
  return arrivals;
}

/// The core tick by tick, without clock edges.
class CoreRun::Golden {
 public:
  explicit Golden(const CoreRun& run)
      : run_(run),
        config_(run.config()),
        ring_(static_cast<std::size_t>(kRingSlots * config_.axons), 0),
        states_(static_cast<std::size_t>(config_.neurons)) {}

  GoldenTick lead_in() {
    write(run_.arrivals(-1));
    return {};
  }

  GoldenTick tick(std::int32_t number) {
    GoldenTick tick;
    const std::vector<CoreArrival>& arrivals = run_.arrivals(number);
    if (!run_.works_in(number)) {
      write(arrivals);
      return tick;
    }
    tick.before = states_;
    latch(number, arrivals, tick);
    const std::vector<std::int32_t> currents = run_.currents_of(tick.pending);
    update(number, currents, tick);
    std::int64_t events = 0;
    for (const std::int32_t neuron : tick.fired) {
      events += run_.route(neuron).count;
    }
    tick.own = config_.tick_cycles(static_cast<std::int64_t>(tick.pending.size()),
                                   static_cast<std::int64_t>(tick.fired.size()), events);
    return tick;
  }

  const std::vector<NeuronState>& states() const { return states_; }

 private:
  std::uint8_t& bit(std::int32_t slot, std::int32_t axon) {
    return ring_[static_cast<std::size_t>(slot % kRingSlots * config_.axons +
                                          axon % config_.axons)];
  }
  void write(const std::vector<CoreArrival>& arrivals) {
    for (const CoreArrival& arrival : arrivals) {
      bit(arrival.slot, arrival.axon) = 1;
    }
  }

  // What arrives at the edge that latches its word, or later, is read when the slot's turn comes
  // again.
  void latch(std::int32_t number, const std::vector<CoreArrival>& arrivals, GoldenTick& tick) {
    std::vector<CoreArrival> late;
    for (const CoreArrival& arrival : arrivals) {
      const std::int32_t word = arrival.axon % config_.axons / config_.ring_bits();
      if (arrival.slot == number % kRingSlots && arrival.cycle >= 1 + word) {
        late.push_back(arrival);
      } else {
        bit(arrival.slot, arrival.axon) = 1;
      }
    }
    for (std::int32_t axon = 0; axon < config_.axons; ++axon) {
      if (std::exchange(bit(number, axon), std::uint8_t{0}) != 0) {
        tick.pending.push_back(axon);
      }
    }
    write(late);
  }

  void update(std::int32_t number, const std::vector<std::int32_t>& currents, GoldenTick& tick) {
    Cycle edge = config_.tick_cycles(static_cast<std::int64_t>(tick.pending.size()), 0, 0) -
                 2 * config_.groups() - 1;
    for (std::int32_t group = 0; group < config_.groups(); ++group) {
      tick.updates.push_back(edge + 1);
      edge += 2;
      for (std::int32_t neuron = group * kLanes; neuron < (group + 1) * kLanes; ++neuron) {
        const auto index = static_cast<std::size_t>(neuron);
        const NeuronStep step =
            step_neuron(run_.neuron(neuron), config_.format(), states_[index], currents[index]);
        states_[index] = step.state;
        if (step.fires) {
          tick.fired.push_back(neuron);
          tick.choices.push_back(++edge);
          send(number, neuron, edge, tick);
          edge += run_.route(neuron).count;
        }
      }
    }
  }

  // `edge`: that of the lane's choice. An event is queued one later and leaves after that.
  void send(std::int32_t number, std::int32_t neuron, Cycle edge, GoldenTick& tick) {
    const NeuronRoute route = run_.route(neuron);
    for (std::int32_t i = 0; i < route.count; ++i) {
      const SpikeDestination destination = run_.destination(std::int64_t{route.first} + i);
      if (destination.is_valid) {
        const CoreEvent event{destination.core, destination.axon,
                              (number + destination.delay) % kRingSlots};
        tick.outputs.push_back({edge + i + 2, event});
        if (event.core == run_.feed_.core_number) {
          bit(event.slot, event.axon) = 1;
        }
      }
    }
  }

  const CoreRun& run_;
  const CoreConfig& config_;
  std::vector<std::uint8_t> ring_;  // slot x axons + axon
  std::vector<NeuronState> states_;
};

CoreRun::CoreRun(const CoreConfig& config, CoreContents contents, CoreFeed feed)
    : CoreRun(std::make_shared<const BootedCore>(config, std::move(contents)), std::move(feed)) {}

CoreRun::CoreRun(std::shared_ptr<const BootedCore> core, CoreFeed feed)
    : core_(std::move(core)), feed_(std::move(feed)) {
  check();
  Golden golden(*this);
  golden_.push_back(golden.lead_in());
  for (std::int32_t tick = 0; tick < feed_.ticks; ++tick) {
    golden_.push_back(golden.tick(tick));
  }
  end_ = golden.states();
  add_times();
}

void CoreRun::check() const {
  ErrorList errors;
  const auto refuse = [&](const std::string& what, const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, what, "core", cure);
  };
  if (feed_.ticks < 1 || feed_.ticks >= 1 << kTickBits) {
    refuse("an inference of " + std::to_string(feed_.ticks) + " ticks",
           "give 1 to " + std::to_string((1 << kTickBits) - 1));
  }
  if (feed_.readout < 0 || feed_.readout > config().neurons) {
    refuse("a readout of " + std::to_string(feed_.readout) + " neurons",
           "the core has " + std::to_string(config().neurons));
  }
  if (feed_.barrier < 0 || feed_.fixed_tick < 0) {
    refuse("a tick of negative length", "give a barrier and a fixed tick of 0 or more cycles");
  }
  if (feed_.arrivals.size() > static_cast<std::size_t>(feed_.ticks) + 1) {
    refuse("arrivals in " + std::to_string(feed_.arrivals.size()) + " ticks",
           "the lead-in and the ticks are " + std::to_string(feed_.ticks + 1));
  }
  if (feed_.core_number < 0 || feed_.core_number >= kHostCore) {
    refuse("a core with the number " + std::to_string(feed_.core_number),
           "give 0 to " + std::to_string(kHostCore - 1) + "; " + std::to_string(kHostCore) +
               " is the host");
  }
  if (!feed_.golden_lengths.empty() &&
      (feed_.golden_lengths.size() != static_cast<std::size_t>(feed_.ticks) + 1 ||
       feed_.fixed_tick > 0 || std::ranges::min(feed_.golden_lengths) < 1)) {
    refuse("golden lengths of " + std::to_string(feed_.golden_lengths.size()) + " ticks",
           "give a length of 1 or more to the lead-in and to each of " +
               std::to_string(feed_.ticks) + " ticks, and no fixed tick");
  }
  check_arrivals(errors);
  errors.throw_if_any();
}

void CoreRun::check_arrivals(ErrorList& errors) const {
  for (std::size_t i = 0; i < feed_.arrivals.size(); ++i) {
    Cycle before = i == 0 ? 1 + reset_edges() : 1;
    for (const CoreArrival& arrival : feed_.arrivals[i]) {
      if (arrival.cycle < before || arrival.slot < 0 || arrival.slot >= kRingSlots ||
          arrival.axon < 0 || arrival.axon >= 1 << kAxonBits) {
        errors.add(ErrorCode::kInvalidInput,
                   "an event for axon " + std::to_string(arrival.axon) + " in slot " +
                       std::to_string(arrival.slot) + " at cycle " + std::to_string(arrival.cycle) +
                       " of tick " + std::to_string(static_cast<int>(i) - 1),
                   "core",
                   "cycles do not fall, and begin with " +
                       std::to_string(i == 0 ? 1 + reset_edges() : 1) +
                       "; axons end at 1023, slots at 15");
      }
      before = std::max(before, arrival.cycle);
    }
  }
}

void CoreRun::retime(std::vector<Cycle> least, Cycle fixed_tick) {
  feed_.least = std::move(least);
  feed_.fixed_tick = fixed_tick;
  add_times();
}

void CoreRun::add_times() {
  Cycle start = 0;
  for (std::int32_t number = -1; number < feed_.ticks; ++number) {
    GoldenTick& tick = golden_[static_cast<std::size_t>(number + 1)];
    const auto index = static_cast<std::size_t>(number + 1);
    Cycle done = std::max<Cycle>(number < 0 ? 1 + reset_edges() : 1, tick.own);
    done = std::max(done, index < feed_.least.size() ? feed_.least[index] : 0);
    if (const std::vector<CoreArrival>& all = arrivals(number); !all.empty()) {
      done = std::max(done, all.back().cycle);
    }
    if (tick.own >= config().watchdog_cycles()) {
      fail(ErrorCode::kInvalidInput,
           "tick " + std::to_string(number) + " takes " + std::to_string(tick.own) +
               " cycles, the watchdog " + std::to_string(config().watchdog_cycles()),
           "watchdog", "give the watchdog more cycles");
    }
    const bool is_fixed = feed_.fixed_tick > 0 && number >= 0;
    if (is_fixed && done > feed_.fixed_tick) {
      fail(ErrorCode::kInvalidInput,
           "tick " + std::to_string(number) + " takes " + std::to_string(done) + " cycles of " +
               std::to_string(feed_.fixed_tick),
           "tick", "give a tick as many cycles as the longest takes, or take 'barrier'");
    }
    tick.start = start;
    tick.lasts = is_fixed ? feed_.fixed_tick : done + feed_.barrier;
    tick.length = tick.lasts;
    if (!feed_.golden_lengths.empty()) {
      tick.length = feed_.golden_lengths[index];
      tick.lasts = std::max(tick.lasts, tick.length);
    }
    start += tick.length;
  }
  cycles_ = start + feed_.readout;
}

const std::vector<CoreArrival>& CoreRun::arrivals(std::int32_t tick) const {
  static const std::vector<CoreArrival> none;
  const auto index = static_cast<std::size_t>(tick + 1);
  return index < feed_.arrivals.size() ? feed_.arrivals[index] : none;
}

bool CoreRun::works_in(std::int32_t tick) const {
  const auto since = static_cast<std::uint16_t>(tick - contents().first_tick);
  return tick >= 0 && since < contents().ticks;
}

std::vector<std::int32_t> CoreRun::readout() const {
  std::vector<std::int32_t> membranes;
  for (std::int32_t neuron = 0; neuron < feed_.readout; ++neuron) {
    membranes.push_back(end_[static_cast<std::size_t>(neuron)].membrane);
  }
  return membranes;
}

CoreMoment CoreRun::moment_of(Cycle cycle) const {
  const auto after = std::ranges::upper_bound(golden_, cycle - 1, {}, &GoldenTick::start);
  const auto at = std::prev(after);
  const auto tick = static_cast<std::int32_t>(at - golden_.begin()) - 1;
  const Cycle edge = cycle - at->start;
  return edge > at->length ? CoreMoment{feed_.ticks, edge - at->length} : CoreMoment{tick, edge};
}

Cycle CoreRun::cycle_of(const CoreMoment& moment) const {
  const GoldenTick& last = golden_.back();
  const Cycle start =
      moment.tick == feed_.ticks ? last.start + last.length : tick(moment.tick).start;
  return start + moment.edge;
}

const NeuronParameters& CoreRun::neuron(std::int32_t index) const {
  static const NeuronParameters absent = {.is_enabled = false};
  const auto at = static_cast<std::size_t>(index);
  return at < contents().neurons.size() ? contents().neurons[at] : absent;
}

std::int32_t CoreRun::weight(std::int32_t axon, std::int32_t neuron) const {
  const std::size_t at =
      static_cast<std::size_t>(axon) * static_cast<std::size_t>(config().neurons) +
      static_cast<std::size_t>(neuron);
  return at < contents().synapses.size() ? contents().synapses[at] : 0;
}

std::vector<std::int32_t> CoreRun::currents_of(const std::vector<std::int32_t>& axons) const {
  std::vector<std::int32_t> currents(static_cast<std::size_t>(config().neurons), 0);
  for (const std::int32_t axon : axons) {
    const std::size_t first = static_cast<std::size_t>(axon) * currents.size();
    const std::size_t rest = std::max(contents().synapses.size(), first) - first;
    const std::int8_t* weights = contents().synapses.data() + first;
    for (std::size_t i = 0; i < std::min(currents.size(), rest); ++i) {
      currents[i] += weights[i];
    }
  }
  for (std::int32_t& current : currents) {
    current = sign_extended(current, kCurrentBits);
  }
  return currents;
}

NeuronRoute CoreRun::route(std::int32_t neuron) const {
  const auto at = static_cast<std::size_t>(neuron);
  return at < contents().routes.size() ? contents().routes[at] : NeuronRoute{};
}

SpikeDestination CoreRun::destination(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index % config().destinations);
  return at < contents().destinations.size() ? contents().destinations[at] : SpikeDestination{};
}

}  // namespace tilestrike::sim
