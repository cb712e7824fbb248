// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/tick_executor.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include "base/error.h"

namespace tilestrike::dnn {

TickExecutor::TickExecutor(const Network& network)
    : network_(network), places_(places_of(network)) {
  if (!places_.is_spiking()) {
    fail(ErrorCode::kUnsupported, "the network '" + network.name + "' has no ticks", {},
         "give a spiking network");
  }
}

bool TickExecutor::is_in_ticks(std::size_t layer) const {
  const ValueId output = network_.layers[layer].outputs.front();
  return layer > places_.first_tick_layer && network_.info(output).sizes.front() >= 0;
}

Tape TickExecutor::record(const Inputs& images, const Hook& hook) const {
  const c10::InferenceMode no_gradients;
  Tape tape(network_.constants, network_.layers.size());
  Values& values = tape.values;
  values[network_.inputs.front().value] = images.to(network_.device).tensors().front();
  for (std::size_t i = 0; i <= places_.first_tick_layer; ++i) {
    network_.layers[i].kernel->run(network_.layers[i], values);
  }
  std::vector<ScanState> states(network_.layers.size());
  std::vector<std::vector<at::Tensor>> by_tick(network_.values.size());
  for (std::int64_t tick = 0; tick < places_.ticks; ++tick) {
    Values now = network_.constants;
    now[places_.encoded.value] = tape.tensor(places_.encoded).narrow(0, tick, 1);
    for (std::size_t i = places_.first_tick_layer + 1; i < network_.layers.size(); ++i) {
      if (!is_in_ticks(i)) {
        continue;
      }
      const Layer& layer = network_.layers[i];
      const NeuronKernel* neurons = neuron_kernel(layer);
      if (neurons != nullptr) {
        neurons->run_from(layer, now, states[i]);
      } else {
        layer.kernel->run(layer, now);
      }
      if (hook) {
        hook(tick, i, now, neurons == nullptr ? nullptr : &states[i]);
      }
      for (const ValueId id : layer.outputs) {
        by_tick[static_cast<std::size_t>(id.value)].push_back(now[id.value].toTensor());
      }
    }
  }
  for (std::size_t id = 0; id < by_tick.size(); ++id) {
    if (!by_tick[id].empty()) {
      values[id] = at::cat(by_tick[id]);
    }
  }
  for (std::size_t i = places_.first_tick_layer + 1; i < network_.layers.size(); ++i) {
    if (!is_in_ticks(i)) {
      network_.layers[i].kernel->run(network_.layers[i], values);
    }
  }
  return tape;
}

}  // namespace tilestrike::dnn
