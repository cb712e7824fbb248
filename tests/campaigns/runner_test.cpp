// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a campaign run to its end, resume to the same rows, stop by precision, and share studies?
#include "campaigns/run/runner.h"
#include "campaigns/report/report.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

/// All rows of all tables but meta, as text.
std::string dump_of(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  std::string text;
  for (const char* query : {"SELECT * FROM scenarios ORDER BY scenario",
                            "SELECT * FROM trials_wide ORDER BY scenario, trial",
                            "SELECT * FROM outcomes ORDER BY scenario, trial, image",
                            "SELECT * FROM faults ORDER BY scenario, trial, number"}) {
    SQLite::Statement rows(database, query);
    while (rows.executeStep()) {
      for (int i = 0; i < rows.getColumnCount(); ++i) {
        const SQLite::Column cell = rows.getColumn(i);
        text += cell.isNull() ? "null|" : cell.getString() + "|";
      }
      text += "\n";
    }
    text += "--\n";
  }
  return text;
}

struct Finished {
  RunReport report;
  int studies = 0;
  std::int64_t strikes = 0;
};

/// Runs a campaign on made-up studies; interrupts after so many strikes.
Finished run(const std::string& path, const Campaign& campaign,
             const FakeStudy::Settings& settings = {}, std::int64_t interrupt_after = -1) {
  Finished run;
  const auto results = Results::for_campaign(path, campaign);
  std::int64_t asked = 0;
  Surroundings surroundings;
  surroundings.open_study = [&](const bridge::StudyInputs& inputs) {
    ++run.studies;
    auto study = std::make_unique<FakeStudy>(inputs, settings);
    return study;
  };
  std::int64_t audits = 0;
  surroundings.open_auditor = [&](const std::string&) {
    return std::make_unique<FakeAuditor>(settings.disagreement, audits);
  };
  surroundings.is_interrupted = [&] { return interrupt_after >= 0 && asked++ >= interrupt_after; };
  run.report = run_campaign(campaign, *results, surroundings);
  run.strikes = asked;
  return run;
}

TEST(RunnerTest, EveryTrialGetsARow) {
  const ScratchFolder folder;
  const Finished done = run(folder.path("r.sqlite"), campaign_of("model: lenet5\ntrials: 500"));
  EXPECT_FALSE(done.report.is_interrupted);
  ASSERT_EQ(done.report.summaries.size(), 1U);
  EXPECT_EQ(done.report.summaries[0].counted, 500);
  EXPECT_EQ(done.report.summaries[0].kept, 0);
}

TEST(RunnerTest, AnInterruptedCampaignEndsWithTheSameRows) {
  for (const std::string text :
       {"model: lenet5\ntrials: 700\nstrike: {fault: [flip, random], count: 3}",
        "model: lenet5\ntrials: 40\nstrike: {fault: stuck_at_1}\naudit: 20%",
        "model: lenet5\ntrials: 300\nsweep: {seed: [1, 2], accelerator.mesh.rows: [4, 8]}"}) {
    const ScratchFolder folder;
    const Campaign campaign = campaign_of(text);
    run(folder.path("whole.sqlite"), campaign);
    const std::string parts = folder.path("parts.sqlite");
    int interruptions = 0;
    while (run(parts, campaign, {}, 97).report.is_interrupted) {
      ++interruptions;
      ASSERT_LT(interruptions, 100);
    }
    EXPECT_GE(interruptions, 2);
    EXPECT_EQ(dump_of(parts), dump_of(folder.path("whole.sqlite"))) << text;
  }
}

TEST(RunnerTest, AShareOfTheTrialsIsAudited) {
  const ScratchFolder folder;
  const Finished done =
      run(folder.path("r.sqlite"), campaign_of("model: lenet5\ntrials: 500\naudit: 10%"));
  const Summary& summary = done.report.summaries[0];
  ASSERT_TRUE(summary.audit);
  EXPECT_EQ(summary.audit->audited, 50);
  EXPECT_EQ(summary.audit->disagreements, 0);
  EXPECT_NEAR(summary.audit->bound, 1.0 - std::pow(0.05, 1.0 / 50.0), 1e-9);
  EXPECT_NE(text_of(report_of(summary))
                .find("audit: 50 of 50 trials are the same on the other engines "
                      "(stepped 50, wavefront 50); at most 5.8 % of all differ, with "
                      "95 % confidence\n"),
            std::string::npos)
      << text_of(report_of(summary));
  EXPECT_FALSE(run(folder.path("s.sqlite"), campaign_of("model: lenet5\ntrials: 10"))
                   .report.summaries[0]
                   .audit);
}

