// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// From what the engine found wrong in a layer's passes to the layer's int32 accumulators, before
// requantisation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

/// How much one accumulator of the layer changes, modulo 2^32.
struct AccumulatorDelta {
  std::int64_t index = 0;  // into the layer's output tensor of one image
  std::int32_t delta = 0;
  friend bool operator==(const AccumulatorDelta&, const AccumulatorDelta&) = default;
};

/// Adds up the depth folds of each output as the accumulator memory does (wrapping, or saturating
/// after each fold), so that the result is exact for several struck folds too. Sorted by index, no
/// zeros.
std::vector<AccumulatorDelta> accumulator_deltas(const BoundLayer& layer, sim::Overflow overflow,
                                                 std::span<const sim::OutputDelta> deltas);

/// A copy of the accumulators (one image) with the deltas added, on their device.
at::Tensor spliced(const at::Tensor& accumulators, std::span<const AccumulatorDelta> deltas);

}  // namespace tilestrike::bridge
