// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Element-wise integer arithmetic of the integer network, the same bits on every device: fused
// loops on the CPU, kernels of dnn/cuda/ on a GPU (docs/integer_network.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dnn/integer/fixed_point.h"
#include "dnn/integer/quantisation.h"

namespace tilestrike::dnn {

/// A contiguous tensor seen as (outer, channels, inner) around the dimension of its channels.
struct ChannelLayout {
  std::int64_t outer = 1, channels = 1, inner = 1;
  static ChannelLayout around(const at::Tensor& tensor, std::int64_t dimension);
};

/// Bounds of an int8 result.
struct Clamp {
  int low = -128, high = 127;
};

/// int32 sums -> int8 of the same shape and zero point `zero`, one multiplier and shift (int32, on
/// the sums' device) per channel of `layout`.
at::Tensor requantise(const at::Tensor& sums, const ChannelLayout& layout,
                      const at::Tensor& multiplier, const at::Tensor& shift, Clamp clamp,
                      int zero = 0);

/// int32 or int8 -> int8, one ratio for all.
at::Tensor requantise(const at::Tensor& values, FixedPoint ratio, Clamp clamp);

/// Integers as a convolution gives them (float32 or float64, rounded to nearest) -> int32, plus the
/// bias (int32 per channel of `layout`, or undefined).
at::Tensor to_accumulators(const at::Tensor& sums, const ChannelLayout& layout,
                           const at::Tensor& bias);

/// Two int8 tensors of one shape, or of two that broadcast -> int8.
at::Tensor add(const at::Tensor& a, const at::Tensor& b, const ScaledAddition& ratios, Clamp clamp);

/// Real numbers, taken as float32 -> int8: round(value * (1 / scale)) + zero, ties to even, clamped
/// to -128..127; NaN becomes -128.
at::Tensor quantise_values(const at::Tensor& values, Quantisation quantisation);

/// int8 -> (value - zero) * scale in float32, then brought to `type`.
at::Tensor dequantise_values(const at::Tensor& values, Quantisation quantisation,
                             c10::ScalarType type = c10::ScalarType::Float);

}  // namespace tilestrike::dnn
