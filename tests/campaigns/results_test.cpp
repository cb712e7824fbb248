// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a results file safe: against other scenarios, other files, other runs, and a full disk?
#include "campaigns/results/results.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"
#include "campaigns/run/strike_trial.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

TrialRecord record_of(std::int64_t number) {
  const Scenario scenario = campaign_of("model: lenet5").points.front().scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  const TrialId trial(static_cast<std::uint64_t>(number));
  const DrawnTrial drawn = plan.draw(trial);
  return strike_and_judge(study, plan, 0, {drawn}, "systemc").front();
}

ScenarioFacts facts_with(const std::string& model_hash) {
  ScenarioFacts facts;
  facts.hashes = {{"model", model_hash}, {"images", "i"}, {"calibrate", "c"}};
  return facts;
}

TEST(ResultsTest, RowsComeBackAsTheyWent) {
  const ScratchFolder folder;
  const auto results = Results::for_campaign(folder.path("r.sqlite"), campaign_of("model: lenet5"));
  results->describe(0, facts_with("m"));
  for (const std::int64_t trial : {5, 0, 3}) {
    results->add(record_of(trial));
  }
  results->commit();
  EXPECT_EQ(results->count(0), 3);
  EXPECT_EQ(results->count(1), 0);
  EXPECT_EQ(results->has(0, 1, 5), (std::vector<bool>{false, false, true, false, true}));
  for (const std::int64_t trial : {0, 3, 5}) {
    EXPECT_EQ(results->trial(0, trial), record_of(trial));
  }
  EXPECT_FALSE(results->trial(0, 1));
  std::vector<std::int64_t> numbers;
  results->each_trial(0, Fields(), [&](const TrialRecord& trial) {
    numbers.push_back(trial.trial);
    return numbers.size() < 2;
  });
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{0, 3}));
}

TEST(ResultsTest, AFaultThatItsTrialSaysHasNoRowOfItsOwn) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  TrialRecord one = record_of(0), two = record_of(1), several = record_of(2);
  two.faults_kept.front().acts = false;  // which no column of the trial says
  several.faults = 2;
  several.faults_kept.push_back(several.faults_kept.front());
  several.faults_kept.back().number = 1;
  {
    const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
    results->describe(0, facts_with("m"));
    for (const TrialRecord& record : {one, two, several}) {
      results->add(record);
    }
  }
  const SQLite::Database database(path, SQLite::OPEN_READONLY);
  const auto rows = [&](const std::string& table) {
    SQLite::Statement query(
        const_cast<SQLite::Database&>(database),
        "SELECT group_concat(trial || '.' || number || ':' || acts, ' ') FROM (SELECT * FROM " +
            table + " ORDER BY trial, number)");
    query.executeStep();
    return query.getColumn(0).getString();
  };
  EXPECT_EQ(rows("more_faults"), "1.0:0 2.0:1 2.1:1");
  EXPECT_EQ(rows("faults"), "0.0:1 1.0:0 2.0:1 2.1:1");
  const auto results = Results::existing(path);
  EXPECT_EQ(results->trial(0, 0), one);
  EXPECT_EQ(results->trial(0, 1), two);
  EXPECT_EQ(results->trial(0, 2), several);
}

TEST(ResultsTest, TheSameCampaignGoesOnAndAnotherIsRefused) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  {
    const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
    results->describe(0, facts_with("m"));
    results->add(record_of(0));
  }
  EXPECT_EQ(Results::for_campaign(path, campaign_of("model: lenet5", {"trials=9"}))->count(0), 1);
  EXPECT_EQ(errors_of([&] { Results::for_campaign(path, campaign_of("model: resnet8")); }),
            path +
                ": holds trials of another scenario: model is 'lenet5' there and 'resnet8' "
                "here; name another file with --out, or run the same scenario");
  const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
  EXPECT_NE(errors_of([&] {
              results->describe(0, facts_with("other"));
            }).find("the content of 'model' has changed"),
            std::string::npos);
}

TEST(ResultsTest, AFileWithoutTrialsTakesAnyCampaign) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  Results::for_campaign(path, campaign_of("model: lenet5"))->describe(0, facts_with("m"));
  EXPECT_NO_THROW(Results::for_campaign(path, campaign_of("model: resnet8")));
}

