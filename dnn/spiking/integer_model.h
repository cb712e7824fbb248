// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A spiking network in integers: int8 synapses and the integer neuron, as the cores compute it
// (docs/core.md, "The neuron"). No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/spiking_neuron.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// A layer whose currents are int8 weights times spikes: pooling before the weights sums spikes,
/// and what an average divides by is in the weights.
struct IntegerLayer {
  std::string name;  // of its neurons' node
  /// Of the float model's, in their order: flatten and sums (kSumPool2d alone), at most one step
  /// with weights, which is the last but for flatten. Their float weights are empty.
  std::vector<SynapseStep> synapses;
  std::vector<std::int8_t> weights;  // of that step, row-major
  Sizes sizes;                       // of its neurons
  std::vector<NeuronParameters> neurons;
  NeuronFormat format;
  /// Integers per unit of the float membrane: V = scale * v.
  double scale = 1.0;
  /// Float synapses and inputs: the layer is computed beside the cores (constant currents); then
  /// `currents` = scale * float currents, rounded to the nearest, ties to even.
  bool is_beside_cores = false;
  std::vector<SynapseStep> float_synapses;  // of such a layer, gain folded in; else empty
  std::string note;                         // for people: lowered scales, the error of tau, ...

  std::int64_t size() const { return static_cast<std::int64_t>(neurons.size()); }
};

struct IntegerModel {
  std::string name;
  Sizes input_sizes;
  std::vector<IntegerLayer> layers;
  Sizes output_sizes;
  SpikingSettings settings;
  /// What the answer is multiplied by to become logits: 1 / (S T) of a membrane, else 1 / T.
  double output_factor = 1.0;
};

struct ConversionOptions {
  int membrane_bits = 24;
  NeuronOverflow overflow = NeuronOverflow::kWrap;
};

/// Float to integer: the scale of a layer is 127 / max|weight|, gains and pooling folded in, and
/// lower where a threshold, bias, reset or the readout's bound does not fit; `note` says so.
/// Throws Failure, which names the layer and the cure: no weight that can be held, a threshold
/// below 0, two steps with weights and no neurons between them, ... A threshold of 0 or more is at
/// least 1 in integers, whatever the scale.
IntegerModel to_integer(const SpikingModel& model, const ConversionOptions& options = {});

/// A synapse of one neuron: the index of its input, row-major in the layer's input, and its weight.
struct Synapse {
  std::int64_t input = 0;
  std::int32_t weight = 0;
};

/// All synapses of a neuron of a layer that is on the cores, sums folded in, by input, each once,
/// zeros left out. A weight may leave int8 only where windows of a sum overlap; to_integer() has
/// lowered the scale so that none does.
std::vector<Synapse> synapses_of(const IntegerLayer& layer, std::int64_t neuron);

}  // namespace tilestrike::dnn
