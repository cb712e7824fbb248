// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are trials on the tensors of a spiking network the same from lists and computed whole?
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "base/random.h"
#include "base/yaml.h"
#include "bridge/study/golden_tapes.h"
#include "bridge/study/spiking_workload.h"
#include "bridge/study/tensor_study.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/spiking/spiking_network.h"
#include "tests/bridge/same_trial.h"
#include "tests/bridge/zoo.h"
#include "tests/dnn/nir_files.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kImages = 11, kInputs = 12;

std::vector<double> drawn(RandomStream& random, std::int64_t count, double least, double most) {
  std::vector<double> numbers;
  while (static_cast<std::int64_t>(numbers.size()) < count) {
    numbers.push_back(least + random.unit() * (most - least));
  }
  return numbers;
}

dnn::NirTestNode affine(RandomStream& random, std::int64_t outputs, std::int64_t inputs) {
  return {"Affine",
          {{"weight", dnn::floats({outputs, inputs}, drawn(random, outputs * inputs, -0.8, 1.2))},
           {"bias", dnn::floats({outputs}, drawn(random, outputs, -0.1, 0.3))}}};
}

dnn::NirTestNode lif(RandomStream& random, std::int64_t count) {
  const std::vector<double> taus(static_cast<std::size_t>(count), 0.004);
  const std::vector<double> ones(static_cast<std::size_t>(count), 1.5);
  return {"LIF",
          {{"tau", dnn::floats({count}, taus)},
           {"r", dnn::floats({count}, ones)},
           {"v_leak", dnn::floats({count}, drawn(random, count, 0.0, 0.1))},
           {"v_threshold", dnn::floats({count}, drawn(random, count, 0.4, 1.2))}}};
}

class SpikingStudyTest : public testing::Test {
 protected:
  SpikingStudyTest() {
    RandomStream random(31, 0, Purpose::kTest);
    const dnn::NirTestFile file = dnn::nir_line({{"in", dnn::input_node({kInputs})},
                                                 {"fc1", affine(random, 10, kInputs)},
                                                 {"lif1", lif(random, 10)},
                                                 {"fc2", affine(random, 7, 10)},
                                                 {"lif2", lif(random, 7)},
                                                 {"fc3", affine(random, 5, 7)},
                                                 {"out", dnn::output_node({5})}});
    source_.model = folder_.write(file, "ticks: 6\ndt: 0.001\nreset: soft\nspike_as: charge\n");
    const at::Tensor images = at::empty({kImages, kInputs});
    const std::vector<double> numbers = drawn(random, images.numel(), 0.0, 1.0);
    std::ranges::copy(numbers, images.mutable_data_ptr<float>());
    dnn::write_npy(folder_.folder().path("x.npy"), images);
    source_.images = folder_.folder().path("x.npy");
  }

  std::unique_ptr<Study> study_of(const NumberFormat& format, bool is_differential) const {
    StudyInputs inputs;
    static_cast<NetworkSource&>(inputs) = source_;
    inputs.accelerator = mesh_of(16, 16, kDataflows[0]);
    inputs.has_accelerator = false;
    inputs.strikes_tensors = true;
    inputs.format = format;
    inputs.batch = 4;
    inputs.is_differential = is_differential;
    return open_tensor_study(inputs);
  }

  dnn::NirFolder folder_;
  NetworkSource source_;
};

