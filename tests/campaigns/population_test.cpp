// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the population of each kind of strike say of itself what results and reports hold, and are
// trials shared between strata as they are weighted?
#include "campaigns/plan/population_of.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "campaigns/plan/particle_population.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/run/strike_trial.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

struct Planned {
  explicit Planned(const std::string& text)
      : scenario(campaign_of("model: lenet5\n" + text).points.front().scenario),
        study(study_inputs(scenario, sim::builtin_engines()), {}),
        plan(scenario, study.facts()) {}
  const Population& population() const { return plan.population(); }

  Scenario scenario;
  FakeStudy study;
  Plan plan;
};

const std::string kAccelerator =
    "accelerator: {base: gemmini_16x16, node: " + quick_node("28nm") +
    ", memory: {scratchpad: {capacity: 8KiB, banks: 4, row: 16, ecc: secded}, accumulator: {holds: "
    "accumulators, capacity: 2KiB, banks: 2, row: 16}, dram: {holds: backing, capacity: 64KiB, "
    "banks: 4, row: 256, ecc: ssc}}}\n";

std::vector<std::string> every_strike_on_hardware() {
  return {"{}",
          "{fault: stuck_at_0}",
          "{process: list, lasts: transient, faults: [{register: load, pe: [1, 2], bit: 3, cycle: "
          "4, image: 7}]}",
          "{process: list, faults: [[{memory: scratchpad, codeword: 3, bit: 70}, {memory: dram, "
          "bank: 0, row: 1, column: 2, cycle: 4}], {memory: accumulator, codeword: 0, bit: 0}]}",
          "{where: {memory: [scratchpad, accumulator]}}",
          "{where: {memory: [scratchpad, accumulator]}, per_bit: 1e-5}",
          "{process: particle, where: {memory: all, mesh: {}}}",
          "{process: particle, where: {memory: all, mesh: {}}, strata: false}",
          "{process: particle, where: {memory: all}, fluence: 1e9}",
          "{process: low_voltage, where: {memory: all}, low_voltage: {voltage: 0.55}}",
          "{process: dram, where: {memory: all}, dram: {devices: 10}}"};
}

const std::string kCores = "accelerator: {base: core_256x256, node: " + quick_node("28nm") +
                           ", core: {axons: 32, neurons: 16, destinations: 64, ecc: {synapses: "
                           "secded}}}\n";

std::vector<std::string> every_strike_on_cores() {
  return {"{}",
          "{where: {core: {field: [threshold, leak], bit: [0, 3]}}, fault: stuck_at_1}",
          "{where: {core: {register: state, tick: 1}}, count: 2}",
          "{where: {core: {field: threshold, value: lowest}}}",
          "{preset: dead_neuron}",
          "{where: {core: {memory: [synapses, ring]}}}",
          "{where: {core: {memory: synapses}}, per_bit: 1e-4}",
          "{process: particle}",
          "{process: particle, where: {core: {memory: parameters, register: state}}}",
          "{process: low_voltage, low_voltage: {voltage: 0.55}}"};
}

void check_populations(const std::string& accelerator, const std::vector<std::string>& strikes) {
  for (const std::string& strike : strikes) {
    Planned setup(accelerator + "trials: 50\nstrike: " + strike);
    const Population& population = setup.population();
    for (std::int64_t k = 0; k < std::min<std::int64_t>(setup.plan.trials(), 50); ++k) {
      const TrialId trial(static_cast<std::uint64_t>(k));
      const DrawnTrial drawn = setup.plan.draw(trial);
      EXPECT_EQ(drawn.trial, trial);
      EXPECT_EQ(drawn.image, setup.plan.image_of(trial)) << strike;
      const TrialRecord record =
          strike_and_judge(setup.study, setup.plan, 0, {drawn}, "systemc").front();
      const std::optional<bool> stored = record.memory ? record.memory->stored : std::nullopt;
      EXPECT_EQ(stored.has_value(), population.weighing_cell(drawn).has_value()) << strike;
      EXPECT_EQ(record.weight, population.weight_of(drawn, stored)) << strike;
      EXPECT_EQ(record.stratum, population.stratum_name(drawn)) << strike;
      const std::vector<std::string> parts = population.parts();
      const std::string& part =
          population.are_parts_structures() ? record.structure : record.register_name;
      EXPECT_TRUE(population.is_list() || std::ranges::count(parts, part) == 1) << strike;
      if (!population.joint_structure().empty()) {
        EXPECT_EQ(record.structure, population.joint_structure()) << strike;
      }
    }
  }
}

TEST(PopulationTest, WhatItSaysOfATrialIsWhatResultsHold) {
  check_populations(kAccelerator, every_strike_on_hardware());
}

TEST(PopulationTest, TheSameOnCores) { check_populations(kCores, every_strike_on_cores()); }

