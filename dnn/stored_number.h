// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Real numbers <-> stored words of a number format (docs/number_formats.md). Conversions are the
// library's own where it has the type.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/number_format.h"

namespace tilestrike::dnn {

/// The word that stores value / scale: rounded to nearest, ties to even; beyond the largest finite
/// number of float8 and of integers and fixed point it saturates, of the wider floats it is
/// infinite. NaN stays NaN, and is 0 where there is none.
std::uint32_t stored_word(const NumberFormat& format, float value, float scale = 1.0F);

/// The number that a word stands for, times scale.
float stored_value(const NumberFormat& format, std::uint32_t word, float scale = 1.0F);

/// Every element of a float32 tensor as the format would store it: stored_value(stored_word(x)).
at::Tensor rounded_to(const NumberFormat& format, const at::Tensor& values);

/// The largest finite number: what a scale maps the largest magnitude to.
double largest_stored(const NumberFormat& format);

/// The format of a tensor's elements as they are, whatever the element type.
NumberFormat format_of(c10::ScalarType type);

}  // namespace tilestrike::dnn
