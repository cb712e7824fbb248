// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where the elements of a network's tensors lie and when, asked from either side: the bit of a
// memory, or the element of a tensor (docs/memory_schedule.md). For `tilestrike locate`; one bit at
// a time. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "bridge/exposure/load_order.h"
#include "bridge/exposure/residency.h"

namespace tilestrike::bridge {

/// What a bit of a memory holds from one write of its codeword to the next.
struct HeldBit {
  Occupant occupant;
  /// Among the stored tensors: whose element it is, or, of accumulators, whose element the sum
  /// becomes; -1: of none (a check bit, a lane that nobody reads, fill).
  int tensor = -1;
  std::int64_t element = -1;
  int bit = -1;              // of the element, or of the 32-bit sum
  Cycle until = 0;           // written anew, or the inference ends
  bool stays = false;        // for inferences to come
  std::vector<Cycle> reads;  // of the element; of a check bit, of its codeword; in order
};

/// One place of an element.
struct PlacedBit {
  std::size_t memory = 0;
  sim::CodewordBit bit;
  HeldBit held;
};

class ElementPlaces {
 public:
  /// `residency` must outlive this object. Without `order` no operand is reordered.
  explicit ElementPlaces(const Residency& residency, LoadOrder::Of order = {})
      : residency_(residency), order_(residency.memory(), std::move(order)) {}

  /// All that a bit holds in an inference, in order.
  std::vector<HeldBit> held_in(std::size_t memory, sim::CodewordBit bit) const;
  /// How many bits can be asked for: those of an element, or of the sum that becomes it.
  int bits_of(int tensor) const;
  /// All places of a bit of an element: the backing copy, those on chip, and the sums (`bit` is
  /// then that of the sum).
  std::vector<PlacedBit> places_of(int tensor, std::int64_t element, int bit) const;

 private:
  HeldBit held(std::size_t memory, const Occupant& occupant, int bit) const;

  const Residency& residency_;
  LoadOrder order_;
};

}  // namespace tilestrike::bridge
