// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are strikes on neuromorphic cores drawn from the bits, times and images that a scenario means,
// each as often as it should be?
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "bridge/accelerator/core_arrays.h"
#include "campaigns/plan/core_population.h"
#include "campaigns/plan/particle_population.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/report/strike_summary.h"
#include "campaigns/results/core_trial.h"
#include "campaigns/scenario/core_presets.h"
#include "campaigns/scenario/library.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

const std::string kCores =
    "model: lenet5\naccelerator: {base: core_256x256, core: {axons: 32, neurons: 16, destinations: "
    "64}}\n";

struct Planned {
  explicit Planned(const std::string& strike, std::int64_t images = 4)
      : scenario(campaign_of(kCores + "trials: 20000\nstrike: " + strike).points.front().scenario),
        study(study_inputs(scenario, sim::builtin_engines()), {.images = images}),
        plan(scenario, study.facts()),
        cores(*study.facts().cores) {}

  sim::CoreSite site_of(const DrawnTrial& drawn) const {
    return cores.sites.describe(cores.within_core(drawn.faults.front().fault.site));
  }

  Scenario scenario;
  FakeStudy study;
  Plan plan;
  const bridge::StudyCores& cores;
};

std::string refusal(const std::string& strike, const std::string& accelerator = kCores) {
  return errors_of([&] { campaign_of(accelerator + "strike: " + strike); });
}

/// Whether so many of n draws are what a share of p gives, but once in 1e5 times.
void expect_share(std::int64_t seen, double p, std::int64_t n, const std::string& what) {
  const double expected = p * static_cast<double>(n);
  EXPECT_NEAR(static_cast<double>(seen), expected,
              4.5 * std::sqrt(static_cast<double>(n) * p * (1.0 - p)) + 1.0)
      << what;
}

TEST(CoreStrikesTest, EveryBitOfTheChipIsAMemberAndEachIsDrawnAsOften) {
  const Planned setup("{}");
  const Population& population = setup.plan.population();
  EXPECT_EQ(population.members(), 3 * setup.cores.sites.total_bits());
  std::map<std::string, std::int64_t> fields;
  std::map<std::size_t, std::int64_t> cores;
  constexpr std::int64_t kDraws = 20000;
  for (std::int64_t k = 0; k < kDraws; ++k) {
    const DrawnTrial drawn = setup.plan.draw(TrialId(static_cast<std::uint64_t>(k)));
    ASSERT_EQ(drawn.faults.size(), 1U);
    ++fields[setup.cores.sites.field_of(setup.site_of(drawn)).name];
    ++cores[setup.cores.core_of(drawn.faults.front().fault.site)];
  }
  std::uint64_t all = 0;
  for (const sim::CoreField& field : setup.cores.sites.fields()) {
    const std::uint64_t bits = setup.cores.sites.bits_of(field);
    expect_share(fields[field.name],
                 static_cast<double>(bits) / static_cast<double>(setup.cores.sites.total_bits()),
                 kDraws, field.name);
    all += bits;
  }
  EXPECT_EQ(all, setup.cores.sites.total_bits());
  for (std::size_t core = 0; core < 3; ++core) {
    expect_share(cores[core], 1.0 / 3.0, kDraws, "core " + std::to_string(core));
  }
}

TEST(CoreStrikesTest, AnImageIsStruckInProportionToItsCycles) {
  // Images of 100 + 10 i cycles.
  const Planned setup("{where: {core: {register: state, bit: 0, core: 1}}}");
  EXPECT_EQ(setup.plan.population().members(), 1U);
  EXPECT_EQ(setup.plan.population_size(), 100U + 110U + 120U + 130U);
  EXPECT_EQ(setup.plan.cycles(), 115);
  std::map<std::int64_t, std::int64_t> images;
  std::map<Cycle, std::int64_t> cycles;
  constexpr std::int64_t kDraws = 20000;
  for (std::int64_t k = 0; k < kDraws; ++k) {
    const TrialId trial(static_cast<std::uint64_t>(k));
    const DrawnTrial drawn = setup.plan.draw(trial);
    ASSERT_EQ(drawn.image, setup.plan.image_of(trial));
    ++images[drawn.image->value];
    const Cycle cycle = drawn.faults.front().fault.when.from;
    ASSERT_LT(cycle, 100 + 10 * drawn.image->value);
    ++cycles[cycle];
  }
  for (std::int64_t image = 0; image < 4; ++image) {
    expect_share(images[image], (100.0 + 10.0 * static_cast<double>(image)) / 460.0, kDraws,
                 "image " + std::to_string(image));
  }
  expect_share(cycles[50], 4.0 / 460.0, kDraws, "a cycle of all images");
  expect_share(cycles[125], 1.0 / 460.0, kDraws, "a cycle of the longest image alone");
}

