// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which core of a chip holds which neurons of a spiking network, and what is written into the cores
// for it (docs/core.md, "Layers on cores"). No time in here. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "bridge/accelerator/core_arrays.h"
#include "dnn/spiking/integer_model.h"
#include "sim/chip/chip.h"
#include "sim/core/core_sites.h"

namespace tilestrike::bridge {

/// What of the network a core holds. Axons and neurons of the core beyond these are empty: weights
/// and parameters are zero, so that no such neuron fires and no such axon counts.
struct CoreShare {
  std::size_t layer = 0;              // of the model
  std::vector<std::int64_t> neurons;  // by neuron of the core: of the layer
  std::vector<std::int64_t> axons;    // by axon: an input of the layer
};

/// Whose bit it is, in numbers of the layer; -1: no one's.
struct NetworkOwner {
  std::int64_t neuron = -1, input = -1;
  bool is_empty = false;  // of an axon or a neuron that the network does not use
};
NetworkOwner owner_in(const CoreShare& share, const sim::CoreOwner& owner);
/// Of a cell of an array. A check bit is of no one neuron, and empty where its codeword is: cores
/// are filled from neuron 0 on.
NetworkOwner owner_in(const CoreShare& share, const sim::CoreSites& sites,
                      const sim::CoreBlock& array, const CoreCell& cell);

/// Facts of one layer, for people.
struct LayerOnCores {
  std::string name;
  bool is_beside_cores = false;  // then there is nothing more
  std::int32_t first_core = 0;   // those of a layer follow each other
  std::int32_t cores = 0;
  std::int64_t neurons = 0;
  /// Of the block of outputs that a core holds: channels, rows, columns; those at the end of the
  /// layer may be smaller. Of a layer without rows: outputs, 1, 1.
  std::int64_t block_channels = 0, block_rows = 0, block_columns = 0;
  std::int64_t axons = 0;              // in use, of all cores: copies of inputs
  std::int64_t synapse_bits = 0;       // of axons and neurons in use
  std::int64_t all_synapse_bits = 0;   // of its cores
  std::int64_t synapses = 0;           // that are not zero
  std::int64_t most_destinations = 0;  // of a neuron
  std::int64_t destinations = 0;       // of all neurons
  std::int64_t fullest_table = 0;      // destinations of a core
};

struct CoreLayout {
  sim::ChipContents contents;
  std::vector<CoreShare> cores;
  std::vector<LayerOnCores> layers;  // by layer of the model
  /// The first layer on the cores, whose inputs are the chip's: those of the network, or the spikes
  /// of the layer before, which is computed beside the cores.
  std::size_t first_layer = 0;
  /// The answer of the chip: by membrane that is read, or by output in spikes, the neuron of the
  /// last layer. Layer l of those on the cores works in chip ticks l to l + T - 1.
  std::vector<std::int64_t> outputs;

  std::int32_t levels() const { return static_cast<std::int32_t>(layers.size() - first_layer); }
};

sim::ChipConfig chip_config(const AcceleratorConfig& accelerator);

/// Throws Failure, which names the layer and the cure: more inputs than axons, more destinations
/// than a core holds, more cores than events can name, ...
CoreLayout core_layout(const dnn::IntegerModel& model, const sim::ChipConfig& config);

}  // namespace tilestrike::bridge
