// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Fixed-point scaling, the arithmetic of requantisation: one definition for the CPU loops and the
// CUDA kernels, hence C++17 (docs/integer_network.md).
#pragma once

#include <cstdint>

namespace tilestrike::dnn {

inline constexpr std::int32_t kMostShift = 62;

/// What is added before a right shift so that it rounds to nearest, ties towards plus infinity.
constexpr std::int64_t half_of(std::int32_t shift) {
  return shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
}

constexpr std::int8_t clamped(std::int64_t value, std::int32_t low, std::int32_t high) {
  return static_cast<std::int8_t>(value < low ? low : value > high ? high : value);
}

/// Requantisation of one channel: clamp(((accumulator * multiplier + half) >> shift) + zero, low,
/// high) in 64 bits, half = 2^(shift-1) (0 for shift 0), arithmetic shift: ties go towards plus
/// infinity. The same on every device. multiplier in [2^30, 2^31), shift 0..62, from frexp of the
/// real ratio.
struct FixedPoint {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;
  std::int32_t zero = 0;  // the result's zero point

  /// Throws Failure when the ratio is not finite, not positive, or needs a shift outside 0..62.
  static FixedPoint of(double ratio);
  /// Without the clamp; `value` fits int32.
  constexpr std::int64_t scaled(std::int64_t value) const {
    return ((value * multiplier + half_of(shift)) >> shift) + zero;
  }
};

/// Addition of two int8 values of different scales, in 32 bits: clamp((a * a_multiplier + b *
/// b_multiplier + half) >> shift, low, high), half = 2^(shift-1) (0 for shift 0). The multipliers
/// are the ratios times 2^shift, rounded; 15 bits, the larger one with its top bit set unless that
/// takes a shift outside 0..30.
struct ScaledAddition {
  std::int16_t a_multiplier = 0, b_multiplier = 0;
  std::int32_t shift = 0;
  std::int16_t a_zero = 0, b_zero = 0, zero = 0;  // zero points of the operands and the result

  /// Throws Failure when a ratio is not finite or not positive.
  static ScaledAddition of(double a_ratio, double b_ratio);
  constexpr std::int32_t scaled(std::int8_t a, std::int8_t b) const {
    return (((a - a_zero) * a_multiplier + (b - b_zero) * b_multiplier +
             static_cast<std::int32_t>(half_of(shift))) >>
            shift) +
           zero;
  }
};

}  // namespace tilestrike::dnn