/// What becomes of a made-up strike: it is wrong late in the longest of ten images.
bool is_wrong(const DrawnTrial& drawn) {
  return drawn.image->value == 9 && drawn.faults.front().fault.when.from >= 10;
}

TEST(CoreStrikesTest, WeightedDrawsAgreeWithTheCensus) {
  const std::string strike = "{where: {core: {register: [state, group]}}}";
  const Planned drawn(strike, 10);
  Scenario scenario = drawn.scenario;
  scenario.trials.is_exhaustive = true;
  const Plan census(scenario, drawn.study.facts());
  std::int64_t wrong = 0;
  std::set<std::tuple<std::int64_t, Cycle, std::uint64_t>> seen;
  for (std::int64_t k = 0; k < census.trials(); ++k) {
    const DrawnTrial trial = census.draw(TrialId(static_cast<std::uint64_t>(k)));
    const RegisterFault& fault = trial.faults.front().fault;
    seen.insert({trial.image->value, fault.when.from, fault.site.value});
    wrong += is_wrong(trial) ? 1 : 0;
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(census.trials())) << "each once";
  EXPECT_EQ(static_cast<std::uint64_t>(census.trials()), drawn.plan.population().members() * 1450);
  const double rate = static_cast<double>(wrong) / static_cast<double>(census.trials());
  EXPECT_DOUBLE_EQ(rate, 180.0 / 1450.0);
  std::int64_t found = 0;
  constexpr std::int64_t kDraws = 20000;
  for (std::int64_t k = 0; k < kDraws; ++k) {
    found += is_wrong(drawn.plan.draw(TrialId(static_cast<std::uint64_t>(k)))) ? 1 : 0;
  }
  expect_share(found, rate, kDraws, "weighted draws");
  // Images drawn alike would give 18 / 190, which lies ten standard deviations off.
}

TEST(CoreStrikesTest, SelectionsMeanTheirBits) {
  const auto draws = [](const std::string& strike, const auto& check) {
    const Planned setup(strike);
    for (std::uint64_t k = 0; k < 300; ++k) {
      check(setup, setup.plan.draw(TrialId(k)));
    }
    return setup.plan.population().members();
  };
  const std::uint64_t thresholds =
      draws("{where: {core: {field: threshold, bit: [0, 23], core: [0, 2]}}}",
            [](const Planned& setup, const DrawnTrial& drawn) {
              const FaultRecord record = core_fault_record(drawn.faults.front(), setup.cores);
              EXPECT_EQ(record.structure, "threshold");
              EXPECT_EQ(record.register_name, "parameters");
              EXPECT_TRUE(record.bit == 0 || record.bit == 23);
              EXPECT_TRUE(record.core == 0 || record.core == 2);
            });
  EXPECT_EQ(thresholds, 2U * 2U * 16U);
  draws("{where: {core: {memory: ring, core: 1, tick: 0}}}",
        [](const Planned& setup, const DrawnTrial& drawn) {
          EXPECT_EQ(setup.cores.core_of(drawn.faults.front().fault.site), 1U);
          EXPECT_EQ(setup.cores.sites.field_of(setup.site_of(drawn)).name, "ring");
          EXPECT_GE(drawn.faults.front().fault.when.from, 20);
          EXPECT_LT(drawn.faults.front().fault.when.from, 40);
        });
  draws("{where: {core: {layer: f*}}}", [](const Planned& setup, const DrawnTrial& drawn) {
    EXPECT_EQ(setup.cores.core_of(drawn.faults.front().fault.site), 2U);
  });
  draws("{where: {core: {tick: 1}}}", [](const Planned& setup, const DrawnTrial& drawn) {
    const std::vector<Cycle>& ticks =
        setup.cores.ticks[static_cast<std::size_t>(drawn.image->value)];
    EXPECT_GE(drawn.faults.front().fault.when.from, ticks[2]);
    EXPECT_LT(drawn.faults.front().fault.when.from, ticks[3]);
  });
  const std::uint64_t wholes =
      draws("{where: {core: {field: threshold, value: lowest}}}",
            [](const Planned& setup, const DrawnTrial& drawn) {
              ASSERT_EQ(drawn.faults.size(), 24U);
              EXPECT_FALSE(drawn.image.has_value()) << "it stays";
              for (const DrawnFault& fault : drawn.faults) {
                const FaultRecord record = core_fault_record(fault, setup.cores);
                EXPECT_EQ(record.fault == FaultKind::kStuckAt1, record.bit == 23);
                EXPECT_EQ(record.word, core_fault_record(drawn.faults.front(), setup.cores).word);
                EXPECT_EQ(record.lane, core_fault_record(drawn.faults.front(), setup.cores).lane);
              }
            });
  EXPECT_EQ(wholes, 3U * 16U);
}

