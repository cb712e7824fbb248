// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One integer neuron through all ticks, from the words that a layer stores: what host and device
// code share. Plain C++17; no Torch header.
#pragma once

#include <cstdint>

#include "base/spiking_neuron.h"

namespace tilestrike::dnn {

inline constexpr int kModeBits = 5;

/// The stored words of a layer's neurons, one of each kind per neuron. Their low bits count:
/// kCurrentBits, signed, of threshold, bias and reset; kLeakBits, kRefractoryBits, kModeBits.
/// Modes: bit 0 enabled; bit 1 soft reset; bits 2 and 3 rounding of the leak (floor, towards zero,
/// away from zero; 3 is floor); bit 4 holds while refractory.
struct NeuronWords {
  const std::int32_t* threshold;
  const std::int32_t* bias;
  const std::int32_t* reset;
  const std::int32_t* leak;
  const std::int32_t* refractory;
  const std::int32_t* modes;

  TS_HOST_DEVICE NeuronParameters at(std::int64_t neuron) const {
    NeuronParameters made;
    made.threshold = sign_extended(threshold[neuron], kCurrentBits);
    made.bias = sign_extended(bias[neuron], kCurrentBits);
    made.reset = sign_extended(reset[neuron], kCurrentBits);
    made.leak = leak[neuron] & ((1 << kLeakBits) - 1);
    made.refractory = refractory[neuron] & ((1 << kRefractoryBits) - 1);
    made.is_enabled = (modes[neuron] & 1) != 0;
    made.is_soft_reset = (modes[neuron] & 2) != 0;
    const int rounding = modes[neuron] >> 2 & 3;
    made.rounding = rounding == 3 ? LeakRounding::kFloor : static_cast<LeakRounding>(rounding);
    made.holds = (modes[neuron] & 16) != 0;
    return made;
  }
};

/// A layer's currents, spikes and membranes: element tick * places + place, places through images,
/// then neurons. `membrane` and `refractory`: by place, the state before and after.
struct ScanArrays {
  std::int64_t ticks, places, neurons;
  const std::int32_t* currents;
  std::int8_t* spikes;
  std::int32_t* membranes;
  std::int32_t* membrane;
  std::int32_t* refractory;
};

TS_HOST_DEVICE inline void scan_place(const NeuronWords& words, const NeuronFormat& format,
                                      const ScanArrays& arrays, std::int64_t place) {
  const NeuronParameters neuron = words.at(place % arrays.neurons);
  NeuronState state{arrays.membrane[place], arrays.refractory[place]};
  for (std::int64_t tick = 0; tick < arrays.ticks; ++tick) {
    const std::int64_t index = tick * arrays.places + place;
    const NeuronStep next =
        step_neuron(neuron, format, state, sign_extended(arrays.currents[index], kCurrentBits));
    state = next.state;
    arrays.spikes[index] = next.fires ? 1 : 0;
    arrays.membranes[index] = state.membrane;
  }
  arrays.membrane[place] = state.membrane;
  arrays.refractory[place] = state.refractory;
}

}  // namespace tilestrike::dnn
