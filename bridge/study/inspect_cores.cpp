// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/inspect_cores.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bridge/layout/core_layout.h"
#include "bridge/study/spiking_workload.h"

namespace tilestrike::bridge {
namespace {

std::string shape_of(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> numbers;
  for (const std::int64_t size : sizes) {
    numbers.push_back(std::to_string(size));
  }
  return join(numbers, "x");
}

void add_core(const CoreLayout& layout, std::size_t core, const sim::CoreConfig& config,
              CoreLayerSummary& layer) {
  const sim::CoreContents& contents = layout.contents.cores[core];
  layer.cores.push_back(static_cast<std::int64_t>(core));
  layer.most_axons =
      std::max(layer.most_axons, static_cast<std::int64_t>(layout.cores[core].inputs.size()));
  layer.synapses +=
      std::ranges::count_if(contents.synapses, [](int weight) { return weight != 0; });
  layer.synapse_bits +=
      std::int64_t{sim::kSynapseBits} * std::int64_t{config.axons} * config.neurons;
  for (const sim::NeuronRoute& route : contents.routes) {
    layer.fan_out += route.count / static_cast<double>(layer.neurons);
    layer.most_destinations = std::max<std::int64_t>(layer.most_destinations, route.count);
  }
}

}  // namespace

CoresSummary inspect_cores(const NetworkSource& source, const AcceleratorConfig& accelerator) {
  if (!is_nir(source.model)) {
    fail(ErrorCode::kInvalidInput, "neuromorphic cores take spiking networks alone", source.model,
         "give a NIR file (NAME.nir with NAME.spiking.yaml), or an accelerator with a mesh");
  }
  NetworkSource of_cores = source;
  of_cores.neurons = accelerator.core.format();
  const dnn::IntegerModel model = integer_model(of_cores);
  const CoreLayout layout =
      core_layout(model, {accelerator.core, accelerator.chip.barrier, accelerator.chip.fixed_tick});
  CoresSummary summary;
  summary.ticks = model.settings.ticks;
  summary.chip_ticks = layout.contents.ticks;
  summary.bits_of_core = sim::CoreSites(accelerator.core).total_bits();
  summary.output_factor = model.output_factor;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    CoreLayerSummary& layer = summary.layers.emplace_back();
    layer.name = model.layers[i].name;
    layer.shape = shape_of(model.layers[i].sizes);
    layer.is_on_cores = i >= layout.first_layer;
    layer.neurons = model.layers[i].size();
    layer.note = model.layers[i].note;
    for (std::size_t core = 0; core < layout.cores.size(); ++core) {
      if (layout.cores[core].layer == i) {
        add_core(layout, core, accelerator.core, layer);
      }
    }
  }
  return summary;
}

}  // namespace tilestrike::bridge
