// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A spiking network in numbers, before any tensor: what a NIR file and its side file hold, as a
// straight line of layers (docs/spiking.md). No LibTorch in this header.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tilestrike::dnn {

using Sizes = std::vector<std::int64_t>;

/// Elements of a value of these sizes.
inline std::int64_t count_of(const Sizes& sizes) {
  std::int64_t all = 1;
  for (const std::int64_t size : sizes) {
    all *= size;
  }
  return all;
}

/// What lies between the spikes of one layer, or the input, and the currents of the next.
enum class SynapseKind : std::uint8_t {
  kLinear,
  kConv2d,
  kSumPool2d,
  kAveragePool2d,
  kFlatten,
};

/// One node of synapses. Sizes are without ticks and images.
struct SynapseStep {
  SynapseKind kind = SynapseKind::kLinear;
  std::string name;   // of its node
  Sizes input_sizes;  // linear: the last one is summed over
  Sizes output_sizes;
  // Of linear (out, in) and conv2d (out, in / groups, height, width), row-major:
  Sizes weight_sizes;
  std::vector<float> weights;
  std::vector<float> bias;  // one per output (channel); empty: none
  // Of conv2d and pooling; height, width:
  std::array<std::int64_t, 2> window{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 2> padding_before{0, 0};  // top, left
  std::array<std::int64_t, 2> padding_after{0, 0};   // bottom, right
  std::int64_t groups = 1;

  bool has_weights() const { return kind == SynapseKind::kLinear || kind == SynapseKind::kConv2d; }
};

enum class NeuronKind : std::uint8_t {
  kLif,  // leaky integrate and fire
  kIf,   // without a leak
  kLi,   // leaky, never fires: a readout
};

/// The neurons of a layer; each list has one number per neuron, row-major in `sizes`.
struct FloatNeurons {
  NeuronKind kind = NeuronKind::kLif;
  std::string name;  // of its node
  Sizes sizes;
  std::vector<float> tau;  // seconds; empty for kIf
  std::vector<float> r;
  std::vector<float> v_leak;       // empty for kIf
  std::vector<float> v_threshold;  // empty for kLi
  std::vector<float> v_reset;      // empty for kLi

  std::int64_t size() const { return count_of(sizes); }
};

/// Synapses in their order, then the neurons that they feed.
struct SpikingLayer {
  std::vector<SynapseStep> synapses;
  FloatNeurons neurons;
};

/// What an incoming spike of weight w is to an integrate-and-fire neuron.
enum class SpikeAs : std::uint8_t {
  kCharge,   // it moves the membrane by r w
  kCurrent,  // a current w that flows for one tick: it moves the membrane by r w dt
};

enum class ResetKind : std::uint8_t {
  kHard,  // the membrane takes v_reset
  kSoft,  // the threshold is subtracted
};

/// How an input number x in [0, 1] becomes T ticks.
enum class Encoding : std::uint8_t {
  kRate,      // floor(x T + 1/2) spikes, evenly spaced; no random numbers
  kConstant,  // the number itself in each tick: the first layer is computed beside the cores
};

/// What of the last layer is the answer.
enum class Readout : std::uint8_t {
  kMembrane,    // of neurons that neither fire nor leak, after the last tick, divided by T
  kCount,       // spikes, divided by T
  kFirstSpike,  // (T - first tick with a spike) / T; 0: there was none
};

/// What a NIR file does not hold: the side file NAME.spiking.yaml.
struct SpikingSettings {
  std::int64_t ticks = 0;  // T
  double dt = 0.0;         // seconds
  SpikeAs spike_as = SpikeAs::kCharge;
  ResetKind reset = ResetKind::kHard;
  Encoding encode = Encoding::kRate;
  Readout readout = Readout::kMembrane;
};

struct SpikingModel {
  std::string name;
  Sizes input_sizes;  // without ticks and images
  std::vector<SpikingLayer> layers;
  /// After the last neurons, without weights (flatten); the answer's shape.
  Sizes output_sizes;
  SpikingSettings settings;
};

}  // namespace tilestrike::dnn
