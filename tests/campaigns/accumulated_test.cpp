// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do summaries tell what strikes that meet in a codeword come to, and how far the node's bands
// carry?
#include "campaigns/report/accumulated.h"

#include <gtest/gtest.h>

#include <cmath>

#include "campaigns/plan/sampling.h"
#include "campaigns/report/bands.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

struct Planned {
  explicit Planned(const std::string& memory, const std::string& strike = "",
                   const std::string& node = "28nm")
      : scenario(
            campaign_of("model: lenet5\naccelerator: {base: gemmini_16x16, node: " + node +
                        ", schedule: {weights: at_boot}, memory: {scratchpad: {capacity: 32MiB, "
                        "row: 64, ecc: secded, interleave: 8" +
                        memory +
                        "}, accumulator: {ecc: secded}}}\nstrike: {process: particle, where: "
                        "{memory: all}, residence: 8760" +
                        strike + "}")
                .points.front()
                .scenario),
        study(study_inputs(scenario), {}),
        plan(scenario, target_of(scenario, study)) {}
  std::vector<AccumulatedRates> rates() const {
    return accumulated_rates(*plan.memories(), scenario, 1e-3, {1.0, 1.0});
  }

  Scenario scenario;
  FakeStudy study;
  Plan plan;
};

// The case in which the single-event enumeration was printed as a bound: 32 MiB of (72,64) at
// interleave 8, loaded once a year, at 12.2 km.
TEST(AccumulatedTest, WeightsThatStayMeetASecondStrike) {
  const Planned setup("", ", altitude: 12200");
  const std::vector<AccumulatedRates> rates = setup.rates();
  ASSERT_EQ(rates.size(), 2U);
  EXPECT_EQ(rates[0].structure, "scratchpad");
  EXPECT_TRUE(rates[0].is_resident);
  EXPECT_EQ(rates[0].codewords, 32U * 1024 * 1024 / 8);
  const sim::EventRates fit = setup.plan.memories()->structures()[0].fit;
  const double codewords = static_cast<double>(rates[0].codewords);
  // Cells per event: 1.413 of neutrons, one else.
  const double lambda = (1.413 * fit.neutron + fit.alpha + fit.thermal) / codewords / 1e9;
  const double by_hand = codewords * lambda * lambda * 8760 / 2 * 1e9 * 71 / 72;
  EXPECT_NEAR(rates[0].of_all.due, by_hand, 0.05 * by_hand);
  EXPECT_GT(by_hand, 150.0);
  EXPECT_NEAR(rates[0].of_used.due / rates[0].of_all.due,
              static_cast<double>(rates[0].used) / codewords, 1e-9);
  EXPECT_LT(rates[0].of_all.silent, 1e-4 * rates[0].of_all.due) << "it takes three strikes";
  // Sums are written anew in each inference: a millisecond instead of a year.
  EXPECT_FALSE(rates[1].is_resident);
  EXPECT_LT(rates[1].of_all.due, 1e-9);
}

TEST(AccumulatedTest, ScrubbingCutsItToItsPeriod) {
  const double never = Planned("").rates()[0].of_all.due;
  const double daily = Planned(", scrub: 1d").rates()[0].of_all.due;
  const double hourly = Planned(", scrub: 1h").rates()[0].of_all.due;
  EXPECT_NEAR(daily / never, 24.0 / 8760, 0.02 * 24.0 / 8760);
  EXPECT_NEAR(hourly / daily, 1.0 / 24, 0.01 / 24);
}

TEST(AccumulatedTest, WithoutEccNothingIsHidden) {
  EXPECT_EQ(Planned(", ecc: none").rates().size(), 1U) << "the accumulators'";
}

TEST(BandsTest, GrowthAndSharesCarryToWhatEccMakesOfThem) {
  const Planned setup("");
  const std::vector<StructureBands> bands = bands_of(*setup.plan.memories());
  ASSERT_EQ(bands.size(), 2U);
  const sim::TechnologyNode& node = setup.plan.memories()->node();
  const double rate_high = node.neutron_high.value / node.neutron_rate.value;
  // At interleave 1 (accumulator) detected errors come of pairs; at 8 of long rows, by orders.
  EXPECT_GT(bands[1].due.high, 2.0 * rate_high);
  EXPECT_LT(bands[1].due.low, 0.5);
  EXPECT_GT(bands[0].due.high, 100.0 * rate_high);
  EXPECT_GT(bands[1].silent.high, bands[1].due.high);
  const Planned bare(", ecc: none");
  const Band silent = bands_of(*bare.plan.memories())[0].silent;
  EXPECT_GT(silent.high, 1.0);
  EXPECT_LT(silent.high, 2.5);
  EXPECT_LT(silent.low, 0.7);
}

TEST(BandsTest, TheRateMayBePlacedInItsBand) {
  const Planned low("", ", rate_in_band: 0"), high("", ", rate_in_band: 1"), middle("");
  const sim::TechnologyNode& node = middle.plan.memories()->node();
  const auto neutron = [](const Planned& setup) {
    return setup.plan.memories()->structures()[0].fit.neutron;
  };
  EXPECT_NEAR(neutron(low) / neutron(middle), node.neutron_low.value / node.neutron_rate.value,
              1e-9);
  EXPECT_NEAR(neutron(high) / neutron(middle), node.neutron_high.value / node.neutron_rate.value,
              1e-9);
}

}  // namespace
}  // namespace tilestrike::campaigns
