// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where the elements of a network's tensors lie and when, asked from either side: the bit of a
// memory, or the element of a tensor (docs/memory_schedule.md). For `tilestrike locate`; one bit at
// a time. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

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
  /// Which element of its stored tensor each element of a layer's operand is, in the order in which
  /// they are loaded; empty: the tensor's own order.
  using LoadOrder =
      std::function<const std::vector<std::int64_t>&(std::size_t layer, std::size_t operand)>;

  /// `residency` must outlive this object. Without `order` no operand is reordered.
  explicit ElementPlaces(const Residency& residency, LoadOrder order = {})
      : residency_(residency), order_(std::move(order)) {}

  /// All that a bit holds in an inference, in order.
  std::vector<HeldBit> held_in(std::size_t memory, sim::CodewordBit bit) const;
  /// How many bits can be asked for: those of an element, or of the sum that becomes it.
  int bits_of(int tensor) const;
  /// All places of a bit of an element: the backing copy, those on chip, and the sums (`bit` is
  /// then that of the sum).
  std::vector<PlacedBit> places_of(int tensor, std::int64_t element, int bit) const;

 private:
  struct ByteOf;  // what a byte of an occupant is
  HeldBit held(std::size_t memory, const Occupant& occupant, int bit) const;
  ByteOf byte_of(const Occupant& occupant, std::int64_t offset) const;
  ByteOf byte_of_copy(const Occupant& occupant, std::int64_t offset) const;
  ByteOf byte_of_sum(const Occupant& occupant, std::int64_t offset) const;
  void add_reads(const Occupant& occupant, std::int64_t offset, const ByteOf& byte,
                 std::vector<Cycle>& reads) const;
  void add_fetches(int tensor, std::int64_t element, std::vector<Cycle>& reads) const;
  /// Bytes of the weight tiles and activation blocks that hold an element of a layer's operand, as
  /// it is loaded.
  struct LoadedByte {
    Occupant::Kind kind;
    std::size_t layer;
    std::int64_t index, offset, bytes;  // tile or block, the byte in it, and its size
  };
  std::vector<LoadedByte> loaded(std::size_t layer, std::size_t operand,
                                 std::int64_t stored_element) const;
  void add_place(std::size_t memory, std::int64_t address, int bit, Occupant::Kind kind,
                 std::size_t layer, std::int64_t index, std::vector<PlacedBit>& places) const;

  const Schedule& schedule() const { return residency_.schedule(); }
  const MemorySchedule& memory() const { return residency_.memory(); }
  const Placement& placement() const { return residency_.placement(); }
  const StoredTensor& tensor(int index) const {
    return placement().tensors()[static_cast<std::size_t>(index)];
  }

  /// An element of an operand as one of its stored tensor, ...
  std::int64_t stored(std::size_t layer, std::size_t operand, std::int64_t element) const;
  /// ... and the other way round.
  std::vector<std::int64_t> as_loaded(std::size_t layer, std::size_t operand,
                                      std::int64_t element) const;

  const Residency& residency_;
  LoadOrder order_;
};

}  // namespace tilestrike::bridge
