// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which core computes which neurons of a spiking network, and where its spikes go (docs/core.md,
// "Layers on cores"). No LibTorch in this header.
#pragma once

#include <cstdint>
#include <vector>

#include "dnn/spiking/integer_model.h"
#include "sim/chip/chip.h"

namespace tilestrike::bridge {

/// What of a layer is on one core. Lanes and axons beyond these are not used: all their bits are 0,
/// so that they never fire.
struct CoreSlice {
  std::size_t layer = 0;              // of the model
  std::vector<std::int64_t> neurons;  // of the layer, by neuron of the core
  std::vector<std::int64_t> inputs;   // of the layer, by axon; ascending
};

struct CoreLayout {
  std::size_t first_layer = 0;  // that is on cores; those before it are computed beside them
  std::vector<CoreSlice> cores;
  sim::ChipContents contents;
  /// By membrane that the host reads: the output of the network.
  std::vector<std::int64_t> outputs;
};

/// One greedy rule: a layer is cut into blocks of channels x rows x columns, all alike but for the
/// last of a row or column. A block takes as many channels as a core has neurons for; then columns
/// and rows in turn, columns first, as long as no block has more neurons or different inputs than
/// the core has neurons and axons. Where one position has too many inputs for all channels, fewer
/// channels are taken. Blocks go to cores in their order, layer by layer: channels first, then
/// rows, then columns. Throws Failure, which names the layer and the cure: a neuron with more
/// inputs than axons, a weight that int8 does not hold, more destinations than the table has, more
/// than 255 cores, nothing that is on cores.
CoreLayout core_layout(const dnn::IntegerModel& model, const sim::ChipConfig& chip);

}  // namespace tilestrike::bridge
