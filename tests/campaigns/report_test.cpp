// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a report say the same as text, as JSON and as a page, and is all of the page harmless?
#include "campaigns/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "campaigns/run/run_report.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

struct Weight {
  std::string name;
  std::int64_t grams = 0;
  Estimate share;
};

std::vector<ColumnOf<Weight>> columns() {
  return {
      {{"name", "what"}, [](const Weight& weight) { return weight.name; }},
      {{"grams", "g", true, 6}, [](const Weight& weight) { return weight.grams; }},
      {{"of/all", "of all"}, [](const Weight& weight) { return Share{weight.share}; }},
      {{"of/known", ""}, [](const Weight& weight) { return weight.share; }},
      {{"", "twice"}, [](const Weight& weight) { return 2 * weight.grams; }},
  };
}

std::vector<Weight> weights() {
  return {{"pear", 200, {0.25, {0.125, 0.5}, 8}}, {"<nothing>", 0, {0.0, {}, 0}}};
}

Report example() {
  Report report;
  report.title = "fruit & <more>";
  report.fact("count", std::int64_t{2});
  report.fact("unknown", nullptr);
  report.fact("left_out", {});
  report.say("two fruits");
  report.say("for the page", Tone::kPlain, true);
  ReportTable table = table_of("fruits", columns(), weights());
  table.total = entries_of(columns(), Weight{"all", 200, {}});
  report.add(table);
  report.warn("not \"ripe\"");
  return report;
}

TEST(ReportTest, TextIsPaddedAndLeavesDetailsOut) {
  EXPECT_EQ(text_of(example()),
            "fruit & <more>\n"
            "two fruits\n"
            "what            g  of all                  twice\n"
            "pear          200  25.00 % [12.50, 50.00]  400\n"
            "<nothing>       0  -                       0\n"
            "all           200  -                       400\n"
            "warning: not \"ripe\"\n");
}

TEST(ReportTest, JsonHasTheFactsAndTheRowsWithoutTheTotal) {
  const nlohmann::ordered_json json = json_of(example());
  EXPECT_EQ(json["count"], 2);
  EXPECT_TRUE(json.at("unknown").is_null());
  EXPECT_FALSE(json.contains("left_out"));
  ASSERT_EQ(json["fruits"].size(), 2U);
  const auto& pear = json["fruits"][0];
  EXPECT_EQ(pear["grams"], 200);
  EXPECT_EQ(pear["of"]["all"],
            nlohmann::ordered_json::parse(R"({"value": 0.25, "low": 0.125, "high": 0.5, "n": 8})"));
  EXPECT_EQ(pear["of"]["known"]["kind"], "sampled");
  EXPECT_EQ(pear.size(), 3U) << "what has no key is for people";
}

TEST(ReportTest, WhatIsEstimatedSaysOnWhat) {
  Estimate estimate{0.5, {0.25, 0.75}, 4};
  EXPECT_EQ(text_of(FactValue(estimate)), "0.5 [0.25, 0.75]");
  EXPECT_EQ(text_of(FactValue(Estimate())), "-");
  estimate = {0.0, {0.0, 1e-9}, 0, Basis::kEnumerated};
  EXPECT_EQ(text_of(FactValue(estimate)), "<= 1e-09 (enumerated)");
  estimate = {0.0, {0.0, 0.0}, 9, Basis::kImpossible};
  EXPECT_EQ(text_of(FactValue(estimate)), "0");
  Report report;
  report.fact("x", estimate);
  EXPECT_EQ(json_of(report)["x"]["kind"], "impossible");
}

TEST(ReportTest, PartsAreUnderTheirKeysAndListsApart) {
  Report whole, one, two;
  one.fact("n", std::int64_t{1});
  one.say("first");
  two.fact("n", std::int64_t{2});
  two.say("second");
  whole.add("part", one);
  whole.add_list("all", {one, two});
  EXPECT_EQ(text_of(whole), "first\nfirst\n\nsecond\n");
  EXPECT_EQ(json_of(whole).dump(), R"({"part":{"n":1},"all":[{"n":1},{"n":2}]})");
}

/// Opened and closed tags, and nothing that runs or comes from elsewhere.
void check_page(const std::string& html) {
  for (const char* unwanted : {"<script", "http", "src=", "href=", "url(", "onload"}) {
    EXPECT_EQ(html.find(unwanted), std::string::npos) << unwanted;
  }
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z0-9]+)[^>]*>");
  for (std::sregex_iterator each(html.begin(), html.end(), tag), end; each != end; ++each) {
    if ((*each)[2] == "meta") {
      continue;
    }
    if ((*each)[1].length() == 0) {
      open.push_back((*each)[2]);
    } else {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), (*each)[2]);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(ReportTest, APageEscapesEverything) {
  const std::string html = html_of(example(), "<weights>");
  check_page(html);
  EXPECT_NE(html.find("<title>&lt;weights&gt;</title>"), std::string::npos);
  EXPECT_NE(html.find("<h2>fruit &amp; &lt;more&gt;</h2>"), std::string::npos);
  EXPECT_NE(html.find("<th>&lt;nothing&gt;</th>"), std::string::npos);
  EXPECT_NE(html.find("<p>for the page</p>"), std::string::npos);
  EXPECT_NE(html.find("<tr class=\"total\"><th>all</th>"), std::string::npos);
  EXPECT_NE(html.find("not &quot;ripe&quot;"), std::string::npos);
  EXPECT_NE(html.find("<i style=\"left:12.50%;width:37.50%\"></i><b style=\"left:25.00%\">"),
            std::string::npos)
      << "an interval is drawn";
}

TEST(ReportTest, ACampaignIsAPageWithTheNumbersOfItsText) {
  const ScratchFolder folder;
  const Campaign campaign =
      campaign_of("model: lenet5\ntrials: 100\nsweep: {accelerator.clock: [500, 1000]}");
  const auto results = Results::for_campaign(folder.path("r.sqlite"), campaign);
  Surroundings surroundings;
  surroundings.open_study = [](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, FakeStudy::Settings{});
  };
  const Report report =
      report_of(run_campaign(campaign, *results, surroundings), "results <1>.sqlite");
  const std::string text = text_of(report), html = html_of(report, "Campaign");
  check_page(html);
  EXPECT_NE(html.find("<h2>accelerator.clock=500</h2>"), std::string::npos);
  EXPECT_NE(html.find("results &lt;1&gt;.sqlite"), std::string::npos);
  const std::regex share("[0-9.]+ % \\[[0-9.]+, [0-9.]+\\]");
  for (std::sregex_iterator each(text.begin(), text.end(), share), end; each != end; ++each) {
    EXPECT_NE(html.find(each->str()), std::string::npos) << each->str();
  }
  EXPECT_EQ(json_of(report)["scenarios"].size(), 2U);
}

}  // namespace
}  // namespace tilestrike::campaigns
