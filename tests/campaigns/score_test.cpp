// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are metrics of tasks summed up over faults as they may be?
#include <gtest/gtest.h>

#include <limits>

#include "campaigns/plan/sampling.h"
#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"
#include "campaigns/tally/estimator.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const bridge::Metric kShare{"mIoU", true, false}, kError{"perplexity", false, false};

/// Of trials with these scores, where 0.8 is golden.
ScoreEstimate estimate(const std::string& strike, const std::vector<double>& scores,
                       const bridge::Metric& metric) {
  const Scenario scenario = campaign_of("model: lenet5\nstrike: " + strike).points.front().scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  TrialCounts counts;
  for (const double score : scores) {
    TrialRecord trial;
    trial.images = 1;
    trial.score = score;
    trial.golden_score = 0.8;
    counts.add(trial, plan.is_persistent());
  }
  return Estimator(plan, 0.95, false).score(counts, {}, metric, 0.8);
}

const char* const kLasting = "{fault: stuck_at_1, where: {mesh: {}}}";
const char* const kTransient = "{where: {mesh: {}}}";

TEST(ScoreTest, SharesOfLastingFaultsHaveAMean) {
  Shares shares;
  for (const double share : {0.8, 0.7, 0.8, 0.3}) {
    shares.add(share);
  }
  const ScoreEstimate found = estimate(kLasting, {0.8, 0.7, 0.8, 0.3}, kShare);
  EXPECT_FALSE(found.is_change || found.is_median);
  EXPECT_DOUBLE_EQ(found.estimate.value, 0.65);
  EXPECT_DOUBLE_EQ(found.estimate.interval.low, interval_of_shares(shares, 0.95).low);
  EXPECT_DOUBLE_EQ(found.estimate.interval.high, interval_of_shares(shares, 0.95).high);
  EXPECT_EQ(found.estimate.n, 4);
}

TEST(ScoreTest, OfOneImageTheChangeIsToldWhereItIsNoMean) {
  const ScoreEstimate change = estimate(kTransient, {0.8, 0.6, 1.0, 0.0}, kShare);
  EXPECT_TRUE(change.is_change);
  EXPECT_NEAR(change.estimate.value, -0.2, 1e-15);
  EXPECT_LT(change.estimate.interval.low, -0.2);
  const ScoreEstimate mean = estimate(kTransient, {0.8, 0.6, 1.0, 0.0}, {"accuracy"});
  EXPECT_FALSE(mean.is_change);
  EXPECT_NEAR(mean.estimate.value, 0.6, 1e-15);
}

TEST(ScoreTest, NoBoundOfAShareIsBeyondWhatAShareCanBe) {
  const ScoreEstimate found = estimate(kTransient, {0.8, 0.8, 0.8}, {"accuracy"});
  EXPECT_DOUBLE_EQ(found.estimate.value, 0.8);
  EXPECT_LT(found.estimate.interval.low, 0.5);
  EXPECT_DOUBLE_EQ(found.estimate.interval.high, 1.0);
}

// The order statistics 6 and 15 of 20 bound the median at 95.9 % (Conover, Practical Nonparametric
// Statistics, 1999, section 3.2).
TEST(ScoreTest, ErrorsHaveAMedianWithOrderStatisticsAroundIt) {
  std::vector<double> scores;
  for (int i = 20; i > 2; --i) {
    scores.push_back(i);
  }
  scores.insert(scores.begin(), {1.0, 2.0});
  scores[2] = kInfinity;  // in the place of 20
  const ScoreEstimate found = estimate(kLasting, scores, kError);
  EXPECT_TRUE(found.is_median);
  EXPECT_FALSE(found.is_change);
  EXPECT_EQ(found.estimate.value, 10.0);
  EXPECT_EQ(found.estimate.interval.low, 6.0);
  EXPECT_EQ(found.estimate.interval.high, 15.0);
  EXPECT_EQ(found.estimate.n, 20);
  EXPECT_EQ(estimate(kLasting, {1.0, 2.0}, kError).estimate.interval.high, kInfinity);
  EXPECT_EQ(estimate(kLasting, {}, kError).estimate.n, 0);
}

}  // namespace
}  // namespace tilestrike::campaigns
