// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are trials on tensors judged as they should be, whatever batch they share?
#include "bridge/study/tensor_study.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <span>

#include "base/random.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/workload.h"
#include "dnn/executor.h"
#include "tests/bridge/same_trial.h"
#include "tests/bridge/strikes.h"
#include "tests/bridge/verdict.h"
#include "tests/bridge/zoo.h"
#include "tests/dnn/support.h"

namespace tilestrike::bridge {
namespace {

std::unique_ptr<Study> study_of(const NumberFormat& format, std::int64_t batch,
                                JudgeKind judge = JudgeKind::kTopK) {
  StudyInputs inputs;
  inputs.model = zoo_path("lenet5");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.use = 40;
  inputs.accelerator = mesh_of(16, 16, kDataflows[0]);
  inputs.has_accelerator = false;
  inputs.strikes_tensors = true;
  inputs.format = format;
  inputs.batch = batch;
  inputs.judge = judge;
  inputs.device = "cpu";
  return open_tensor_study(inputs);
}

/// The last store of a role.
StoreId last_of(const Study& study, TensorRole role) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < study.facts().stores.size(); ++i) {
    last = study.facts().stores[i].role == role ? i : last;
  }
  return StoreId(static_cast<std::uint32_t>(last));
}

WordFault value_of_word(StoreId store, std::uint64_t word, float value) {
  return {.store = store,
          .word = word,
          .keep = ~std::uint64_t{0xFFFFFFFF},
          .flip = std::bit_cast<std::uint32_t>(value)};
}

/// Flips of one bit in each activation store, on images all over the set.
std::vector<StrikeJob> drawn_strikes(const Study& study) {
  RandomStream random(4, 0, Purpose::kTest);
  std::vector<StrikeJob> strikes;
  const auto add = [&](ImageId image, Strike strike) {
    strikes.emplace_back();
    strikes.back().strike = std::move(strike);
    strikes.back().image = image;
  };
  for (std::uint32_t i = 0; i < study.facts().stores.size(); ++i) {
    const TensorStore& store = study.facts().stores[i];
    for (int k = 0; k < 6 && store.role == TensorRole::kActivation; ++k) {
      const int high = store.format.bits - 2;
      WordFault fault;
      fault.store = StoreId(i);
      const ImageId image(static_cast<std::int64_t>(random.below(40)));
      fault.word = random.below(static_cast<std::uint64_t>(store.words));
      fault.flip = std::uint64_t{1} << high;
      add(image, {{}, {}, {fault}});
    }
  }
  add(ImageId(17), Strike(strikes.front().strike));
  add(ImageId(17), Strike(strikes.back().strike));  // one image twice
  return strikes;
}

std::vector<TrialResult> results_of(Study& study, std::span<const StrikeJob> jobs) {
  std::vector<TrialResult> results;
  for (JobResult& job : study.strike(jobs)) {
    EXPECT_EQ(job.images.size(), 1U);
    results.push_back(std::move(job.images.front()));
  }
  return results;
}

TEST(TensorStudyTest, ANanLogitIsNonfiniteAndCountsAsEverySdc) {
  const auto study = study_of(kFloat32, 16);
  const WordFault fault = value_of_word(last_of(*study, TensorRole::kBias), 3, std::nanf(""));
  const auto results = strike_constant(*study, fault);
  ASSERT_EQ(results.size(), 40U) << "every image stays in the total";
  for (const TrialResult& result : results) {
    EXPECT_EQ(result.judgement.outcome, Outcome::kNonfinite);
    EXPECT_TRUE(result.judgement.sdc_1 && result.judgement.sdc_5 && result.judgement.sdc_10 &&
                result.judgement.sdc_20);
    ASSERT_EQ(result.logits.size(), 10U);
    EXPECT_TRUE(std::isnan(result.logits[3]));
  }
}

TEST(TensorStudyTest, AStruckBiasMovesItsLogitOnEveryImage) {
  const auto study = study_of(kFloat32, 16);
  const WordFault fault = value_of_word(last_of(*study, TensorRole::kBias), 3, 1000.0F);
  const auto results = strike_constant(*study, fault);
  for (std::int64_t image = 0; image < 40; ++image) {
    const TrialResult& result = results[static_cast<std::size_t>(image)];
    const auto golden = study->golden_answer(ImageId(image));
    EXPECT_EQ(result.judgement.faulty_class, 3);
    for (std::size_t k = 0; k < 10; ++k) {
      if (k == 3) {
        EXPECT_NEAR(result.logits[k], 1000.0F, 100.0F);
      } else {
        EXPECT_EQ(result.logits[k], golden[k]);
      }
    }
  }
}

