// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/stored_number.h"

#include <ATen/ops/add.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/round.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Float8_e4m3fn.h>
#include <c10/util/Float8_e5m2.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

enum class Codec { kFloat32, kFloat16, kBfloat16, kFloat8E4m3, kFloat8E5m2, kSteps };

Codec codec_of(const NumberFormat& format) {
  if (!format.is_float()) {
    return Codec::kSteps;
  }
  switch (format.bits) {
    case 8:
      return format.exponent_bits == 4 ? Codec::kFloat8E4m3 : Codec::kFloat8E5m2;
    case 16:
      return format.exponent_bits == 5 ? Codec::kFloat16 : Codec::kBfloat16;
    default:
      TS_CHECK(format.bits == 32, "a float32 number is stored in at most 32 bits");
      return Codec::kFloat32;
  }
}

/// What one step of an integer or fixed-point format is worth.
double step_of(const NumberFormat& format) { return std::ldexp(1.0, -format.fraction_bits); }

/// Beyond it the library's conversion gives NaN or infinity; NaN passes.
float saturated(float value, double most) {
  const auto bound = static_cast<float>(most);
  return value > bound ? bound : value < -bound ? -bound : value;
}

/// The ends of an integer or fixed-point format, in steps.
double most_steps(const NumberFormat& format) {
  const bool has_sign = format.kind != NumberFormat::Kind::kUnsigned;
  return std::ldexp(1.0, format.bits - (has_sign ? 1 : 0)) - 1.0;
}
double least_steps(const NumberFormat& format) {
  return format.kind == NumberFormat::Kind::kUnsigned ? 0.0 : -most_steps(format) - 1.0;
}

std::uint32_t steps_word(const NumberFormat& format, double value) {
  const double steps = std::isnan(value) ? 0.0 : std::nearbyint(value / step_of(format));
  const auto clamped =
      static_cast<std::int64_t>(std::clamp(steps, least_steps(format), most_steps(format)));
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(clamped) & format.all_bits());
}

double steps_value(const NumberFormat& format, std::uint32_t word) {
  if (format.kind == NumberFormat::Kind::kUnsigned) {
    return static_cast<double>(word) * step_of(format);
  }
  const int unused = 64 - format.bits;
  const auto sign_extended = static_cast<std::int64_t>(std::uint64_t{word} << unused) >> unused;
  return static_cast<double>(sign_extended) * step_of(format);
}

}  // namespace

double largest_stored(const NumberFormat& format) {
  switch (codec_of(format)) {
    case Codec::kFloat8E4m3:
      return 448.0;
    case Codec::kFloat8E5m2:
      return 57344.0;
    case Codec::kSteps:
      return most_steps(format) * step_of(format);
    case Codec::kFloat16:
      return 65504.0;
    case Codec::kFloat32:
    case Codec::kBfloat16:
      break;
  }
  return std::ldexp(2.0 - std::ldexp(1.0, -format.fraction_bits), 127);
}

std::uint32_t stored_word(const NumberFormat& format, float value, float scale) {
  const float scaled = scale == 1.0F ? value : value / scale;
  switch (codec_of(format)) {
    case Codec::kFloat32:
      return std::bit_cast<std::uint32_t>(scaled);
    case Codec::kFloat16:
      return c10::Half(scaled).x;
    case Codec::kBfloat16:
      return c10::BFloat16(scaled).x;
    case Codec::kFloat8E4m3:
      return c10::Float8_e4m3fn(saturated(scaled, largest_stored(format))).x;
    case Codec::kFloat8E5m2:
      return c10::Float8_e5m2(saturated(scaled, largest_stored(format))).x;
    case Codec::kSteps:
      break;
  }
  return steps_word(format, scaled);
}

float stored_value(const NumberFormat& format, std::uint32_t word, float scale) {
  float value = 0.0F;
  switch (codec_of(format)) {
    case Codec::kFloat32:
      value = std::bit_cast<float>(word);
      break;
    case Codec::kFloat16:
      value = c10::Half(static_cast<std::uint16_t>(word), c10::Half::from_bits());
      break;
    case Codec::kBfloat16:
      value = c10::BFloat16(static_cast<std::uint16_t>(word), c10::BFloat16::from_bits());
      break;
    case Codec::kFloat8E4m3:
      value = c10::Float8_e4m3fn(static_cast<std::uint8_t>(word), c10::Float8_e4m3fn::from_bits());
      break;
    case Codec::kFloat8E5m2:
      value = c10::Float8_e5m2(static_cast<std::uint8_t>(word), c10::Float8_e5m2::from_bits());
      break;
    case Codec::kSteps:
      value = static_cast<float>(steps_value(format, word));
      break;
  }
  return scale == 1.0F ? value : value * scale;
}

at::Tensor rounded_to(const NumberFormat& format, const at::Tensor& values) {
  const auto type = values.scalar_type();
  if (format == format_of(type)) {
    return values;
  }
  const at::Tensor reals = values.to(c10::kFloat);
  switch (codec_of(format)) {
    case Codec::kFloat32:
      return reals.to(type);
    case Codec::kFloat16:
      return reals.to(c10::kHalf).to(type);
    case Codec::kBfloat16:
      return reals.to(c10::kBFloat16).to(type);
    case Codec::kFloat8E4m3:
    case Codec::kFloat8E5m2: {
      const double most = largest_stored(format);
      const auto narrow = format.exponent_bits == 4 ? c10::kFloat8_e4m3fn : c10::kFloat8_e5m2;
      return at::clamp(reals, -most, most).to(narrow).to(type);
    }
    case Codec::kSteps:
      break;
  }
  // In double: a step of q0.31 is finer than float32 near 1.
  const at::Tensor steps = at::round(at::mul(reals.to(c10::kDouble), 1.0 / step_of(format)));
  const at::Tensor stored =
      at::nan_to_num(at::clamp(steps, least_steps(format), most_steps(format)), 0.0);
  // There is no -0 in two's complement: adding 0 makes it 0.
  return at::mul(at::add(stored, 0.0), step_of(format)).to(c10::kFloat).to(type);
}

NumberFormat format_of(c10::ScalarType type) {
  switch (type) {
    case c10::kDouble:
      return NumberFormat::floating(11, 52);
    case c10::kHalf:
      return NumberFormat::floating(5, 10);
    case c10::kBFloat16:
      return NumberFormat::floating(8, 7);
    case c10::kFloat8_e4m3fn:
      return NumberFormat::floating(4, 3);
    case c10::kFloat8_e5m2:
      return NumberFormat::floating(5, 2);
    case c10::kFloat:
      return kFloat32;
    case c10::kByte:
    case c10::kUInt16:
    case c10::kUInt32:
    case c10::kUInt64:
      return NumberFormat::unsigned_integer(static_cast<int>(8 * c10::elementSize(type)));
    case c10::kComplexFloat:  // of either part, each a word
      return kFloat32;
    case c10::kComplexDouble:
      return NumberFormat::floating(11, 52);
    default:
      return NumberFormat::integer(static_cast<int>(8 * c10::elementSize(type)));
  }
}

}  // namespace tilestrike::dnn
