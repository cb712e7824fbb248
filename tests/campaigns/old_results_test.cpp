// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are results files of older versions still read? old/NAME_6.sql are such files as text, with the
// answers of FakeStudy.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "campaigns/report/report.h"
#include "campaigns/run/replay.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

Surroundings surroundings() {
  Surroundings all;
  all.open_study = [](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, FakeStudy::Settings{});
  };
  return all;
}

/// The file that old/NAME.sql describes.
std::string restored(const ScratchFolder& folder, const std::string& name) {
  const std::string path = folder.path(name + ".sqlite");
  const auto text = std::filesystem::path(__FILE__).parent_path() / "old" / (name + ".sql");
  SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec(read_text_file(text.string()));
  return path;
}

Campaign campaign_in(const std::string& path) {
  return read_campaign(parse_yaml(Results::existing(path)->campaign_text(), path),
                       sim::builtin_engines());
}

/// A file of the present version with the same trials.
std::string run_again(const ScratchFolder& folder, const Campaign& campaign) {
  const std::string path = folder.path("again.sqlite");
  run_campaign(campaign, *Results::for_campaign(path, campaign), surroundings());
  return path;
}

std::string summaries_in(const std::string& path) {
  const auto results = Results::existing(path);
  const Campaign campaign = campaign_in(path);
  const std::vector<Summary> summaries = summaries_of(campaign, *results, surroundings());
  std::string text;
  for (const Summary& summary : summaries) {
    text += text_of(report_of(summary));
  }
  return text + text_of(report_of(paired_points(*results, campaign, summaries, 0)));
}

class OldResultsTest : public testing::TestWithParam<const char*> {};

TEST_P(OldResultsTest, Version6IsReadAndReplayed) {
  const ScratchFolder folder;
  const std::string path = restored(folder, GetParam());
  const Campaign campaign = campaign_in(path);
  const std::string again = run_again(folder, campaign);
  EXPECT_EQ(summaries_in(path), summaries_in(again));
  const auto old = Results::existing(path), now = Results::existing(again);
  for (std::size_t i = 0; i < campaign.points.size(); ++i) {
    ReplayRequest request;
    request.results = path;
    request.scenario = static_cast<std::int64_t>(i);
    const std::int64_t trials = old->count(request.scenario);
    EXPECT_GT(trials, 5);
    for (; request.trial < trials; ++request.trial) {
      std::optional<TrialRecord> trial = now->trial(request.scenario, request.trial);
      for (OutcomeRecord& outcome : trial->outcomes) {  // nobody knows their labels any more
        outcome.score.reset();
        outcome.golden_score.reset();
      }
      EXPECT_EQ(old->trial(request.scenario, request.trial), trial);
      EXPECT_EQ(replay(request, sim::builtin_engines(), surroundings().open_study).differences,
                std::vector<std::string>());
    }
  }
}

TEST_P(OldResultsTest, Version6IsTheWideView) {
  const ScratchFolder folder;
  const std::string path = restored(folder, GetParam());
  SQLite::Database database(run_again(folder, campaign_in(path)), SQLite::OPEN_READONLY);
  SQLite::Statement(database, "ATTACH '" + path + "' AS old").exec();
  const auto names = [&](const std::string& table) {
    std::vector<std::string> all;
    SQLite::Statement rows(database, "SELECT * FROM " + table);
    for (int i = 0; i < rows.getColumnCount(); ++i) {
      all.emplace_back(rows.getColumnName(i));
    }
    return all;
  };
  std::vector<std::string> wide = names("trials_wide");
  wide.resize(names("old.trials").size());  // what came later follows
  EXPECT_EQ(wide, names("old.trials"));
  for (const auto& [now, before] :
       std::vector<std::pair<std::string, std::string>>{{"trials_wide", "old.trials"},
                                                        {"main.faults", "old.faults"},
                                                        {"main.outcomes", "old.outcomes"}}) {
    const std::string columns = "SELECT \"" + join(names(before), "\", \"") + "\" FROM ";
    for (const std::string& others : {columns + now + " EXCEPT " + columns + before,
                                      columns + before + " EXCEPT " + columns + now}) {
      EXPECT_FALSE(SQLite::Statement(database, others).executeStep()) << others;
    }
  }
}

TEST_P(OldResultsTest, NothingIsAddedToVersion6) {
  const ScratchFolder folder;
  const std::string path = restored(folder, GetParam());
  EXPECT_EQ(errors_of([&] { Results::for_campaign(path, campaign_in(path)); }),
            path +
                ": results of format version 6, not 11; name another file with --out; this one "
                "can be read still, but not added to");
}

