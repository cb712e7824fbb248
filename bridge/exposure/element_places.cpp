// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/element_places.h"

#include <algorithm>

namespace tilestrike::bridge {

HeldBit ElementPlaces::held(std::size_t memory, const Occupant& occupant, int bit) const {
  HeldBit found;
  found.occupant = occupant;
  const Copies& copies = *occupant.copies;
  const std::int64_t word = residency_.placement().codeword_bytes(memory);
  const std::int64_t first = bit < 8 * word ? bit / 8 : 0;
  const std::int64_t last = bit < 8 * word ? first : word - 1;
  for (std::int64_t i = first; i <= last; ++i) {
    const CopyByte byte = copies.byte(occupant, i);
    if (byte.element < 0) {
      continue;
    }
    copies.add_reads(occupant, byte, order_, found.reads);
    if (bit < 8 * word) {
      const StoredElement stored = copies.stored(occupant, byte, order_);
      found.tensor = stored.tensor;
      found.element = stored.element;
      found.bit = 8 * byte.byte + bit % 8;
    }
  }
  std::ranges::sort(found.reads);
  const auto rest = std::ranges::unique(found.reads);
  found.reads.erase(rest.begin(), rest.end());
  return found;
}

std::vector<HeldBit> ElementPlaces::held_in(std::size_t memory, sim::CodewordBit bit) const {
  std::vector<HeldBit> all;
  for (const Occupant& occupant : residency_.all_in(memory, bit.codeword)) {
    all.push_back(held(memory, occupant, bit.bit));
  }
  std::ranges::stable_sort(all, {}, [](const HeldBit& one) { return one.occupant.written; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_last = i + 1 == all.size();
    all[i].until =
        is_last ? residency_.schedule().cycles_per_inference() : all[i + 1].occupant.written;
    all[i].stays = is_last && all[i].occupant.written == kBoot;
  }
  return all;
}

int ElementPlaces::bits_of(int index) const {
  int most = 0;
  for (const Copies* copies : residency_.all()) {
    most = std::max(most, copies->bits_of(index));
  }
  return most;
}

std::vector<PlacedBit> ElementPlaces::places_of(int index, std::int64_t element, int bit) const {
  std::vector<PlacedBit> places;
  for (const Copies* copies : residency_.all()) {
    const std::size_t memory = copies->region().memory;
    const auto add = [&](std::int64_t first, std::size_t layer, std::int64_t copy) {
      const std::int64_t word = residency_.placement().codeword_bytes(memory);
      const std::int64_t address = first + bit / 8;
      const sim::CodewordBit at{sim::CodewordId(static_cast<std::uint64_t>(address / word)),
                                static_cast<int>(address % word * 8 + bit % 8)};
      for (HeldBit& held : held_in(memory, at)) {
        if (held.occupant.is_of(*copies, layer, copy)) {
          places.push_back({memory, at, std::move(held)});
        }
      }
    };
    if (bit < copies->bits_of(index)) {
      copies->for_each_place({index, element}, order_, add);
    }
  }
  // The backing copy, then layer by layer.
  std::ranges::stable_sort(places, {}, [](const PlacedBit& place) {
    return place.held.occupant.has_layer() ? place.held.occupant.layer + 1 : 0;
  });
  return places;
}

}  // namespace tilestrike::bridge
