// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is an element found where it lies, and what lies there the element, whichever side is asked?
#include "bridge/exposure/element_places.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "bridge/exposure/contents.h"
#include "tests/bridge/memory_example.h"

namespace tilestrike::bridge {
namespace {

class ElementPlacesTest : public ::testing::TestWithParam<MemoryRules> {};

TEST_P(ElementPlacesTest, EachBitOfAnElementIsFoundFromBothSides) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const Residency residency(schedule);
  const ElementPlaces places(residency);
  std::size_t found = 0;
  for (int tensor = 0; tensor < static_cast<int>(example.tensors.size()); ++tensor) {
    const StoredTensor& stored = example.tensors[static_cast<std::size_t>(tensor)];
    for (std::int64_t element = 0; element < stored.elements; ++element) {
      const int bit = static_cast<int>(element % (8 * stored.element_bytes));
      const auto all = places.places_of(tensor, element, bit);
      ASSERT_FALSE(all.empty()) << stored.name << " " << element;
      for (const PlacedBit& place : all) {
        EXPECT_EQ(place.held.tensor, tensor);
        EXPECT_EQ(place.held.element, element) << stored.name;
        EXPECT_EQ(place.held.bit, bit);
        EXPECT_LT(place.held.occupant.written, place.held.until);
        for (const Cycle read : place.held.reads) {
          EXPECT_LT(place.held.occupant.written, read) << stored.name << " " << element;
          EXPECT_LE(read, place.held.until) << stored.name << " " << element;
        }
        ++found;
      }
    }
  }
  EXPECT_GT(found, 1000U);
}

TEST_P(ElementPlacesTest, EveryBitThatHoldsAnElementIsOneOfItsPlaces) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const Residency residency(schedule);
  const ElementPlaces places(residency);
  RandomStream random(1, 0, Purpose::kTest);
  int held_elements = 0;
  for (std::size_t memory = 0; memory < 4; ++memory) {
    const sim::MemoryConfig& config = residency.placement().accelerator().memory[memory].second;
    const sim::ArrayGeometry geometry(config.array());
    for (int draw = 0; draw < 400; ++draw) {
      const sim::CodewordBit bit{
          sim::CodewordId(random.below(geometry.codewords())),
          static_cast<int>(random.below(static_cast<std::uint64_t>(geometry.codeword_bits())))};
      for (const HeldBit& held : places.held_in(memory, bit)) {
        if (bit.bit >= config.data_bits) {
          EXPECT_EQ(held.element, -1) << "a check bit";
          continue;
        }
        if (held.element < 0) {
          EXPECT_TRUE(held.reads.empty()) << "nobody reads what is no element";
          continue;
        }
        ++held_elements;
        const auto all = places.places_of(held.tensor, held.element, held.bit);
        EXPECT_TRUE(std::ranges::any_of(all, [&](const PlacedBit& place) {
          return place.memory == memory && place.bit == bit &&
                 place.held.occupant.written == held.occupant.written &&
                 place.held.reads == held.reads;
        }));
      }
    }
  }
  EXPECT_GT(held_elements, 500);
}

TEST_P(ElementPlacesTest, ReadersAreThoseOfTheSchedule) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const Residency residency(schedule);
  const ElementPlaces places(residency);
  // The input: each row of the product reads each of its elements once per column fold; the
  // addition reads it once more.
  std::size_t on_mesh = 0, beside = 0;
  for (const PlacedBit& place : places.places_of(2, 16 * 5 + 3, 0)) {
    if (place.held.occupant.copies == &residency.activations()) {
      (place.held.occupant.layer == 0 ? on_mesh : beside) += place.held.reads.size();
    }
  }
  EXPECT_EQ(on_mesh, 4U);
  EXPECT_EQ(beside, 1U);
  // A weight: once for each fold of the rows.
  std::size_t weight_reads = 0;
  for (const PlacedBit& place : places.places_of(0, 16 * 9 + 2, 7)) {
    if (place.held.occupant.copies == &residency.weights()) {
      weight_reads += place.held.reads.size();
    }
  }
  EXPECT_EQ(weight_reads, static_cast<std::size_t>(schedule.layers()[0].tiling->row_folds()));
  // A sum: once for each fold of the depth, the first of which overwrites, and once for the result.
  for (const PlacedBit& place : places.places_of(3, 16 * 11 + 15, 7)) {
    if (place.held.occupant.copies == &residency.sums()) {
      EXPECT_EQ(place.held.reads.size(),
                static_cast<std::size_t>(schedule.layers()[0].tiling->depth_folds()));
    }
  }
}

TEST_P(ElementPlacesTest, TheLastReadOfALoadIsTheEndOfItsSpan) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const Residency residency(schedule);
  const ElementPlaces places(residency);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  for (std::size_t memory = 0; memory < 3; ++memory) {
    const std::int64_t word = residency.placement().codeword_bytes(memory);
    for (const ContentSpan& span : contents.memories[memory].spans) {
      Cycle first = contents.period, last = 0;
      for (std::int64_t byte = 0; byte < span.bytes; ++byte) {
        const sim::CodewordBit bit{
            sim::CodewordId(static_cast<std::uint64_t>((span.address + byte) / word)),
            static_cast<int>((span.address + byte) % word * 8)};
        for (const HeldBit& held : places.held_in(memory, bit)) {
          const bool is_boot = held.stays && span.until == contents.period;
          if (held.occupant.layer == span.layer && !held.reads.empty() &&
              (is_boot ||
               (span.from <= held.occupant.written && held.occupant.written < span.until))) {
            first = std::min(first, held.occupant.written);
            last = std::max(last, held.reads.back());
          }
        }
      }
      EXPECT_LE(last, span.until) << span.what;
      if (span.until < contents.period) {
        EXPECT_EQ(last, span.until) << span.what << " of " << contents.layers[span.layer];
        EXPECT_GE(first, span.from) << span.what;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, ElementPlacesTest, all_memory_rules());

}  // namespace
}  // namespace tilestrike::bridge