constexpr const char* kAsVersion10 =
    "PRAGMA user_version = 10;"
    "ALTER TABLE scenarios DROP COLUMN labels_hash; ALTER TABLE scenarios DROP COLUMN "
    "spiking_hash;";

/// Makes a file of version 8 of one of version 10 without strikes on cores: `faults` was a table.
constexpr const char* kAsVersion8 =
    "PRAGMA user_version = 8;"
    "CREATE TABLE old_faults AS SELECT * FROM faults;"
    "DROP VIEW faults; DROP VIEW trials_wide; DROP TABLE more_faults; DROP TABLE "
    "core_trials;"
    "ALTER TABLE old_faults RENAME TO faults;";

std::string as_version_8() { return std::string(kAsVersion10) + kAsVersion8; }

void expect_to_be_replayed(const std::string& path) {
  ReplayRequest request;
  request.results = path;
  for (request.trial = 0; request.trial < 5; ++request.trial) {
    EXPECT_EQ(replay(request, sim::builtin_engines(), surroundings().open_study).differences,
              std::vector<std::string>());
  }
}

TEST_P(OldResultsTest, Version8IsReadAndReplayed) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_in(restored(folder, GetParam()));
  const std::string path = run_again(folder, campaign);
  const std::string before = summaries_in(path);
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec(as_version_8());
  EXPECT_EQ(summaries_in(path), before);
  expect_to_be_replayed(path);
}

// A file of version 7 is one of version 8 without the columns that came with it.
TEST_P(OldResultsTest, Version7IsReadAndReplayed) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_in(restored(folder, GetParam()));
  const std::string path = run_again(folder, campaign);
  const std::string before = summaries_in(path);
  std::string statements = as_version_8() + "PRAGMA user_version = 7;";
  for (const char* table : {"trials", "outcomes"}) {
    for (const char* column : {"score", "golden_score", "share_differing", "first_differing",
                               "changed_answer", "differences", "answer_digest"}) {
      statements += std::string("ALTER TABLE ") + table + " DROP COLUMN " + column + ";";
    }
  }
  for (const char* column : {"metric", "golden_score", "judge_hash"}) {
    statements += std::string("ALTER TABLE scenarios DROP COLUMN ") + column + ";";
  }
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec(statements);
  EXPECT_EQ(summaries_in(path), before);
  expect_to_be_replayed(path);
}

INSTANTIATE_TEST_SUITE_P(Files, OldResultsTest, testing::Values("particles_6", "stuck_at_6"));

TEST(Version10Test, StrikesOnCoresAreReadAndReplayed) {
  const ScratchFolder folder;
  const Campaign campaign =
      campaign_of("model: lenet5\naccelerator: core_256x256\ntrials: 40\nstrike: {}");
  const std::string path = run_again(folder, campaign);
  const std::string before = summaries_in(path);
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec(kAsVersion10);
  EXPECT_EQ(summaries_in(path), before);
  expect_to_be_replayed(path);
  EXPECT_TRUE(Results::existing(path)->trial(0, 0)->core);
}

// No file of version 5 is at hand: it is one of version 6 with fewer columns, and other draws.
TEST(Version5Test, IsReadWhereItsTrialsAreStillDrawnSo) {
  const ScratchFolder folder;
  const std::string path = restored(folder, "stuck_at_6");
  const std::string before = summaries_in(path);
  SQLite::Database(path, SQLite::OPEN_READWRITE)
      .exec("PRAGMA user_version = 5; ALTER TABLE trials DROP COLUMN stored;");
  EXPECT_EQ(summaries_in(path), before);
  ReplayRequest request;
  request.results = path;
  EXPECT_TRUE(
      replay(request, sim::builtin_engines(), surroundings().open_study).differences.empty());
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec("ALTER TABLE trials DROP COLUMN layer");
  EXPECT_NE(errors_of([&] { summaries_in(path); }).find("trials.layer is nothing instead of"),
            std::string::npos);
}

TEST(Version5Test, IsRefusedWhereTrialsAreDrawnOtherwise) {
  const ScratchFolder folder;
  const std::string path = restored(folder, "particles_6");
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 5");
  ReplayRequest request;
  request.results = path;
  for (const std::string& error :
       {errors_of([&] { replay(request, sim::builtin_engines(), surroundings().open_study); }),
        errors_of([&] { summaries_in(path); })}) {
    EXPECT_EQ(error.rfind(path + ": results of format version 5, whose trials are others: this "
                                 "version of TileStrike draws particles by the reach of their "
                                 "clusters; ",
                          0),
              0U)
        << error;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
