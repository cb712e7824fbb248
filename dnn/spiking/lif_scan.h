// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A layer of integer neurons over all ticks at once: time is a dimension of a value, ticks lead
// (docs/core.md, "The neuron").
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "base/spiking_neuron.h"

namespace tilestrike::dnn {

/// The neurons of a layer, parameter by parameter.
class LayerNeurons {
 public:
  /// Throws Failure where a parameter leaves its range, or the format is none: names the neuron.
  LayerNeurons(const NeuronFormat& format, const std::vector<NeuronParameters>& neurons);

  std::int64_t size() const { return static_cast<std::int64_t>(neurons_.size()); }
  const NeuronFormat& format() const { return format_; }
  const NeuronParameters& at(std::int64_t neuron) const {
    return neurons_[static_cast<std::size_t>(neuron)];
  }

  /// Side by side, as the scan reads them. Flags are all ones or zero.
  struct Arrays {
    std::vector<std::int32_t> threshold, bias, reset, leak, refractory;
    std::vector<std::int32_t> is_enabled, is_soft_reset, rounds_to_zero, rounds_away, holds;
  };
  const Arrays& arrays() const { return arrays_; }
  /// Whether all have one leak, one number of ticks without a spike, and the same modes.
  bool are_alike() const { return are_alike_; }

 private:
  NeuronFormat format_;
  std::vector<NeuronParameters> neurons_;
  Arrays arrays_;
  bool are_alike_ = false;
};

struct Scanned {
  at::Tensor spikes;                // int8, 0 or 1, of the shape of the currents
  at::Tensor membranes;             // int32, after each tick's update; undefined unless asked for
  at::Tensor membrane, refractory;  // int32 (images, neurons...): after the last tick
};

/// What neurons keep from tick to tick, (images, neurons...); undefined: zero, as at the start.
struct ScanState {
  at::Tensor membrane;    // as the layer's membranes are
  at::Tensor refractory;  // int32; of integer neurons
};

/// `currents`: int32 (ticks, images, neurons...) on the host, whose neurons are those of the layer,
/// row-major: the sums of the weights of the spikes that have come, of which kCurrentBits count, as
/// accumulators have them. Each tick is step_neuron, bit for bit. Throws Failure for another type,
/// device or number of neurons.
Scanned lif_scan(const at::Tensor& currents, const LayerNeurons& neurons,
                 bool wants_membranes = false, const ScanState& start = {});

}  // namespace tilestrike::dnn
