// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `closed_form`.
#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "sim/core/struck_core.h"
#include "sim/core/struck_field.h"

namespace tilestrike::sim {
namespace {

/// There is a formula for one fault in what is summed, updated or latched; where no route leads
/// back to the core, no tick is of fixed length or longer than golden, and no traffic trips the
/// watchdog.
bool has_closed_form(const CoreJob& job) {
  const CoreRun& run = job.golden->run();
  if (job.wants_whole || meets_ecc(job) || job.faults.size() != 1 || run.feed().fixed_tick > 0) {
    return false;
  }
  switch (job.golden->sites().describe(job.faults[0].site).storage) {
    case CoreStorage::kSynapses:
    case CoreStorage::kParameters:
    case CoreStorage::kAccumulators:
    case CoreStorage::kMembranes:
    case CoreStorage::kRefractory:
    case CoreStorage::kRing:
      break;
    default:
      return false;
  }
  for (std::int32_t tick = -1; tick < run.ticks(); ++tick) {
    if (run.tick(tick).lasts != run.tick(tick).length) {
      return false;  // edges beyond golden time
    }
  }
  const CoreConfig& config = run.config();
  std::int64_t events = 0;
  for (const NeuronRoute& route : run.contents().routes) {
    events += route.count;
  }
  return config.tick_cycles(config.axons, config.neurons, events) < config.watchdog_cycles() &&
         std::ranges::none_of(run.contents().destinations, [&](const SpikeDestination& to) {
           return to.is_valid && to.core == run.feed().core_number;
         });
}

class ClosedForm {
 public:
  explicit ClosedForm(const CoreJob& job)
      : run_(job.golden->run()),
        config_(run_.config()),
        field_(job, result_),
        site_(field_.site()),
        group_(static_cast<std::int32_t>(site_.word) % config_.groups()) {
    result_.readout = run_.readout();
  }

  CoreResult compute() {
    if (site_.storage == CoreStorage::kRing) {
      strike_axon();
    } else {
      strike_neuron(group_ * kLanes + field_.sites().lane_of(site_));
    }
    count_changes();
    return std::move(result_);
  }

 private:
  Cycle end() const { return run_.cycles() + 1; }
  Cycle cycle(std::int32_t tick, Cycle edge) const { return run_.tick(tick).start + edge; }
  // The cycle at which the reset clears a word, which nothing has read before.
  static Cycle cleared(std::int32_t word) { return 2 + word; }
  Cycle update(std::int32_t tick, std::int32_t group) const {
    return cycle(tick, run_.tick(tick).updates[static_cast<std::size_t>(group)]);
  }

  std::int32_t next_working(std::int32_t tick) const {
    while (tick < run_.ticks() && !run_.works_in(tick)) {
      ++tick;
    }
    return tick;
  }
  // At the begin of a tick in which the core works, or after the last.
  const NeuronState& golden(std::int32_t tick, std::int32_t neuron) const {
    return (tick < run_.ticks() ? run_.tick(tick).before
                                : run_.end())[static_cast<std::size_t>(neuron)];
  }
  std::int32_t current(std::int32_t tick, std::int32_t neuron) const {
    std::int32_t sum = 0;
    for (const std::int32_t axon : run_.tick(tick).pending) {
      sum += run_.weight(axon, neuron);
    }
    return sum;
  }

  // A neuron tick by tick: `step` says what it makes of its state, which was written at a cycle;
  // `is_touched` whether the fault can meet a tick of a golden neuron. Ends with the state after
  // the last tick, and when it was written.
  template <class Touched, class Step>
  std::pair<NeuronState, Cycle> follow(std::int32_t neuron, const Touched& is_touched,
                                       const Step& step) {
    const std::int32_t group = neuron / kLanes;
    NeuronState state;
    Cycle written = cleared(group);
    std::int32_t tick = next_working(0);
    while (tick < run_.ticks()) {
      const std::int32_t next = next_working(tick + 1);
      const NeuronState& was = golden(tick, neuron);
      const bool is_golden = state.membrane == was.membrane && state.refractory == was.refractory;
      if (is_golden && !is_touched(tick, written)) {
        state = golden(next, neuron);
      } else {
        const NeuronStep made = step(tick, state, written);
        compare_spike(tick, neuron, made.fires);
        state = made.state;
        ++result_.ticks_simulated;
      }
      written = update(tick, group) + 1;
      tick = next;
    }
    return {state, written};
  }