TEST(CoreStrikesTest, PresetsAreStrikes) {
  for (const CorePreset& preset : core_presets()) {
    const std::string strike = "{preset: " + std::string(preset.name) + "}";
    if (*preset.strike == '\0') {
      EXPECT_NE(refusal(strike).find(preset.name), std::string::npos);
      continue;
    }
    const Planned setup(strike);
    EXPECT_FALSE(setup.plan.draw(TrialId(0)).faults.empty()) << preset.name;
    // What a file keeps is the strike itself.
    const Value kept = expanded(setup.scenario);
    ErrorList errors;
    const Scenario again = read_scenario(kept, sim::builtin_engines(), errors);
    errors.throw_if_any();
    EXPECT_EQ(expanded(again).json(), kept.json()) << preset.name;
  }
  // A sweep goes from one to the next, whatever the first one says of times.
  const Campaign swept =
      campaign_of(kCores +
                  "strike: {preset: spike_loss}\nsweep: {strike.preset: [spike_loss, dead_neuron, "
                  "synapse_bit]}\n");
  ASSERT_EQ(swept.points.size(), 3U);
  EXPECT_EQ(swept.points[0].scenario.strike.lasts.kind, Lasts::Kind::kTransient);
  EXPECT_EQ(swept.points[1].scenario.strike.lasts.kind, Lasts::Kind::kAuto);
  EXPECT_EQ(swept.points[1].scenario.strike.where.core.fields, std::vector<std::string>{"enable"});
  EXPECT_EQ(swept.points[2].scenario.strike.faults, std::vector{FaultKind::kFlip});
  EXPECT_NE(refusal("{preset: dead_neurone}").find("did you mean 'dead_neuron'?"),
            std::string::npos);
  EXPECT_NE(refusal("{preset: dead_neuron, fault: random}").find("strike.fault"),
            std::string::npos);
}

