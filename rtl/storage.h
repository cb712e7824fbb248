// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The storage behind a port or a register of a Verilated design.
#pragma once

#include <cstdint>

namespace tilestrike::rtl {

/// Little-endian, in as many bytes as Verilator gives it.
struct Storage {
  void* data = nullptr;
  int bits = 0;
};

/// `count` (at most 64) bits from bit `first` on.
inline std::uint64_t bits_of(const Storage& storage, int first, int count) {
  const auto* const bytes = static_cast<const std::uint8_t*>(storage.data);
  std::uint64_t value = 0;
  for (int bit = 0; bit < count; ++bit) {
    value |= static_cast<std::uint64_t>(bytes[(first + bit) / 8] >> ((first + bit) % 8) & 1) << bit;
  }
  return value;
}

inline void flip_bit(const Storage& storage, int bit) {
  static_cast<std::uint8_t*>(storage.data)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
}

}  // namespace tilestrike::rtl
