// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every task judged by its own terms, and every label that cannot be meant refused with a cure?
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/error.h"
#include "bridge/trial/detection_judge.h"
#include "bridge/trial/judge.h"

namespace tilestrike::bridge {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
using Sizes = std::vector<std::int64_t>;
using Numbers = std::vector<float>;

Labels integers(Sizes sizes, std::vector<std::int32_t> values) {
  return {"y.npy", std::move(sizes), std::move(values), {}, false};
}
Labels numbers(Sizes sizes, Numbers values) {
  return {"y.npy", std::move(sizes), {}, std::move(values), false};
}

std::unique_ptr<Judge> judge_of(const JudgeConfig& config, const Sizes& answer,
                                const Labels& labels = {}) {
  std::vector<std::string> warnings;
  return Judge::make(config, answer, labels, warnings);
}

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "nothing was refused";
}
std::string refusal(const JudgeConfig& config, const Sizes& answer, const Labels& labels = {}) {
  return refusal_of([&] { judge_of(config, answer, labels); });
}
void expect_in(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
  }
}

double score_of(const Judge& judge, const std::vector<Numbers>& answers) {
  std::vector<std::vector<double>> parts;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    judge.judge(ImageId(static_cast<std::int64_t>(i)), answers[i], answers[i],
                parts.emplace_back());
  }
  return judge.score(parts).value();
}

TEST(JudgeKindTest, OnlyAVectorOfClassesNeedsNoWord) {
  EXPECT_EQ(judge_of({}, {10})->compare(Numbers(10, 1.0F), Numbers(10, 2.0F)).golden_class, 0);
  EXPECT_NO_THROW(judge_of({}, {10, 1, 1}));
  expect_in(refusal({}, {1}), {"(1,)", "judge: binary", "scale: probability", "judge: regression"});
  expect_in(refusal({}, {}), {"judge: binary"});
  expect_in(refusal({}, {3, 32, 24}), {"(3, 32, 24)", "judge: segmentation (3 classes",
                                       "class_axis: 2} (24 classes", "judge: relative_l2"});
  expect_in(refusal({}, {16, 50}), {"judge: tokens (16 positions, a vocabulary of 50)"});
  expect_in(refusal(JudgeKind::kTopK, {16, 50}), {"top_k takes one vector", "judge: tokens"});
  expect_in(refusal(JudgeKind::kTokens, {10}), {"tokens takes", "(T, V)"});
  JudgeConfig axis(JudgeKind::kSegmentation);
  axis.class_axis = 3;
  expect_in(refusal(axis, {3, 4, 5}), {"no axis 3", "write 0 to 2"});
  expect_in(refusal(JudgeKind::kSegmentation, {1, 4, 5}), {"one class on axis 0", "judge: binary"});
  expect_in(refusal(JudgeKind::kDetection, {7, 4}), {"(K, 4 + C)", "layout: columns"});
}

TEST(TopKLabelsTest, ShapesAndRanges) {
  const auto refused = [](const Labels& labels) { return refusal({}, {4}, labels); };
  EXPECT_NO_THROW(judge_of({}, {4}, integers({3, 1}, {0, 3, 1})));
  expect_in(refused(integers({3}, {0, 9, 1})),
            {"y.npy", "label 1 is class 9", "4 classes, 0 to 3"});
  expect_in(refused(integers({2}, {0, -1})), {"label 1 is class -1", "count from 0"});
  expect_in(refused(integers({2, 4}, {0, 0, 1, 0, 1, 0, 0, 0})), {"(2, 4)", "labels.argmax(1)"});
  expect_in(refused(numbers({2, 4}, {0, 0, 1, 0, 1, 0, 0, 0})), {"labels.argmax(1)"});
  const std::string tokens = refused(integers({2, 3}, {0, 2, 1, 0, 1, 0}));
  expect_in(tokens, {"(2, 3)", "`judge:`"});
  EXPECT_EQ(tokens.find("reshape"), std::string::npos) << tokens;
  expect_in(refused(numbers({2}, {1.0F, 2.0F})), {"astype(numpy.int64)"});
  expect_in(refused(numbers({2}, {1.5F, 2.0F})), {"judge: regression"});
}

