// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are points of a sweep compared trial by trial, and are paired intervals right and narrower?
#include "campaigns/report/paired.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "campaigns/report/report.h"
#include "campaigns/run/runner.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

RunReport report_of(const std::string& path, const std::string& text,
                    const FakeStudy::Settings& settings = {}) {
  const Campaign campaign = campaign_of(text);
  const auto results = Results::for_campaign(path, campaign);
  Surroundings surroundings;
  surroundings.open_study = [&](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, settings);
  };
  return run_campaign(campaign, *results, surroundings);
}

std::string particles(const std::string& sweep) {
  return "model: lenet5\naccelerator: {base: gemmini_16x16, node: " + quick_node("130nm") +
         ", memory: {scratchpad: {capacity: 8KiB, banks: 4, row: 32, codeword: 64}, accumulator: "
         "{holds: accumulators, capacity: 2KiB, banks: 2, row: 32, codeword: 64}}}\n"
         "strike: {process: particle, where: {memory: all}}\ntrials: 2000\nsweep: " +
         sweep;
}

TEST(PairedTest, TheSameArrayIsStruckAlikeWhateverItsInterleave) {
  const ScratchFolder folder;
  const RunReport report =
      report_of(folder.path("r.sqlite"), particles("{accelerator.memory.*.interleave: [1, 2, 4]}"));
  ASSERT_EQ(report.paired.points.size(), 2U);
  EXPECT_TRUE(report.paired.is_fit);
  for (const PairedPoint& point : report.paired.points) {
    EXPECT_EQ(point.trials, 2000);
    EXPECT_EQ(point.alike, 2000);
  }
}

TEST(PairedTest, DifferencesArePointsLessTheFirstAndLieInTheirIntervals) {
  const ScratchFolder folder;
  const RunReport report = report_of(
      folder.path("r.sqlite"), particles("{accelerator.memory.*.ecc: [none, secded, parity]}"));
  ASSERT_EQ(report.paired.points.size(), 2U);
  const auto fit = [&](std::size_t point, Rate rate) {
    const StrikeRates& all = report.summaries[point].strikes->all;
    return all.in_fit(all.avf[rate]).value;
  };
  const PairedPoint& secded = report.paired.points[0];
  // 11 % of the strikes on (72,64) hit check cells, which the other array does not have.
  EXPECT_GT(secded.alike, 0.86 * 2000);
  EXPECT_LT(secded.alike, 0.92 * 2000);
  for (std::size_t p = 0; p < 2; ++p) {
    const Difference& sdc = report.paired.points[p].differences.at(0);
    EXPECT_EQ(sdc.rate, "sdc");
    const double expected = fit(p + 1, Rate::kSdc) - fit(0, Rate::kSdc);
    EXPECT_LT(expected, 0.0) << "ECC finds what was silent";
    EXPECT_NEAR(sdc.value, expected, 0.1 * std::abs(expected));
    EXPECT_LT(sdc.paired.low, sdc.value);
    EXPECT_GT(sdc.paired.high, sdc.value);
    EXPECT_LT(sdc.unpaired.low, expected);
    EXPECT_GT(sdc.unpaired.high, expected);
  }
  const std::string text = text_of(report_of(report.paired));
  EXPECT_NE(text.find("trials are the same strike; sdc -"), std::string::npos) << text;
  EXPECT_EQ(json_of(report_of(report.paired))["unit"], "FIT");
}

// Registers that two meshes share: what changes the accelerator's clock alone changes nothing, and
// the paired interval knows it.
TEST(PairedTest, EqualPointsDifferByNothingAndThePairedIntervalIsNarrower) {
  const ScratchFolder folder;
  const RunReport report =
      report_of(folder.path("r.sqlite"),
                "model: lenet5\ntrials: 1500\nsweep: {accelerator.clock: [500, 1000]}");
  ASSERT_EQ(report.paired.points.size(), 1U);
  const PairedPoint& point = report.paired.points[0];
  EXPECT_EQ(point.alike, 1500);
  const Difference& sdc = point.differences.at(0);
  EXPECT_EQ(sdc.value, 0.0);
  EXPECT_LT(sdc.paired.half_width(), 0.3 * sdc.unpaired.half_width());
  EXPECT_FALSE(report.paired.is_fit);
}

// Nodes share few strikes and no weights; what no ECC could detect is nevertheless no difference,
// and what one point alone can have goes one way.
TEST(PairedTest, WhatAPointCannotHaveWidensNoInterval) {
  const ScratchFolder folder;
  const RunReport report = report_of(
      folder.path("r.sqlite"), particles("{zip: {accelerator.memory.*.ecc: [none, none, secded], "
                                         "accelerator.node: [" +
                                         quick_node("130nm") + ", " + quick_node("65nm") + ", " +
                                         quick_node("65nm") + "]}}"));
  ASSERT_EQ(report.paired.points.size(), 2U);
  const Difference& of_none = report.paired.points[0].differences.at(2);
  EXPECT_EQ(of_none.rate, "due");
  EXPECT_EQ(of_none.value, 0.0);
  EXPECT_EQ(of_none.paired.low, 0.0);
  EXPECT_EQ(of_none.paired.high, 0.0);
  const Difference& of_secded = report.paired.points[1].differences.at(2);
  EXPECT_GT(of_secded.value, 0.0);
  EXPECT_GE(of_secded.paired.low, 0.0);
}

// How many strikes fall into each memory is chance where cells are drawn alike: it may not be taken
// as given, although each memory by itself has no variance at all.
TEST(PairedTest, IntervalsHoldWhereStructuresAreDrawnByChance) {
  const ScratchFolder folder;
  FakeStudy::Settings settings;
  settings.read_of_16 = settings.wrong_of_16 = 16;  // what ECC does not correct changes the answer
  const std::string text =
      "model: lenet5\naccelerator: {base: gemmini_16x16, memory: {scratchpad: {capacity: 8KiB, "
      "banks: 4, row: 32, codeword: 64}, accumulator: {holds: accumulators, capacity: 8KiB, banks: "
      "2, row: 32, codeword: 64}}}\nstrike: {where: {memory: all}}\ntrials: 200\n"
      "sweep: {accelerator.memory.scratchpad.ecc: [none, secded]}\nseed: ";
  // Every strike is wrong without ECC; with it those on the other half, of 64 + 72 bits.
  const double truth = 64.0 / 136.0 - 1.0;
  int held = 0;
  const int campaigns = 200;
  for (int seed = 1; seed <= campaigns; ++seed) {
    const std::string path = folder.path("c.sqlite");
    const RunReport report = report_of(path, text + std::to_string(seed), settings);
    const Difference& sdc = report.paired.points.at(0).differences.at(0);
    held += sdc.paired.low <= truth && truth <= sdc.paired.high ? 1 : 0;
    std::filesystem::remove(path);
  }
  EXPECT_GE(held, 0.93 * campaigns);
}

TEST(PairedTest, OnePointIsComparedWithNothing) {
  const ScratchFolder folder;
  const RunReport report = report_of(folder.path("r.sqlite"), "model: lenet5\ntrials: 10");
  EXPECT_TRUE(report.paired.points.empty());
  EXPECT_EQ(text_of(report_of(report.paired)), "");
}

}  // namespace
}  // namespace tilestrike::campaigns
