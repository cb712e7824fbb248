// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/fed_core.h"

#include <algorithm>

namespace tilestrike::sim {

// What the changed axons add to, or take from, the golden sums.
void FedCore::add_currents(std::int32_t tick, std::span<const std::int32_t> axons) {
  const std::vector<std::int8_t>& synapses = core().contents().synapses;
  const std::vector<std::int32_t>& pending = core().tick(tick).pending;
  const auto neurons = static_cast<std::size_t>(core().config().neurons);
  currents_.assign(neurons, 0);
  pending_ = 0;
  for (const std::int32_t axon : axons) {
    const std::int32_t sign = std::ranges::binary_search(pending, axon) ? -1 : 1;
    pending_ += sign;
    const std::size_t first = static_cast<std::size_t>(axon) * neurons;
    const std::size_t rest = std::max(synapses.size(), first) - first;
    for (std::size_t i = 0; i < std::min(neurons, rest); ++i) {
      currents_[i] += sign * synapses[first + i];
    }
  }
}

// What a neuron holds until the next tick in which the core works.
NeuronState FedCore::golden_after(std::int32_t tick, std::int32_t neuron) const {
  do {
    ++tick;
  } while (tick < run_.ticks() && !core().works_in(tick));
  const std::vector<NeuronState>& states =
      tick < run_.ticks() ? core().tick(tick).before : core().end();
  return states[static_cast<std::size_t>(neuron)];
}

FedTick FedCore::compute(std::int32_t tick, std::span<const std::int32_t> axons) {
  const GoldenTick& golden = core().tick(tick);
  const std::vector<std::int32_t>& currents = run_.currents(core_, tick);
  add_currents(tick, axons);
  std::map<std::int32_t, NeuronState> after;
  FedTick fed;
  std::int64_t fired = 0, events = 0;  // faulty less golden
  auto state = states_.begin();
  for (std::int32_t neuron = 0; neuron < core().config().neurons; ++neuron) {
    const auto index = static_cast<std::size_t>(neuron);
    const bool has_state = state != states_.end() && state->first == neuron;
    if (!has_state && currents_[index] == 0) {
      continue;
    }
    const NeuronState before = has_state ? (state++)->second : golden.before[index];
    const NeuronStep step =
        step_neuron(core().neuron(neuron), core().config().format(), before,
                    sign_extended(currents[index] + currents_[index], kCurrentBits));
    if (step.fires != std::ranges::binary_search(golden.fired, neuron)) {
      fed.changed.push_back(neuron);
      fired += step.fires ? 1 : -1;
      events += step.fires ? core().route(neuron).count : -core().route(neuron).count;
    }
    const NeuronState was = golden_after(tick, neuron);
    if (step.state.membrane != was.membrane || step.state.refractory != was.refractory) {
      after.emplace_hint(after.end(), neuron, step.state);
    }
  }
  states_ = std::move(after);
  fed.is_retimed = pending_ != 0 || !fed.changed.empty();
  fed.own = golden.own + core().config().tick_cycles(pending_, fired, events) -
            core().config().tick_cycles(0, 0, 0);
  return fed;
}

std::vector<std::int32_t> FedCore::readout() const {
  std::vector<std::int32_t> membranes = core().readout();
  for (const auto& [neuron, state] : states_) {
    if (neuron < static_cast<std::int32_t>(membranes.size())) {
      membranes[static_cast<std::size_t>(neuron)] = state.membrane;
    }
  }
  return membranes;
}

}  // namespace tilestrike::sim