TEST(CoreStrikesTest, WhatDoesNotFitIsRefusedWithPlaceAndCure) {
  const std::pair<const char*, const char*> cases[] = {
      {"{where: {core: {field: treshold}}}", "'threshold'"},
      {"{where: {core: {register: stat}}}", "'state'"},
      {"{where: {core: {memory: synapse}}}", "'synapses'"},
      {"{where: {core: {field: enable, bit: 3}}}", "no bit of a core"},
      {"{where: {mesh: {}}}", "has cores alone"},
      {"{where: {memory: all}}", "has cores alone"},
      {"{where: {core: {tick: 2, field: ring}}, fault: stuck_at_0}", "lasts: transient"},
      {"{where: {core: {field: ring, value: zero}}, fault: stuck_at_1}", "strike.fault"},
      {"{where: {core: {memory: ring, field: leak}}}", "process: particle"},
      {"{process: dram}", "not available for cores"},
      {"{process: particle, where: {core: {field: leak}}}", "whole arrays"},
      {"{where: {core: {axon: 3}}}", "unknown key"},
      {"{process: particle, fluence: 1e9}", "differently long"},
      {"{process: particle, per_bit: 1e-3}", "strike.per_bit"},
      {"{process: particle, rate_per_volt: 2}", "strike.rate_per_volt"},
      {"{process: low_voltage, fault: stuck_at_1}", "strike.fault"},
      {"{process: low_voltage, count: 7}", "one chip"},
      {"{process: low_voltage, where: {core: {memory: queue}}}", "made of memory cells"},
      {"{low_voltage: {voltage: 0.5}}", "only the process of this name"},
      {"{where: {bits: sign, core: {}}}", "bits of tensors"},
      {"{where: {weights: '*', core: {}}}", "at once"},
      {"{faults: [{register: load, pe: [0, 0], bit: 0}]}", "cores do not take"},
      {"{preset: [dead_neuron]}", "one name is wanted"},
  };
  for (const auto& [strike, said] : cases) {
    EXPECT_NE(refusal(strike).find(said), std::string::npos) << strike << ": " << refusal(strike);
  }
  EXPECT_NE(refusal("{where: {core: {}}}", "model: lenet5\n").find("has no cores"),
            std::string::npos);
  const auto accelerator = [](const std::string& text) {
    return refusal("{}", "model: lenet5\naccelerator: {base: core_256x256, " + text + "}\n");
  };
  EXPECT_NE(accelerator("core: {axons: 100}").find("power of two"), std::string::npos);
  EXPECT_NE(accelerator("mesh: {rows: 4}").find("no such part"), std::string::npos);
  EXPECT_NE(accelerator("chip: {interleave: 3}").find("1, 2, 4, 8"), std::string::npos);
  EXPECT_NE(refusal("{where: {core: {memory: synapses, tick: 1}}}",
                    "model: lenet5\naccelerator: {base: core_256x256, core: {ecc: {synapses: "
                    "secded}}}\n")
                .find("arrays with ECC"),
            std::string::npos);
  EXPECT_NE(
      errors_of([] {
        campaign_of(kCores + "strike: {fault: random}\nsweep: {strike.preset: [dead_neuron]}\n");
      }).find("says it already"),
      std::string::npos);
  EXPECT_NE(accelerator("on_due: zero").find("'stop' or 'use'"), std::string::npos);
  EXPECT_NE(accelerator("chip: {tick: {cycles: 0}}").find("tick"), std::string::npos);
  const auto plan = [](const std::string& strike) { return errors_of([&] { Planned{strike}; }); };
  EXPECT_NE(plan("{where: {core: {memory: queue}}, count: 100000}").find("strike.count"),
            std::string::npos);
  // Images of 100 to 130 cycles: a window may end with the longest of them.
  EXPECT_NE(plan("{fault: stuck_at_0, lasts: {from: 10, until: 131}}").find("takes 130 cycles"),
            std::string::npos);
  const Planned late("{fault: stuck_at_0, lasts: {from: 110, until: 130}}");
  ASSERT_EQ(late.plan.population().warnings().size(), 1U);
  EXPECT_NE(late.plan.population().warnings()[0].find("2 of 4 images"), std::string::npos);
  EXPECT_NE(plan("{where: {core: {tick: 9}}}").find("ticks are 0 to 2"), std::string::npos);
  EXPECT_NE(plan("{where: {core: {core: 3}}}").find("cores are 0 to 2"), std::string::npos);
  EXPECT_NE(plan("{where: {core: {layer: conf1}}}").find("conv1"), std::string::npos);
}