TEST(RunnerTest, StrikesOnMemoriesAreAuditedToo) {
  const ScratchFolder folder;
  FakeStudy::Settings settings;
  settings.disagreement = "systemc and closed_form part in layer conv1";
  const Campaign campaign = campaign_of(
      "model: lenet5\ntrials: 200\naudit: 50%\nstrike: {process: particle, where: {memory: all}}");
  const AuditSummary right = *run(folder.path("r.sqlite"), campaign).report.summaries[0].audit;
  EXPECT_EQ(right.audited, 100);
  EXPECT_EQ(right.disagreements, 0);
  EXPECT_EQ(right.agreed, (std::map<std::string, std::int64_t>{{"closed_form", 100}}));
  const AuditSummary wrong =
      *run(folder.path("w.sqlite"), campaign, settings).report.summaries[0].audit;
  EXPECT_GT(wrong.disagreements, 20);
  EXPECT_EQ(wrong.first, settings.disagreement);
}

TEST(RunnerTest, ADisagreementOfEnginesIsKeptAndNamed) {
  const ScratchFolder folder;
  FakeStudy::Settings settings;
  settings.disagreement = "systemc and stepped part in layer conv1";
  const Campaign campaign = campaign_of("model: lenet5\ntrials: 200\naudit: 100%");
  run(folder.path("r.sqlite"), campaign, settings);
  const Finished again = run(folder.path("r.sqlite"), campaign);  // from the file alone
  const AuditSummary audit = *again.report.summaries[0].audit;
  EXPECT_EQ(audit.audited, 200);
  EXPECT_GT(audit.disagreements, 50);
  EXPECT_LT(audit.disagreements, 150);
  EXPECT_GE(audit.first_trial, 0);
  EXPECT_EQ(audit.first, settings.disagreement);
  EXPECT_GT(audit.bound, static_cast<double>(audit.disagreements) / 200.0);
}

TEST(RunnerTest, MoreTrialsExtendAFile) {
  const ScratchFolder folder;
  run(folder.path("whole.sqlite"), campaign_of("model: lenet5\ntrials: 900"));
  run(folder.path("grown.sqlite"), campaign_of("model: lenet5\ntrials: 200"));
  run(folder.path("grown.sqlite"), campaign_of("model: lenet5\ntrials: 900"));
  // The scenario's expanded form is that of the last run.
  EXPECT_EQ(dump_of(folder.path("grown.sqlite")), dump_of(folder.path("whole.sqlite")));
}

TEST(RunnerTest, AFinishedCampaignStrikesNothingAgain) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_of("model: lenet5\ntrials: 100");
  EXPECT_EQ(run(folder.path("r.sqlite"), campaign, {}, 1'000'000).strikes, 100);
  const Finished again = run(folder.path("r.sqlite"), campaign, {}, 1'000'000);
  EXPECT_EQ(again.strikes, 0);
  EXPECT_EQ(again.report.summaries[0].counted, 100);
}

TEST(RunnerTest, ChangedContentIsRefused) {
  const ScratchFolder folder;
  const Campaign campaign = campaign_of("model: lenet5\ntrials: 10");
  run(folder.path("r.sqlite"), campaign);
  FakeStudy::Settings changed;
  changed.model_hash = "model-2";
  EXPECT_NE(errors_of([&] {
              run(folder.path("r.sqlite"), campaign, changed);
            }).find("the content of 'model' has changed"),
            std::string::npos);
}

