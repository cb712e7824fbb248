// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/core_layout.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

using Block = std::array<std::int64_t, 3>;  // channels, rows, columns

/// A layer's neurons as channels x rows x columns, with their synapses.
class LayerMap {
 public:
  explicit LayerMap(const dnn::IntegerLayer& layer) : layer_(layer) {
    const std::vector<std::int64_t>& sizes = layer.sizes;
    if (sizes.size() == 3) {
      sizes_ = {sizes[0], sizes[1], sizes[2]};
    } else {
      sizes_ = {layer.size(), 1, 1};
    }
    for (std::int64_t neuron = 0; neuron < layer.size(); ++neuron) {
      synapses_.push_back(dnn::synapses_of(layer, neuron));
    }
  }

  const Block& sizes() const { return sizes_; }
  const std::vector<dnn::Synapse>& synapses(std::int64_t neuron) const {
    return synapses_[static_cast<std::size_t>(neuron)];
  }

  /// The neurons of each block of such sizes.
  std::vector<std::vector<std::int64_t>> cut(const Block& block) const {
    std::vector<std::vector<std::int64_t>> all;
    Block first{};
    for (first[0] = 0; first[0] < sizes_[0]; first[0] += block[0]) {
      for (first[1] = 0; first[1] < sizes_[1]; first[1] += block[1]) {
        for (first[2] = 0; first[2] < sizes_[2]; first[2] += block[2]) {
          all.push_back(neurons_from(first, block));
        }
      }
    }
    return all;
  }

  std::vector<std::int64_t> inputs_of(const std::vector<std::int64_t>& neurons) const {
    std::vector<std::int64_t> inputs;
    for (const std::int64_t neuron : neurons) {
      for (const dnn::Synapse& synapse : synapses(neuron)) {
        inputs.push_back(synapse.input);
      }
    }
    std::ranges::sort(inputs);
    const auto rest = std::ranges::unique(inputs);
    inputs.erase(rest.begin(), rest.end());
    return inputs;
  }

  bool fits(const Block& block, const sim::CoreConfig& core) const {
    return block[0] * block[1] * block[2] <= core.neurons &&
           std::ranges::all_of(cut(block), [&](const std::vector<std::int64_t>& neurons) {
             return static_cast<int>(inputs_of(neurons).size()) <= core.axons;
           });
  }

  /// The block of the rule.
  Block block_for(const sim::CoreConfig& core) const {
    Block block{std::min<std::int64_t>(sizes_[0], core.neurons), 1, 1};
    while (block[0] > 1 && !fits(block, core)) {
      --block[0];
    }
    check_one(block, core);
    for (bool has_grown = true; has_grown;) {
      has_grown = false;
      for (const std::size_t way : {std::size_t{2}, std::size_t{1}}) {
        Block larger = block;
        ++larger[way];
        if (larger[way] <= sizes_[way] && fits(larger, core)) {
          block = larger;
          has_grown = true;
        }
      }
    }
    return block;
  }

 private:
  std::vector<std::int64_t> neurons_from(const Block& first, const Block& block) const {
    std::vector<std::int64_t> neurons;
    const auto end = [&](std::size_t way) {
      return std::min(first[way] + block[way], sizes_[way]);
    };
    for (std::int64_t c = first[0]; c < end(0); ++c) {
      for (std::int64_t row = first[1]; row < end(1); ++row) {
        for (std::int64_t column = first[2]; column < end(2); ++column) {
          neurons.push_back((c * sizes_[1] + row) * sizes_[2] + column);
        }
      }
    }
    return neurons;
  }

  void check_one(const Block& block, const sim::CoreConfig& core) const {
    if (fits(block, core)) {
      return;
    }
    std::size_t most = 0;
    for (const auto& synapses : synapses_) {
      most = std::max(most, synapses.size());
    }
    fail(ErrorCode::kUnsupported,
         "layer '" + layer_.name + "': a neuron has " + std::to_string(most) +
             " inputs, and a core " + std::to_string(core.axons) + " axons",
         "accelerator.core",
         "take a core with more axons: no partial sum crosses cores, so a layer is split by its "
         "neurons alone");
  }

