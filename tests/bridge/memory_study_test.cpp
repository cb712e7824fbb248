// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on memories as campaigns ask for them.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "bridge/study/study.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"
#include "tests/bridge/memories.h"
#include "tests/bridge/strikes.h"
#include "tests/bridge/verdict.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

StudyInputs resnet(const AcceleratorConfig& accelerator, std::int64_t images = 5) {
  StudyInputs inputs;
  inputs.engines = sim::builtin_engines();
  inputs.engine = "systemc";
  inputs.model = zoo_path("resnet8");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.use = images;
  inputs.accelerator = accelerator;
  inputs.device = "cpu";
  return inputs;
}

std::string text_of(const TrialResult& result) {
  return std::string(name_of(result.judgement.outcome)) + " " +
         std::string(name_of(result.masked_at)) + " " + std::to_string(result.changed_accumulators);
}

TEST(MemoryStudyTest, StrikesOnEveryMemoryAreJudgedAndRepeatable) {
  for (const sim::Dataflow dataflow : kDataflows) {
    const auto study = Study::open(resnet(with_memories(16, 16, dataflow)));
    ASSERT_EQ(study->facts().memories.size(), 3U);
    int visible = 0;
    for (std::size_t memory = 0; memory < study->facts().memories.size(); ++memory) {
      const sim::ArrayGeometry geometry(study->facts().memories[memory].config.array());
      std::map<MaskedAt, int> masked;
      RandomStream random(1, memory, Purpose::kTest);
      for (int i = 0; i < 300; ++i) {
        const auto cycle =
            static_cast<Cycle>(random.below(static_cast<std::uint64_t>(study->facts().cycles)));
        const CellFault fault{memory,
                              geometry.bit_at(geometry.cell_at(random.below(geometry.cells()))),
                              FaultKind::kFlip,
                              {cycle, cycle + 1}};
        const TrialResult result = strike(*study, ImageId(i % 5), fault);
        visible += result.judgement.outcome != Outcome::kMasked ? 1 : 0;
        ++masked[result.masked_at];
        // Without ECC nothing is found, and what is not masked was read.
        EXPECT_EQ(result.corrected_codewords + result.detected_codewords, 0);
        EXPECT_TRUE(result.activated || result.judgement.outcome == Outcome::kMasked);
        if (i % 10 == 0) {
          EXPECT_EQ(text_of(strike(*study, ImageId(i % 5), fault)), text_of(result));
        }
      }
      EXPECT_GT(masked[MaskedAt::kDead], 0) << study->facts().memories[memory].name;
    }
    EXPECT_GT(visible, 10);
  }
}

TEST(MemoryStudyTest, EccCorrectsEverySingleUpset) {
  const auto study =
      Study::open(resnet(with_memories(16, 16, kDataflows[0], sim::EccKind::kSecded)));
  RandomStream random(2, 0, Purpose::kTest);
  int corrected = 0;
  for (int i = 0; i < 500; ++i) {
    const std::size_t memory = i % 2;
    const sim::ArrayGeometry geometry(study->facts().memories[memory].config.array());
    const auto cycle =
        static_cast<Cycle>(random.below(static_cast<std::uint64_t>(study->facts().cycles)));
    const CellFault fault{memory,
                          geometry.bit_at(geometry.cell_at(random.below(geometry.cells()))),
                          FaultKind::kFlip,
                          {cycle, cycle + 1}};
    const TrialResult result = strike(*study, ImageId(0), fault);
    EXPECT_TRUE(result.judgement.outcome == Outcome::kMasked ||
                result.judgement.outcome == Outcome::kCorrected);
    corrected += result.judgement.outcome == Outcome::kCorrected ? 1 : 0;
  }
  EXPECT_GT(corrected, 10);
}

// A tensor is a memory without geometry: a strike on codewords that live through all readers of a
// tensor equals the tensor fault on the same bits.
TEST(MemoryStudyTest, ABackingCopyIsOneCurrencyWithATensorFault) {
  StudyInputs inputs = resnet(with_memories(16, 16, kDataflows[0]), 3);
  inputs.strikes_tensors = true;
  const auto tensors = Study::open(inputs);
  Workload load = zoo_workload("resnet8", 3);
  const dnn::Executor executor(load.network);
  const dnn::Tape tape = executor.record(load.inputs.narrow(0, 1));
  Mapping mapping(load.network, tape, inputs.accelerator);
  MemoryTrials trial(load.network, mapping, sim::builtin_engines().at("systemc"), kTopK);
  const Placement& placement = trial.residency().placement();
  RandomStream random(3, 0, Purpose::kTest);
  int compared = 0;
  int visible = 0;
  for (std::size_t store = 0; store < tensors->facts().stores.size(); ++store) {
    const TensorStore& struck = tensors->facts().stores[store];
    const auto tensor = std::ranges::find(placement.tensors(), struck.name, &StoredTensor::name);
    if (tensor == placement.tensors().end()) {
      EXPECT_EQ(struck.role, TensorRole::kBias) << struck.name;  // in registers, not modelled
      continue;
    }
    const auto index = static_cast<int>(tensor - placement.tensors().begin());
    ASSERT_EQ(tensor->elements, struck.words) << struck.name;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t word = random.below(static_cast<std::uint64_t>(struck.words));
      const std::uint64_t bit = random.below(static_cast<std::uint64_t>(tensor->element_bytes * 8));
      const WordFault fault{StoreId(static_cast<std::int32_t>(store)), Lifetime::kOnce, word,
                            ~std::uint64_t{0}, std::uint64_t{1} << bit};
      const std::uint64_t place = static_cast<std::uint64_t>(placement.tensor_base(index)) * 8 +
                                  word * static_cast<std::uint64_t>(tensor->element_bytes) * 8 +
                                  bit;
      const Cycle written =
          trial.residency().all_in(2, sim::CodewordId(place / 64)).front().written;
      const Cycle when = tensor->is_constant ? -1 : written;
      const CellFault cell{2,
                           {sim::CodewordId(place / 64), static_cast<int>(place % 64)},
                           FaultKind::kFlip,
                           {when, when + 1}};
      const TrialResult by_cell = trial.run(tape, {{&cell, 1}, {}}, nullptr);
      const TrialResult by_tensor =
          tensor->is_constant
              ? strike_constant(*tensors, fault).front()
              : strike(*tensors, ImageId(0), Strike{{}, {}, {fault}}).images.front();
      EXPECT_EQ(by_cell.judgement.outcome, by_tensor.judgement.outcome)
          << struck.name << " word " << word << " bit " << bit;
      EXPECT_EQ(by_cell.logits, by_tensor.logits) << struck.name << " word " << word;
      ++compared;
      visible += by_cell.judgement.outcome != Outcome::kMasked ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 400);
  EXPECT_GT(visible, 100);
}