TEST(RunnerTest, AFaultListsContentIsPartOfTheScenario) {
  const ScratchFolder folder;
  const std::string scenario =
      folder.write("s.yaml", "model: lenet5\nstrike: {process: list, faults: f.csv}\n");
  folder.write("f.csv", "register,row,column,bit,cycle\nload,1,2,3,4\n");
  run(folder.path("r.sqlite"), load_campaign(scenario, sim::builtin_engines()));
  folder.write("f.csv", "register,row,column,bit,cycle\nload,1,2,3,5\n");
  EXPECT_NE(errors_of([&] {
              run(folder.path("r.sqlite"), load_campaign(scenario, sim::builtin_engines()));
            }).find("the content of 'faults' has changed"),
            std::string::npos);
}

TEST(RunnerTest, TheSummaryOfAnInterruptedCampaignCountsNoBiasedSample) {
  const ScratchFolder folder;
  const Finished part =
      run(folder.path("r.sqlite"), campaign_of("model: lenet5\ntrials: 1000"), {}, 300);
  EXPECT_TRUE(part.report.is_interrupted);
  const Summary& summary = part.report.summaries[0];
  EXPECT_EQ(summary.counted + summary.kept, 300);
  EXPECT_LT(summary.counted, 300) << "trials are struck image by image";
  EXPECT_EQ(summary.all.activated.n, summary.counted);
}

TEST(RunnerTest, PrecisionStopsACampaignAtALook) {
  const ScratchFolder folder;
  const Campaign campaign =
      campaign_of("model: lenet5\ntrials: 100000\nuntil: {relative: 10%, of: sdc}");
  const Finished done = run(folder.path("r.sqlite"), campaign);
  const Summary& summary = done.report.summaries[0];
  EXPECT_LT(summary.counted, 100'000);
  EXPECT_LE(summary.all.rates[Rate::kSdc].interval.half_width(),
            0.1 * summary.all.rates[Rate::kSdc].value);
  bool is_look = false;
  for (int look = 0; look < 40; ++look) {
    is_look = is_look || trials_at_look(look) == summary.counted;
  }
  EXPECT_TRUE(is_look) << summary.counted;
  const Finished again = run(folder.path("r.sqlite"), campaign);
  EXPECT_EQ(again.report.summaries[0].counted, summary.counted);
}

TEST(RunnerTest, PointsThatDifferInTheStrikeShareAStudy) {
  const ScratchFolder folder;
  EXPECT_EQ(
      run(folder.path("a.sqlite"),
          campaign_of("model: lenet5\ntrials: 10\nsweep: {seed: [1, 2], strike.count: [1, 2]}"))
          .studies,
      1);
  EXPECT_EQ(run(folder.path("b.sqlite"),
                campaign_of("model: lenet5\ntrials: 10\nsweep: {accelerator.mesh.rows: [4, 8]}"))
                .studies,
            2);
  for (const char* what : {"output: [first, second]", "spiking: [{ticks: 4}, {ticks: 8}]",
                           "judge: [auto, regression]", "differential: [on, off]"}) {
    SCOPED_TRACE(what);
    EXPECT_EQ(run(folder.path(std::string(what).substr(0, 6) + ".sqlite"),
                  campaign_of("model: lenet5\ntrials: 10\nsweep: {" + std::string(what) + "}"))
                  .studies,
              2);
  }
}

TEST(RunnerTest, LastingFaultsHaveARowPerVisibleImage) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  run(path, campaign_of("model: lenet5\ntrials: 50\nstrike: {fault: stuck_at_0}"));
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const auto number = [&](const char* query) { return database.execAndGet(query).getInt(); };
  EXPECT_EQ(number("SELECT COUNT(*) FROM trials_wide WHERE image IS NULL AND images = 10"), 50);
  EXPECT_EQ(number("SELECT SUM(images_sdc) FROM trials_wide"),
            number("SELECT COUNT(*) FROM outcomes WHERE outcome = 'sdc'"));
  EXPECT_EQ(number("SELECT COUNT(*) FROM trials_wide WHERE (outcome = 'sdc') <> (images_sdc > 0)"),
            0);
  EXPECT_GT(number("SELECT COUNT(*) FROM outcomes"), 50);
}

}  // namespace
}  // namespace tilestrike::campaigns