TEST(TensorStudyTest, ABitThatHasTheValueIsUnchanged) {
  const auto study = study_of(kFloat32, 16);
  const StoreId bias = last_of(*study, TensorRole::kBias);
  // One of the two stuck-at faults of a bit changes nothing, the other does.
  int unchanged = 0;
  for (const std::uint64_t flip : {std::uint64_t{0}, std::uint64_t{1} << 31}) {
    const WordFault fault{
        .store = bias, .word = 0, .keep = ~(std::uint64_t{1} << 31), .flip = flip};
    const auto results = strike_constant(*study, fault);
    if (!results.front().activated) {
      ++unchanged;
      for (const TrialResult& result : results) {
        EXPECT_EQ(result.judgement.outcome, Outcome::kMasked);
        EXPECT_EQ(result.masked_at, MaskedAt::kUnchanged);
        EXPECT_EQ(result.changed_words, 0);
      }
    }
  }
  EXPECT_EQ(unchanged, 1);
}

TEST(TensorStudyTest, TrialsOfOneBatchDoNotInfluenceEachOther) {
  const auto study = study_of(kFloat32, 32);
  const auto strikes = drawn_strikes(*study);
  const auto together = results_of(*study, strikes);
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    const auto alone = results_of(*study, {&strikes[i], 1});
    expect_same(together[i], alone.front());
  }
}

TEST(TensorStudyTest, AnIntegerNetworkGivesTheSameTrialsAtBatch1And32) {
  const auto one = study_of(NumberFormat::integer(8), 1);
  const auto many = study_of(NumberFormat::integer(8), 32);
  const auto strikes = drawn_strikes(*one);
  const auto alone = results_of(*one, strikes);
  const auto batched = results_of(*many, strikes);
  int visible = 0;
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    expect_same(alone[i], batched[i]);
    visible += alone[i].logits.empty() ? 0 : 1;
  }
  EXPECT_GT(visible, 3);
}

StoreId named(const Study& study, const std::string& name) {
  const auto found = std::ranges::find(study.facts().stores, name, &TensorStore::name);
  EXPECT_NE(found, study.facts().stores.end()) << name;
  return StoreId(static_cast<std::uint32_t>(found - study.facts().stores.begin()));
}

void flip_in(at::Tensor& tensor, std::int64_t element, std::uint64_t flip) {
  float& number = tensor.mutable_data_ptr<float>()[element];
  number =
      std::bit_cast<float>(std::bit_cast<std::uint32_t>(number) ^ static_cast<std::uint32_t>(flip));
}

/// lenet5, in which faults are put by hand: words of parameters into a copy of it, words of what a
/// layer computes, or of the images, into one row of a batch.
class ByHand {
 public:
  explicit ByHand(const Study& study) : study_(study) {
    NetworkSource source;
    source.model = zoo_path("lenet5");
    source.images = "fashion_mnist/test";
    source.use = 40;
    source.device = "cpu";
    load_ = load_workload(source, false);
  }

  std::vector<float> answer(std::int64_t image, std::span<const WordFault> faults,
                            std::int64_t batch) const {
    dnn::Network network = load_.network;
    const std::int64_t first = image / batch * batch, row = image - first;
    at::Tensor images =
        load_.inputs.narrow(first, std::min<std::int64_t>(batch, 40 - first)).tensors().front();
    images = images.clone();
    std::vector<WordFault> computed;
    for (const WordFault& fault : faults) {
      const TensorStore& store = study_.facts().stores[fault.store.value];
      const auto word = static_cast<std::int64_t>(fault.word);
      if (store.name == "input") {
        flip_in(images, row * store.words + word, fault.flip);
      } else if (store.role == TensorRole::kActivation) {
        computed.push_back(fault);
      }
      for (std::size_t id = 0; id < network.values.size(); ++id) {
        if (network.values[id].parameter == store.name) {
          at::Tensor changed = network.constants[id].toTensor().clone();
          flip_in(changed, word, fault.flip);
          network.constants[id] = changed;
        }
      }
    }
    const dnn::Hook hook = [&](std::size_t layer, dnn::Values& values) {
      for (const WordFault& fault : computed) {
        const TensorStore& store = study_.facts().stores[fault.store.value];
        if (store.name == network.layers[layer].name) {
          c10::IValue& value =
              values[static_cast<std::size_t>(network.layers[layer].outputs.front().value)];
          at::Tensor changed = value.toTensor().clone();
          flip_in(changed, row * store.words + static_cast<std::int64_t>(fault.word), fault.flip);
          value = changed;
        }
      }
    };
    return floats(dnn::Executor(network).run(images, hook).select(0, row));
  }

 private:
  const Study& study_;
  Workload load_;
};

