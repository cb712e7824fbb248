// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic by definition, for comparison: slow loops, 128-bit integers, no LibTorch
// operator.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/random.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/kernels.h"

namespace tilestrike::dnn {

/// floor((value * multiplier + 2^(shift-1)) / 2^shift) + zero, clamped.
std::int8_t exact_requantised(std::int64_t value, FixedPoint ratio, Clamp clamp);

/// int32 (N, O, H', W') or (rows, O), by the sum over (channel, ky, kx); padding holds `zero`.
at::Tensor exact_accumulators(const MatrixShape& shape, const at::Tensor& input,
                              const at::Tensor& weight, const at::Tensor& bias, int zero = 0);

/// Uniform over low..high.
at::Tensor random_int8(RandomStream& stream, std::vector<std::int64_t> sizes, int low = -128,
                       int high = 127);
at::Tensor random_int32(RandomStream& stream, std::vector<std::int64_t> sizes, std::int64_t low,
                        std::int64_t high);

}  // namespace tilestrike::dnn
