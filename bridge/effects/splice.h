// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// From what the engine found wrong in a layer's passes to the layer's int32 accumulators, before
// requantisation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "dnn/differential/changes.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

/// Into the layer's output tensor of one image.
using dnn::AccumulatorDelta;

/// An output of a layer, all of its depth folds added up.
struct FoldedOutput {
  std::int32_t golden = 0;
  std::int32_t faulty = 0;
};

/// Adds up the depth folds of one output as the accumulator memory does, so that it is exact for
/// several struck folds, too. `changes`: what differs in them, at least one and at most one in
/// each. Where the arithmetic is linear, golden may be left 0, as in OutputChange.
FoldedOutput folded(const BoundLayer& layer, std::span<const sim::OutputChange> changes);

/// What `changes` of a layer's passes make of its accumulators. Sorted by index, no zeros.
std::vector<AccumulatorDelta> accumulator_deltas(const BoundLayer& layer,
                                                 std::span<const sim::OutputChange> changes);

/// A copy of the accumulators (one image) with the deltas added, on their device.
at::Tensor spliced(const at::Tensor& accumulators, std::span<const AccumulatorDelta> deltas);

}  // namespace tilestrike::bridge