TEST(TopKLabelsTest, ThoseOfADataSetThatDoNotFitAreLeftAside) {
  Labels labels = integers({2}, {0, 9});
  labels.is_of_data_set = true;
  std::vector<std::string> warnings;
  EXPECT_EQ(Judge::make({}, {4}, labels, warnings)->metric().name, "");
  ASSERT_EQ(warnings.size(), 1U);
  expect_in(warnings[0], {"left aside", "class 9"});
}

TEST(BinaryJudgeTest, EveryFlippedDecisionIsSdc1) {
  const auto judge = judge_of(JudgeKind::kBinary, {1}, integers({3, 1}, {1, 0, 1}));
  Judgement judged = judge->compare(Numbers{0.5F}, Numbers{-0.1F});
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_FALSE(judged.sdc_5);
  EXPECT_EQ(judged.golden_class, 1);
  EXPECT_EQ(judged.faulty_class, 0);
  judged = judge->compare(Numbers{0.5F}, Numbers{0.6F});
  EXPECT_EQ(judged.outcome, Outcome::kSdc);
  EXPECT_FALSE(judged.sdc_1 || judged.sdc_10);  // from 0.622 to 0.646
  judged = judge->compare(Numbers{0.5F}, Numbers{1.2F});
  EXPECT_FALSE(judged.sdc_1);
  EXPECT_TRUE(judged.sdc_10 && judged.sdc_20);  // to 0.769: 23 % more
  judged = judge->compare(Numbers{0.5F}, Numbers{kNan});
  EXPECT_EQ(judged.outcome, Outcome::kNonfinite);
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_EQ(judged.faulty_class, -1);
  EXPECT_DOUBLE_EQ(score_of(*judge, {{2.0F}, {1.0F}, {0.0F}}), 1.0 / 3.0);  // 0 is no yes
  EXPECT_EQ(judge->metric().name, "accuracy at the threshold");
}

TEST(BinaryJudgeTest, SeveralDecisionsProbabilitiesAndThresholds) {
  JudgeConfig config(JudgeKind::kBinary);
  config.is_probability = true;
  const auto judge = judge_of(config, {3}, integers({1, 3}, {1, 0, 1}));
  const Judgement judged = judge->compare(Numbers{0.9F, 0.2F, 0.6F}, Numbers{0.9F, 0.7F, 0.4F});
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_DOUBLE_EQ(judged.share_differing, 2.0 / 3.0);
  EXPECT_EQ(judged.first_differing, 1);
  EXPECT_EQ(judged.golden_class, -1);
  EXPECT_DOUBLE_EQ(score_of(*judge, {{0.9F, 0.7F, 0.6F}}), 2.0 / 3.0);
  config.threshold = 0.8;
  EXPECT_TRUE(judge_of(config, {1})->compare(Numbers{0.9F}, Numbers{0.7F}).sdc_1);
  std::vector<std::string> warnings;
  expect_in(refusal_of([&] {
              judge->check_golden(Numbers{0.5F, 1.5F}, warnings);
            }),
            {"no probabilities", "judge: binary"});
  judge_of(JudgeKind::kBinary, {1})->check_golden(Numbers{0.5F, 1.0F}, warnings);
  ASSERT_EQ(warnings.size(), 1U);
  expect_in(warnings[0], {"scale: probability"});
  expect_in(refusal(JudgeKind::kBinary, {1}, integers({2}, {1, -1})), {"(labels > 0)"});
  expect_in(refusal(JudgeKind::kBinary, {1}, integers({2, 2}, {1, 0, 0, 1})), {"argmax(1)"});
  EXPECT_NO_THROW(judge_of(JudgeKind::kBinary, {1}, numbers({2, 1}, {1.0F, 0.0F})));
}

