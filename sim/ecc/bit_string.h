// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A short string of bits of fixed capacity: a codeword as its cells hold it, its data, or a set of
// its bits. Bit 0 is the first in physical order.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace tilestrike::sim {

struct BitString {
  static constexpr int kCapacity = 192;
  std::array<std::uint64_t, 3> words{};

  constexpr BitString() = default;
  constexpr explicit BitString(std::uint64_t low, std::uint64_t high = 0) : words{low, high, 0} {}
  /// The first `count` bits set.
  static constexpr BitString ones(int count) {
    BitString all;
    for (auto& word : all.words) {
      word = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
      count = count >= 64 ? count - 64 : 0;
    }
    return all;
  }

  constexpr bool test(int bit) const {
    return ((words[static_cast<std::size_t>(bit >> 6)] >> (bit & 63)) & 1) != 0;
  }
  constexpr void flip(int bit) {
    words[static_cast<std::size_t>(bit >> 6)] ^= std::uint64_t{1} << (bit & 63);
  }
  constexpr void set(int bit) {
    words[static_cast<std::size_t>(bit >> 6)] |= std::uint64_t{1} << (bit & 63);
  }
  /// `count` (1 to 64) bits from bit `first` on.
  constexpr std::uint64_t field(int first, int count) const {
    const auto word = static_cast<std::size_t>(first >> 6);
    const int shift = first & 63;
    std::uint64_t bits = words[word] >> shift;
    if (shift + count > 64) {
      bits |= words[word + 1] << (64 - shift);
    }
    return count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1);
  }
  constexpr void set_field(int first, int count, std::uint64_t value) {
    const std::uint64_t mask = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    const auto word = static_cast<std::size_t>(first >> 6);
    const int shift = first & 63;
    value &= mask;
    words[word] = (words[word] & ~(mask << shift)) | value << shift;
    if (shift + count > 64) {
      words[word + 1] = (words[word + 1] & ~(mask >> (64 - shift))) | value >> (64 - shift);
    }
  }

  constexpr bool any() const { return (words[0] | words[1] | words[2]) != 0; }
  constexpr int count() const {
    return std::popcount(words[0]) + std::popcount(words[1]) + std::popcount(words[2]);
  }
  constexpr BitString& operator^=(const BitString& other) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] ^= other.words[i];
    }
    return *this;
  }
  constexpr BitString& operator&=(const BitString& other) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] &= other.words[i];
    }
    return *this;
  }
  constexpr BitString& operator|=(const BitString& other) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] |= other.words[i];
    }
    return *this;
  }
  friend constexpr BitString operator^(BitString a, const BitString& b) { return a ^= b; }
  friend constexpr BitString operator&(BitString a, const BitString& b) { return a &= b; }
  friend constexpr BitString operator|(BitString a, const BitString& b) { return a |= b; }
  friend constexpr BitString operator~(BitString a) {
    for (auto& word : a.words) {
      word = ~word;
    }
    return a;
  }
  friend constexpr bool operator==(const BitString&, const BitString&) = default;

  /// Calls visit(bit) for every set bit, ascending.
  template <class Visit>
  constexpr void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < words.size(); ++i) {
      for (std::uint64_t rest = words[i]; rest != 0; rest &= rest - 1) {
        visit(static_cast<int>(i) * 64 + std::countr_zero(rest));
      }
    }
  }
};

}  // namespace tilestrike::sim
