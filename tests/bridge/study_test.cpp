// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/study.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "dnn/data.h"
#include "tests/bridge/strikes.h"
#include "tests/bridge/verdict.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

StudyInputs lenet(std::int64_t images, sim::Dataflow dataflow = kDataflows[0]) {
  StudyInputs inputs;
  inputs.engines = sim::builtin_engines();
  inputs.engine = "systemc";
  inputs.model = zoo_path("lenet5");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.use = images;
  inputs.accelerator = mesh_of(16, 16, dataflow);
  inputs.device = "cpu";
  return inputs;
}

RegisterFault flip(std::uint64_t site, Cycle cycle) {
  return {SiteId(site), FaultKind::kFlip, {cycle, cycle + 1}};
}

class StudyTest : public testing::Test {
 protected:
  static Study& study() {
    static const std::unique_ptr<Study> shared = Study::open(lenet(20));
    return *shared;
  }
};

TEST_F(StudyTest, ReportsItsGoldenRun) {
  EXPECT_EQ(study().facts().golden.images, 20);
  EXPECT_GT(study().facts().golden.score.value(), 0.7);
  EXPECT_EQ(study().facts().golden.device, "cpu");
  ASSERT_EQ(study().facts().golden.warnings.size(), 1U);
  EXPECT_NE(study().facts().golden.warnings[0].find("int8 scales from 1000 of 60000 images"),
            std::string::npos);
  EXPECT_EQ(study().facts().hashes.size(), 4U);
  EXPECT_EQ(study().facts().label(ImageId(0)), 9);  // the first test image is an ankle boot
  EXPECT_EQ(study().golden_answer(ImageId(0)).size(), 10U);
}

TEST_F(StudyTest, LayersAddUpToTheInference) {
  Cycle end = 0;
  std::int64_t on_mesh = 0;
  for (const LayerSummary& layer : study().facts().layers) {
    end = std::max(end, layer.first_cycle + layer.mesh_cycles + layer.vector_cycles);
    on_mesh += layer.is_on_mesh ? 1 : 0;
    EXPECT_LE(layer.utilisation, 1.0);
  }
  EXPECT_EQ(on_mesh, 5);
  EXPECT_EQ(end, study().facts().cycles);
}

TEST_F(StudyTest, NoFaultChangesNothing) {
  const TrialResult result = strike(study(), ImageId(3), Strike()).images.front();
  EXPECT_EQ(result.judgement.outcome, Outcome::kMasked);
  EXPECT_EQ(result.masked_at, MaskedAt::kIdle);
  EXPECT_TRUE(result.logits.empty());
}

TEST_F(StudyTest, SameStrikeSameResultInAnyOrder) {
  RandomStream random(1, 0, Purpose::kTest);
  struct Drawn {
    ImageId image;
    RegisterFault fault;
    TrialResult result;
  };
  std::vector<Drawn> drawn;
  for (int i = 0; i < 60; ++i) {
    Drawn trial;
    trial.image = ImageId(static_cast<std::int64_t>(random.below(20)));
    trial.fault =
        flip(random.below(study().facts().sites.total_bits()),
             static_cast<Cycle>(random.below(static_cast<std::uint64_t>(study().facts().cycles))));
    trial.result = strike(study(), trial.image, trial.fault);
    drawn.push_back(trial);
  }
  for (auto trial = drawn.rbegin(); trial != drawn.rend(); ++trial) {
    const TrialResult again = strike(study(), trial->image, trial->fault);
    EXPECT_EQ(again.judgement.outcome, trial->result.judgement.outcome);
    EXPECT_EQ(again.masked_at, trial->result.masked_at);
    EXPECT_EQ(again.logits, trial->result.logits);
    EXPECT_EQ(again.changed_accumulators, trial->result.changed_accumulators);
    EXPECT_EQ(again.before, trial->result.before);
  }
}

TEST_F(StudyTest, MaskedTrialsSayWhere) {
  RandomStream random(2, 0, Purpose::kTest);
  for (int i = 0; i < 200; ++i) {
    const RegisterFault fault =
        flip(random.below(study().facts().sites.total_bits()),
             static_cast<Cycle>(random.below(static_cast<std::uint64_t>(study().facts().cycles))));
    const TrialResult result = strike(study(), ImageId(1), fault);
    const bool is_masked = result.judgement.outcome == Outcome::kMasked;
    EXPECT_EQ(is_masked, result.masked_at != MaskedAt::kNowhere);
    EXPECT_EQ(is_masked, result.logits.empty());
    switch (result.masked_at) {
      case MaskedAt::kIdle:
      case MaskedAt::kDead:
        EXPECT_FALSE(result.activated);
        EXPECT_EQ(result.changed_accumulators, 0);
        break;
      case MaskedAt::kTile:
        EXPECT_TRUE(result.activated);
        EXPECT_EQ(result.changed_accumulators, 0);
        break;
      case MaskedAt::kRequantisation:
        EXPECT_GT(result.changed_accumulators, 0);
        EXPECT_EQ(result.changed_outputs, 0);
        break;
      case MaskedAt::kNetwork:
        EXPECT_GT(result.changed_outputs, 0);
        break;
      default:
        EXPECT_EQ(result.masked_at, MaskedAt::kNowhere);
    }
  }
}

TEST_F(StudyTest, TheStoryEndsWithTheOutcome) {
  const RegisterFault fault =
      flip(study().facts().sites.block(sim::Register::kVertical).first + 30, 400);
  Story story;
  const TrialResult result = strike(study(), ImageId(0), fault, &story);
  ASSERT_GE(story.lines.size(), 4U);
  EXPECT_NE(story.lines.front().find("flip of partial_sum[0][0] bit 30 at cycle 400"),
            std::string::npos)
      << story.lines.front();
  EXPECT_NE(story.lines.back().find(std::string(name_of(result.judgement.outcome))),
            std::string::npos);
}

