// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/struck_neurons.h"

#include <map>

#include "base/error.h"

namespace tilestrike::dnn {

std::vector<StruckNeuron> strike_membranes(const Layer& layer, const Values& values,
                                           std::int64_t row, std::span<const WordFault> faults) {
  const NeuronKernel* kernel = neuron_kernel(layer);
  TS_CHECK(kernel != nullptr, "membranes belong to a layer of neurons: " + layer.name);
  const at::Tensor& currents =
      values[static_cast<std::size_t>(NeuronKernel::currents_of(layer).value)].toTensor();
  const std::int64_t places = currents.numel() / currents.size(0);
  const std::int64_t neurons = places / currents.size(1);
  std::map<std::int64_t, std::vector<MembraneStrike>> by_neuron;
  for (const WordFault& fault : faults) {
    const auto word = static_cast<std::int64_t>(fault.word);
    by_neuron[word % neurons].push_back({word / neurons, fault});
  }
  std::vector<StruckNeuron> struck;
  for (const auto& [neuron, strikes] : by_neuron) {
    const std::int64_t place = row * neurons + neuron;
    struck.push_back({place, places, kernel->series_of(layer, values, place, strikes)});
  }
  return struck;
}

}  // namespace tilestrike::dnn
