// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the numbers of an image become ticks (docs/spiking.md, "Networks and executors").
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "dnn/network.h"
#include "dnn/spiking/spiking_model.h"

namespace tilestrike::dnn {

/// The spikes of a number in T ticks: floor(x T + 1/2), x clamped to [0, 1]; of NaN none. Exact:
/// x T + 1/2 is computed in float64, which holds it.
std::int64_t rate_spikes(float x, std::int64_t ticks);

/// Whether one of `spikes` evenly spaced spikes falls into the tick: floor((t + 1) k / T) >
/// floor(t k / T). So k = T spikes in every tick, k = 1 in the last one.
constexpr bool has_rate_spike(std::int64_t spikes, std::int64_t tick, std::int64_t ticks) {
  return (tick + 1) * spikes / ticks > tick * spikes / ticks;
}

/// Images (N, sizes...) -> spikes (T, N, sizes...), 0 or 1 in `type`, which is int8 or float32. Its
/// run throws Failure for images of other sizes.
std::shared_ptr<const Kernel> make_rate_encoding(std::int64_t ticks, c10::ScalarType type,
                                                 Sizes sizes);

/// Float currents (1, N, sizes...) -> the same in each tick (T, N, sizes...). With `scale` as int32
/// currents of integer neurons: scale * current, rounded to the nearest, ties to even; within
/// kCurrentBits, NaN as 0.
std::shared_ptr<const Kernel> make_constant_currents(std::int64_t ticks,
                                                     std::optional<double> scale);

/// Whether the layer's output is spikes that an image was encoded as.
bool encodes_spikes(const Layer& layer);
/// Whether the layer's output begins the ticks.
bool begins_ticks(const Layer& layer);

/// How many numbers of these images are outside of [0, 1], or NaN: encoding clamps them.
std::int64_t count_outside_unit(const at::Tensor& images);

}  // namespace tilestrike::dnn
