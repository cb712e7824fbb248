// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_liveness.h"

#include <algorithm>

namespace tilestrike::sim {
namespace {

// A moment as the tick whose edges come next, and how many of them are over.
struct Since {
  std::int32_t tick;
  Cycle edge;
};

class Liveness {
 public:
  Liveness(const CoreRun& run, const CoreSites& sites, const CoreSite& site, Cycle cycle)
      : run_(run), config_(run.config()), sites_(sites), site_(site), cycle_(cycle) {
    const CoreMoment moment = run.moment_of(cycle);
    since_ = {moment.tick, moment.edge};
    if (moment.tick + 1 < run.ticks() && moment.edge == run.tick(moment.tick).lasts) {
      since_ = {moment.tick + 1, 0};
    }
  }

  bool is_live() const {
    switch (site_.storage) {
      case CoreStorage::kSynapses:
        return (is_protected() || is_in_use(neuron())) && is_summed();
      case CoreStorage::kParameters:
        return (is_protected() || (has_meaning() && is_in_use(neuron()))) && is_updated();
      case CoreStorage::kNeuronRoutes:
        return any_spike([&](std::int32_t neuron, Cycle choice, Cycle over) {
          return neuron == static_cast<std::int32_t>(site_.word) && choice > over;
        });
      case CoreStorage::kDestinations:
        return is_destination_read();
      case CoreStorage::kAccumulators:
        return is_in_use(neuron()) && !is_cleared() && is_sum_read_next();
      case CoreStorage::kMembranes:
        return !is_cleared() && is_membrane_read();
      case CoreStorage::kRefractory:
        return is_in_use(neuron()) && !is_cleared() && is_read_before_update();
      case CoreStorage::kRing:
        return !is_cleared() && is_latched_next();
      case CoreStorage::kQueue:
        return is_queued();
      default:
        return is_register_live();
    }
  }

 private:
  bool works() const { return run_.works_in(since_.tick) && since_.tick < run_.ticks(); }
  const GoldenTick& tick() const { return run_.tick(since_.tick); }
  bool is_within(Cycle first, Cycle end) const { return first <= since_.edge && since_.edge < end; }
  // With a fixed tick a neuron without a use can still cost the cycle that is too many.
  bool is_in_use(std::int32_t neuron) const {
    return run_.feed().fixed_tick > 0 || neuron < run_.feed().readout ||
           neuron < static_cast<std::int32_t>(run_.contents().neurons.size());
  }
  std::int32_t group() const { return static_cast<std::int32_t>(site_.word) % config_.groups(); }
  std::int32_t neuron() const { return group() * kLanes + sites_.lane_of(site_); }
  // A codeword is read as a whole: what any of its bits is matters to ECC.
  bool is_protected() const {
    return (site_.storage == CoreStorage::kSynapses ? config_.ecc.synapses
                                                    : config_.ecc.parameters) != EccKind::kNone;
  }
  bool has_meaning() const { return sites_.field_of(site_).name != "spare"; }

  // Whether there is a tick from now on, of those in which the core works, that `matters`; it is
  // told how many edges of it are over.
  template <class Matters>
  bool any_later_tick(const Matters& matters) const {
    for (std::int32_t number = since_.tick; number < run_.ticks(); ++number) {
      if (run_.works_in(number) &&
          matters(run_.tick(number), number == since_.tick ? since_.edge : Cycle{0})) {
        return true;
      }
    }
    return false;
  }
  template <class Matters>
  bool any_spike(const Matters& matters) const {
    return any_later_tick([&](const GoldenTick& tick, Cycle over) {
      for (std::size_t i = 0; i < tick.fired.size(); ++i) {
        if (matters(tick.fired[i], tick.choices[i], over)) {
          return true;
        }
      }
      return false;
    });
  }
  // The reset has yet to come to the word.
  bool is_cleared() const {
    return since_.tick == -1 && since_.edge < 2 + static_cast<Cycle>(site_.word);
  }