/// One to three flips, on constants alone (of all images), on activations and membranes alone, or
/// on both.
std::vector<StrikeJob> drawn_jobs(const Study& study, RandomStream& random) {
  const std::vector<TensorStore>& stores = study.facts().stores;
  std::vector<StrikeJob> jobs;
  for (int trial = 0; trial < 150; ++trial) {
    StrikeJob job;
    bool is_of_constants = false;
    for (std::uint64_t count = 1 + random.below(3); count > 0; --count) {
      const auto id = static_cast<std::size_t>(random.below(stores.size()));
      const TensorStore& store = stores[id];
      is_of_constants = is_of_constants || !is_computed(store.role);
      job.strike.words.push_back({.store = StoreId(static_cast<std::uint32_t>(id)),
                                  .word = random.below(static_cast<std::uint64_t>(store.words)),
                                  .flip = std::uint64_t{1} << random.below(
                                              static_cast<std::uint64_t>(store.format.bits))});
    }
    std::ranges::sort(job.strike.words, {},
                      [](const WordFault& one) { return std::pair(one.store, one.word); });
    const auto same = std::ranges::unique(
        job.strike.words, {}, [](const WordFault& one) { return std::pair(one.store, one.word); });
    job.strike.words.erase(same.begin(), same.end());
    if (!is_of_constants || random.below(2) == 0) {
      job.image = ImageId(static_cast<std::int64_t>(random.below(kImages)));
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

void expect_same_jobs(const std::vector<JobResult>& some, const std::vector<JobResult>& others) {
  ASSERT_EQ(some.size(), others.size());
  for (std::size_t i = 0; i < some.size(); ++i) {
    ASSERT_EQ(some[i].images.size(), others[i].images.size());
    for (std::size_t k = 0; k < some[i].images.size(); ++k) {
      expect_same(some[i].images[k], others[i].images[k]);
    }
  }
}

TEST_F(SpikingStudyTest, TrialsAreTheSameFromListsAndWhole) {
  for (const char* format : {"int8", "float32", "bfloat16"}) {
    SCOPED_TRACE(format);
    const auto from_lists = study_of(*NumberFormat::parse(format), true);
    const auto whole = study_of(*NumberFormat::parse(format), false);
    RandomStream random(32, 0, Purpose::kTest);
    const std::vector<StrikeJob> jobs = drawn_jobs(*whole, random);
    const std::vector<JobResult> found = from_lists->strike(jobs), wanted = whole->strike(jobs);
    ASSERT_NO_FATAL_FAILURE(expect_same_jobs(found, wanted));
    EXPECT_GT(std::ranges::count_if(wanted,
                                    [](const JobResult& job) {
                                      return std::ranges::any_of(
                                          job.images, [](const TrialResult& one) {
                                            return one.judgement.outcome != Outcome::kMasked;
                                          });
                                    }),
              30);
    // All is as it was: a study that has struck nothing yet says the same.
    const std::span<const StrikeJob> some = std::span(jobs).first(40);
    for (const bool is_differential : {true, false}) {
      Study& used = is_differential ? *from_lists : *whole;
      const auto fresh = study_of(*NumberFormat::parse(format), is_differential);
      ASSERT_NO_FATAL_FAILURE(expect_same_jobs(used.strike(some), fresh->strike(some)));
    }
  }
}

/// Tapes of single images are cut from runs of several, along the dimension that counts images.
TEST_F(SpikingStudyTest, TapesOfImagesAreThoseOfTheirOwnRuns) {
  for (const bool int8 : {false, true}) {
    const Workload load = load_workload(source_, int8);
    const dnn::Executor executor(load.network);
    GoldenTapes tapes(executor, load.inputs, 1 << 24);
    std::vector<ImageId> images;
    for (std::int64_t i = 0; i < kImages; ++i) {
      images.emplace_back(i);
    }
    tapes.expect(images);
    for (const ImageId image : images) {
      const dnn::Tape& found = tapes.of(image);
      const dnn::Tape wanted = executor.record(load.inputs.narrow(image.value, 1));
      for (std::size_t id = 0; id < wanted.values.size(); ++id) {
        ASSERT_EQ(found.values[id].toTensor().sizes(), wanted.values[id].toTensor().sizes());
        EXPECT_EQ(dnn::count_different(found.values[id].toTensor().contiguous(),
                                       wanted.values[id].toTensor().contiguous()),
                  0);
      }
    }
    EXPECT_GT(tapes.block(), 1);
  }
}

TEST_F(SpikingStudyTest, SettingsBelongToTheIdentity) {
  const auto hash_of = [&](const std::string& overrides) {
    source_.spiking = overrides.empty() ? Value{} : parse_yaml(overrides, "here");
    for (const auto& [what, hash] : hashes_of(load_workload(source_, true), source_.model)) {
      if (what == "spiking") {
        return hash;
      }
    }
    return std::string();
  };
  const std::string own = hash_of("");
  EXPECT_FALSE(own.empty());
  EXPECT_EQ(hash_of("{ticks: 6}"), own) << "the side file says so, too";
  EXPECT_NE(hash_of("{ticks: 7}"), own);
  EXPECT_NE(hash_of("{reset: hard}"), own);
}

TEST_F(SpikingStudyTest, ImportErrorsCountOtherSpikes) {
  const Workload load = load_workload(source_, true);
  const std::vector<ImportError> errors = import_errors_of(source_, load);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].layer, "lif1");
  EXPECT_EQ(errors[0].places, 6 * kImages * 10);
  EXPECT_GT(errors[0].float_spikes, errors[0].places / 20);
  EXPECT_LE(errors[0].different, errors[0].places / 20);
  EXPECT_LE(std::abs(errors[0].float_spikes - errors[0].integer_spikes), errors[0].different);
  // The float network against itself: nothing differs.
  const std::vector<ImportError> own = import_errors_of(source_, load_workload(source_, false));
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].float_spikes, errors[0].float_spikes);
  EXPECT_EQ(own[0].integer_spikes, own[0].float_spikes);
  EXPECT_EQ(own[0].different, 0);
  // Against a float network of another reset more spikes differ.
  source_.spiking = parse_yaml("{reset: hard}", "here");
  const std::vector<ImportError> others = import_errors_of(source_, load);
  EXPECT_GT(others[0].different, errors[0].different);
}

