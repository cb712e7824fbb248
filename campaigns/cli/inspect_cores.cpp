// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/inspect_cores.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "campaigns/cli/commands.h"

namespace tilestrike::campaigns::cli {
namespace {

/// "0-3", of numbers in a row.
std::string cores_text(const std::vector<std::int64_t>& cores) {
  return cores.empty()       ? "-"
         : cores.size() == 1 ? std::to_string(cores.front())
                             : fmt::format("{}-{}", cores.front(), cores.back());
}

double used_synapses(const bridge::CoreLayerSummary& layer) {
  return layer.synapse_bits == 0 ? 0.0
                                 : static_cast<double>(layer.used_synapse_bits) /
                                       static_cast<double>(layer.synapse_bits);
}

}  // namespace

std::string text_of_cores(const bridge::CoresSummary& summary,
                          const bridge::AcceleratorConfig& accelerator) {
  std::vector<std::vector<std::string>> rows = {{"layer", "neurons", "shape", "cores", "number",
                                                 "axons used", "synapses", "synapse bits used",
                                                 "destinations", "note"}};
  std::size_t cores = 0;
  std::vector<std::string> beside;
  for (const bridge::CoreLayerSummary& layer : summary.layers) {
    const auto on_cores = [&](std::string text) { return layer.is_on_cores ? text : "-"; };
    rows.push_back(
        {layer.name, std::to_string(layer.neurons), layer.shape, cores_text(layer.cores),
         on_cores(std::to_string(layer.cores.size())),
         on_cores(fmt::format("{} of {}", layer.most_axons, accelerator.core.axons)),
         on_cores(std::to_string(layer.synapses)),
         on_cores(fmt::format("{:.1f} %", 100.0 * used_synapses(layer))),
         on_cores(fmt::format("{:.2g}, at most {}", layer.fan_out, layer.most_destinations)),
         layer.note});
    cores += layer.cores.size();
    if (!layer.is_on_cores) {
      beside.push_back(layer.name);
    }
  }
  return table_of(rows) +
         fmt::format(
             "\n{}: {} cores of {} axons x {} neurons, {} bits each; {} ticks of the network, {} "
             "of the chip; logits are the answer times {:.6g}\nnot on cores: {}\n",
             accelerator.name, cores, accelerator.core.axons, accelerator.core.neurons,
             summary.bits_of_core, summary.ticks, summary.chip_ticks, summary.output_factor,
             beside.empty() ? "nothing" : join(beside, ", "));
}

std::string json_of_cores(const bridge::CoresSummary& summary) {
  nlohmann::ordered_json json = {{"ticks", summary.ticks},
                                 {"chip_ticks", summary.chip_ticks},
                                 {"bits_of_core", summary.bits_of_core},
                                 {"output_factor", summary.output_factor},
                                 {"layers", nlohmann::ordered_json::array()}};
  for (const bridge::CoreLayerSummary& layer : summary.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"neurons", layer.neurons},
                              {"shape", layer.shape},
                              {"is_on_cores", layer.is_on_cores},
                              {"cores", layer.cores},
                              {"most_axons", layer.most_axons},
                              {"synapses", layer.synapses},
                              {"used_synapse_bits", layer.used_synapse_bits},
                              {"synapse_bits", layer.synapse_bits},
                              {"destinations", layer.fan_out},
                              {"most_destinations", layer.most_destinations},
                              {"note", layer.note}});
  }
  return json.dump(2) + "\n";
}

}  // namespace tilestrike::campaigns::cli
