// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the summary's rates those of the rows, and is no percentage bare?
#include "campaigns/report/summary.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "campaigns/report/report.h"
#include "campaigns/run/runner.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

Summary summary_of(const std::string& path, const std::string& text,
                   const FakeStudy::Settings& settings = {}) {
  const Campaign campaign = campaign_of(text);
  const auto results = Results::for_campaign(path, campaign);
  Surroundings surroundings;
  surroundings.open_study = [&](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, settings);
  };
  return run_campaign(campaign, *results, surroundings).summaries.at(0);
}

TEST(SummaryTest, RatesAreThoseOfTheRows) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const Summary summary = summary_of(path, "model: lenet5\ntrials: 2000");
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const auto number = [&](const std::string& where) {
    return database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE " + where).getInt();
  };
  const int activated = number("activated = 1");
  const int sdc = number("outcome = 'sdc'");
  EXPECT_DOUBLE_EQ(summary.all.activated.value, activated / 2000.0);
  EXPECT_DOUBLE_EQ(summary.all.rates[Rate::kSdc].value, sdc / 2000.0);
  EXPECT_DOUBLE_EQ(summary.all.rates_of_activated[Rate::kSdc].value,
                   number("outcome = 'sdc' AND activated = 1") / static_cast<double>(activated));
  EXPECT_EQ(summary.all.rates_of_activated[Rate::kSdc].n, activated);
  const Interval interval = clopper_pearson(sdc, 2000, 0.95);
  EXPECT_DOUBLE_EQ(summary.all.rates[Rate::kSdc].interval.low, interval.low);
  EXPECT_DOUBLE_EQ(summary.all.rates[Rate::kSdc].interval.high, interval.high);
  std::int64_t in_registers = 0, in_layers = 0;
  for (const Group& group : summary.registers) {
    in_registers += group.activated.n;
    EXPECT_EQ(group.activated.n, number("\"register\" = '" + group.name + "'"));
  }
  for (const Group& group : summary.layers) {
    in_layers += group.activated.n;
  }
  EXPECT_EQ(in_registers, 2000);
  EXPECT_EQ(in_layers, 2000);
  EXPECT_EQ(summary.all.masked_at.at("dead"), number("masked_at = 'dead'"));
}

TEST(SummaryTest, TheFaultIsTheUnitOfLastingFaults) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const Summary summary =
      summary_of(path, "model: lenet5\ntrials: 60\nstrike: {fault: stuck_at_0}");
  EXPECT_EQ(summary.unit, "fault");
  EXPECT_EQ(summary.all.rates[Rate::kSdc].n, 60);
  Shares shares;
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  SQLite::Statement rows(database,
                         "SELECT images_sdc * 1.0 / images FROM trials_wide ORDER BY trial");
  while (rows.executeStep()) {
    shares.add(rows.getColumn(0).getDouble());
  }
  EXPECT_NEAR(summary.all.rates[Rate::kSdc].value, shares.mean(), 1e-12);
  EXPECT_NEAR(summary.all.rates[Rate::kSdc].interval.low, interval_of_shares(shares, 0.95).low,
              1e-12);
  // 600 images would give a much narrower interval, and a wrong one.
  EXPECT_GT(summary.all.rates[Rate::kSdc].interval.half_width(), 0.0);
}

TEST(SummaryTest, ACensusHasNoSamplingError) {
  const ScratchFolder folder;
  const Summary summary = summary_of(
      folder.path("r.sqlite"),
      "model: lenet5\ntrials: exhaustive\nstrike: {where: {mesh: {pe: [1, 1], register: valid}}}");
  EXPECT_TRUE(summary.is_census);
  EXPECT_EQ(summary.counted, 300 * 10);
  EXPECT_EQ(summary.all.rates[Rate::kSdc].interval.low, summary.all.rates[Rate::kSdc].value);
  EXPECT_EQ(summary.all.rates[Rate::kSdc].interval.high, summary.all.rates[Rate::kSdc].value);
  EXPECT_NE(text_of(report_of(summary)).find("no sampling error"), std::string::npos);
}

