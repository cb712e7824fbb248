// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What float and integer neurons share: one neuron followed through its ticks, and layers from
// lists of changes. `Neurons` has
//
//     Number                      of a membrane and of a current
//     State {membrane, refractory}  with ==, bit for bit
//     bool step(neuron, State&, Number current) const
//     int refractory(neuron) const             ticks without a spike after one
//     std::int64_t size() const
//     static std::int32_t spike(bool)          as Change::now has it
//     NumberFormat format() const              of a membrane's words
//     std::uint64_t word(Number) const, Number number(std::uint64_t word) const
#pragma once

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "dnn/differential/list_kernel.h"
#include "dnn/spiking/neuron_kernel.h"

namespace tilestrike::dnn {

/// `currents`: of the neuron, by tick.
template <class Neurons>
NeuronSeries follow_neuron(const Neurons& neurons, std::int64_t neuron,
                           std::span<const typename Neurons::Number> currents,
                           std::span<const MembraneStrike> strikes) {
  NeuronSeries series;
  typename Neurons::State state;
  auto next = strikes.begin();
  for (std::size_t tick = 0; tick < currents.size(); ++tick) {
    const bool fires = neurons.step(neuron, state, currents[tick]);
    for (; next != strikes.end() && next->tick == static_cast<std::int64_t>(tick); ++next) {
      const std::uint64_t before = neurons.word(state.membrane);
      const std::uint64_t after = next->fault.applied_to(before) & neurons.format().all_bits();
      state.membrane = neurons.number(after);
      if (next == strikes.begin()) {
        series.before = before;
        series.after = after;
      }
      series.changed += after != before ? 1 : 0;
    }
    series.spikes.push_back(Neurons::spike(fires));
    series.membranes.push_back(std::bit_cast<std::int32_t>(state.membrane));
  }
  return series;
}

/// Neurons whose currents differ are scanned again, from the first tick that differs until none is
/// left and their state is golden.
template <class Neurons>
class NeuronLists final : public ListKernel {
 public:
  using Number = typename Neurons::Number;
  /// Gives the neurons as the layer's constants say at the time.
  using Follow = std::function<const Neurons&(const Tape& golden)>;

  NeuronLists(Follow follow, const Layer& layer, const Tape& golden)
      : follow_(std::move(follow)),
        spikes_(NeuronKernel::spikes_of(layer)),
        currents_(NeuronKernel::currents_of(layer)),
        membranes_(NeuronKernel::membranes_of(layer)) {
    const at::Tensor& currents = golden.tensor(currents_);
    ticks_ = currents.size(0);
    places_ = currents.numel() / std::max<std::int64_t>(ticks_, 1);
  }

  double cost(const ListRun& run) const override {
    return kCostOfNeuron * std::min(1.0, run.share_of(currents_, places_));
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(currents_);
    if (changes == nullptr) {
      return;
    }
    const Neurons& neurons = follow_(run.golden);
    std::vector<Place> order;
    order.reserve(changes->size());
    for (const Change& change : *changes) {
      order.push_back({change.index % places_, change.index / places_, change.now});
    }
    std::ranges::sort(order, [](const Place& a, const Place& b) {
      return std::pair(a.place, a.tick) < std::pair(b.place, b.tick);
    });
    const Golden golden{
        run.golden_of<Number>(currents_), run.golden_of<Number>(membranes_),
        spikes_.value < 0 ? std::nullopt : std::optional(Elements(run.golden.row_major(spikes_)))};
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first;
      while (end < order.size() && order[end].place == order[first].place) {
        ++end;
      }
      scan(neurons, golden, std::span(order).subspan(first, end - first), run);
      first = end;
    }
  }

 private:
  // A neuron that is scanned alone, as a share of one among all.
  static constexpr double kCostOfNeuron = 8.0;

  /// A changed current.
  struct Place {
    std::int64_t place, tick;
    std::int32_t now;
  };
  struct Golden {
    const Number* currents;
    const Number* membranes;
    std::optional<Elements> spikes;
  };
  using State = typename Neurons::State;

  /// The golden state after a tick.
  State state_after(const Neurons& neurons, const Golden& golden, std::int64_t place,
                    std::int64_t tick) const {
    State state;
    if (tick < 0) {
      return state;
    }
    state.membrane = golden.membranes[tick * places_ + place];
    const int period = golden.spikes ? neurons.refractory(place % neurons.size()) : 0;
    for (int since = 0; since < period && since <= tick; ++since) {
      if (golden.spikes->at((tick - since) * places_ + place) != 0) {
        state.refractory = period - since;
        break;
      }
    }
    return state;
  }

  void scan(const Neurons& neurons, const Golden& golden, std::span<const Place> changes,
            ListRun& run) const {
    const std::int64_t place = changes.front().place;
    State state = state_after(neurons, golden, place, changes.front().tick - 1);
    auto next = changes.begin();
    for (std::int64_t tick = changes.front().tick; tick < ticks_; ++tick) {
      const std::int64_t index = tick * places_ + place;
      Number current = golden.currents[index];
      if (next != changes.end() && next->tick == tick) {
        current = std::bit_cast<Number>(next->now);
        ++next;
      }
      const bool fires = neurons.step(place % neurons.size(), state, current);
      give(run, golden, index, fires, std::bit_cast<std::int32_t>(state.membrane));
      if (next == changes.end() && state == state_after(neurons, golden, place, tick)) {
        return;
      }
    }
  }

  void give(ListRun& run, const Golden& golden, std::int64_t index, bool fires,
            std::int32_t membrane) const {
    const auto at = static_cast<std::uint32_t>(index);
    const std::int32_t spike = Neurons::spike(fires);
    if (golden.spikes && spike != golden.spikes->at(index)) {
      run.outputs.front().push_back({at, spike});
    }
    if (membrane != std::bit_cast<std::int32_t>(golden.membranes[index])) {
      run.outputs.back().push_back({at, membrane});
    }
  }

  Follow follow_;
  ValueId spikes_, currents_, membranes_;
  std::int64_t ticks_ = 0, places_ = 1;
};

}  // namespace tilestrike::dnn