TEST(ResultsTest, OtherFilesAreLeftAlone) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_of("model: lenet5");
  const std::string text = folder.write("notes.txt", std::string(5000, 'x'));
  EXPECT_NE(errors_of([&] { Results::for_campaign(text, campaign); }).find("not a results file"),
            std::string::npos);
  EXPECT_EQ(read_text_file(text), std::string(5000, 'x'));

  const std::string other = folder.path("other.sqlite");
  SQLite::Database(other, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE mine (x INTEGER)");
  EXPECT_NE(errors_of([&] {
              Results::for_campaign(other, campaign);
            }).find("an SQLite file, but not a results file of TileStrike"),
            std::string::npos);

  const std::string newer = folder.path("newer.sqlite");
  Results::for_campaign(newer, campaign);
  SQLite::Database(newer, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  EXPECT_NE(errors_of([&] {
              Results::for_campaign(newer, campaign);
            }).find("results of format version 99, not " + std::to_string(kResultsVersion)),
            std::string::npos);
  EXPECT_NE(errors_of([&] { Results::existing(newer); }).find("version 99"), std::string::npos);
  EXPECT_NE(errors_of([&] { Results::existing(folder.path("none")); }).find("no such results file"),
            std::string::npos);
}

TEST(ResultsTest, PlacesThatCannotBeWrittenAreRefused) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_of("model: lenet5");
  const std::string file = folder.write("file", "x");
  for (const std::string& path : {folder.path(""), file + "/r.sqlite"}) {
    try {
      Results::for_campaign(path, campaign);
      FAIL() << path;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.exit_code(), 2);
      EXPECT_NE(std::string(failure.what()).find("cannot write the results file"),
                std::string::npos);
    }
  }
}

TEST(ResultsTest, FoldersAreMade) {
  const ScratchFolder folder;
  EXPECT_NO_THROW(Results::for_campaign(folder.path("a/b/r.sqlite"), campaign_of("model: lenet5")));
}

TEST(ResultsTest, TwoRunsDoNotShareAFile) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const auto first = Results::for_campaign(path, campaign_of("model: lenet5"));
  EXPECT_NE(errors_of([&] {
              Results::for_campaign(path, campaign_of("model: lenet5"));
            }).find("another run writes to this results file"),
            std::string::npos);
}

TEST(ResultsTest, AReaderSeesCommittedRowsOfARunningCampaign) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const auto writer = Results::for_campaign(path, campaign_of("model: lenet5"));
  writer->describe(0, facts_with("m"));
  writer->add(record_of(0));
  writer->commit();
  writer->add(record_of(1));
  EXPECT_EQ(Results::existing(path)->count(0), 1);
}

TEST(ResultsTest, AKilledRunLosesAtMostTheOpenBatch) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const pid_t child = fork();
  if (child == 0) {
    const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
    results->describe(0, facts_with("m"));
    for (int trial = 0; trial < 250; ++trial) {
      results->add(record_of(trial));
    }
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
  // A batch is a hundred trials, or what comes within a second on a slow machine.
  EXPECT_GE(results->count(0), 150);
  EXPECT_LE(results->count(0), 250);
}

// A limit on file size stands for a full disk: the write fails, what was committed stays whole.
TEST(ResultsTest, AFullDiskIsTheMachinesFaultAndKeepsWholeTrials) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300'000, 300'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 0;
    try {
      const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
      results->describe(0, facts_with("m"));
      for (int trial = 0; trial < 20'000; ++trial) {
        results->add(record_of(trial));
      }
    } catch (const Failure& failure) {
      code = failure.exit_code();
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
  const auto results = Results::for_campaign(path, campaign_of("model: lenet5"));
  EXPECT_GT(results->count(0), 0);
  const SQLite::Database database(path, SQLite::OPEN_READONLY);
  SQLite::Statement query(const_cast<SQLite::Database&>(database),
                          "SELECT COUNT(*) FROM trials LEFT JOIN mesh_trials USING (scenario, "
                          "trial) WHERE mesh_trials.trial IS NULL");
  query.executeStep();
  EXPECT_EQ(query.getColumn(0).getInt(), 0);
}

}  // namespace
}  // namespace tilestrike::campaigns