// Two images of 1 x 3 pixels in three classes, of which the last occurs nowhere.
const Numbers kMap{5, 0, 0, /**/ 1, 1, 1, /**/ 0, 0, 0};    // classes 0, 1, 1
const Numbers kOther{0, 0, 3, /**/ 1, 1, 1, /**/ 0, 0, 0};  // classes 1, 1, 0

TEST(SegmentationJudgeTest, PixelsAndMeanIou) {
  JudgeConfig config(JudgeKind::kSegmentation);
  const auto judge = judge_of(config, {3, 1, 3}, integers({2, 1, 3}, {0, 0, 1, 1, 1, 0}));
  const Judgement judged = judge->compare(kMap, kOther);
  EXPECT_TRUE(judged.sdc_1 && judged.sdc_10 && judged.sdc_20);
  EXPECT_FALSE(judged.sdc_5);
  EXPECT_DOUBLE_EQ(judged.share_differing, 2.0 / 3.0);
  EXPECT_EQ(judged.first_differing, 0);
  // Class 0: 1 + 1 of both, 2 + 1 of either; class 1: 1 + 2 of both, 2 + 2 of either.
  EXPECT_DOUBLE_EQ(score_of(*judge, {kMap, kOther}), (2.0 / 3.0 + 3.0 / 4.0) / 2.0);
  EXPECT_DOUBLE_EQ(score_of(*judge, {kMap}), (1.0 / 2.0 + 1.0 / 2.0) / 2.0);
  // A label that is ignored counts nowhere: now class 0 has 1 of 1, class 1 has 1 of 1.
  config.ignore = 255;
  const auto ignoring = judge_of(config, {3, 1, 3}, integers({1, 1, 3}, {0, 255, 1}));
  EXPECT_DOUBLE_EQ(score_of(*ignoring, {kMap}), 1.0);
  // What is not finite has no class, and is right nowhere.
  Numbers bad = kMap;
  bad[1] = kNan;
  EXPECT_EQ(judge->compare(kMap, bad).outcome, Outcome::kNonfinite);
  EXPECT_DOUBLE_EQ(judge->compare(kMap, bad).share_differing, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(score_of(*ignoring, {bad}), 1.0);
  EXPECT_DOUBLE_EQ(score_of(*judge_of(config, {3, 1, 3}, integers({1, 1, 3}, {0, 1, 1})), {bad}),
                   (1.0 + 0.5) / 2.0);
}

TEST(SegmentationJudgeTest, ClassesOnAnotherAxis) {
  JudgeConfig config(JudgeKind::kSegmentation);
  config.class_axis = -1;
  const auto judge = judge_of(config, {1, 2, 2}, integers({1, 1, 2}, {1, 0}));
  EXPECT_DOUBLE_EQ(score_of(*judge, {{0, 1, 2, 1}}), 1.0);
  EXPECT_EQ(judge->compare(Numbers{0, 1, 2, 1}, Numbers{0, 1, 2, 3}).first_differing, 1);
}

TEST(SegmentationJudgeTest, LabelsThatCannotBeMeant) {
  const auto refused = [](const Labels& labels) {
    return refusal(JudgeKind::kSegmentation, {3, 1, 2}, labels);
  };
  expect_in(refused(integers({2}, {0, 1})), {"(N, 1, 2)", "(2,)", "class number of each pixel"});
  expect_in(refused(integers({2, 1, 2}, {0, 1, 2, 255})),
            {"label 1, pixel (0, 1) is class 255", "0 to 2", "'ignore: 255'"});
  expect_in(refused(integers({1, 3, 1, 2}, {1, 0, 0, 1, 0, 0})), {"labels.argmax(1)"});
  EXPECT_NO_THROW(
      judge_of(JudgeKind::kSegmentation, {3, 1, 2}, integers({2, 1, 1, 2}, {0, 1, 2, 1})));
}

TEST(TokensJudgeTest, PositionsAndPerplexity) {
  // Three positions, a vocabulary of two.
  const auto log_odds = [](double p) { return static_cast<float>(std::log(p / (1.0 - p))); };
  const Numbers answer{log_odds(0.8), 0, 0, log_odds(0.75), log_odds(0.5), 0};
  const auto judge = judge_of(JudgeKind::kTokens, {3, 2}, integers({1, 3}, {0, 0, -100}));
  // The first token had 0.8, the second 0.25; the third is ignored.
  EXPECT_NEAR(score_of(*judge, {answer}), 1.0 / std::sqrt(0.8 * 0.25), 1e-6);
  EXPECT_FALSE(judge->metric().is_share);
  Numbers faulty = answer;
  faulty[3] = -1.0F;
  const Judgement judged = judge->compare(answer, faulty);
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_DOUBLE_EQ(judged.share_differing, 1.0 / 3.0);
  EXPECT_EQ(judged.first_differing, 1);
  faulty[3] = kNan;
  EXPECT_TRUE(std::isinf(score_of(*judge, {faulty})));
  expect_in(refusal(JudgeKind::kTokens, {3, 2}, integers({1, 3}, {0, 2, 1})),
            {"label 0, position 1 is class 2", "0 to 1"});
  expect_in(refusal(JudgeKind::kTokens, {3, 2}, integers({3}, {0, 1, 1})), {"(N, 3)"});
}

TEST(RegressionJudgeTest, ErrorsThresholdsAndTolerance) {
  JudgeConfig config(JudgeKind::kRegression);
  config.tolerance = 0.5;
  config.less = 0.3;
  config.more = 0.6;
  const Labels labels = numbers({2, 2}, {1, 2, 3, 4});
  const auto judge = judge_of(config, {2}, labels);
  const Judgement judged = judge->compare(Numbers{3, 4}, Numbers{3, 6});  // 2 / 5 of its size
  EXPECT_TRUE(judged.sdc_1 && judged.sdc_10);
  EXPECT_FALSE(judged.sdc_20);
  EXPECT_EQ(judged.golden_class, -1);
  EXPECT_FALSE(judge->compare(Numbers{3, 4}, Numbers{3, 4.5F}).sdc_1);
  EXPECT_DOUBLE_EQ(score_of(*judge, {{1, 4}, {3, 5}}), (1.0 + 0.5) / 2.0);
  config.is_squared = true;
  EXPECT_DOUBLE_EQ(score_of(*judge_of(config, {2}, labels), {{1, 4}, {3, 5}}),
                   std::sqrt((4.0 + 1.0) / 4.0));
  expect_in(refusal(config, {2}, numbers({2, 3}, Numbers(6))), {"(N, 2)", "(2, 3)"});
  EXPECT_NO_THROW(judge_of(config, {1}, numbers({2}, {1, 2})));
}

TEST(DetectionJudgeTest, MatchesBoxesAndMeasuresAp) {
  // Boxes by rows with the scores of two classes.
  const Numbers golden{0,      0, 10, 10, 0.9F, 0.1F, /**/ 20, 20, 30, 30, 0.2F, 0.8F,
                       /**/ 0, 0, 1,  1,  0.1F, 0.1F};
  const JudgeConfig config(JudgeKind::kDetection);
  const Labels labels = numbers({1, 3, 5}, {0, 0, 0, 10, 9,  //
                                            1, 20, 20, 30, 30, -1, 0, 0, 0, 0});
  const auto judge = judge_of(config, {3, 6}, labels);
  Numbers faulty = golden;
  faulty[2] = 9.0F;  // overlaps by 0.9
  EXPECT_FALSE(judge->compare(golden, faulty).sdc_1);
  faulty[2] = 4.0F;  // by 0.4
  Judgement judged = judge->compare(golden, faulty);
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_DOUBLE_EQ(judged.share_differing, 0.5);
  faulty = golden;
  faulty[16] = 0.6F;  // a new one
  EXPECT_TRUE(judge->compare(golden, faulty).sdc_1);
  faulty = golden;
  faulty[4] = 0.3F;  // one fewer
  EXPECT_TRUE(judge->compare(golden, faulty).sdc_1);
  EXPECT_DOUBLE_EQ(score_of(*judge, {golden}), 1.0);
  EXPECT_DOUBLE_EQ(score_of(*judge, {faulty}), 0.5);  // class 0 is not found
  // A surer wrong one before the right one: at recall 1 half of what is found is right.
  faulty = golden;
  faulty[16] = 0.95F;
  faulty[17] = 0.0F;
  EXPECT_DOUBLE_EQ(score_of(*judge, {faulty}), (0.5 + 1.0) / 2.0);
}

TEST(DetectionJudgeTest, LayoutsOfBoxes) {
  JudgeConfig config(JudgeKind::kDetection);
  config.is_by_columns = config.is_centre = true;
  config.nms = 0.5;
  // (4 + 1, 2): centres 5, 6 with widths 10: overlap 0.68, so that the first stands for both.
  const Numbers answer{5, 6, 5, 6, 10, 10, 10, 10, 0.9F, 0.8F};
  const DetectionJudge judge(config, 2, 1, {});
  const std::vector<Detection> found = judge.detections(answer);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].x1, 0.0F);
  EXPECT_EQ(found[0].x2, 10.0F);
  JudgeConfig numbered(JudgeKind::kDetection);
  numbered.has_class_number = true;
  const DetectionJudge by_number(numbered, 1, 0, {});
  EXPECT_EQ(by_number.detections(Numbers{0, 0, 1, 1, 0.9F, 7}).at(0).kind, 7);
  expect_in(refusal(JudgeKind::kDetection, {3, 6}, numbers({1, 1, 5}, {2, 0, 0, 1, 1})),
            {"box 0 has the class 2", "0 to 1"});
  expect_in(refusal(JudgeKind::kDetection, {3, 6}, numbers({1, 1, 5}, {1, 5, 5, 1, 1})),
            {"no area", "boxes: cxcywh"});
  expect_in(refusal(JudgeKind::kDetection, {3, 6}, numbers({1, 4}, {1, 5, 5, 1})), {"(N, M, 5)"});
}