TEST(CoreStrikesTest, ParticlesStrikeArraysAndFlipFlopsByTheirRates) {
  const Planned setup("{process: particle}");
  const ParticlePopulation& particles = *setup.plan.population().single_particles();
  ErrorList errors;
  const sim::TechnologyNode node = *find_node("28nm", "node", {}, errors);
  std::uint64_t cells = 0, flip_flops = 0;
  for (const Structure& structure : particles.structures()) {
    const double rate = structure.memory ? sim::memory_rates(node, {}).total()
                                         : sim::flip_flop_rates(node, {}).total();
    EXPECT_NEAR(structure.fit.total(), rate * static_cast<double>(structure.cells) / 1e6,
                1e-9 * structure.fit.total())
        << structure.name;
    (structure.memory ? cells : flip_flops) += structure.cells;
  }
  const sim::CoreSites& sites = setup.cores.sites;
  EXPECT_EQ(cells, 3 * sites.total_bits(sim::CoreCells::kSram));
  EXPECT_EQ(flip_flops, 3 * sites.total_bits(sim::CoreCells::kFlipFlop));
  // A core may hang, whatever was struck, and what stays is there for half an hour on average.
  for (const StrikeGroup& group : particles.groups()) {
    EXPECT_TRUE(group.can_be_due);
  }
  for (const Structure& structure : particles.structures()) {
    const bool has_boot = structure.name == "synapses" || structure.name == "parameters" ||
                          structure.name == "neuron_routes" || structure.name == "destinations" ||
                          structure.name == kFlipFlops;  // the window of ticks
    EXPECT_EQ(structure.outlives, has_boot) << structure.name;
  }
  EXPECT_DOUBLE_EQ(later_inferences(setup.scenario, 1000), 3600.0 * 200e6 / 1000.0 / 2.0);
  Scenario renewed = setup.scenario;
  renewed.accelerator.chip.reload = bridge::CoreReload::kPerInference;
  EXPECT_EQ(later_inferences(renewed, 1000), 0.0);
}

TEST(CoreStrikesTest, AHangIsNoFalseDueAndFlipFlopsHaveLaterInferencesToo) {
  TrialRecord record;
  record.structure = kFlipFlops;
  record.outcome = Outcome::kDue;
  record.core.emplace().without_stop = Outcome::kDue;
  record.core->later_images = 4;
  record.core->later_wrong = 1;
  StrikeSeen seen = strike_seen(record);
  EXPECT_FALSE(seen.is_false_due) << "it hangs: there is no answer";
  EXPECT_EQ(seen.later_wrong, 0.25);
  record.core->without_stop = Outcome::kMasked;
  EXPECT_TRUE(strike_seen(record).is_false_due);
  record.core->without_stop = Outcome::kSdc;
  seen = strike_seen(record);
  EXPECT_FALSE(seen.is_false_due);
  EXPECT_TRUE(seen.is_wrong_on);
}

TEST(CoreStrikesTest, ArraysAsMemoriesHoldEveryBitOnce) {
  for (const char* name : {"core_1024x64", "core_256x256", "core_16x16"}) {
    bridge::AcceleratorConfig accelerator;
    accelerator.has_core = true;
    accelerator.core = sim::core_named(name);
    const sim::CoreSites sites(accelerator.core);
    const auto memories = bridge::core_arrays(accelerator, 2);
    for (std::size_t i = 0; i < memories.size(); ++i) {
      const sim::CoreBlock& array = sites.blocks()[i];
      const sim::ArrayGeometry geometry(memories[i].second.array());
      EXPECT_EQ(memories[i].first, array.name);
      EXPECT_EQ(geometry.data_cells(), 2 * array.size()) << name << " " << array.name;
      EXPECT_EQ(geometry.banks(), 2);
      std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
      for (std::uint64_t index = 0; index < geometry.cells(); index += 7) {
        const sim::CodewordBit bit = geometry.bit_at(geometry.cell_at(index));
        const bridge::CoreCell cell = bridge::core_cell(array, bit);
        const sim::CoreSite site = bridge::site_of(array, cell);
        EXPECT_EQ(static_cast<int>(cell.core), geometry.cell_at(index).bank) << "a core's own bank";
        const bridge::CoreCell back = bridge::cell_of(array, cell.core, site);
        EXPECT_EQ(bridge::codeword_bit(array, back), bit);
        seen.insert({cell.core, sites.id_of(site).value});
      }
      EXPECT_EQ(seen.size(), (geometry.cells() + 6) / 7);
    }
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
