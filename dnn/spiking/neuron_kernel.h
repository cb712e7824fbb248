// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers of neurons: currents of all ticks in, spikes and membranes of all ticks out. A layer's
// first input is its currents (ticks, images, neurons...); the others are constants, one number per
// neuron. Its last output is the membranes, each after the update of its tick; the one before it
// the spikes, which neurons that never fire do not have.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/number_format.h"
#include "base/spiking_neuron.h"
#include "dnn/network.h"
#include "dnn/spiking/lif_scan.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// A word of a membrane that is struck after the update of a tick: the spike of that tick stays,
/// and the scan goes on from the struck membrane.
struct MembraneStrike {
  std::int64_t tick = 0;
  WordFault fault;  // whose store and word say nothing here
};

/// What one neuron does, tick by tick, as Change::now has it.
struct NeuronSeries {
  std::vector<std::int32_t> spikes, membranes;
  std::uint64_t before = 0, after = 0;  // the first struck word
  std::int64_t changed = 0;             // struck words that have another value
};

class NeuronKernel : public Kernel {
 public:
  static ValueId currents_of(const Layer& layer) { return layer.inputs.front(); }
  /// -1: they never fire.
  static ValueId spikes_of(const Layer& layer) {
    return layer.outputs.size() == 2 ? layer.outputs.front() : ValueId(-1);
  }
  static ValueId membranes_of(const Layer& layer) { return layer.outputs.back(); }

  void run(const Layer& layer, Values& values) const override;
  /// The ticks at hand, from `state` on, which becomes that after the last of them.
  virtual void run_from(const Layer& layer, Values& values, ScanState& state) const = 0;

  /// All ticks of one neuron of one image: `place` counts through images, then neurons. The
  /// currents and constants are those of `values`; strikes by tick, ascending.
  virtual NeuronSeries series_of(const Layer& layer, const Values& values, std::int64_t place,
                                 std::span<const MembraneStrike> strikes) const = 0;

  /// Of the words of membranes, and of those that a constant's elements are; the low bits of its
  /// elements count.
  virtual NumberFormat membrane_format() const = 0;
  virtual NumberFormat parameter_format(std::string_view argument) const = 0;
  /// The same neurons with membranes stored in a format; nullptr: in no other one.
  virtual std::shared_ptr<const NeuronKernel> stored_in(const NumberFormat& format) const = 0;
};

/// The kernel of a layer of neurons; nullptr: it is none.
const NeuronKernel* neuron_kernel(const Layer& layer);

/// What float neurons are, but for their numbers: the layer's constants are `tau` and `v_leak` of
/// leaky ones, `r`, and of those that fire `v_threshold` and `v_reset`, as FloatNeurons has them.
struct FloatRule {
  bool is_leaky = true;
  bool fires = true;
  ResetKind reset = ResetKind::kHard;
  SpikeAs spike_as = SpikeAs::kCharge;
  double dt = 0.0;
  NumberFormat stored = kFloat32;
};
std::shared_ptr<const NeuronKernel> make_float_neurons(const FloatRule& rule);

/// Integer neurons: the layer's constants are int32, of which the low bits count: `threshold`,
/// `bias`, `reset` (24, signed), `leak` (13), `refractory` (4) and `modes` (5), as NeuronWords
/// (scan_element.h) has them.
std::shared_ptr<const NeuronKernel> make_integer_neurons(const NeuronFormat& format);

/// The word `modes` of a neuron.
std::int32_t modes_of(const NeuronParameters& neuron);

}  // namespace tilestrike::dnn
