// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a replayed trial the one of the file, and does a difference show?
#include "campaigns/run/replay.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "campaigns/report/report.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

StudyFactory studies(const FakeStudy::Settings& settings = {}) {
  return [settings](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, settings);
  };
}

std::string run(const ScratchFolder& folder, const std::string& text) {
  const Campaign campaign = campaign_of(text);
  const std::string path = folder.path("r.sqlite");
  const auto results = Results::for_campaign(path, campaign);
  Surroundings surroundings;
  surroundings.open_study = studies();
  std::int64_t audits = 0;
  surroundings.open_auditor = [&](const std::string&) {
    return std::make_unique<FakeAuditor>("", audits);
  };
  run_campaign(campaign, *results, surroundings);
  return path;
}

ReplayRequest request_of(const std::string& path, std::int64_t scenario, std::int64_t trial) {
  ReplayRequest request;
  request.results = path;
  request.scenario = scenario;
  request.trial = trial;
  return request;
}

TEST(ReplayTest, EveryTrialReplaysAsItIs) {
  const ScratchFolder folder;
  const std::string path = run(folder,
                               "model: lenet5\ntrials: 20\nstrike: {fault: [flip, random]}\naudit: "
                               "50%\nsweep: {seed: [1, 2]}");
  for (std::int64_t scenario = 0; scenario < 2; ++scenario) {
    for (std::int64_t trial = 0; trial < 20; ++trial) {
      const ReplayReport report =
          replay(request_of(path, scenario, trial), sim::builtin_engines(), studies());
      EXPECT_TRUE(report.differences.empty()) << text_of(report_of(report));
    }
  }
}

TEST(ReplayTest, ADifferenceShows) {
  const ScratchFolder folder;
  const std::string path = run(folder, "model: lenet5\ntrials: 5");
  SQLite::Database(path, SQLite::OPEN_READWRITE)
      .exec("UPDATE mesh_trials SET pass = 12345 WHERE trial = 3");
  EXPECT_TRUE(
      replay(request_of(path, 0, 2), sim::builtin_engines(), studies()).differences.empty());
  const ReplayReport report = replay(request_of(path, 0, 3), sim::builtin_engines(), studies());
  ASSERT_EQ(report.differences.size(), 1U);
  EXPECT_EQ(report.differences[0].rfind("pass: 12345 in the file, ", 0), 0U);
  EXPECT_NE(text_of(report_of(report)).find("NOT the trial that the file holds"),
            std::string::npos);
}

TEST(ReplayTest, TheStoryIsTold) {
  const ScratchFolder folder;
  const std::string path = run(folder, "model: lenet5\ntrials: 5");
  const std::string text =
      text_of(report_of(replay(request_of(path, 0, 1), sim::builtin_engines(), studies())));
  EXPECT_NE(text.find("the struck value met an accumulator"), std::string::npos);
  EXPECT_NE(text.find("flip at cycle "), std::string::npos);
  const auto json =
      json_of(report_of(replay(request_of(path, 0, 1), sim::builtin_engines(), studies())));
  EXPECT_EQ(json["trial"]["trial"], 1);
  EXPECT_EQ(json["story"].size(), 1U);
}

TEST(ReplayTest, ALastingFaultTellsOfOneImage) {
  const ScratchFolder folder;
  const std::string path = run(folder, "model: lenet5\ntrials: 3\nstrike: {fault: stuck_at_0}");
  ReplayRequest request = request_of(path, 0, 0);
  const ReplayReport report = replay(request, sim::builtin_engines(), studies());
  EXPECT_TRUE(report.differences.empty());
  EXPECT_EQ(report.images, 10);
  EXPECT_FALSE(report.story.empty());
  request.image = 7;
  EXPECT_EQ(replay(request, sim::builtin_engines(), studies()).image, 7);
  request.image = 10;
  EXPECT_NE(errors_of([&] {
              replay(request, sim::builtin_engines(), studies());
            }).find("image 10 is not in use"),
            std::string::npos);
}

TEST(ReplayTest, AStruckMemoryIsDrawn) {
  const ScratchFolder folder;
  const std::string path =
      run(folder,
          "model: lenet5\ntrials: 6\naccelerator: {base: gemmini_16x16, node: 130nm}\n"
          "strike: {process: particle, where: {memory: scratchpad}}");
  for (std::int64_t trial = 0; trial < 6; ++trial) {
    ReplayRequest request = request_of(path, 0, trial);
    request.picture = folder.path("a.svg");
    const ReplayReport report = replay(request, sim::builtin_engines(), studies());
    const std::string text = read_text_file(request.picture);
    const MemoryTrial& struck = report.record.memory.value();
    EXPECT_NE(text.find("scratchpad of gemmini_16x16, 130nm"), std::string::npos);
    EXPECT_NE(text.find("bank " + std::to_string(struck.bank.value()) + " row " +
                        std::to_string(struck.row.value()) + " column " +
                        std::to_string(struck.column.value()) + ": codeword " +
                        std::to_string(struck.word.value())),
              std::string::npos)
        << "the struck cell is in sight";
    std::size_t crosses = 0;
    for (std::size_t at = 0; (at = text.find("stroke-width=\"2.5\"", at)) != std::string::npos;
         ++at) {
      ++crosses;
    }
    EXPECT_EQ(static_cast<std::int64_t>(crosses / 2), struck.bits);
  }
}