TEST(KeptAnswerTest, WholeThenDifferencesThenADigest) {
  const RelativeL2Judge judge;
  const auto kept = [&](std::size_t numbers, std::size_t changed) {
    const Numbers golden(numbers, 1.0F);
    Numbers faulty = golden;
    std::fill_n(faulty.begin() + 1, changed, 2.0F);
    TrialResult result;
    judge.conclude(ImageId(0), golden, faulty, result);
    EXPECT_EQ(result.changed_answer, static_cast<std::int64_t>(changed));
    return result;
  };
  const TrialResult whole = kept(kMostKept, 3);
  EXPECT_EQ(whole.logits.size(), kMostKept);
  EXPECT_TRUE(whole.differences.empty() && whole.answer_digest.empty());
  const TrialResult sparse = kept(kMostKept + 1, kMostDifferences);
  EXPECT_TRUE(sparse.logits.empty() && sparse.answer_digest.empty());
  ASSERT_EQ(sparse.differences.size(), kMostDifferences);
  EXPECT_EQ(sparse.differences[2], (AnswerDifference{3, 2.0F}));
  const TrialResult digest = kept(kMostKept + 1, kMostDifferences + 1);
  EXPECT_TRUE(digest.logits.empty() && digest.differences.empty());
  EXPECT_FALSE(digest.answer_digest.empty());
  EXPECT_NE(digest.answer_digest, kept(kMostKept + 1, kMostDifferences + 2).answer_digest);
  EXPECT_TRUE(kept(kMostKept + 1, 0).answer_digest.empty());
}

}  // namespace
}  // namespace tilestrike::bridge