  const dnn::IntegerLayer& layer_;
  Block sizes_{};
  std::vector<std::vector<dnn::Synapse>> synapses_;
};

class Layouter {
 public:
  Layouter(const dnn::IntegerModel& model, const sim::ChipConfig& chip)
      : model_(model), core_(chip.core) {}

  CoreLayout make() {
    while (layout_.first_layer < model_.layers.size() &&
           model_.layers[layout_.first_layer].is_beside_cores) {
      ++layout_.first_layer;
    }
    const std::size_t levels = model_.layers.size() - layout_.first_layer;
    if (levels == 0) {
      fail(ErrorCode::kUnsupported, "no layer of the network is on cores: all are fed by numbers",
           model_.name, "write 'encode: rate', or take a network of more layers");
    }
    layout_.contents.ticks =
        static_cast<std::int32_t>(model_.settings.ticks + static_cast<std::int64_t>(levels) - 1);
    for (std::size_t layer = layout_.first_layer; layer < model_.layers.size(); ++layer) {
      add_layer(layer);
    }
    for (std::size_t core = 0; core < layout_.cores.size(); ++core) {
      add_routes(core);
    }
    add_readout();
    return std::move(layout_);
  }

 private:
  void add_layer(std::size_t number) {
    const dnn::IntegerLayer& layer = model_.layers[number];
    const LayerMap map(layer);
    readers_.emplace_back();
    for (std::vector<std::int64_t>& neurons : map.cut(map.block_for(core_))) {
      CoreSlice slice{number, std::move(neurons), {}};
      slice.inputs = map.inputs_of(slice.neurons);
      add_core(layer, map, std::move(slice));
    }
  }

  void add_core(const dnn::IntegerLayer& layer, const LayerMap& map, CoreSlice slice) {
    const auto core = static_cast<std::int32_t>(layout_.cores.size());
    if (core >= sim::kHostCore) {
      fail(ErrorCode::kUnsupported,
           "the network takes more than " + std::to_string(sim::kHostCore) + " cores",
           "accelerator.core", "take larger cores");
    }
    sim::CoreContents contents;
    contents.first_tick = static_cast<std::int32_t>(slice.layer - layout_.first_layer);
    contents.ticks = static_cast<std::int32_t>(model_.settings.ticks);
    contents.synapses.resize(slice.inputs.size() * static_cast<std::size_t>(core_.neurons));
    for (std::size_t axon = 0; axon < slice.inputs.size(); ++axon) {
      readers_.back()[slice.inputs[axon]].push_back({core, static_cast<std::int32_t>(axon)});
    }
    for (std::size_t lane = 0; lane < slice.neurons.size(); ++lane) {
      const std::int64_t neuron = slice.neurons[lane];
      contents.neurons.push_back(layer.neurons[static_cast<std::size_t>(neuron)]);
      for (const dnn::Synapse& synapse : map.synapses(neuron)) {
        const auto axon = static_cast<std::size_t>(
            std::ranges::lower_bound(slice.inputs, synapse.input) - slice.inputs.begin());
        contents.synapses[axon * static_cast<std::size_t>(core_.neurons) + lane] =
            weight_of(synapse, layer);
      }
    }
    layout_.contents.cores.push_back(std::move(contents));
    layout_.cores.push_back(std::move(slice));
  }

