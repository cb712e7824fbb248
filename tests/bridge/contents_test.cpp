// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the spans of what memories hold those of the schedule, and do no two of them claim a byte?
#include "bridge/memory/contents.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tilestrike::bridge {
namespace {

using sim::MemoryContent;

/// A 4 x 4 mesh with small memories, and a backing memory.
AcceleratorConfig accelerator(sim::Dataflow dataflow, WeightReload rule, sim::Buffering buffering) {
  AcceleratorConfig config;
  config.mesh.rows = 4;
  config.mesh.columns = 4;
  config.mesh.dataflow = dataflow;
  config.schedule.vector_lanes = 4;
  config.schedule.dma_bytes = 2;
  config.schedule.dma_latency = 5;
  config.schedule.weights = rule;
  const auto memory = [&](MemoryContent content, std::int64_t bytes) {
    sim::MemoryConfig made;
    made.holds = {content};
    made.capacity_bytes = bytes;
    made.row_bytes = 16;
    made.data_bits = 32;
    made.buffering = buffering;
    return made;
  };
  config.memory = {{"w", memory(MemoryContent::kWeights, 1024)},
                   {"a", memory(MemoryContent::kActivations, 256)},
                   {"s", memory(MemoryContent::kAccumulators, 512)},
                   {"d", memory(MemoryContent::kBacking, 4096)}};
  return config;
}

/// A linear layer, an addition of its result to the input, and a second linear layer.
struct Example {
  std::vector<LayerWork> work;
  std::vector<StoredTensor> tensors = {{"w0", 16 * 16, 1, true},   {"w1", 16 * 10, 1, true},
                                       {"x", 12 * 16, 1, false},   {"y", 12 * 16, 1, false},
                                       {"sum", 12 * 16, 1, false}, {"z", 12 * 10, 4, false}};
  Example() {
    GemmShape gemm;
    gemm.rows = 12;
    gemm.depth = 16;
    gemm.columns = 16;
    work.push_back({gemm, 0, {{2, 12 * 16}, {0, 16 * 16}}, {3}});
    work.push_back({std::nullopt, 12 * 16, {{3, 12 * 16}, {2, 12 * 16}}, {4}});
    gemm.columns = 10;
    work.push_back({gemm, 0, {{4, 12 * 16}, {1, 16 * 10}}, {5}});
  }
};

const ContentSpan& tensor(const InferenceContents& contents, const std::string& name) {
  return *std::ranges::find(contents.memories[3].spans, name, &ContentSpan::what);
}

class ContentsTest
    : public ::testing::TestWithParam<std::tuple<sim::Dataflow, WeightReload, sim::Buffering>> {};

TEST_P(ContentsTest, SpansLieWithinTheirMemoryAndNeverOverlap) {
  const auto [dataflow, rule, buffering] = GetParam();
  const Example example;
  const Schedule schedule(accelerator(dataflow, rule, buffering), example.work, example.tensors);
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
  const auto [dataflow, rule, buffering] = GetParam();
  const Example example;
  const Schedule schedule(accelerator(dataflow, rule, buffering), example.work, example.tensors);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  // Weights, by bytes and by layer: all columns of the mesh, whether the layer has them or not.
  const bool is_in_turn = rule == WeightReload::kPerPass;
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

INSTANTIATE_TEST_SUITE_P(
    Rules, ContentsTest,
    ::testing::Combine(::testing::Values(sim::Dataflow::kWeightStationary,
                                         sim::Dataflow::kOutputStationary),
                       ::testing::Values(WeightReload::kPerPass, WeightReload::kPerInference,
                                         WeightReload::kAtBoot),
                       ::testing::Values(sim::Buffering::kDouble, sim::Buffering::kSingle)));

TEST(ContentsOfBootTest, WeightsThatStayAreLiveAllTheTime) {
  const Example example;
  const Schedule schedule(
      accelerator(sim::Dataflow::kWeightStationary, WeightReload::kAtBoot, sim::Buffering::kDouble),
      example.work, example.tensors);
  const InferenceContents contents = contents_of(schedule, {"first", "add", "second"}, 5);
  for (const ContentSpan& span : contents.memories[0].spans) {
    EXPECT_EQ(span.from, 0);
    EXPECT_EQ(span.until, contents.period);
  }
}

}  // namespace
}  // namespace tilestrike::bridge
