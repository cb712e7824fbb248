// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How a spiking network lies on neuromorphic cores, for `tilestrike inspect`. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "bridge/words/network_source.h"

namespace tilestrike::bridge {

/// One layer of neurons.
struct CoreLayerSummary {
  std::string name;
  std::string shape;
  bool is_on_cores = false;  // else it is computed beside them
  std::int64_t neurons = 0;
  std::vector<std::int64_t> cores;     // their numbers
  std::int64_t most_axons = 0;         // in use, of the fullest core
  std::int64_t synapses = 0;           // weights that are not 0
  std::int64_t used_synapse_bits = 0;  // of axons and neurons in use
  std::int64_t synapse_bits = 0;       // of these cores, used or not
  double fan_out = 0.0;                // destinations of a neuron, the mean
  std::int64_t most_destinations = 0;  // of one neuron
  std::string note;                    // what became of scales, thresholds and leaks
};

struct CoresSummary {
  std::vector<CoreLayerSummary> layers;
  std::int64_t ticks = 0;          // of the network
  std::int64_t chip_ticks = 0;     // of an inference
  std::uint64_t bits_of_core = 0;  // storage of one core
  double output_factor = 1.0;      // what the answer is multiplied by
};

/// Throws Failure where the model is no spiking network, or does not fit the cores.
CoresSummary inspect_cores(const NetworkSource& source, const AcceleratorConfig& accelerator);

}  // namespace tilestrike::bridge
