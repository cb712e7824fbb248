// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/core_layout.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/error.h"
#include "bridge/layout/core_blocks.h"

namespace tilestrike::bridge {
namespace {

class LayoutMaker {
 public:
  LayoutMaker(const dnn::IntegerModel& model, const sim::ChipConfig& config)
      : model_(model), core_(config.core) {}

  CoreLayout make() {
    while (layout_.first_layer < model_.layers.size() &&
           model_.layers[layout_.first_layer].is_beside_cores) {
      LayerOnCores& facts = layout_.layers.emplace_back();
      facts.name = model_.layers[layout_.first_layer++].name;
      facts.is_beside_cores = true;
    }
    check_model();
    for (std::size_t i = layout_.first_layer; i < model_.layers.size(); ++i) {
      place(i);
    }
    layout_.contents.ticks =
        static_cast<std::int32_t>(model_.settings.ticks) + layout_.levels() - 1;
    for (std::size_t i = layout_.first_layer; i + 1 < model_.layers.size(); ++i) {
      connect(i);
    }
    read_out();
    bring_inputs();
    return std::move(layout_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& cure) const {
    fail(ErrorCode::kUnsupported, what, model_.name, cure);
  }

  void check_model() const {
    const std::size_t levels = model_.layers.size() - layout_.first_layer;
    if (levels == 0) {
      refuse("no layer is on the cores",
             "encode inputs as rates, or take a network with more than "
             "one layer");
    }
    const std::int64_t most =
        (std::int64_t{1} << sim::kTickBits) - static_cast<std::int64_t>(levels);
    if (model_.settings.ticks < 1 || model_.settings.ticks > most) {
      refuse(std::to_string(model_.settings.ticks) + " ticks", "give 1 to " + std::to_string(most));
    }
    for (std::size_t i = layout_.first_layer; i < model_.layers.size(); ++i) {
      const dnn::IntegerLayer& layer = model_.layers[i];
      if (layer.is_beside_cores) {
        refuse("layer '" + layer.name + "' is computed beside the cores, behind layers on them",
               "let analogue values enter the first layer alone");
      }
      const NeuronFormat format = core_.format();
      if (layer.format.membrane_bits != format.membrane_bits ||
          layer.format.overflow != format.overflow) {
        refuse("layer '" + layer.name + "' has membranes of " +
                   std::to_string(layer.format.membrane_bits) + " bits, the core of " +
                   std::to_string(format.membrane_bits) + ", or another overflow",
               "convert the network for the core's membranes");
      }
    }
  }

  // The cores of a layer, with synapses and neurons.
  void place(std::size_t number) {
    const dnn::IntegerLayer& layer = model_.layers[number];
    std::vector<std::vector<dnn::Synapse>> synapses;
    for (std::int64_t neuron = 0; neuron < layer.size(); ++neuron) {
      synapses.push_back(dnn::synapses_of(layer, neuron));
    }
    LayerBlocks blocks = cut(layer, synapses, core_);
    LayerOnCores& facts = layout_.layers.emplace_back();
    facts.name = layer.name;
    facts.first_core = static_cast<std::int32_t>(layout_.cores.size());
    facts.cores = static_cast<std::int32_t>(blocks.neurons.size());
    facts.neurons = layer.size();
    facts.block_channels = blocks.block.channels;
    facts.block_rows = blocks.block.rows;
    facts.block_columns = blocks.block.columns;
    if (layout_.cores.size() + blocks.neurons.size() > sim::kHostCore) {
      refuse("with layer '" + layer.name + "' the network takes " +
                 std::to_string(layout_.cores.size() + blocks.neurons.size()) + " cores",
             "events can name " + std::to_string(sim::kHostCore) +
                 "; take cores with more neurons or axons");
    }
    for (std::size_t i = 0; i < blocks.neurons.size(); ++i) {
      CoreShare share{number, std::move(blocks.neurons[i]), std::move(blocks.inputs[i])};
      layout_.contents.cores.push_back(contents_of(share, synapses, facts));
      layout_.cores.push_back(std::move(share));
    }
  }

  sim::CoreContents contents_of(const CoreShare& share,
                                const std::vector<std::vector<dnn::Synapse>>& synapses,
                                LayerOnCores& facts) const {
    const dnn::IntegerLayer& layer = model_.layers[share.layer];
    const auto lanes = static_cast<std::size_t>(core_.neurons);
    sim::CoreContents contents;
    contents.synapses.resize(share.axons.size() * lanes);
    for (std::size_t lane = 0; lane < share.neurons.size(); ++lane) {
      const auto neuron = static_cast<std::size_t>(share.neurons[lane]);
      contents.neurons.push_back(layer.neurons[neuron]);
      for (const dnn::Synapse& synapse : synapses[neuron]) {
        const auto axon = static_cast<std::size_t>(
            std::ranges::lower_bound(share.axons, synapse.input) - share.axons.begin());
        contents.synapses[axon * lanes + lane] = weight_of(layer, synapse);
        ++facts.synapses;
      }
    }
    contents.first_tick = static_cast<std::int32_t>(share.layer - layout_.first_layer);
    contents.ticks = static_cast<std::int32_t>(model_.settings.ticks);
    const auto axons = static_cast<std::int64_t>(share.axons.size());
    facts.axons += axons;
    facts.synapse_bits +=
        axons * static_cast<std::int64_t>(share.neurons.size()) * sim::kSynapseBits;
    facts.all_synapse_bits += std::int64_t{core_.axons} * core_.neurons * sim::kSynapseBits;
    return contents;
  }

  std::int8_t weight_of(const dnn::IntegerLayer& layer, const dnn::Synapse& synapse) const {
    if (synapse.weight < std::numeric_limits<std::int8_t>::min() ||
        synapse.weight > std::numeric_limits<std::int8_t>::max()) {
      refuse("layer '" + layer.name + "' has a weight of " + std::to_string(synapse.weight) +
                 " where windows of a sum overlap; a synapse holds -128 to 127",
             "convert the network with a lower scale");
    }
    return static_cast<std::int8_t>(synapse.weight);
  }

  // By input of a layer, the places of its cores that need it.
  std::vector<std::vector<sim::CorePlace>> places_of(std::size_t layer, std::size_t inputs) const {
    std::vector<std::vector<sim::CorePlace>> places(inputs);
    const LayerOnCores& facts = layout_.layers[layer];
    for (std::int32_t core = facts.first_core; core < facts.first_core + facts.cores; ++core) {
      const std::vector<std::int64_t>& axons = layout_.cores[static_cast<std::size_t>(core)].axons;
      for (std::size_t axon = 0; axon < axons.size(); ++axon) {
        places[static_cast<std::size_t>(axons[axon])].push_back(
            {core, static_cast<std::int32_t>(axon)});
      }
    }
    return places;
  }

  // A spike of a layer is read by the next one in the next chip tick.
  void connect(std::size_t layer) {
    route(layer, places_of(layer + 1, static_cast<std::size_t>(model_.layers[layer].size())));
  }

  // `places`: where the spikes of a layer's neurons go.
  void route(std::size_t layer, const std::vector<std::vector<sim::CorePlace>>& places) {
    LayerOnCores& facts = layout_.layers[layer];
    for (std::int32_t core = facts.first_core; core < facts.first_core + facts.cores; ++core) {
      const CoreShare& share = layout_.cores[static_cast<std::size_t>(core)];
      sim::CoreContents& contents = layout_.contents.cores[static_cast<std::size_t>(core)];
      for (const std::int64_t neuron : share.neurons) {
        const std::vector<sim::CorePlace>& to = places[static_cast<std::size_t>(neuron)];
        contents.routes.push_back({static_cast<std::int32_t>(contents.destinations.size()),
                                   static_cast<std::int32_t>(to.size())});
        for (const sim::CorePlace& place : to) {
          contents.destinations.push_back({true, place.core, place.axon, 1});
        }
        facts.most_destinations =
            std::max(facts.most_destinations, static_cast<std::int64_t>(to.size()));
      }
      const auto all = static_cast<std::int64_t>(contents.destinations.size());
      facts.destinations += all;
      facts.fullest_table = std::max(facts.fullest_table, all);
    }
    check_table(facts);
  }

  void check_table(const LayerOnCores& facts) const {
    if (facts.fullest_table <= core_.destinations && facts.most_destinations < core_.destinations) {
      return;
    }
    constexpr std::uint64_t kMostDestinations = 16384;
    const std::uint64_t needed = std::bit_ceil(
        static_cast<std::uint64_t>(std::max(facts.fullest_table, facts.most_destinations + 1)));
    refuse("a core of layer '" + facts.name + "' needs " + std::to_string(facts.fullest_table) +
               " destinations, up to " + std::to_string(facts.most_destinations) +
               " for a neuron; its table has " + std::to_string(core_.destinations) +
               " entries, of which a route names all but one",
           needed <= kMostDestinations
               ? "give the cores " + std::to_string(needed) + " destinations"
               : "take cores with more neurons and axons, so that fewer need the same input");
  }

  void read_out() {
    const LayerOnCores& last = layout_.layers.back();
    if (model_.settings.readout == dnn::Readout::kMembrane) {
      for (std::int32_t core = last.first_core; core < last.first_core + last.cores; ++core) {
        const std::vector<std::int64_t>& neurons =
            layout_.cores[static_cast<std::size_t>(core)].neurons;
        layout_.contents.readout.push_back({core, static_cast<std::int32_t>(neurons.size())});
        layout_.outputs.insert(layout_.outputs.end(), neurons.begin(), neurons.end());
      }
      return;
    }
    if (last.neurons > 1 << sim::kAxonBits) {
      refuse("layer '" + last.name + "' has " + std::to_string(last.neurons) +
                 " outputs whose spikes the host reads",
             "an event can name " + std::to_string(1 << sim::kAxonBits));
    }
    std::vector<std::vector<sim::CorePlace>> places;
    for (std::int32_t output = 0; output < last.neurons; ++output) {
      places.push_back({{sim::kHostCore, output}});
      layout_.outputs.push_back(output);
    }
    layout_.contents.outputs = static_cast<std::int32_t>(last.neurons);
    route(layout_.layers.size() - 1, places);
  }

  void bring_inputs() {
    std::int64_t inputs = 1;
    if (layout_.first_layer > 0) {
      inputs = model_.layers[layout_.first_layer - 1].size();
    } else {
      for (const std::int64_t size : model_.input_sizes) {
        inputs *= size;
      }
    }
    layout_.contents.inputs = places_of(layout_.first_layer, static_cast<std::size_t>(inputs));
  }

  const dnn::IntegerModel& model_;
  const sim::CoreConfig& core_;
  CoreLayout layout_;
};

}  // namespace

NetworkOwner owner_in(const CoreShare& share, const sim::CoreOwner& owner) {
  const auto of = [](const std::vector<std::int64_t>& all, std::int64_t at) {
    return at >= 0 && at < std::ssize(all) ? all[static_cast<std::size_t>(at)] : -1;
  };
  NetworkOwner found{of(share.neurons, owner.neuron), of(share.axons, owner.axon)};
  found.is_empty = (owner.neuron >= 0 && found.neuron < 0) || (owner.axon >= 0 && found.input < 0);
  return found;
}

NetworkOwner owner_in(const CoreShare& share, const sim::CoreSites& sites,
                      const sim::CoreBlock& array, const CoreCell& cell) {
  NetworkOwner found = owner_in(share, sites.owner_of(site_beside(array, cell)));
  if (cell.bit >= codeword_bits(array)) {
    found.neuron = -1;
  }
  return found;
}

sim::ChipConfig chip_config(const AcceleratorConfig& accelerator) {
  return {accelerator.core, accelerator.chip.barrier, accelerator.chip.fixed_tick};
}

CoreLayout core_layout(const dnn::IntegerModel& model, const sim::ChipConfig& config) {
  return LayoutMaker(model, config).make();
}

}  // namespace tilestrike::bridge