TEST(StudyInputsTest, AStrikeOnTheMeshIsJudgedAsTheStudySays) {
  StudyInputs inputs = lenet(5);
  inputs.judge = JudgeKind::kRelativeL2;
  const auto study = Study::open(inputs);
  int reclassified = 0;
  for (std::uint64_t bit = 8; bit < 32; bit += 2) {
    const std::uint64_t site = study->facts().sites.block(sim::Register::kVertical).first + bit;
    const RegisterFault fault{SiteId(site), FaultKind::kStuckAt1, {}};
    for (ImageId image(0); image.value < 5; ++image.value) {
      const TrialResult result = strike(*study, image, fault);
      if (result.judgement.outcome == Outcome::kSdc) {
        reclassified += is_judged_by_relative_l2(*study, image, result) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(reclassified, 5);
}

TEST_F(StudyTest, EnginesAgree) {
  RandomStream random(3, 0, Purpose::kTest);
  StudyInputs inputs = lenet(2, sim::Dataflow::kOutputStationary);
  const auto systemc = Study::open(inputs);
  inputs.engine = "stepped";
  const auto stepped = Study::open(inputs);
  for (int i = 0; i < 25; ++i) {
    const RegisterFault fault =
        flip(random.below(systemc->facts().sites.total_bits()),
             static_cast<Cycle>(random.below(static_cast<std::uint64_t>(systemc->facts().cycles))));
    const TrialResult one = strike(*systemc, ImageId(0), fault);
    const TrialResult other = strike(*stepped, ImageId(0), fault);
    EXPECT_EQ(one.logits, other.logits);
    EXPECT_EQ(one.changed_accumulators, other.changed_accumulators);
    EXPECT_EQ(one.activated, other.activated) << systemc->facts().sites.text(fault.site);
    EXPECT_EQ(one.masked_at, other.masked_at);
  }
}

TEST(StudyInputsTest, CalibrationOnTheEvaluationImagesIsWarnedOf) {
  StudyInputs inputs = lenet(5);
  for (const std::string calibrate : {"", "fashion_mnist/test"}) {
    inputs.calibrate = calibrate.empty() ? InputFiles() : InputFiles(calibrate);
    const auto study = Study::open(inputs);
    ASSERT_EQ(study->facts().golden.warnings.size(), 2U);
    EXPECT_NE(study->facts().golden.warnings[0].find("evaluation images"), std::string::npos);
    EXPECT_NE(study->facts().golden.warnings[1].find("1000 of 10000 images"), std::string::npos);
  }
}

/// Images whose first 1500 are dark: scales that come of those alone would cut off all others.
TEST(StudyInputsTest, ScalesComeFromTheWholeSetWhateverItsOrder) {
  const std::string path = testing::TempDir() + "ts_sorted_" + std::to_string(::getpid()) + ".npy";
  const at::Tensor images = dnn::load_data("fashion_mnist/train", "", 3000).images.clone();
  images.narrow(0, 0, 1500).mul_(0.05);
  dnn::write_npy(path, images);
  StudyInputs inputs = lenet(500);
  const double accuracy = Study::open(inputs)->facts().golden.score.value();
  inputs.calibrate = path;
  const auto spread = Study::open(inputs);
  EXPECT_NEAR(spread->facts().golden.score.value(), accuracy, 0.02);
  ASSERT_EQ(spread->facts().golden.warnings.size(), 1U);
  EXPECT_NE(spread->facts().golden.warnings[0].find("int8 scales from 1000 of 3000 images"),
            std::string::npos)
      << spread->facts().golden.warnings[0];
  inputs.calibrate_use = 0;
  const auto all = Study::open(inputs);
  EXPECT_TRUE(all->facts().golden.warnings.empty());
  EXPECT_NEAR(all->facts().golden.score.value(), accuracy, 0.02);
  EXPECT_NE(all->facts().hashes, spread->facts().hashes);
  std::filesystem::remove(path);
}

TEST(InferTest, AllTilesEqualTheBulkPath) {
  InferInputs inputs;
  inputs.engines = sim::builtin_engines();
  inputs.model = zoo_path("lenet5");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.int8 = true;
  inputs.use = 10;
  inputs.engine = "systemc";
  inputs.accelerator = mesh_of(8, 8, kDataflows[1]);
  const InferReport report = infer(inputs);
  EXPECT_EQ(report.images, 10);
  EXPECT_GT(report.accumulators, 10 * 4704);
  EXPECT_EQ(report.different_accumulators, 0);
  EXPECT_EQ(report.different_outputs, 0);
}

TEST(InspectTest, ShowsTheLayersWithoutData) {
  NetworkSource source;
  source.model = zoo_path("resnet8");
  const auto plain = inspect(source, std::nullopt);
  const auto mapped = inspect(source, mesh_of(16, 16, kDataflows[0]));
  std::int64_t passes = 0;
  for (const LayerSummary& layer : mapped) {
    passes += layer.passes;
  }
  EXPECT_GT(plain.size(), mapped.size());  // batch norms are folded, activations fused
  // Depth folds times column folds: stem 1; stage 1: 9 + 9; stage 2: 9 * 2 + 18 * 2 and the
  // shortcut 1 * 2; stage 3: 18 * 4 + 36 * 4 and 2 * 4; the linear layer 4.
  EXPECT_EQ(passes, 1 + 18 + 56 + 224 + 4);
}

}  // namespace
}  // namespace tilestrike::bridge