TEST(TensorStudyTest, WeightsAndActivationsOfOneInferenceAreWhatOneFlipsByHand) {
  const auto study = study_of(kFloat32, 16);
  const ByHand by_hand(*study);
  const std::vector<std::vector<float>> golden = {study->golden_answer(ImageId(0)),
                                                  study->golden_answer(ImageId(37))};
  RandomStream random(11, 0, Purpose::kTest);
  const auto drawn = [&](const std::string& store) {
    const StoreId id = named(*study, store);
    return WordFault{
        .store = id,
        .word = random.below(static_cast<std::uint64_t>(study->facts().stores[id.value].words)),
        .flip = std::uint64_t{1} << (20 + random.below(8))};
  };
  int visible = 0;
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"conv1.weight", "relu1"},
           {"fc2.weight", "input"},
           {"conv2.weight", "fc1.bias", "conv1", "fc2"},
           {"conv2.weight", "fc3.weight"}}) {  // constants alone, at one image
    for (const std::int64_t image : {21, 37}) {
      std::vector<WordFault> faults;
      for (const std::string& name : names) {
        faults.push_back(drawn(name));
      }
      faults = normalised(faults);
      const JobResult result = strike(*study, ImageId(image), Strike{{}, {}, faults});
      ASSERT_EQ(result.images.size(), 1U);
      const TrialResult& trial = result.images.front();
      const std::vector<float> expected = by_hand.answer(image, faults, 16);
      EXPECT_EQ(trial.changed_words, std::ssize(names));
      EXPECT_EQ(trial.before ^ trial.after, faults.front().flip);
      if (trial.judgement.outcome == Outcome::kMasked) {
        EXPECT_EQ(study->golden_answer(ImageId(image)), expected) << names.front();
      } else {
        EXPECT_EQ(trial.logits, expected) << names.front();
        ++visible;
      }
    }
  }
  EXPECT_GE(visible, 6);
  EXPECT_EQ(golden[0], study->golden_answer(ImageId(0)));
  // Undone: a fault that changes no answer leaves the golden one.
  const WordFault none{.store = named(*study, "conv1.weight"), .word = 0, .flip = 0};
  for (const TrialResult& trial : strike_constant(*study, none)) {
    EXPECT_EQ(trial.masked_at, MaskedAt::kUnchanged);
  }
}

TEST(TensorStudyTest, LastingFaultsOfBothKindsAreThoseOfEachImage) {
  for (const NumberFormat& format : {kFloat32, NumberFormat::integer(8)}) {
    const auto study = study_of(format, 16);
    const auto& stores = study->facts().stores;
    const auto first_of = [&](TensorRole role) {
      return StoreId(static_cast<std::uint32_t>(
          std::ranges::find(stores, role, &TensorStore::role) - stores.begin()));
    };
    const std::vector<WordFault> faults = {
        {.store = first_of(TensorRole::kWeight), .word = 5, .flip = 0x40},
        {.store = first_of(TensorRole::kActivation), .word = 300, .flip = 0x40}};
    const JobResult all = strike(*study, std::nullopt, Strike{{}, {}, faults});
    ASSERT_EQ(all.images.size(), 40U);
    for (std::int64_t image = 0; image < 40; image += 13) {
      const JobResult one = strike(*study, ImageId(image), Strike{{}, {}, faults});
      expect_same(one.images.front(), all.images[static_cast<std::size_t>(image)]);
    }
  }
}

TEST(TensorStudyTest, RelativeL2IsThatOfTheAnswers) {
  const auto study = study_of(kFloat32, 16, JudgeKind::kRelativeL2);
  const WordFault fault = value_of_word(last_of(*study, TensorRole::kBias), 3, 5.0F);
  const auto results = strike_constant(*study, fault);
  for (std::int64_t image = 0; image < 40; ++image) {
    const TrialResult& result = results[static_cast<std::size_t>(image)];
    const auto golden = study->golden_answer(ImageId(image));
    double moved = 0.0, length = 0.0;
    for (std::size_t k = 0; k < golden.size(); ++k) {
      moved += std::pow(static_cast<double>(result.logits[k]) - golden[k], 2);
      length += std::pow(static_cast<double>(golden[k]), 2);
    }
    EXPECT_NEAR(result.judgement.relative_l2, std::sqrt(moved / length), 1e-6);
    EXPECT_EQ(result.judgement.sdc_20, result.judgement.relative_l2 > 0.2);
    is_judged_by_relative_l2(*study, ImageId(image), result);
  }
}

TEST(TensorStudyTest, ANetworkThatIsQuantisedAlreadyStoresNoOtherFormat) {
  TS_NEEDS_EXPORTED();
  StudyInputs inputs;
  inputs.model = dnn::exported() + "quantised.pt2";
  if (!std::filesystem::exists(inputs.model)) {
    GTEST_SKIP() << "SKIPPED: this PyTorch does not register quantized_decomposed operators";
  }
  inputs.images = dnn::exported() + "x.npy";
  inputs.calibrate = inputs.images;
  inputs.accelerator = mesh_of(16, 16, kDataflows[0]);
  inputs.has_accelerator = false;
  inputs.strikes_tensors = true;
  inputs.device = "cpu";
  for (const NumberFormat& format : {kFloat32, *NumberFormat::parse("bfloat16")}) {
    inputs.format = format;
    const std::string message = dnn::failure_of([&] { open_tensor_study(inputs); });
    EXPECT_NE(message.find("quantised already: its weights are not stored as " + format.name()),
              std::string::npos)
        << message;
    EXPECT_NE(message.find(inputs.model), std::string::npos) << message;
    EXPECT_NE(message.find("set `format: int8`"), std::string::npos) << message;
  }
  inputs.format = NumberFormat::integer(8);
  EXPECT_FALSE(open_tensor_study(inputs)->facts().stores.empty());
}

}  // namespace
}  // namespace tilestrike::bridge
