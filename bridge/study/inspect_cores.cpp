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

}  // namespace

CoresSummary inspect_cores(const NetworkSource& source, const AcceleratorConfig& accelerator) {
  const dnn::IntegerModel model = model_on_cores(source, accelerator);
  const CoreLayout layout = core_layout(model, chip_config(accelerator));
  CoresSummary summary;
  summary.ticks = model.settings.ticks;
  summary.chip_ticks = layout.contents.ticks;
  summary.bits_of_core = sim::CoreSites(accelerator.core).total_bits();
  summary.output_factor = model.output_factor;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const LayerOnCores& found = layout.layers[i];
    CoreLayerSummary& layer = summary.layers.emplace_back();
    layer.name = found.name;
    layer.shape = shape_of(model.layers[i].sizes);
    layer.is_on_cores = !found.is_beside_cores;
    layer.neurons = model.layers[i].size();
    layer.note = model.layers[i].note;
    layer.synapses = found.synapses;
    layer.synapse_bits = found.all_synapse_bits;
    layer.used_synapse_bits = found.synapse_bits;
    layer.fan_out = static_cast<double>(found.destinations) / static_cast<double>(layer.neurons);
    layer.most_destinations = found.most_destinations;
    for (std::int32_t core = 0; core < found.cores; ++core) {
      const auto number = static_cast<std::size_t>(found.first_core + core);
      layer.cores.push_back(static_cast<std::int64_t>(number));
      layer.most_axons = std::max(layer.most_axons, std::ssize(layout.cores[number].axons));
    }
  }
  return summary;
}

}  // namespace tilestrike::bridge