TEST_F(SpikingStudyTest, WarnsOfNumbersTiesAndSilence) {
  const Workload load = load_workload(source_, true);
  EXPECT_TRUE(load.warnings.empty());
  const at::Tensor beyond = load.inputs.tensors().front().clone();
  beyond.mutable_data_ptr<float>()[3] = 1.5F;
  EXPECT_EQ(encoding_notes(load.network, beyond).size(), 1U);
  const at::Tensor answers = at::empty({200, 3}).fill_(1.0F);
  auto* numbers = answers.mutable_data_ptr<float>();
  for (std::int64_t image = 0; image < 200; ++image) {
    numbers[image * 3 + image % 3] = 2.0F;
  }
  EXPECT_TRUE(answer_notes(load.network, answers).empty());
  numbers[0] = numbers[1] = numbers[2] = 0.0F;
  numbers[3] = numbers[4] = numbers[6] = numbers[8] = 2.0F;
  EXPECT_TRUE(answer_notes(load.network, answers).empty()) << "1 % and less";
  numbers[9] = numbers[10] = numbers[11] = 0.0F;
  numbers[12] = numbers[13] = numbers[14] = 0.0F;
  numbers[15] = numbers[16] = 2.0F;
  EXPECT_EQ(answer_notes(load.network, answers),
            (std::vector<std::string>{
                "on 1.5 % of the images the two largest numbers of the answer are equal; the first "
                "of them counts",
                "on 1.5 % of the images the answer is silent: all its numbers are 0"}));
}

TEST_F(SpikingStudyTest, WhatDoesNotFitIsRefused) {
  StudyInputs inputs;
  static_cast<NetworkSource&>(inputs) = source_;
  inputs.accelerator = mesh_of(16, 16, kDataflows[0]);
  const std::string on_mesh = errors_of([&] { Study::open(inputs); });
  EXPECT_NE(on_mesh.find("a spiking network runs tick by tick, and a mesh has no ticks"),
            std::string::npos)
      << on_mesh;
  source_.output = "0";
  EXPECT_NE(errors_of([&] { load_workload(source_, true); }).find("leave 'output' out"),
            std::string::npos);
  NetworkSource other;
  other.model = zoo_path("lenet5");
  other.spiking = parse_yaml("{ticks: 3}", "here");
  EXPECT_NE(errors_of([&] { import_network(other); }).find("the model is no spiking network"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::bridge
