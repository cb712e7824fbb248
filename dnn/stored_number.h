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

/// Every element of a tensor of real numbers as the format would store it, read back in the
/// tensor's own type: stored_value(stored_word(x)). Of float64 numbers x is the nearest float32.
at::Tensor rounded_to(const NumberFormat& format, const at::Tensor& values);

/// The largest finite number: what a scale maps the largest magnitude to.
double largest_stored(const NumberFormat& format);

/// The format of a tensor's elements as they are, whatever the element type.
NumberFormat format_of(c10::ScalarType type);

/// Element types of real numbers that layers compute on: a network may store them in another
/// format, and quantise them. All but float64 are float32 numbers, too.
constexpr bool is_real(c10::ScalarType type) {
  return type == c10::ScalarType::Float || type == c10::ScalarType::Half ||
         type == c10::ScalarType::BFloat16 || type == c10::ScalarType::Double;
}

/// Calls `function` with the first element of a tensor of real numbers, of its own type: `float*`,
/// `c10::Half*`, `c10::BFloat16*` or `double*`.
template <class Function>
void with_reals(const at::Tensor& values, const Function& function) {
  switch (values.scalar_type()) {
    case c10::ScalarType::Half:
      return function(values.mutable_data_ptr<c10::Half>());
    case c10::ScalarType::BFloat16:
      return function(values.mutable_data_ptr<c10::BFloat16>());
    case c10::ScalarType::Double:
      return function(values.mutable_data_ptr<double>());
    default:
      return function(values.mutable_data_ptr<float>());
  }
}

}  // namespace tilestrike::dnn
