// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do settings and sweeps reach into the expanded scenario, and is a campaign told from another?
#include "campaigns/scenario/campaign.h"

#include <gtest/gtest.h>

#include "campaigns/scenario/library.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

TEST(CampaignTest, SettingsReachThroughANamedAccelerator) {
  const Campaign campaign = campaign_of(
      "model: lenet5\n", {"accelerator.mesh.rows=4", "strike.where.mesh.register=[load, valid]",
                          "trials=17", "until.relative=10%"});
  ASSERT_EQ(campaign.points.size(), 1U);
  const Scenario& scenario = campaign.points[0].scenario;
  EXPECT_EQ(scenario.accelerator.mesh.rows, 4);
  EXPECT_EQ(scenario.accelerator.mesh.columns, 16);
  EXPECT_EQ(scenario.strike.where.mesh.registers, (std::vector<std::string>{"load", "valid"}));
  EXPECT_EQ(scenario.trials.number, 17);
  EXPECT_DOUBLE_EQ(scenario.until->relative, 0.1);
}

TEST(CampaignTest, SettingsApplyInOrder) {
  const Campaign campaign =
      campaign_of("model: lenet5\naccelerator: {mesh: {rows: 2}}\n",
                  {"accelerator=edge_8x8", "accelerator.mesh.columns=4", "seed=3", "seed=4"});
  EXPECT_EQ(campaign.points[0].scenario.accelerator.name, "edge_8x8");
  EXPECT_EQ(campaign.points[0].scenario.accelerator.mesh.rows, 8);
  EXPECT_EQ(campaign.points[0].scenario.accelerator.mesh.columns, 4);
  EXPECT_EQ(campaign.points[0].scenario.seed, 4);
}

TEST(CampaignTest, AStarIsEveryEntry) {
  const Campaign campaign =
      campaign_of("model: lenet5\nstrike: {where: {mesh: {}}}\n", {"strike.where.*.bit=3"});
  EXPECT_EQ(campaign.points[0].scenario.strike.where.mesh.bits, std::vector<int>{3});
  EXPECT_EQ(errors_of([] { campaign_of("model: lenet5", {"strike.where.*.bit=3"}); }),
            "--set strike.where.*.bit: strike.where.*.bit: 'strike.where' has no entries; name the "
            "key instead of *");
}

TEST(CampaignTest, UnknownAddressesAreRefusedWithASuggestion) {
  EXPECT_EQ(errors_of([] { campaign_of("model: lenet5", {"accelerator.mesh.row=4"}); }),
            "--set accelerator.mesh.row: accelerator.mesh.row: the expanded scenario has no such "
            "key; did you mean 'rows'?");
  EXPECT_EQ(errors_of([] { campaign_of("model: lenet5", {"seed.x=4"}); }),
            "--set seed.x: seed.x: 'seed' has no keys; set it as a whole, for instance to {x: "
            "...}");
  EXPECT_EQ(errors_of([] { campaign_of("model: lenet5", {"accelerator.mesh.rows=0"}); }),
            "--set accelerator.mesh.rows: accelerator.mesh.rows: 0 is out of range; allowed: 2 to "
            "128");
  EXPECT_NE(errors_of([] { campaign_of("model: lenet5", {"seed"}); }).find("is not a setting"),
            std::string::npos);
}

TEST(CampaignTest, SweepListsMultiplyAndZippedOnesGoInStep) {
  const Campaign campaign = campaign_of(
      "model: lenet5\n"
      "sweep:\n"
      "  accelerator.mesh.dataflow: [ws, os]\n"
      "  zip: {accelerator.mesh.rows: [4, 8], accelerator.mesh.columns: [6, 10]}\n"
      "  seed: [1, 2, 3]\n");
  ASSERT_EQ(campaign.points.size(), 12U);
  EXPECT_EQ(campaign.points[0].label,
            "accelerator.mesh.dataflow=ws, accelerator.mesh.rows=4, accelerator.mesh.columns=6, "
            "seed=1");
  EXPECT_EQ(campaign.points[1].scenario.seed, 2);
  const Scenario& last = campaign.points[11].scenario;
  EXPECT_EQ(last.accelerator.mesh.rows, 8);
  EXPECT_EQ(last.accelerator.mesh.columns, 10);
  EXPECT_FALSE(last.accelerator.mesh.is_weight_stationary());
  EXPECT_EQ(last.seed, 3);
}

TEST(CampaignTest, SweptNamesAreLookedUp) {
  const Campaign campaign = campaign_of(
      "model: lenet5\nsweep: {accelerator: [edge_8x8, {base: edge_8x8, mesh: {rows: 4}}], model: "
      "[resnet8]}");
  EXPECT_EQ(campaign.points[1].scenario.accelerator.mesh.rows, 4);
  EXPECT_EQ(campaign.points[1].scenario.model, "resnet8");
}

