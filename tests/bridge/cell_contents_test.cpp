// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is what every cell is said to hold what the platform's cells hold in that cycle?
#include "bridge/exposure/cell_contents.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "tests/bridge/small_network.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

using enum sim::MemoryContent;

constexpr int kCycles = 12;

class CellContentsTest : public testing::TestWithParam<std::tuple<sim::Dataflow, WeightReload>> {};

TEST_P(CellContentsTest, EveryCellIsThePlatforms) {
  const auto [dataflow, rule] = GetParam();
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Tape golden = executor.record(dnn::Inputs(small_pictures()).narrow(2, 1));
  AcceleratorConfig accelerator = small_accelerator(dataflow, rule);
  accelerator.memory.emplace_back("d", small_memory({kBacking}, 8192, 64));
  Mapping mapping(network, golden, accelerator);
  MemoryTrials trial(network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  PlatformRun platform(network, mapping, golden);
  const Cycle period = mapping.schedule().cycles_per_inference();
  RandomStream random(17, 0, Purpose::kTest);
  std::int64_t compared = 0, not_zero = 0;
  for (int k = 0; k < kCycles; ++k) {
    const Cycle cycle = k == 0 ? 0
                        : k == 1
                            ? period - 1
                            : static_cast<Cycle>(random.below(static_cast<std::uint64_t>(period)));
    platform.boot();
    platform.infer(golden, 0);
    platform.infer(golden, period, cycle);
    for (std::size_t memory = 0; memory < accelerator.memory.size(); ++memory) {
      const sim::MemoryArray& array = platform.platform().array(static_cast<std::int32_t>(memory));
      for (std::uint64_t w = 0; w < array.geometry().codewords(); ++w) {
        const sim::BitString held = array.cells(sim::CodewordId(w));
        ASSERT_EQ(trial.contents().cells(golden, memory, sim::CodewordId(w), cycle), held)
            << accelerator.memory[memory].first << " codeword " << w << " cycle " << cycle;
        ++compared;
        not_zero += held.any() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(not_zero, compared / 10);
}

INSTANTIATE_TEST_SUITE_P(All, CellContentsTest,
                         testing::Combine(testing::ValuesIn(kDataflows),
                                          testing::Values(WeightReload::kPerPass,
                                                          WeightReload::kPerInference,
                                                          WeightReload::kAtBoot)));

}  // namespace
}  // namespace tilestrike::bridge
