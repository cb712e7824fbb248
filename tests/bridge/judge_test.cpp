// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/judge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace tilestrike::bridge {
namespace {

const std::vector<float> kGolden{0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F};

TEST(JudgeTest, EqualAnswersAreMasked) {
  const Judgement judged = TopKJudge().compare(kGolden, kGolden);
  EXPECT_EQ(judged.outcome, Outcome::kMasked);
  EXPECT_EQ(judged.golden_class, 6);
  EXPECT_FALSE(judged.sdc_1 || judged.sdc_5 || judged.sdc_10 || judged.sdc_20);
}

TEST(JudgeTest, AnyChangedLogitIsSdc) {
  std::vector<float> faulty = kGolden;
  faulty[0] = std::nextafter(faulty[0], 1.0F);
  const Judgement judged = TopKJudge().compare(kGolden, faulty);
  EXPECT_EQ(judged.outcome, Outcome::kSdc);
  EXPECT_FALSE(judged.sdc_1 || judged.sdc_5 || judged.sdc_10);
}

TEST(JudgeTest, TopOneIsComparedWithGolden) {
  std::vector<float> faulty = kGolden;
  faulty[5] = 7.0F;  // the golden second
  Judgement judged = TopKJudge().compare(kGolden, faulty);
  EXPECT_TRUE(judged.sdc_1);
  EXPECT_FALSE(judged.sdc_5);
  faulty[1] = 9.0F;  // golden rank six of seven
  judged = TopKJudge().compare(kGolden, faulty);
  EXPECT_TRUE(judged.sdc_5);
  EXPECT_EQ(judged.faulty_class, 1);
}

TEST(JudgeTest, TopFiveHasFiveMembers) {
  std::vector<float> faulty = kGolden;
  faulty[2] = 9.0F;  // golden rank five
  EXPECT_FALSE(TopKJudge().compare(kGolden, faulty).sdc_5);
}

TEST(JudgeTest, TiesTakeTheLowestIndex) {
  const std::vector<float> golden{1.0F, 1.0F, 0.0F};
  EXPECT_EQ(top_1(golden), 0);
  EXPECT_FALSE(TopKJudge().compare(golden, std::vector<float>{2.0F, 2.0F, 0.0F}).sdc_1);
  EXPECT_TRUE(TopKJudge().compare(golden, std::vector<float>{1.0F, 2.0F, 0.0F}).sdc_1);
}

// Two classes with confidences p and 1 - p: logits (ln p, ln(1 - p)).
TEST(JudgeTest, ConfidenceMovesRelativeToItsGoldenValue) {
  const auto logits = [](double p) {
    return std::vector<float>{static_cast<float>(std::log(p)),
                              static_cast<float>(std::log(1.0 - p))};
  };
  const auto judged = [&](double before, double after) {
    return TopKJudge().compare(logits(before), logits(after));
  };
  EXPECT_FALSE(judged(0.8, 0.73).sdc_10);
  EXPECT_TRUE(judged(0.8, 0.71).sdc_10);
  EXPECT_FALSE(judged(0.8, 0.65).sdc_20);
  EXPECT_TRUE(judged(0.8, 0.63).sdc_20);
  EXPECT_TRUE(judged(0.8, 0.89).sdc_10);  // upwards counts too
}

TEST(JudgeTest, NonFiniteAnswersStayInTheCount) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> faulty = kGolden;
    faulty[3] = bad;
    const Judgement judged = TopKJudge().compare(kGolden, faulty);
    EXPECT_EQ(judged.outcome, Outcome::kNonfinite);
    EXPECT_TRUE(judged.sdc_1 && judged.sdc_5 && judged.sdc_10 && judged.sdc_20);
  }
}

TEST(JudgeTest, DetectionTakesPrecedence) {
  std::vector<float> faulty = kGolden;
  faulty[0] = 9.0F;
  TrialResult result;
  result.hung = true;
  TopKJudge().conclude(ImageId(0), kGolden, faulty, result);
  const Judgement& judged = result.judgement;
  EXPECT_EQ(judged.outcome, Outcome::kDue);
  EXPECT_TRUE(judged.sdc_1);  // what would have happened without the stop
}

}  // namespace
}  // namespace tilestrike::bridge
