// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Spiking networks in numbers, made up for tests.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

inline std::vector<float> random_floats(std::size_t count, double least, double most,
                                        std::mt19937& random) {
  std::uniform_real_distribution<double> any(least, most);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = static_cast<float>(any(random));
  }
  return numbers;
}

inline SynapseStep linear_step(std::int64_t inputs, std::int64_t outputs,
                               std::vector<float> weights, std::vector<float> bias = {}) {
  SynapseStep step;
  step.kind = SynapseKind::kLinear;
  step.name = "fc";
  step.input_sizes = {inputs};
  step.output_sizes = {outputs};
  step.weight_sizes = {outputs, inputs};
  step.weights = std::move(weights);
  step.bias = std::move(bias);
  return step;
}

/// Sizes of what a window gives; its other members are set.
inline SynapseStep slid(SynapseStep step, std::int64_t channels) {
  step.output_sizes = {channels};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t padded =
        step.input_sizes[i + 1] + step.padding_before[i] + step.padding_after[i];
    step.output_sizes.push_back(
        (padded - step.dilation[i] * (step.window[i] - 1) - 1) / step.stride[i] + 1);
  }
  return step;
}

inline SynapseStep pool_step(SynapseKind kind, Sizes sizes, std::int64_t window,
                             std::int64_t stride, std::int64_t padding = 0) {
  SynapseStep step;
  step.kind = kind;
  step.name = "pool";
  step.input_sizes = std::move(sizes);
  step.window = {window, window};
  step.stride = {stride, stride};
  step.padding_before = step.padding_after = {padding, padding};
  return slid(step, step.input_sizes[0]);
}

inline SynapseStep flatten_step(const Sizes& sizes) {
  SynapseStep step;
  step.kind = SynapseKind::kFlatten;
  step.name = "flat";
  step.input_sizes = sizes;
  step.output_sizes = {1};
  for (const std::int64_t size : sizes) {
    step.output_sizes[0] *= size;
  }
  return step;
}

inline FloatNeurons neurons_like(NeuronKind kind, Sizes sizes, float tau = 0.01F,
                                 float threshold = 1.0F) {
  FloatNeurons neurons;
  neurons.kind = kind;
  neurons.name = "n";
  neurons.sizes = std::move(sizes);
  const auto count = static_cast<std::size_t>(neurons.size());
  neurons.r.assign(count, 1.0F);
  if (kind != NeuronKind::kIf) {
    neurons.tau.assign(count, tau);
    neurons.v_leak.assign(count, 0.0F);
  }
  if (kind != NeuronKind::kLi) {
    neurons.v_threshold.assign(count, threshold);
    neurons.v_reset.assign(count, 0.0F);
  }
  return neurons;
}

inline SpikingModel model_of(std::vector<SpikingLayer> layers, Readout readout = Readout::kCount) {
  SpikingModel model;
  model.name = "net";
  model.input_sizes = layers.front().synapses.front().input_sizes;
  model.output_sizes = layers.back().neurons.sizes;
  model.layers = std::move(layers);
  model.settings.ticks = 16;
  model.settings.dt = 0.001;
  model.settings.readout = readout;
  return model;
}

}  // namespace tilestrike::dnn