TEST(ReplayTest, WhereTheScrubberIsIsTold) {
  const ScratchFolder folder;
  const std::string path =
      run(folder,
          "model: lenet5\ntrials: 20\naccelerator: {base: gemmini_16x16, memory: {scratchpad: "
          "{ecc: secded, scrub: 777}}}\nstrike: {where: {memory: [scratchpad, accumulator]}}");
  std::set<std::string> told;
  for (std::int64_t trial = 0; trial < 20; ++trial) {
    const ReplayReport report =
        replay(request_of(path, 0, trial), sim::builtin_engines(), studies());
    EXPECT_TRUE(report.differences.empty());
    const bool is_scrubbed = report.record.structure == "scratchpad";
    EXPECT_EQ(report.faults.size(), is_scrubbed ? 3U : 2U);
    if (is_scrubbed) {
      EXPECT_EQ(report.faults[2].rfind("scratchpad: in cycle 0 its scrubber is ", 0), 0U);
      EXPECT_NE(report.faults[2].find(" of 777 cycles into a round"), std::string::npos);
      told.insert(report.faults[2]);
    }
  }
  EXPECT_GT(told.size(), 5U);
}

TEST(ReplayTest, AStrikeOnTheMeshIsNoPictureOfAMemory) {
  const ScratchFolder folder;
  ReplayRequest request = request_of(run(folder, "model: lenet5\ntrials: 1"), 0, 0);
  request.picture = folder.path("a.svg");
  EXPECT_EQ(errors_of([&] { replay(request, sim::builtin_engines(), studies()); }),
            "--svg: the trial struck no memory; leave it out; pictures are of memories and their "
            "cells");
}

/// Counts who is asked to look on, and what it sees.
struct CountingDump final : bridge::RunObserver {
  explicit CountingDump(int& seen) : seen(seen) {}
  void on_run(const bridge::StruckRun&) override { ++seen; }
  void on_line(std::string_view) override { ++seen; }
  int& seen;
};

TEST(ReplayTest, ADumpLooksOnWhateverHardwareIsStruck) {
  for (const std::string where : {"{memory: accumulator}", "{mesh: {}}"}) {
    const ScratchFolder folder;
    ReplayRequest request =
        request_of(run(folder, "model: lenet5\ntrials: 1\nstrike: {where: " + where + "}"), 0, 0);
    int seen = 0;
    std::string opened;
    request.dump_folder = folder.path("dump");
    request.open_dump = [&](const std::string& at) {
      opened = at;
      return std::make_unique<CountingDump>(seen);
    };
    EXPECT_TRUE(replay(request, sim::builtin_engines(), studies()).differences.empty());
    EXPECT_EQ(opened, request.dump_folder);
    EXPECT_GT(seen, 0) << where;
  }
}

TEST(ReplayTest, ATrialThatChangesNothingIsNotDumped) {
  const ScratchFolder folder;
  const std::string path = run(folder, "model: lenet5\ntrials: 20\nstrike: {fault: random}");
  int refused = 0;
  for (std::int64_t trial = 0; trial < 20; ++trial) {
    ReplayRequest request = request_of(path, 0, trial);
    request.dump_folder = folder.path("dump");
    request.open_dump = [](const std::string&) { return std::make_unique<bridge::Story>(); };
    const std::string errors =
        errors_of([&] { replay(request, sim::builtin_engines(), studies()); });
    const bool is_refused =
        errors == "--dump: trial " + std::to_string(trial) +
                      " changes nothing: the random value is the one that the bit has; leave it "
                      "out, or choose another trial";
    EXPECT_TRUE(errors.empty() || is_refused) << errors;
    refused += is_refused ? 1 : 0;
  }
  EXPECT_GT(refused, 2);
  EXPECT_LT(refused, 18);
}

TEST(ReplayTest, WhatIsNotThereIsNamed) {
  const ScratchFolder folder;
  const std::string path = run(folder, "model: lenet5\ntrials: 5");
  EXPECT_EQ(errors_of([&] { replay(request_of(path, 0, 5), sim::builtin_engines(), studies()); }),
            path + ": no trial 5 of scenario 0 in this file; it has 5 trials, numbered from 0");
  EXPECT_EQ(errors_of([&] { replay(request_of(path, 1, 0), sim::builtin_engines(), studies()); }),
            path + ": no scenario 1 in this file; --scenario takes 0 to 0");
  FakeStudy::Settings changed;
  changed.model_hash = "other";
  EXPECT_NE(errors_of([&] {
              replay(request_of(path, 0, 0), sim::builtin_engines(), studies(changed));
            }).find("the content of 'model' has changed"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::campaigns