TEST(PopulationTest, EachKindSaysWhatStrikesAndForHowLong) {
  const auto said = [](const std::string& strike) {
    const Planned setup(kAccelerator + "strike: " + strike);
    EXPECT_TRUE(setup.population().is_on_hardware());
    return setup.population().what() + ", " + setup.population().lasts() + ": " +
           setup.population().text();
  };
  EXPECT_EQ(said("{fault: [flip, random], where: {mesh: {pe: [0, 0], register: load}}}"),
            "flip or random, transient: 8 sites");
  EXPECT_EQ(said("{fault: stuck_at_0, where: {memory: accumulator}, lasts: {from: 5, until: 9}}"),
            "stuck_at_0, in cycles 5 to 8 of every inference: accumulator 16,384 cells");
  EXPECT_EQ(said("{process: particle, where: {memory: accumulator, mesh: {}}, radiation: alpha}"),
            "alpha strikes, 28nm, transient: accumulator 16,384 + mesh 27,248 cells and sites, by "
            "rate");
  EXPECT_EQ(said("{process: low_voltage, where: {memory: accumulator}, low_voltage: {voltage: "
                 "0.55}}"),
            "cells that fail at 0.55 V, permanent: chips of accumulator 16,384 cells");
  EXPECT_EQ(said("{process: list, fault: stuck_at_0, faults: [{register: load, pe: [1, 2], bit: "
                 "3}]}"),
            "listed faults, permanent: 1 listed trials");
}

TEST(PopulationTest, OnlyParticlesHaveATechnology) {
  for (const std::string& strike : every_strike_on_hardware()) {
    const Planned setup(kAccelerator + "strike: " + strike);
    const Population& population = setup.population();
    const bool is_particle = strike.find("particle") != std::string::npos;
    EXPECT_EQ(population.technology() != nullptr, is_particle) << strike;
    const bool is_single = is_particle && strike.find("fluence") == std::string::npos;
    EXPECT_EQ(population.single_particles() != nullptr, is_single) << strike;
    EXPECT_EQ(population.expects_events(), is_particle) << strike;
    EXPECT_EQ(population.are_parts_structures(), strike.find("memory") != std::string::npos);
    EXPECT_FALSE(population.expected_per_word());
    EXPECT_EQ(population.are_trials_chips(), strike.find("low_voltage") != std::string::npos);
    EXPECT_EQ(population.device_fit() > 0.0, strike.find("process: dram") != std::string::npos);
  }
}

TEST(PopulationTest, StrataOfParticlesAreTheirClasses) {
  const Planned setup(kAccelerator + "strike: {process: particle, where: {memory: all, mesh: {}}}");
  const std::vector<Stratum>& strata = setup.population().strata();
  const std::vector<StrikeClass>& classes = setup.population().single_particles()->classes();
  ASSERT_EQ(strata.size(), classes.size());
  double weight = 0.0, share = 0.0;
  for (std::size_t i = 0; i < strata.size(); ++i) {
    EXPECT_EQ(strata[i].share, classes[i].share);
    weight += strata[i].weight;
    share += strata[i].share;
  }
  EXPECT_NEAR(weight, 1.0, 1e-12);
  EXPECT_NEAR(share, 1.0, 1e-12);
  EXPECT_EQ(strata.back().name, "mesh neutron");
}

TEST(AllocationTest, FixedSharesAreMadeUpForByWeights) {
  const Allocation allocation = Allocation::fixed({0.9, 0.1, 0.0}, {1.0, 3.0, 0.0});
  EXPECT_EQ(allocation.share(1), 0.75);
  EXPECT_DOUBLE_EQ(allocation.weight(0), 0.9 / 0.25);
  int of_first = 0;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    const std::size_t stratum = *allocation.stratum_of(TrialId(k));
    ASSERT_LT(stratum, 2U) << "what has no share gets no trial";
    of_first += stratum == 0 ? 1 : 0;
    EXPECT_NEAR(of_first, 0.25 * static_cast<double>(k + 1), 2.0);
  }
}

TEST(AllocationTest, ProportionalTrialsCountAlikeAndSayWhereTheyLie) {
  const Allocation allocation = Allocation::proportional({30.0, 10.0});
  EXPECT_FALSE(allocation.stratum_of(TrialId(5)));
  EXPECT_EQ(allocation.weight(allocation.stratum_of(TrialId(5))), 1.0);
  EXPECT_EQ(allocation.stratum_at(0.0), 0U);
  EXPECT_EQ(allocation.stratum_at(0.74), 0U);
  EXPECT_EQ(allocation.stratum_at(0.76), 1U);
  EXPECT_FALSE(Allocation().stratum_of(TrialId(5)));
}

}  // namespace
}  // namespace tilestrike::campaigns