  bool is_summed() const {
    const auto axon = static_cast<std::int32_t>(site_.word) / config_.groups();
    return any_later_tick([&](const GoldenTick& tick, Cycle over) {
      const auto found = std::ranges::lower_bound(tick.pending, axon);
      return found != tick.pending.end() && *found == axon &&
             run_.sum_edge(static_cast<std::size_t>(found - tick.pending.begin()), group()) > over;
    });
  }
  bool is_updated() const {
    return any_later_tick([&](const GoldenTick& tick, Cycle over) {
      return tick.updates[static_cast<std::size_t>(group())] > over;
    });
  }
  // Between its read and its write of an update, what it holds is lost.
  bool is_being_updated() const {
    const auto at = static_cast<std::size_t>(group());
    return works() && is_within(tick().updates[at], tick().updates[at] + 1);
  }
  bool is_read_before_update() const { return !is_being_updated() && is_updated(); }

  bool is_sum_read_next() const {
    if (works()) {
      for (std::size_t k = 0; k < tick().pending.size(); ++k) {
        const Cycle read = run_.sum_edge(k, group());
        if (is_within(read, read + 1)) {
          return false;
        }
      }
    }
    return is_read_before_update();
  }

  bool is_membrane_read() const {
    const bool is_read_out = neuron() < run_.feed().readout &&
                             (since_.tick < run_.ticks() || since_.edge < Cycle{1} + neuron());
    if (works() && is_being_updated()) {
      return false;
    }
    return is_read_out || (is_in_use(neuron()) && is_updated());
  }

  bool is_destination_read() const {
    const SpikeDestination golden = run_.destination(site_.word);
    if (!golden.is_valid && sites_.field_of(site_).name != "destination_valid") {
      return false;
    }
    const auto index = static_cast<std::int32_t>(site_.word);
    return any_spike([&](std::int32_t neuron, Cycle choice, Cycle over) {
      const NeuronRoute route = run_.route(neuron);
      const std::int32_t place =
          (index - route.first + config_.destinations) % config_.destinations;
      return place < route.count && choice + 1 + place > over;
    });
  }

  bool is_latched_next() const {
    const std::int32_t word = static_cast<std::int32_t>(site_.word) % config_.ring_words();
    const std::int32_t slot = static_cast<std::int32_t>(site_.word) / config_.ring_words();
    const std::int32_t axon = word * config_.ring_bits() + site_.bit;
    for (std::int32_t number = since_.tick; number < run_.ticks(); ++number) {
      const Cycle over = number == since_.tick ? since_.edge : 0;
      const bool is_read = run_.works_in(number) && number % kRingSlots == slot && 1 + word > over;
      const Cycle read = is_read ? 1 + word : run_.tick(number).lasts + 1;
      if (is_written(number, axon, slot, over, read)) {
        return false;
      }
      if (is_read) {
        return true;
      }
    }
    return false;
  }
  // By an event at an edge after `over` and before `end`.
  bool is_written(std::int32_t number, std::int32_t axon, std::int32_t slot, Cycle over,
                  Cycle end) const {
    const auto hits = [&](Cycle edge, std::int32_t to, std::int32_t at) {
      return edge > over && edge < end && at == slot && to % config_.axons == axon;
    };
    return std::ranges::any_of(run_.arrivals(number),
                               [&](const CoreArrival& arrival) {
                                 return hits(arrival.cycle, arrival.axon, arrival.slot);
                               }) ||
           std::ranges::any_of(run_.tick(number).outputs, [&](const CoreOutput& output) {
             return output.event.core == run_.feed().core_number &&
                    hits(output.cycle, output.event.axon, output.event.slot);
           });
  }

  // An entry is read at the edge after its write, and by nothing else.
  bool is_queued() const {
    if (!works()) {
      return false;
    }
    std::size_t before = 0;
    for (std::int32_t number = 0; number < since_.tick; ++number) {
      before += run_.tick(number).outputs.size();
    }
    for (std::size_t i = 0; i < tick().outputs.size(); ++i) {
      if (tick().outputs[i].cycle == since_.edge + 1) {
        return (before + i) % static_cast<std::size_t>(config_.queue) == site_.word;
      }
    }
    return false;
  }

