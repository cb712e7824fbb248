// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the spans of what memories hold those of the schedule, and do no two of them claim a byte?
#include "bridge/exposure/contents.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bridge/memory_example.h"

namespace tilestrike::bridge {
namespace {

const ContentSpan& tensor(const InferenceContents& contents, const std::string& name) {
  return *std::ranges::find(contents.memories[3].spans, name, &ContentSpan::what);
}

class ContentsTest : public ::testing::TestWithParam<MemoryRules> {};

TEST_P(ContentsTest, SpansLieWithinTheirMemoryAndNeverOverlap) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  EXPECT_EQ(contents.period, schedule.cycles_per_inference());
  ASSERT_EQ(contents.memories.size(), 4U);
  for (const MemoryContents& memory : contents.memories) {
    EXPECT_FALSE(memory.spans.empty()) << memory.name;
    for (std::size_t i = 0; i < memory.spans.size(); ++i) {
      const ContentSpan& one = memory.spans[i];
      EXPECT_GE(one.address, 0);
      EXPECT_LE(one.address + one.bytes, memory.capacity_bytes);
      EXPECT_TRUE(0 <= one.from && one.from < one.until && one.until <= contents.period)
          << memory.name << " " << one.what;
      for (std::size_t j = i + 1; j < memory.spans.size(); ++j) {
        const ContentSpan& other = memory.spans[j];
        const bool in_space =
            one.address < other.address + other.bytes && other.address < one.address + one.bytes;
        const bool in_time = one.from < other.until && other.from < one.until;
        EXPECT_FALSE(in_space && in_time) << memory.name << ": " << one.what << " of " << one.layer
                                          << " and " << other.what << " of " << other.layer;
      }
    }
  }
}

TEST_P(ContentsTest, EveryLayersOperandsAreThereUntilTheyAreRead) {
  const MemoryExample example;
  const Schedule schedule(memory_example_accelerator(GetParam()), example.work, example.tensors);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  // Weights, by bytes and by layer: all columns of the mesh, whether the layer has them or not.
  const bool is_in_turn = std::get<1>(GetParam()) == WeightReload::kPerPass;
  for (const std::size_t layer : {0U, 2U}) {
    std::int64_t bytes = 0;
    for (const ContentSpan& span : contents.memories[0].spans) {
      bytes += span.layer == layer ? span.bytes : 0;
    }
    const Tiling& tiling = *schedule.layers()[layer].tiling;
    const int copies = is_in_turn ? tiling.row_folds() : 1;
    EXPECT_EQ(bytes, 16 * tiling.column_folds() * 4 * copies);
  }
  // Both operands of the addition.
  std::int64_t added = 0;
  for (const ContentSpan& span : contents.memories[1].spans) {
    added += span.layer == 1 ? span.bytes : 0;
  }
  EXPECT_EQ(added, 2 * 12 * 16);
  // Results: as many words as the mesh's columns, for each row and column fold.
  std::int64_t sums = 0;
  for (const ContentSpan& span : contents.memories[2].spans) {
    sums += span.layer == 2 ? span.bytes : 0;
  }
  EXPECT_EQ(sums, 12 * 3 * 4 * 4);
  // In the backing memory: the input until the addition has fetched it, the answer until its end.
  const ScheduledLayer& add = schedule.layers()[1];
  EXPECT_EQ(tensor(contents, "x").from, 0);
  EXPECT_GT(tensor(contents, "x").until, add.start);
  EXPECT_LT(tensor(contents, "x").until, add.end());
  EXPECT_GT(tensor(contents, "y").from, schedule.layers()[0].start);
  EXPECT_LT(tensor(contents, "y").from, schedule.layers()[0].end());
  EXPECT_EQ(tensor(contents, "z").until, schedule.memory()->answer_read());
  EXPECT_EQ(tensor(contents, "w0").until, contents.period) << "constants stay";
}

INSTANTIATE_TEST_SUITE_P(Rules, ContentsTest, all_memory_rules());

TEST(ContentsOfBootTest, WeightsThatStayAreLiveAllTheTime) {
  const MemoryExample example;
  const Schedule schedule(
      memory_example_accelerator(
          {sim::Dataflow::kWeightStationary, WeightReload::kAtBoot, sim::Buffering::kDouble}),
      example.work, example.tensors);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  for (const ContentSpan& span : contents.memories[0].spans) {
    EXPECT_EQ(span.from, 0);
    EXPECT_EQ(span.until, contents.period);
  }
}

}  // namespace
}  // namespace tilestrike::bridge