TEST(MemoryStudyTest, AStrikeIsJudgedAsTheStudySays) {
  StudyInputs inputs = resnet(with_memories(16, 16, kDataflows[0]));
  inputs.judge = JudgeKind::kRelativeL2;
  const auto study = Study::open(inputs);
  int reclassified = 0;
  for (int codewords = 1; codewords <= 16; ++codewords) {
    std::vector<CellFault> faults;  // signs of the first layer's weights, in the backing memory
    for (int byte = 0; byte < 8 * codewords; ++byte) {
      faults.push_back({2,
                        {sim::CodewordId(static_cast<std::uint64_t>(byte / 8)), byte % 8 * 8 + 7},
                        FaultKind::kFlip,
                        {-1, 0}});
    }
    const ImageId image(codewords % 5);
    const TrialResult result = strike(*study, image, Strike{{}, faults, {}}).images.front();
    if (result.judgement.outcome == Outcome::kSdc) {
      reclassified += is_judged_by_relative_l2(*study, image, result) ? 1 : 0;
    }
  }
  EXPECT_GT(reclassified, 2);
}

TEST(MemoryStudyTest, ResidentWeightsReachLaterInferences) {
  AcceleratorConfig accelerator = with_memories(16, 16, kDataflows[0]);
  accelerator.memory[0].second.capacity_bytes = std::int64_t{256} << 10;
  accelerator.schedule.weights = WeightReload::kAtBoot;
  const auto study = Study::open(resnet(accelerator, 4));
  // Bit 6 of the first weight: struck after its last read, it is dead in this inference and alive
  // in all later ones.
  const Cycle late = study->facts().cycles - 1;
  const CellFault fault{0, {sim::CodewordId(0), 6}, FaultKind::kFlip, {late, late + 1}};
  const JobResult both = strike(*study, ImageId(0), Strike{{}, {fault}, {}});
  const TrialResult& now = both.images.front();
  EXPECT_EQ(now.judgement.outcome, Outcome::kMasked);
  EXPECT_TRUE(now.outlives);
  const std::vector<TrialResult>& later = both.later;
  ASSERT_EQ(later.size(), 4U);
  for (const TrialResult& result : later) {
    EXPECT_TRUE(result.activated);
    EXPECT_GT(result.changed_accumulators, 0);
  }
  // Struck before everything, it does the same to this inference.
  const CellFault early{0, {sim::CodewordId(0), 6}, FaultKind::kFlip, {0, 1}};
  EXPECT_EQ(strike(*study, ImageId(2), early).logits, later[2].logits);
}

TEST(MemoryStudyTest, AcceleratorsThatDoNotFitAreRefused) {
  const auto message_of = [](const AcceleratorConfig& accelerator) -> std::string {
    try {
      Study::open(resnet(accelerator, 1));
    } catch (const Failure& failure) {
      return failure.errors().front().what + " | " + failure.errors().front().cure;
    }
    return "";
  };
  const AcceleratorConfig good = with_memories(16, 16, kDataflows[0]);
  EXPECT_EQ(message_of(good), "");
  AcceleratorConfig bad = good;
  bad.memory[1].second.holds = {sim::MemoryContent::kWeights};
  EXPECT_NE(message_of(bad).find("weights lie in two memories: scratchpad, accumulator"),
            std::string::npos);
  bad = good;
  bad.memory.erase(bad.memory.begin() + 1);
  EXPECT_NE(message_of(bad).find("no memory holds the accumulators"), std::string::npos);
  bad = good;
  bad.memory[0].second.capacity_bytes = 1024;
  EXPECT_NE(message_of(bad).find("the input of one pass does not fit"), std::string::npos)
      << message_of(bad);
  bad = good;
  bad.schedule.weights = WeightReload::kAtBoot;
  EXPECT_NE(message_of(bad).find("per_pass"), std::string::npos) << message_of(bad);
  bad = good;
  bad.memory[1].second.data_bits = 16;
  EXPECT_NE(message_of(bad).find("holds no whole accumulator"), std::string::npos);
  bad = good;
  bad.memory[2].second.capacity_bytes = 4096;
  EXPECT_NE(message_of(bad).find("memory dram: the network's tensors take"), std::string::npos);
}

}  // namespace
}  // namespace tilestrike::bridge
