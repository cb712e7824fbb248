// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Drawn spiking models, float and integer, and what they compute by plain loops.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "dnn/spiking/integer_model.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

struct SpikingChoice {
  bool has_convolutions = false;
  Encoding encode = Encoding::kRate;
  Readout readout = Readout::kMembrane;
  ResetKind reset = ResetKind::kHard;
  SpikeAs spike_as = SpikeAs::kCharge;
  NeuronOverflow overflow = NeuronOverflow::kWrap;
  int membrane_bits = 24;
  std::int64_t ticks = 6;
  std::string text() const;
};

/// All readouts, resets, encodings and overflows, dense and with convolutions.
std::vector<SpikingChoice> spiking_choices();

/// Dense: 12 - 10 - 7 - 5; with convolutions: 2 x 9 x 8, a convolution with uneven padding, sums
/// of windows, a grouped one, averages, 5. With the readout of membranes the last neurons never
/// fire and, in the float model, are of either kind that does not.
SpikingModel drawn_model(RandomStream& random, const SpikingChoice& choice);
/// The same shape with its own numbers; averages are sums.
IntegerModel drawn_integer_model(RandomStream& random, const SpikingChoice& choice);

/// Numbers of [-0.1, 1.1].
at::Tensor drawn_images(RandomStream& random, const Sizes& sizes, std::int64_t count);

/// By layer of neurons: (ticks, images, neurons...), spikes as 0 and 1. All numbers fit float32.
struct PlainRun {
  std::vector<std::vector<float>> currents, spikes, membranes;
  std::vector<float> logits;  // (images, classes)
};
PlainRun plain_run(const SpikingModel& model, const at::Tensor& images);
PlainRun plain_run(const IntegerModel& model, const at::Tensor& images);

}  // namespace tilestrike::dnn