  bool is_register_live() const {
    switch (site_.storage) {
      case CoreStorage::kPending:
        return works() && is_within(1 + static_cast<Cycle>(site_.word), run_.summed_edge(tick()));
      case CoreStorage::kFirstTick:
      case CoreStorage::kTicks:
        return since_.tick + 1 < run_.ticks();
      case CoreStorage::kAxon:
        return is_axon_live();
      case CoreStorage::kGroup:
        return is_group_live();
      case CoreStorage::kLane:
      case CoreStorage::kDestination:
        return is_sending();
      case CoreStorage::kRemaining:
        return any_spike([&](std::int32_t neuron, Cycle choice, Cycle over) {
          return choice + run_.route(neuron).count > over;
        });
      case CoreStorage::kSynapseLatch:
        return is_latch_live(sum_group());
      case CoreStorage::kSumLatch:
        return is_latch_live(std::max(sum_group(), update_group()));
      case CoreStorage::kMembraneLatch:
      case CoreStorage::kRefractoryLatch:
        return is_latch_live(update_group());
      case CoreStorage::kParameterLatch:
        return is_latch_live(update_group()) &&
               site_.bit % kParameterBits < kParameterBits - 2;  // the spare ones
      case CoreStorage::kFired:
        return is_fired_live();
      case CoreStorage::kTick:
        return is_tick_live();
      case CoreStorage::kWatch:
        return since_.tick == -1 ? since_.edge < run_.reset_edges()
                                 : works() && since_.edge < tick().own - 1;
      default:  // state, pointers of the queue, error: read at every edge
        return cycle_ < run_.cycles();
    }
  }

  // The group whose sums stand in the latches; -1: none.
  std::int32_t sum_group() const {
    const Cycle first = config_.ring_words() + 1;
    if (!works() || !is_within(first, run_.summed_edge(tick()))) {
      return -1;
    }
    const Cycle step = (since_.edge - first) % (1 + 2 * config_.groups());
    return step % 2 == 1 ? static_cast<std::int32_t>(step / 2) : -1;
  }
  std::int32_t update_group() const {
    if (!works()) {
      return -1;
    }
    const auto found = std::ranges::find(tick().updates, since_.edge);
    return found == tick().updates.end()
               ? -1
               : static_cast<std::int32_t>(found - tick().updates.begin());
  }
  std::int32_t latched_neuron(std::int32_t group) const {
    return group * kLanes + sites_.lane_of(site_);
  }
  bool is_latch_live(std::int32_t group) const {
    return group >= 0 && is_in_use(latched_neuron(group));
  }

  bool is_axon_live() const {
    if (!works()) {
      return false;
    }
    if (since_.edge < config_.ring_words()) {  // which word is latched
      return site_.bit >= bits_for(config_.ring_bits());
    }
    const Cycle first = config_.ring_words() + 1;
    return is_within(first, run_.summed_edge(tick())) &&
           (since_.edge - first) % (1 + 2 * config_.groups()) < 2 * config_.groups() - 1;
  }

  bool is_group_live() const {
    if (!works()) {
      return false;
    }
    const Cycle first = config_.ring_words() + 1;
    if (is_within(first, run_.summed_edge(tick()))) {
      return (since_.edge - first) % (1 + 2 * config_.groups()) < 2 * config_.groups();
    }
    return is_within(run_.summed_edge(tick()), tick().own - 1);
  }

  bool is_sending() const {
    if (!works()) {
      return false;
    }
    for (std::size_t i = 0; i < tick().fired.size(); ++i) {
      if (is_within(tick().choices[i], tick().choices[i] + run_.route(tick().fired[i]).count)) {
        return true;
      }
    }
    return false;
  }

  bool is_fired_live() const {
    if (!works()) {
      return false;
    }
    for (std::size_t i = 0; i < tick().fired.size(); ++i) {
      const Cycle written = tick().updates[static_cast<std::size_t>(tick().fired[i] / kLanes)] + 1;
      if (is_within(written, tick().choices[i] + run_.route(tick().fired[i]).count)) {
        return true;
      }
    }
    return false;
  }

  bool is_tick_live() const {
    if (since_.tick + 1 < run_.ticks()) {
      return true;
    }
    if (!works() || site_.bit >= kSlotBits) {
      return false;
    }
    return since_.edge < config_.ring_words() ||
           std::ranges::any_of(tick().outputs, [&](const CoreOutput& output) {
             return output.cycle - 1 > since_.edge;
           });
  }

  const CoreRun& run_;
  const CoreConfig& config_;
  const CoreSites& sites_;
  const CoreSite site_;
  const Cycle cycle_;
  Since since_;
};

}  // namespace

bool is_live(const CoreRun& run, const CoreSites& sites, const CoreSite& site, Cycle cycle) {
  return Liveness(run, sites, site, cycle).is_live();
}

}  // namespace tilestrike::sim