  void strike_neuron(std::int32_t neuron) {
    if (static_cast<int>(site_.storage) >= kBootArrays) {
      field_.lose(0, 1, cleared(group_));
    }
    const NeuronParameters parameters = run_.neuron(neuron);
    const NeuronParameters struck = struck_parameters(neuron);
    const std::int32_t change = struck_weight(neuron);
    const auto step = [&](std::int32_t tick, const NeuronState& state, Cycle written) {
      const Cycle read = update(tick, group_);
      const std::int32_t sum = site_.storage == CoreStorage::kAccumulators
                                   ? struck_sum(tick, neuron, written)
                                   : current(tick, neuron) + (meets_weight(tick) ? change : 0);
      return step_neuron(field_.is_before(read) ? struck : parameters, config_.format(),
                         held(state, written, read, read + 1), sign_extended(sum, kCurrentBits));
    };
    const auto touched = [&](std::int32_t tick, Cycle written) { return meets(tick, written); };
    const auto [state, written] = follow(neuron, touched, step);
    const bool is_read_out = neuron < run_.feed().readout;
    const Cycle read = is_read_out ? run_.cycle_of({run_.ticks(), 1 + neuron}) : written;
    const NeuronState last = held(state, written, read, end());
    if (site_.storage == CoreStorage::kAccumulators) {
      field_.lose(0, written, end());
    }
    if (is_read_out) {
      result_.readout[static_cast<std::size_t>(neuron)] = last.membrane;
    }
  }

  // Whether the fault can meet a neuron in a tick, whose state was written at a cycle.
  bool meets(std::int32_t tick, Cycle written) const {
    switch (site_.storage) {
      case CoreStorage::kSynapses:
        return meets_weight(tick);
      case CoreStorage::kParameters:
        return field_.is_before(update(tick, group_));
      default:
        return field_.acts_within(written, update(tick, group_) + 1);
    }
  }

  // Of a synapse: whether the tick reads the weight after the strike.
  bool meets_weight(std::int32_t tick) const {
    const std::vector<std::int32_t>& pending = run_.tick(tick).pending;
    const auto found = std::ranges::lower_bound(pending, struck_axon());
    return site_.storage == CoreStorage::kSynapses && found != pending.end() &&
           *found == struck_axon() &&
           field_.is_before(cycle(
               tick, run_.sum_edge(static_cast<std::size_t>(found - pending.begin()), group_)));
  }
  std::int32_t struck_axon() const {
    return static_cast<std::int32_t>(site_.word) / config_.groups();
  }

  NeuronParameters struck_parameters(std::int32_t neuron) {
    if (site_.storage != CoreStorage::kParameters) {
      return run_.neuron(neuron);
    }
    std::uint64_t limbs[2] = {};
    if (neuron < static_cast<std::int32_t>(run_.contents().neurons.size())) {
      write_parameters(limbs, 0, run_.neuron(neuron));
    }
    const CoreField& field = field_.sites().field_of(site_);
    write_bits(limbs, field.first, field.bits,
               field_.hold_for_good(read_bits(limbs, field.first, field.bits)));
    return read_parameters(limbs, 0);
  }

  // What the strike adds to a weight.
  std::int32_t struck_weight(std::int32_t neuron) {
    if (site_.storage != CoreStorage::kSynapses) {
      return 0;
    }
    const std::int32_t weight = run_.weight(struck_axon(), neuron);
    const std::uint64_t struck = field_.hold_for_good(static_cast<std::uint8_t>(weight));
    return sign_extended(static_cast<std::int64_t>(struck), kSynapseBits) - weight;
  }

  // The membrane or the counter as it is read.
  NeuronState held(NeuronState state, Cycle written, Cycle read, Cycle end) {
    if (site_.storage == CoreStorage::kMembranes) {
      const int bits = config_.membrane_bits;
      const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
      const auto value = static_cast<std::uint64_t>(state.membrane) & mask;
      state.membrane = sign_extended(
          static_cast<std::int64_t>(field_.hold(value, written, read, end).at_read), bits);
    } else if (site_.storage == CoreStorage::kRefractory) {
      state.refractory = static_cast<std::int32_t>(
          field_.hold(static_cast<std::uint64_t>(state.refractory), written, read, end).at_read);
    }
    return state;
  }

  // The accumulator from axon to axon: 0 since `written`.
  std::int32_t struck_sum(std::int32_t number, std::int32_t neuron, Cycle written) {
    const GoldenTick& tick = run_.tick(number);
    constexpr std::uint64_t kMask = (std::uint64_t{1} << kCurrentBits) - 1;
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k < tick.pending.size(); ++k) {
      const Cycle read = cycle(number, run_.sum_edge(k, group_));
      sum = field_.hold(sum, written, read, read + 1).at_read;
      sum = (sum + static_cast<std::uint64_t>(run_.weight(tick.pending[k], neuron))) & kMask;
      written = read + 1;
    }
    const Cycle read = update(number, group_);
    return static_cast<std::int32_t>(field_.hold(sum, written, read, read + 1).at_read);
  }

