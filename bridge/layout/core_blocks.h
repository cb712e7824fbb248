// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How a layer is cut into blocks of outputs, one for each core (docs/core.md, "Layers on cores").
// For use by core_layout.h. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <vector>

#include "dnn/spiking/integer_model.h"
#include "sim/core/core_config.h"

namespace tilestrike::bridge {

/// Sizes of a layer's outputs, or of a block of them; of a layer without rows: outputs, 1, 1.
struct BlockSizes {
  std::int64_t channels = 1, rows = 1, columns = 1;
  std::int64_t all() const { return channels * rows * columns; }
};

/// A layer's synapses by neuron, and what cores it is cut into.
struct LayerBlocks {
  BlockSizes block;
  /// By core, ascending.
  std::vector<std::vector<std::int64_t>> neurons, inputs;
};

BlockSizes sizes_of(const dnn::IntegerLayer& layer);

/// Of all even cuts whose blocks have no more neurons and no more distinct inputs than a core has
/// neurons and axons, that with the fewest blocks; of these the one with the most channels in a
/// block, then the most columns. Inputs all of whose weights in a block are zero count for nothing.
/// Throws Failure where a single neuron has more inputs than a core has axons.
LayerBlocks cut(const dnn::IntegerLayer& layer,
                const std::vector<std::vector<dnn::Synapse>>& synapses,
                const sim::CoreConfig& core);

}  // namespace tilestrike::bridge
