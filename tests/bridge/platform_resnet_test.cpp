// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ResNet-8 on the platform: every access of a whole inference, without and with strikes.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/random.h"
#include "bridge/reference/platform_run.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "dnn/count_different.h"
#include "tests/bridge/memories.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

class PlatformResnetTest : public testing::TestWithParam<std::tuple<sim::Dataflow, WeightReload>> {
};

TEST_P(PlatformResnetTest, EveryLayerIsTheExecutorsAndStrikesAreTheTrials) {
  const auto [dataflow, rule] = GetParam();
  const Workload load = zoo_workload("resnet8", 4);
  const dnn::Executor executor(load.network);
  AcceleratorConfig accelerator = with_memories(16, 16, dataflow, sim::EccKind::kSecded);
  accelerator.memory[0].second.capacity_bytes = std::int64_t{256} << 10;
  accelerator.schedule.weights = rule;
  accelerator.on_due = OnDue::kUse;
  const dnn::Tape shapes = executor.record(load.inputs.narrow(0, 1));
  Mapping mapping(load.network, shapes, accelerator);
  MemoryTrials trial(load.network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  PlatformRun platform(load.network, mapping, shapes);
  const auto output = static_cast<std::size_t>(load.network.output.value);
  const Cycle period = mapping.schedule().cycles_per_inference();

  platform.boot();
  for (std::int64_t image = 0; image < 2; ++image) {
    const dnn::Tape golden = executor.record(load.inputs.narrow(image, 1));
    const PlatformInference found = platform.infer(golden, image * period);
    for (std::size_t layer = 0; layer < load.network.layers.size(); ++layer) {
      if (golden.accumulators[layer].defined()) {
        ASSERT_EQ(dnn::count_different(golden.accumulators[layer], found.accumulators[layer]), 0)
            << load.network.layers[layer].name;
      }
    }
    ASSERT_EQ(dnn::count_different(golden.values[output].toTensor(), found.answer), 0);
  }

  // Two cells of one codeword each, so that SEC-DED lets them through; where much is in use.
  int changed = 0;
  for (int k = 0; k < 80; ++k) {
    RandomStream random(80, static_cast<std::uint64_t>(k), Purpose::kTest);
    CellFault fault;
    fault.memory = random.below(2);
    const sim::ArrayGeometry geometry(accelerator.memory[fault.memory].second.array());
    fault.when.from = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(period)));
    fault.when.until = fault.when.from + 1;
    fault.bit.codeword = sim::CodewordId(random.below(geometry.codewords() / 4));
    std::vector<CellFault> faults;
    for (const std::uint64_t bit : draw_without_replacement(random, 72, 2)) {
      fault.bit.bit = static_cast<int>(bit);
      faults.push_back(fault);
    }
    std::sort(faults.begin(), faults.end(),
              [](const CellFault& x, const CellFault& y) { return x.bit < y.bit; });
    const dnn::Tape golden = executor.record(load.inputs.narrow(k % 4, 1));
    const TrialResult hybrid = trial.run(golden, {faults, {}}, nullptr);
    platform.boot();
    for (const CellFault& one : faults) {
      const sim::PlatformStrike strike{static_cast<std::int32_t>(one.memory), one.bit, one.kind,
                                       one.when, false};
      platform.platform().arm({&strike, 1});
    }
    const PlatformInference full = platform.infer(golden, 0);
    const at::Tensor expected = golden.values[output].toTensor();
    const at::Tensor answer = expected.clone();
    if (!hybrid.logits.empty()) {
      std::copy(hybrid.logits.begin(), hybrid.logits.end(), answer.data_ptr<float>());
    }
    ASSERT_EQ(dnn::count_different(answer, full.answer), 0) << k;
    ASSERT_EQ(full.report.first_detected.has_value(), hybrid.detected_codewords > 0) << k;
    changed += full.report.first_detected ? 1 : 0;
  }
  std::printf("%zu accesses an inference; %d of 80 strikes were read\n", platform.accesses().size(),
              changed);
}

INSTANTIATE_TEST_SUITE_P(All, PlatformResnetTest,
                         testing::Combine(testing::ValuesIn(kDataflows),
                                          testing::Values(WeightReload::kPerPass,
                                                          WeightReload::kPerInference,
                                                          WeightReload::kAtBoot)));

}  // namespace
}  // namespace tilestrike::bridge
