// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Prints what a NIR file is imported as, in JSON, for tests in Python: ts_show_nir FILE.nir
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dnn/nir/nir_import.h"

namespace tilestrike::dnn {
namespace {

constexpr const char* kSynapses[] = {"linear", "conv2d", "sum", "average", "flatten"};
constexpr const char* kNeurons[] = {"LIF", "IF", "LI"};

nlohmann::json json_of(const SynapseStep& step) {
  return {{"kind", kSynapses[static_cast<int>(step.kind)]},
          {"name", step.name},
          {"input_sizes", step.input_sizes},
          {"output_sizes", step.output_sizes},
          {"weight_sizes", step.weight_sizes},
          {"weights", step.weights},
          {"bias", step.bias},
          {"window", step.window},
          {"stride", step.stride},
          {"dilation", step.dilation},
          {"padding_before", step.padding_before},
          {"padding_after", step.padding_after},
          {"groups", step.groups}};
}

nlohmann::json json_of(const FloatNeurons& neurons) {
  return {{"kind", kNeurons[static_cast<int>(neurons.kind)]},
          {"name", neurons.name},
          {"sizes", neurons.sizes},
          {"tau", neurons.tau},
          {"r", neurons.r},
          {"v_leak", neurons.v_leak},
          {"v_threshold", neurons.v_threshold},
          {"v_reset", neurons.v_reset}};
}

nlohmann::json json_of(const SpikingModel& model) {
  nlohmann::json layers = nlohmann::json::array();
  for (const SpikingLayer& layer : model.layers) {
    nlohmann::json steps = nlohmann::json::array();
    for (const SynapseStep& step : layer.synapses) {
      steps.push_back(json_of(step));
    }
    layers.push_back({{"synapses", steps}, {"neurons", json_of(layer.neurons)}});
  }
  return {
      {"input_sizes", model.input_sizes}, {"layers", layers}, {"output_sizes", model.output_sizes}};
}

}  // namespace
}  // namespace tilestrike::dnn

int main(int count, char** words) {
  using namespace tilestrike;
  try {
    if (count != 2) {
      fail(ErrorCode::kInvalidInput, "one file is to be named", "ts_show_nir",
           "usage: ts_show_nir FILE.nir");
    }
    std::cout << dnn::json_of(dnn::import_nir(words[1])) << '\n';
    return 0;
  } catch (const Failure& failure) {
    std::cerr << failure.what() << '\n';
    return failure.exit_code();
  }
}
