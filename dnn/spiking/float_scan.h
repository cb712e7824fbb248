// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Float neurons tick by tick (docs/spiking.md, "The float neuron"): float32, each operation
// rounded, in one order, so that every processor and build gives the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "base/number_format.h"

namespace tilestrike::dnn {

/// The neurons of a layer, parameter by parameter, `size` numbers each.
///
///     leaky:  X = v + gain ((v_leak - v) + r I)      gain = dt / tau
///     else:   X = v + (r I) gain                     gain = 1, or dt
///     z = X > threshold;  v' = z ? (soft ? X - threshold : reset) : X
///
/// A v' that is no number is one NaN. A membrane is rounded to `stored` when it is stored.
struct FloatLayer {
  std::int64_t size = 0;
  bool is_leaky = true;
  bool is_soft_reset = false;
  const float* gain = nullptr;
  const float* r = nullptr;
  const float* v_leak = nullptr;     // of leaky ones
  const float* threshold = nullptr;  // infinite where they never fire
  const float* reset = nullptr;
  NumberFormat stored = kFloat32;
};

/// One tick of all neurons of `images` images: membranes change, spikes become 0 or 1.
void step_all(const FloatLayer& layer, std::int64_t images, const float* currents, float* membranes,
              float* spikes);

/// One tick of one neuron: whether it fires. The bits of step_all().
bool step_one(const FloatLayer& layer, std::int64_t neuron, float current, float& membrane);

}  // namespace tilestrike::dnn