TEST(SummaryTest, NoPercentageIsBare) {
  const ScratchFolder folder;
  const Summary summary = summary_of(folder.path("r.sqlite"), "model: lenet5\ntrials: 200");
  const std::string text = text_of(report_of(summary));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("intervals") != std::string::npos || line.find("accuracy") != std::string::npos) {
      continue;
    }
    const std::regex percentage("[0-9] %"), with_interval("[0-9] % \\[[0-9.]+, [0-9.]+\\]");
    const auto count = [&](const std::regex& pattern) {
      return std::distance(std::sregex_iterator(line.begin(), line.end(), pattern),
                           std::sregex_iterator());
    };
    EXPECT_EQ(count(percentage), count(with_interval)) << line;
  }
  EXPECT_NE(text.find("population: 27248 sites x 300 cycles x 10 images"), std::string::npos);
  EXPECT_NE(text.find("not modelled: "), std::string::npos);
  EXPECT_NE(text.find("warning: the network is made up"), std::string::npos);
}

TEST(SummaryTest, WhatIsNotJudgedIsUnknown) {
  const ScratchFolder folder;
  const Summary summary =
      summary_of(folder.path("r.sqlite"), "model: lenet5\ntrials: 200\njudge: relative_l2");
  EXPECT_GT(summary.all.rates[Rate::kSdc].n, 0);
  EXPECT_EQ(summary.all.rates[Rate::kSdc1].n, 0);
  const std::string text = text_of(report_of(summary));
  EXPECT_NE(text.find("sdc_1 -, sdc_5 -, sdc_10 "), std::string::npos) << text;
  EXPECT_NE(errors_of([] {
              campaign_of(
                  "model: lenet5\ntrials: 200\njudge: relative_l2\n"
                  "until: {relative: 20%, of: [sdc, sdc_1]}");
            }).find("until.of: judged by relative_l2"),
            std::string::npos);
}

TEST(SummaryTest, WhatIsNotModelledIsNamed) {
  const ScratchFolder folder;
  const auto names = [&](const std::string& file, const std::string& strike) {
    return summary_of(folder.path(file), "model: lenet5\ntrials: 20\nstrike: " + strike)
        .not_modelled;
  };
  const auto has = [](const std::vector<std::string>& all, const std::string& part) {
    return std::ranges::any_of(
        all, [&](const std::string& name) { return name.find(part) != std::string::npos; });
  };
  const auto mesh = names("m.sqlite", "{where: {mesh: {}}}");
  EXPECT_TRUE(has(mesh, "latch windows"));
  EXPECT_TRUE(has(mesh, "off-chip memory"));
  EXPECT_FALSE(has(names("s.sqlite", "{fault: stuck_at_1, where: {mesh: {}}}"), "latch windows"));
  const auto beam = names("f.sqlite", "{process: particle, where: {memory: all}, fluence: 1e8}");
  EXPECT_TRUE(has(beam, "stored values"));
  EXPECT_TRUE(has(beam, "no neutrons"));
}

TEST(SummaryTest, JsonHoldsTheSame) {
  const ScratchFolder folder;
  const Summary summary = summary_of(folder.path("r.sqlite"), "model: lenet5\ntrials: 200");
  const nlohmann::ordered_json json = json_of(report_of(summary));
  EXPECT_EQ(json["counted"], 200);
  EXPECT_EQ(json["registers"].size(), summary.registers.size());
  EXPECT_EQ(json["all"]["over_all"]["sdc"]["n"], 200);
  EXPECT_EQ(json["all"]["over_all"]["sdc"]["value"], summary.all.rates[Rate::kSdc].value);
}

TEST(SummaryTest, FaultsThatNeverLandShow) {
  const ScratchFolder folder;
  FakeStudy::Settings settings;
  settings.activates = false;
  const Summary summary =
      summary_of(folder.path("r.sqlite"), "model: lenet5\ntrials: 50", settings);
  EXPECT_EQ(summary.activated, 0);
  EXPECT_EQ(summary.all.masked_at.at("idle"), 50);
  EXPECT_EQ(summary.all.rates_of_activated[Rate::kSdc].n, 0);
}

}  // namespace
}  // namespace tilestrike::campaigns