  static std::int8_t weight_of(const dnn::Synapse& synapse, const dnn::IntegerLayer& layer) {
    if (synapse.weight < std::numeric_limits<std::int8_t>::min() ||
        synapse.weight > std::numeric_limits<std::int8_t>::max()) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer.name + "': a synapse has the weight " +
               std::to_string(synapse.weight) + ", which int8 does not hold",
           "model", "let the windows of its pooling not overlap");
    }
    return static_cast<std::int8_t>(synapse.weight);
  }

  /// Where the spikes of a core's neurons go: to every core that reads them, or to the host.
  void add_routes(std::size_t core) {
    const CoreSlice& slice = layout_.cores[core];
    sim::CoreContents& contents = layout_.contents.cores[core];
    const std::size_t level = slice.layer - layout_.first_layer;
    const bool is_last = slice.layer + 1 == model_.layers.size();
    for (const std::int64_t neuron : slice.neurons) {
      sim::NeuronRoute route{static_cast<std::int32_t>(contents.destinations.size()), 0};
      if (is_last && model_.settings.readout != dnn::Readout::kMembrane) {
        contents.destinations.push_back(
            {true, sim::kHostCore, static_cast<std::int32_t>(neuron), 1});
      }
      if (!is_last) {
        const auto found = readers_[level + 1].find(neuron);
        if (found != readers_[level + 1].end()) {
          for (const sim::CorePlace& place : found->second) {
            contents.destinations.push_back({true, place.core, place.axon, 1});
          }
        }
      }
      route.count = static_cast<std::int32_t>(contents.destinations.size()) - route.first;
      contents.routes.push_back(route.count == 0 ? sim::NeuronRoute{} : route);
    }
    check_table(contents, model_.layers[slice.layer].name);
  }

  /// A count has as many bits as an index.
  void check_table(const sim::CoreContents& contents, const std::string& layer) const {
    const auto has = contents.destinations.size();
    const auto most = std::ranges::max_element(contents.routes, {}, &sim::NeuronRoute::count);
    if (has > static_cast<std::size_t>(core_.destinations) || most->count >= core_.destinations) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer + "': the spikes of a core go to " + std::to_string(has) +
               " places, and its table holds " + std::to_string(core_.destinations),
           "accelerator.core.destinations", "raise it, to a power of two");
    }
  }

  void add_readout() {
    layout_.contents.inputs.resize(inputs_of_chip());
    for (const auto& [input, places] : readers_.front()) {
      layout_.contents.inputs[static_cast<std::size_t>(input)] = places;
    }
    const bool is_membrane = model_.settings.readout == dnn::Readout::kMembrane;
    if (!is_membrane) {
      layout_.contents.outputs = static_cast<std::int32_t>(model_.layers.back().size());
      if (layout_.contents.outputs > (1 << sim::kAxonBits)) {
        fail(ErrorCode::kUnsupported, "the last layer has more neurons than an event can name",
             model_.name, "use 'readout: membrane', or at most 1024 outputs");
      }
      return;
    }
    for (std::size_t core = 0; core < layout_.cores.size(); ++core) {
      const CoreSlice& slice = layout_.cores[core];
      if (slice.layer + 1 == model_.layers.size()) {
        layout_.contents.readout.push_back(
            {static_cast<std::int32_t>(core), static_cast<std::int32_t>(slice.neurons.size())});
        layout_.outputs.insert(layout_.outputs.end(), slice.neurons.begin(), slice.neurons.end());
      }
    }
  }

  std::size_t inputs_of_chip() const {
    if (layout_.first_layer > 0) {
      return static_cast<std::size_t>(model_.layers[layout_.first_layer - 1].size());
    }
    std::int64_t all = 1;
    for (const std::int64_t size : model_.input_sizes) {
      all *= size;
    }
    return static_cast<std::size_t>(all);
  }

  const dnn::IntegerModel& model_;
  const sim::CoreConfig& core_;
  CoreLayout layout_;
  /// By level: who reads each input of its layer.
  std::vector<std::map<std::int64_t, std::vector<sim::CorePlace>>> readers_;
};

}  // namespace

CoreLayout core_layout(const dnn::IntegerModel& model, const sim::ChipConfig& chip) {
  return Layouter(model, chip).make();
}

}  // namespace tilestrike::bridge
