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
        study(study_inputs(scenario, sim::builtin_engines()), {}),
        plan(scenario, study.facts()) {}
  const ParticlePopulation& particles() const { return *plan.population().single_particles(); }
  std::vector<AccumulatedRates> rates() const {
    return accumulated_rates(particles(), scenario, 1e-3, {1.0, 1.0});
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
  ASSERT_EQ(rates.size(), 3U);
  EXPECT_EQ(rates[0].structure, "scratchpad");
  EXPECT_EQ(rates[0].stay, Stay::kResident);
  EXPECT_EQ(rates[0].all_codewords, 32U * 1024 * 1024 / 8);
  EXPECT_EQ(rates[0].codewords, rates[0].all_codewords / 4) << "those that hold weights alone";
  const sim::EventRates fit = setup.particles().structures()[0].fit;
  const double codewords = static_cast<double>(rates[0].all_codewords);
  // Cells per event: 1.413 of neutrons, one else.
  const double lambda = (1.413 * fit.neutron + fit.alpha + fit.thermal) / codewords / 1e9;
  const double by_hand = codewords * lambda * lambda * 8760 / 2 * 1e9 * 71 / 72;
  EXPECT_NEAR(rates[0].of_all.due, by_hand, 0.05 * by_hand);
  EXPECT_GT(by_hand, 150.0);
  EXPECT_NEAR(rates[0].rates.due / rates[0].of_all.due, 0.25, 1e-9);
  EXPECT_LT(rates[0].of_all.silent, 1e-4 * rates[0].of_all.due) << "it takes three strikes";
  // What is written anew in each inference stays a millisecond instead of a year.
  EXPECT_EQ(rates[1].stay, Stay::kRenewed);
  EXPECT_EQ(rates[1].codewords, rates[0].all_codewords / 2);
  EXPECT_LT(rates[1].of_all.due, 1e-8);
  EXPECT_EQ(rates[2].structure, "accumulator");
  EXPECT_EQ(rates[2].stay, Stay::kRenewed);
}

// A scrubber reports what it finds in words that nobody reads; without one nobody knows.
TEST(AccumulatedTest, WhatIsNeverWrittenCountsOnceItIsScrubbed) {
  const std::vector<AccumulatedRates> rates = Planned(", scrub: 30d").rates();
  ASSERT_EQ(rates.size(), 4U);
  const AccumulatedRates &stays = rates[0], &untouched = rates[2];
  EXPECT_EQ(untouched.structure, "scratchpad");
  EXPECT_EQ(untouched.stay, Stay::kUntouched);
  EXPECT_EQ(untouched.codewords, untouched.all_codewords / 4);
  EXPECT_NEAR(untouched.rates.due, stays.rates.due, 1e-9 * stays.rates.due);
  EXPECT_EQ(untouched.rates.silent_between_reads, 0.0);
}

// Where the chip goes on with what it has detected, the word waits for a second strike.
TEST(AccumulatedTest, AfterADetectedErrorTheWordMayStay) {
  const auto silent = [](const std::string& on_due) {
    return Planned(", ecc: parity", "", "28nm, on_due: " + on_due)
        .rates()[0]
        .rates.silent_between_reads;
  };
  const double stop = silent("stop"), use = silent("use");
  EXPECT_EQ(silent("refetch"), stop);
  EXPECT_EQ(silent("zero"), use);
  EXPECT_GT(use, 1e6 * stop);
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
  const std::vector<StructureBands> bands = bands_of(setup.particles());
  ASSERT_EQ(bands.size(), 2U);
  const sim::TechnologyNode& node = setup.particles().node();
  const double rate_high = node.neutron_high.value / node.neutron_rate.value;
  // At interleave 1 (accumulator) detected errors come of pairs; at 8 of long rows, by orders.
  EXPECT_GT(bands[1].due.high, 2.0 * rate_high);
  EXPECT_LT(bands[1].due.low, 0.5);
  EXPECT_GT(bands[0].due.high, 100.0 * rate_high);
  EXPECT_GT(bands[1].silent.high, bands[1].due.high);
  const Planned bare(", ecc: none");
  const Band silent = bands_of(bare.particles())[0].silent;
  EXPECT_GT(silent.high, 1.0);
  EXPECT_LT(silent.high, 2.5);
  EXPECT_LT(silent.low, 0.7);
}

TEST(BandsTest, TheRateMayBePlacedInItsBand) {
  const Planned low("", ", rate_in_band: 0"), high("", ", rate_in_band: 1"), middle("");
  const sim::TechnologyNode& node = middle.particles().node();
  const auto neutron = [](const Planned& setup) {
    return setup.particles().structures()[0].fit.neutron;
  };
  EXPECT_NEAR(neutron(low) / neutron(middle), node.neutron_low.value / node.neutron_rate.value,
              1e-9);
  EXPECT_NEAR(neutron(high) / neutron(middle), node.neutron_high.value / node.neutron_rate.value,
              1e-9);
}

}  // namespace
}  // namespace tilestrike::campaigns