TEST(CampaignTest, BadSweepsAreRefused) {
  for (const auto& [sweep, message] : std::vector<std::pair<std::string, std::string>>{
           {"{seed: 3}", "sweep.seed: found no list of values"},
           {"{seed: []}", "sweep.seed: found no list of values"},
           {"{sed: [1]}", "did you mean 'seed'?"},
           {"{zip: {seed: [1, 2], trials: [1]}}", "1 values, but 'seed' has 2"},
           {"[1]", "sweep: found a list"},
           {"{accelerator.mesh.rows: [4, 1]}",
            "sweep point accelerator.mesh.rows=1: accelerator.mesh.rows: 1 is out of range"},
           {"{accelerator.mesh.dataflow: [ws, os], strike.where.mesh.register: [partial_sum]}",
            "sweep point accelerator.mesh.dataflow=os, strike.where.mesh.register=partial_sum: "
            "strike.where.mesh.register: this mesh has no register named 'partial_sum'"}}) {
    const std::string errors =
        errors_of([&] { campaign_of("model: lenet5\nsweep: " + sweep + "\n"); });
    EXPECT_NE(errors.find(message), std::string::npos) << errors;
  }
}

TEST(CampaignTest, ExpandingACampaignTwiceIsExpandingItOnce) {
  const Campaign once = campaign_of(
      "model: lenet5\nsweep: {seed: [1, 2], zip: {accelerator: [edge_8x8, {base: gemmini_16x16, "
      "mesh: {rows: 4}}], \"accelerator.mesh.columns\": [4, 5]}}\n",
      {"trials=5"});
  const Campaign twice = campaign_of(once.document.yaml());
  EXPECT_EQ(once.document.yaml(), twice.document.yaml());
  ASSERT_EQ(once.points.size(), twice.points.size());
  for (std::size_t i = 0; i < once.points.size(); ++i) {
    EXPECT_EQ(once.points[i].document.yaml(), twice.points[i].document.yaml());
    EXPECT_EQ(once.points[i].label, twice.points[i].label);
  }
}

TEST(CampaignTest, DifferencesThatChangeNoTrialDoNotCount) {
  const Value base = campaign_of("model: lenet5").document;
  EXPECT_FALSE(first_difference(base, campaign_of("model: lenet5", {"trials=7"}).document));
  EXPECT_FALSE(first_difference(base, campaign_of("model: lenet5", {"device=cpu"}).document));
  EXPECT_FALSE(
      first_difference(base, campaign_of("model: lenet5", {"until={relative: 5%}"}).document));
  EXPECT_EQ(first_difference(base, campaign_of("model: lenet5", {"seed=7"}).document),
            "seed is '1' there and '7' here");
  EXPECT_EQ(
      first_difference(base, campaign_of("model: lenet5", {"strike.where.mesh.bit=7"}).document),
      "strike.where.mesh.bit is nothing there and '7' here");
  EXPECT_EQ(first_difference(base, campaign_of("model: lenet5\nsweep: {seed: [1]}").document),
            "sweep.seed is nothing there and '[\"1\"]' here");
}

TEST(CampaignTest, ShippedScenariosAreValid) {
  int count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(root_folder() / "campaigns" / "scenarios")) {
    const Campaign once = load_campaign(file.path().string(), sim::builtin_engines());
    EXPECT_EQ(campaign_of(once.document.yaml()).document.yaml(), once.document.yaml());
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(CampaignTest, AKeyThatIsSetIsSweptNoMore) {
  const std::string text =
      "model: lenet5\nsweep: {accelerator.memory.*.ecc: [none, secded], zip: "
      "{accelerator.mesh.rows: "
      "[4, 8], accelerator.mesh.columns: [4, 8]}}";
  EXPECT_EQ(campaign_of(text).points.size(), 4U);
  const Campaign half = campaign_of(text, {"accelerator.memory.*.ecc=secded"});
  ASSERT_EQ(half.points.size(), 2U);
  EXPECT_EQ(half.points[0].label, "accelerator.mesh.rows=4, accelerator.mesh.columns=4");
  EXPECT_EQ(half.points[0].scenario.accelerator.memory[0].second.ecc, sim::EccKind::kSecded);
  const Campaign one = campaign_of(text, {"accelerator.memory.*.ecc=none",
                                          "accelerator.mesh.rows=8", "accelerator.mesh.columns=8"});
  ASSERT_EQ(one.points.size(), 1U);
  EXPECT_EQ(one.points[0].label, "");
  EXPECT_EQ(one.document.find("sweep"), nullptr);
  // The point is the one of the sweep.
  EXPECT_EQ(one.points[0].document.yaml(), campaign_of(text).points[1].document.yaml());
  for (const std::string setting :
       {"accelerator.memory.scratchpad.ecc=parity", "accelerator.mesh.rows.x=3"}) {
    EXPECT_NE(errors_of([&] { campaign_of(text, {setting}); }).find("the sweep sets 'accelerator."),
              std::string::npos)
        << setting;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