  // A bit of the ring, from event to latch: in which ticks its axon pends when it should not (1),
  // or does not when it should (-1).
  std::map<std::int32_t, std::int32_t> struck_latches(std::int32_t slot, std::int32_t axon) {
    struct Access {
      Cycle cycle;
      std::int32_t latched_in;  // tick; -1: an event sets the bit
    };
    const std::int32_t word = axon / config_.ring_bits();
    std::vector<Access> accesses;
    for (std::int32_t tick = -1; tick < run_.ticks(); ++tick) {
      if (run_.works_in(tick) && tick % kRingSlots == slot) {
        accesses.push_back({cycle(tick, 1 + word), tick});
      }
      for (const CoreArrival& arrival : run_.arrivals(tick)) {
        if (arrival.slot == slot && arrival.axon % config_.axons == axon) {
          accesses.push_back({cycle(tick, arrival.cycle), -1});
        }
      }
    }
    // At one edge the latch is first: an event that comes with it is left in the ring.
    std::ranges::stable_sort(accesses, {}, &Access::cycle);
    std::map<std::int32_t, std::int32_t> changes;
    const std::uint64_t bit = std::uint64_t{1} << (axon % config_.ring_bits());
    std::uint64_t value = 0;
    Cycle written = cleared(static_cast<std::int32_t>(site_.word));
    field_.lose(0, 1, written);
    for (const Access& access : accesses) {
      const bool is_latch = access.latched_in >= 0;
      const std::uint64_t read =
          field_.hold(value, written, is_latch ? access.cycle : written, access.cycle).at_read;
      if (is_latch && read != value) {
        changes[access.latched_in] = value == 0 ? 1 : -1;
      }
      value = is_latch ? 0 : bit;
      written = access.cycle;
    }
    field_.lose(value, written, end());
    return changes;
  }

  void strike_axon() {
    const auto word = static_cast<std::int32_t>(site_.word);
    const std::int32_t axon =
        word % config_.ring_words() * config_.ring_bits() + static_cast<std::int32_t>(site_.bit);
    const auto changes = struck_latches(word / config_.ring_words(), axon);
    if (changes.empty()) {
      return;
    }
    const auto change_in = [&](std::int32_t tick) {
      const auto found = changes.find(tick);
      return found == changes.end() ? 0 : found->second;
    };
    std::map<std::int32_t, std::vector<std::int32_t>> currents;
    for (const auto& [tick, change] : changes) {
      currents[tick] = run_.currents_of(run_.tick(tick).pending);
    }
    for (std::int32_t neuron = 0; neuron < config_.neurons; ++neuron) {
      const std::int32_t weight = run_.weight(axon, neuron);
      if (weight == 0) {
        continue;
      }
      const auto [state, written] = follow(
          neuron, [&](std::int32_t tick, Cycle) { return change_in(tick) != 0; },
          [&](std::int32_t tick, const NeuronState& before, Cycle) {
            const std::int32_t change = change_in(tick);
            const std::int32_t sum = change == 0 ? current(tick, neuron)
                                                 : currents[tick][static_cast<std::size_t>(neuron)];
            return step_neuron(run_.neuron(neuron), config_.format(), before,
                               sign_extended(sum + change * weight, kCurrentBits));
          });
      if (neuron < run_.feed().readout) {
        result_.readout[static_cast<std::size_t>(neuron)] = state.membrane;
      }
    }
  }

  void compare_spike(std::int32_t tick, std::int32_t neuron, bool fires) {
    if (std::ranges::binary_search(run_.tick(tick).fired, neuron) == fires) {
      return;
    }
    const NeuronRoute route = run_.route(neuron);
    for (std::int32_t i = 0; i < route.count; ++i) {
      const SpikeDestination to = run_.destination(std::int64_t{route.first} + i);
      if (to.is_valid) {
        counts_[{tick, {to.core, to.axon, (tick + to.delay) % kRingSlots}}] += fires ? 1 : -1;
      }
    }
  }

  // No event is early: none leaves before the last word is latched.
  void count_changes() {
    for (const auto& [place, change] : counts_) {
      if (change == 0) {
        continue;
      }
      const auto& [tick, event] = place;
      const auto golden = static_cast<std::int32_t>(
          std::ranges::count(run_.tick(tick).outputs, event, &CoreOutput::event));
      result_.changes.push_back({tick, event, 0, golden, golden + change});
    }
  }

  const CoreRun& run_;
  const CoreConfig& config_;
  CoreResult result_;
  StruckField field_;
  const CoreSite site_;
  const std::int32_t group_;
  std::map<std::pair<std::int32_t, CoreEvent>, std::int32_t> counts_;
};

class ClosedFormCoreEngine final : public CoreEngine {
 public:
  bool covers(const CoreJob& job) override { return has_closed_form(job); }
  CoreResult run(const CoreJob& job) override {
    TS_CHECK(covers(job), "closed_form computes what it has a formula for");
    return ClosedForm(job).compute();
  }
};

}  // namespace

std::unique_ptr<CoreEngine> make_closed_form_core_engine() {
  return std::make_unique<ClosedFormCoreEngine>();
}

}  // namespace tilestrike::sim
