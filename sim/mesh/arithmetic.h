// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh's 32-bit arithmetic and the bits of its registers.
#pragma once

#include <cstdint>
#include <limits>

#include "base/fault.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {

inline std::int32_t wrapped(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
}

inline std::int32_t saturated(std::int64_t value) {
  constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(value < low ? low : value > high ? high : value);
}

inline std::int32_t sum_of(std::int32_t sum, std::int64_t addend, Overflow overflow) {
  const std::int64_t exact = std::int64_t{sum} + addend;
  return overflow == Overflow::kWrap ? wrapped(exact) : saturated(exact);
}

/// What PEs and the accumulator memory add up with, and what may be taken for granted of it.
struct PeArithmetic {
  Overflow overflow = Overflow::kWrap;
  /// What results are off by is what the errors of operands and sums give, whatever the values are:
  /// formulas and a mesh of differences need no others.
  bool is_linear = false;
  /// So it is as long as operands alone are wrong, which leave the sums in range.
  bool is_linear_in_operands = false;

  std::int32_t sum(std::int32_t sum, std::int64_t addend) const {
    return sum_of(sum, addend, overflow);
  }
};

inline PeArithmetic arithmetic_of(const MeshConfig& config) {
  switch (config.overflow) {
    case Overflow::kWrap:
      return {Overflow::kWrap, true, true};
    case Overflow::kSaturate:
      return {Overflow::kSaturate, false, true};
  }
  return {config.overflow, false, false};
}

/// The low `bits` of a register's value, sign-extended: what a register of that width holds.
inline std::int32_t fitted(std::uint32_t word, int bits) {
  if (bits == 1) {
    return static_cast<std::int32_t>(word & 1U);
  }
  if (bits == 32) {
    return static_cast<std::int32_t>(word);
  }
  const std::uint32_t sign = 1U << (bits - 1);
  const std::uint32_t low = word & ((sign << 1) - 1U);
  return static_cast<std::int32_t>((low ^ sign) - sign);
}

/// A fault on bit `bit` of a register of `bits` bits. Random faults are drawn before they reach the
/// mesh, as a stuck-at or a flip.
inline std::int32_t struck(std::int32_t value, int bit, int bits, FaultKind kind) {
  const auto word = static_cast<std::uint32_t>(value);
  const std::uint32_t mask = 1U << bit;
  const std::uint32_t changed = kind == FaultKind::kStuckAt0   ? word & ~mask
                                : kind == FaultKind::kStuckAt1 ? word | mask
                                                               : word ^ mask;
  return fitted(changed, bits);
}

}  // namespace tilestrike::sim
