// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A spiking model as a network that the ordinary executor runs, layer by layer, all ticks of a
// layer at once: time is a dimension of a value, (ticks, images, sizes...). Its input is images
// (N, sizes...), its output logits (docs/spiking.md, "Networks and executors").
#pragma once

#include <vector>

#include "dnn/network.h"
#include "dnn/spiking/integer_model.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// In float32, each sum in the order of docs/differential.md ("fixed_order"), on the CPU. Throws
/// Failure: another device, a readout that the last neurons do not have.
Network network_of(const SpikingModel& model, c10::Device device = c10::kCPU);

/// int8 spikes, int32 currents, integer neurons; exact. Throws Failure, and also: a sum of spikes
/// that int8 does not hold.
Network network_of(const IntegerModel& model, c10::Device device = c10::kCPU);

/// Where a spiking network has what its layers of neurons read and give, by layer.
struct SpikingPlaces {
  /// The images in ticks: spikes of kRate; of kConstant the currents of the first layer.
  ValueId encoded{-1};
  std::size_t first_tick_layer = 0;                  // of Network::layers: that gives `encoded`
  std::vector<std::size_t> layers;                   // of neurons, of Network::layers
  std::vector<ValueId> currents, spikes, membranes;  // by layer of neurons; spikes may be -1
  std::int64_t ticks = 0;

  bool is_spiking() const { return !layers.empty(); }
};

/// Of any network; one that is none of the above has no places.
SpikingPlaces places_of(const Network& network);

}  // namespace tilestrike::dnn
