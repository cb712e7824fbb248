// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What becomes of the neurons whose membranes are struck.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/fault.h"
#include "dnn/network.h"
#include "dnn/spiking/neuron_kernel.h"

namespace tilestrike::dnn {

struct StruckNeuron {
  std::int64_t place = 0;   // through images, then neurons
  std::int64_t places = 0;  // of all images: element tick * places + place is its own
  NeuronSeries series;
};

/// `faults`: on the membranes of one image, row `row` of the batch, sorted, words by tick, then
/// neuron. `values` have the inputs of the layer, which is one of neurons.
std::vector<StruckNeuron> strike_membranes(const Layer& layer, const Values& values,
                                           std::int64_t row, std::span<const WordFault> faults);

}  // namespace tilestrike::dnn
