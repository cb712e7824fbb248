// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What one layer reads that differs from what its operands hold: byte by byte, copy by copy, and
// from when to when. No LibTorch in this header.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/ids.h"

namespace tilestrike::bridge {

/// One element of an operand, as one copy on the chip holds it: a block of activations or a tile of
/// weights (by its index), for an operand of the layer (by its place among the stored operands).
struct CopiedElement {
  std::size_t operand = 0;
  std::int64_t copy = 0;
  std::int64_t element = 0;
  friend auto operator<=>(const CopiedElement&, const CopiedElement&) = default;
};

class LayerReads {
 public:
  /// Reads of a byte in cycles after `since` give `value`. Later calls for a byte have later times.
  void set(const CopiedElement& element, int byte, Cycle since, std::uint8_t value) {
    std::vector<Span>& spans = bytes_[{element, byte}];
    if (!spans.empty() && spans.back().since == since) {
      spans.back().value = value;
    } else {
      spans.push_back({since, value});
    }
    elements_.insert(element);
  }
  /// Forgets a byte: it is about to be set anew.
  void forget(const CopiedElement& element, int byte) { bytes_.erase({element, byte}); }

  /// What a read in `cycle` gives where the operand holds `current` (`size` bytes, at most 8).
  std::uint64_t value(const CopiedElement& element, std::uint64_t current, int size,
                      Cycle cycle) const {
    for (int byte = 0; byte < size; ++byte) {
      const auto spans = bytes_.find({element, byte});
      if (spans == bytes_.end()) {
        continue;
      }
      for (auto span = spans->second.rbegin(); span != spans->second.rend(); ++span) {
        if (span->since < cycle) {
          const std::uint64_t mask = std::uint64_t{0xFF} << (8 * byte);
          current = (current & ~mask) | std::uint64_t{span->value} << (8 * byte);
          break;
        }
      }
    }
    return current;
  }

  bool is_empty() const { return elements_.empty(); }
  bool has(const CopiedElement& element) const { return elements_.contains(element); }
  /// In order of operand, copy, element.
  const std::set<CopiedElement>& elements() const { return elements_; }

 private:
  struct Span {
    Cycle since;
    std::uint8_t value;
  };
  std::map<std::pair<CopiedElement, int>, std::vector<Span>> bytes_;
  std::set<CopiedElement> elements_;
};

}  // namespace tilestrike::bridge
