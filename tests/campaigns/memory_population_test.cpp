// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are strikes on memories drawn from what they should be, with weights that add up?
#include "campaigns/plan/memory_population.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "base/text.h"
#include "campaigns/plan/binomial.h"
#include "campaigns/plan/particle_population.h"
#include "campaigns/plan/sampling.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

struct Planned {
  explicit Planned(const std::string& text)
      : scenario(campaign_of("model: lenet5\n" + text).points.front().scenario),
        study(study_inputs(scenario, sim::builtin_engines()), {}),
        plan(scenario, study.facts()) {}
  DrawnStrike strike(std::uint64_t trial) const { return *plan.draw(TrialId(trial)).strike; }
  const MemoryPopulation& population() const {
    return dynamic_cast<const MemoryPopulation&>(plan.population());
  }
  const ParticlePopulation& particles() const {
    return dynamic_cast<const ParticlePopulation&>(plan.population());
  }

  Scenario scenario;
  FakeStudy study;
  Plan plan;
};

/// An accelerator with two small memories.
std::string small(const std::string& ecc, const std::string& node = "130nm", int interleave = 1) {
  const std::string array =
      "row: 16, codeword: 64, interleave: " + std::to_string(interleave) + ", ecc: " + ecc + "}";
  return "accelerator: {base: gemmini_16x16, node: " + quick_node(node) +
         ", memory: {scratchpad: {capacity: 8KiB, banks: 4, " + array +
         ", accumulator: {holds: accumulators, capacity: 2KiB, banks: 2, " + array + "}}\n";
}

const std::string kParticle = "strike: {process: particle, where: {memory: all}}";

void expect_count(double count, double expected, double draws) {
  EXPECT_NEAR(count, expected, 5.0 * std::sqrt(expected * (1.0 - expected / draws)) + 1e-9);
}

TEST(MemoryPopulationTest, UniformStrikesCoverEveryCellAndCycle) {
  const Planned setup(small("secded") + "strike: {where: {memory: accumulator}}");
  EXPECT_EQ(setup.population().members(), 2048U * 8 * 72 / 64);
  EXPECT_EQ(setup.plan.population_size(), 2048ULL * 8 * 72 / 64 * 300 * 10);
  std::set<std::pair<std::uint64_t, int>> cells;
  std::vector<int> thirds(3, 0), banks(2, 0);
  constexpr int kDraws = 300'000;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnTrial trial = setup.plan.draw(TrialId(k));
    ASSERT_EQ(trial.strike->cells.size(), 1U);
    const CellFault& fault = trial.strike->cells[0].fault;
    ASSERT_EQ(fault.memory, 1U);
    cells.emplace(fault.bit.codeword.value, fault.bit.bit);
    ++thirds[static_cast<std::size_t>(fault.when.from / 100)];
    ASSERT_EQ(fault.when.until, fault.when.from + 1);
    ++banks[static_cast<std::size_t>(trial.strike->struck.bank)];
  }
  EXPECT_EQ(cells.size(), setup.population().members());
  for (const int third : thirds) {
    expect_count(third, kDraws / 3.0, kDraws);
  }
  expect_count(banks[0], kDraws / 2.0, kDraws);
}

TEST(MemoryPopulationTest, CellsMayBeDataOrCheckBits) {
  for (const auto& [cells, low, high] :
       std::vector<std::tuple<std::string, int, int>>{{"data", 0, 63}, {"check", 64, 71}}) {
    const Planned setup(small("secded") + "strike: {where: {memory: {cells: " + cells +
                        "}}, count: 50}");
    for (std::uint64_t k = 0; k < 100; ++k) {
      for (const DrawnCell& cell : setup.strike(k).cells) {
        EXPECT_GE(cell.fault.bit.bit, low);
        EXPECT_LE(cell.fault.bit.bit, high);
      }
    }
  }
}

TEST(MemoryPopulationTest, SeveralCellsAreSortedAndDifferent) {
  const Planned setup(small("none") +
                      "strike: {where: {memory: all}, count: 200, fault: [flip, random]}");
  std::set<Cycle> cycles;
  std::size_t acting = 0;
  for (std::uint64_t k = 0; k < 50; ++k) {
    const DrawnTrial trial = setup.plan.draw(TrialId(k));
    ASSERT_EQ(trial.strike->cells.size(), 200U);
    const std::vector<CellFault> cells = trial.job().strike.cells;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      EXPECT_LT(std::tie(cells[i - 1].memory, cells[i - 1].bit),
                std::tie(cells[i].memory, cells[i].bit));
      cycles.insert(cells[i].when.from);
      EXPECT_EQ(cells[i].kind, FaultKind::kFlip);
    }
    acting += cells.size();
  }
  EXPECT_GT(cycles.size(), 290U);
  EXPECT_NEAR(static_cast<double>(acting), 0.75 * 50 * 200, 5 * std::sqrt(50 * 200 * 3.0 / 16));
}

TEST(MemoryPopulationTest, StuckCellsLast) {
  const Planned permanent(small("none") +
                          "strike: {where: {memory: all}, fault: [stuck_at_0, stuck_at_1]}");
  EXPECT_FALSE(permanent.plan.draw(TrialId(1)).image);
  EXPECT_TRUE(permanent.strike(1).cells[0].fault.when.is_permanent());
  const Planned window(small("none") +
                       "strike: {where: {memory: all}, fault: stuck_at_0, lasts: "
                       "{from: 5, until: 300}}");
  EXPECT_EQ(window.strike(3).cells[0].fault.when, (CycleWindow{5, 300}));
  EXPECT_NE(errors_of([] {
              Planned(small("none") +
                      "strike: {where: {memory: all}, fault: stuck_at_0, lasts: "
                      "{from: 5, until: 301}}");
            }).find("301 is beyond the inference"),
            std::string::npos);
}

TEST(MemoryPopulationTest, ACensusTakesEveryCellOnce) {
  const Planned setup(small("none") +
                      "strike: {where: {memory: accumulator}, fault: stuck_at_0}\ntrials: "
                      "exhaustive\n");
  EXPECT_EQ(setup.plan.trials(), 2048 * 8);
  std::set<std::pair<std::uint64_t, int>> cells;
  for (std::int64_t k = 0; k < setup.plan.trials(); ++k) {
    const CellFault fault = setup.strike(static_cast<std::uint64_t>(k)).cells[0].fault;
    cells.emplace(fault.bit.codeword.value, fault.bit.bit);
  }
  EXPECT_EQ(cells.size(), 2048U * 8);
}

TEST(MemoryPopulationTest, StructuresAreStruckByTheirRates) {
  const Planned setup(small("none") +
                      "strike: {process: particle, where: {memory: all, mesh: {}}, strata: false}");
  const ParticlePopulation& population = setup.particles();
  ASSERT_EQ(population.structures().size(), 3U);
  // 130 nm: 770 + 431 FIT/Mbit of cells; the flip-flops' rate is in the file, too.
  EXPECT_NEAR(population.structures()[0].fit.neutron, 770.0 * 8192 * 8 / 1e6, 1e-9);
  EXPECT_NEAR(population.structures()[1].fit.alpha, 431.0 * 2048 * 8 / 1e6, 1e-9);
  EXPECT_EQ(population.structures()[2].fit.alpha, 0.0);
  EXPECT_NEAR(population.structures()[2].fit.neutron,
              population.node().flip_flop_neutron_rate.value * 27248 / 1e6, 1e-9);
  constexpr int kDraws = 100'000;
  std::map<std::pair<std::size_t, sim::Radiation>, int> drawn;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnTrial trial = setup.plan.draw(TrialId(k));
    ++drawn[{trial.strike->structure, *trial.strike->radiation}];
    EXPECT_EQ(trial.strike->weight, 1.0);
    EXPECT_EQ(trial.faults.size() + (trial.strike->cells.empty() ? 0 : 1), 1U);
    EXPECT_EQ(trial.strike->structure == 2, !trial.faults.empty());
  }
  for (const StrikeGroup& group : population.groups()) {
    expect_count(drawn[std::pair(group.structure, group.radiation)],
                 kDraws * group.fit / population.fit(), kDraws);
  }
}

TEST(MemoryPopulationTest, AltitudeAndRadiationChangeRatesAlone) {
  const Planned sea(small("secded") + kParticle);
  const Planned high(small("secded") +
                     "strike: {process: particle, where: {memory: all}, altitude: 12000}");
  const double factor = sim::neutron_flux_factor({.altitude_m = 12000});
  EXPECT_NEAR(high.population().structures()[0].fit.neutron,
              factor * sea.population().structures()[0].fit.neutron, 1e-6);
  EXPECT_EQ(high.population().structures()[0].fit.alpha,
            sea.population().structures()[0].fit.alpha);
  const Planned alpha(small("secded") +
                      "strike: {process: particle, where: {memory: all}, radiation: alpha}");
  EXPECT_EQ(alpha.population().structures()[0].fit.neutron, 0.0);
  for (std::uint64_t k = 0; k < 100; ++k) {
    EXPECT_EQ(alpha.strike(k).cells.size(), 1U) << "alpha upsets single cells at this node";
  }
}

TEST(MemoryPopulationTest, PlaceSunAndThermalFluxChangeTheirRatesAlone) {
  const auto rates_with = [](const std::string& keys) {
    const Planned setup(small("none", "28nm") +
                        "strike: {process: particle, where: {memory: all, mesh: {}}" + keys + "}");
    return std::pair(setup.population().structures()[0].fit,
                     setup.population().structures()[2].fit);
  };
  const auto [memory, mesh] = rates_with("");
  const auto [memory_there, mesh_there] = rates_with(", rigidity: 12, sun: active");
  const double factor = sim::neutron_flux_factor({.rigidity_gv = 12, .sun = sim::Sun::kActive});
  EXPECT_LT(factor, 0.7);
  EXPECT_DOUBLE_EQ(memory_there.neutron, factor * memory.neutron);
  EXPECT_DOUBLE_EQ(mesh_there.neutron, factor * mesh.neutron);
  EXPECT_EQ(memory_there.thermal, memory.thermal);
  const auto [memory_thermal, mesh_thermal] = rates_with(", thermal_flux: 2.5, altitude: 5000");
  EXPECT_GT(memory.thermal, 0.0);
  EXPECT_DOUBLE_EQ(memory_thermal.thermal, 2.5 * memory.thermal) << "whatever the altitude";
  EXPECT_EQ(memory_thermal.alpha, memory.alpha);
  EXPECT_EQ(mesh_thermal.thermal, 0.0) << "unknown";
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

/// The 28nm of nodes.csv, whose clusters grow as the voltage falls: FILE:NAME.
std::string sloped_node(const ScratchFolder& folder) {
  const std::string path = quick_node("28nm");
  std::string text;
  int column = -1;
  for (const std::string& line : split(read_text_file(path.substr(0, path.rfind(':'))), '\n')) {
    std::vector<std::string> cells = split(line, ',');
    if (column < 0) {
      column = static_cast<int>(std::ranges::find(cells, "mcu_logit_per_v") - cells.begin());
    } else if (cells.back() == "28nm") {
      cells.at(static_cast<std::size_t>(column)) = "4";
    }
    text += join(cells, ",") + "\n";
  }
  return folder.write("sloped.csv", text) + ":28nm";
}

TEST(MemoryPopulationTest, ALowerVoltageRaisesRatesAndClusters) {
  const ScratchFolder folder;
  const std::string setup =
      "accelerator: {base: gemmini_16x16, node: " + sloped_node(folder) +
      "}\nstrike: {process: particle, where: {memory: all, mesh: {}}, strata: false";
  const Planned at_node(setup + "}");
  const Planned lower(setup + ", voltage: 0.7, rate_per_volt: 2.5}");
  const Planned left(setup + ", voltage: 0.7, rate_per_volt: 0}");
  const double factor = std::exp(2.5 * (0.9 - 0.7));
  for (std::size_t i = 0; i < 3; ++i) {  // the mesh's flip-flops, too
    for (const sim::Radiation radiation : kRadiations) {
      const double fit = at_node.population().structures()[i].fit.of(radiation);
      EXPECT_NEAR(lower.population().structures()[i].fit.of(radiation), factor * fit, 1e-9 * fit);
      EXPECT_EQ(left.population().structures()[i].fit.of(radiation), fit);
    }
  }
  EXPECT_GT(at_node.population().structures()[0].fit.thermal, 0.0);
  EXPECT_NEAR(lower.particles().fit(), factor * at_node.particles().fit(), 1e-9);
  const auto several = [](const Planned& setup) {
    int count = 0;
    for (std::uint64_t k = 0; k < 20'000; ++k) {
      count += setup.strike(k).cells.size() > 1 ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(several(lower), several(left)) << "the same trials, more often";
  EXPECT_GT(several(lower), 1.05 * several(at_node));
  // A fluence causes more events, too.
  const std::string fluence =
      small("none", "28nm") + "strike: {process: particle, where: {memory: all}, fluence: 1e9";
  const Planned few(fluence + "}"), more(fluence + ", voltage: 0.7, rate_per_volt: 2.5}");
  EXPECT_NEAR(more.population().expected(), factor * few.population().expected(),
              1e-9 * factor * few.population().expected());
}

TEST(MemoryPopulationTest, StrataAreWhatTheyAreCalledAndTheirWeightsAddUp) {
  for (const std::string ecc : {"secded", "parity", "dected"}) {
    const Planned setup(small(ecc) + kParticle);
    const ParticlePopulation& population = setup.particles();
    ASSERT_TRUE(population.is_stratified());
    double fit = 0.0, of_classes = 0.0, share = 0.0;
    for (const StrikeGroup& group : population.groups()) {
      ASSERT_TRUE(group.stratum);
      fit += group.fit;
    }
    for (const StrikeClass& each : population.classes()) {
      of_classes += each.fit;
      share += each.share;
    }
    EXPECT_NEAR(fit, population.fit(), 1e-9 * fit);
    EXPECT_NEAR(of_classes, population.fit(), 1e-9 * fit);
    EXPECT_NEAR(share, 1.0, 1e-12);
    const sim::EccCode& code = setup.scenario.accelerator.memory[0].second.code();
    for (std::uint64_t k = 0; k < 3000; ++k) {
      const DrawnStrike strike = setup.strike(k);
      const StrikeGroup& group = population.groups()[*strike.group];
      bool is_silent = false, is_detected = false;
      for (std::size_t i = 0; i < strike.cells.size();) {
        sim::BitString flipped;
        const sim::CodewordId codeword = strike.cells[i].fault.bit.codeword;
        for (; i < strike.cells.size() && strike.cells[i].fault.bit.codeword == codeword; ++i) {
          flipped.flip(strike.cells[i].fault.bit.bit);
        }
        const sim::ErrorEffect effect = code.decode_error(flipped);
        is_detected = is_detected || effect.status == sim::EccStatus::kDetected;
        is_silent =
            is_silent || (effect.status != sim::EccStatus::kDetected && effect.data_error.any());
      }
      const sim::Stratum expected = is_silent
                                        ? is_detected ? sim::Stratum::kBoth : sim::Stratum::kSilent
                                    : is_detected ? sim::Stratum::kDetected
                                                  : sim::Stratum::kRight;
      ASSERT_EQ(*group.stratum, expected);
      const std::size_t class_of_trial = *population.allocation().stratum_of(TrialId(k));
      const StrikeClass& of_trial = population.classes()[class_of_trial];
      ASSERT_EQ(group.of_class, class_of_trial);
      ASSERT_NEAR(strike.weight, of_trial.fit / population.fit() / of_trial.share, 1e-12);
      ASSERT_EQ(strike.structure, group.structure);
    }
  }
}

TEST(MemoryPopulationTest, AnyNumberOfTrialsIsSharedAlike) {
  const Planned setup(small("secded") + kParticle),
      more(small("secded") + kParticle + "\ntrials: 777");
  const std::vector<StrikeClass>& classes = setup.particles().classes();
  std::vector<int> counts(classes.size(), 0);
  for (std::uint64_t k = 0; k < 20'000; ++k) {
    const std::size_t of_trial = *setup.population().allocation().stratum_of(TrialId(k));
    EXPECT_EQ(of_trial, *more.population().allocation().stratum_of(TrialId(k)));
    ++counts[of_trial];
    if (k % 97 == 0) {
      for (std::size_t c = 0; c < classes.size(); ++c) {
        EXPECT_NEAR(counts[c], static_cast<double>(k + 1) * classes[c].share, 6.0);
      }
    }
  }
}

TEST(MemoryPopulationTest, ClustersThatReachFarGetTrials) {
  const Planned setup(small("secded") + kParticle);
  double far = 0.0, fit = 0.0;
  for (const StrikeClass& each : setup.particles().classes()) {
    far += each.reach > 1 ? each.share : 0.0;
    fit += each.reach > 1 ? each.fit : 0.0;
  }
  EXPECT_LT(fit, 0.05 * setup.particles().fit());
  EXPECT_GT(far, 0.35) << "of them come all errors that ECC does not correct";
}

TEST(MemoryPopulationTest, RatesBelowTheLeastAreBoundedNotSampled) {
  const Planned setup(small("secded", "65nm", 2) + kParticle);
  const auto enumerated = setup.particles().enumerated(0);
  ASSERT_TRUE(enumerated);
  EXPECT_LT(enumerated->silent, kLeastSampledFit);
  EXPECT_GT(enumerated->silent, 0.0);
  EXPECT_GT(enumerated->due, kLeastSampledFit);
  for (const StrikeGroup& group : setup.particles().groups()) {
    if (group.stratum == sim::Stratum::kSilent) {
      EXPECT_FALSE(group.is_silent_sampled);
    }
  }
}

// The same physical strike: place, time, image and cluster.
bool are_alike(const Planned& one, const Planned& other, std::uint64_t trial) {
  const DrawnTrial a = one.plan.draw(TrialId(trial)), b = other.plan.draw(TrialId(trial));
  return a.image == b.image && a.strike->cycle == b.strike->cycle &&
         a.strike->structure == b.strike->structure && a.strike->radiation == b.strike->radiation &&
         a.strike->struck.bank == b.strike->struck.bank &&
         a.strike->struck.row == b.strike->struck.row &&
         one.population().place_of(*a.strike) == other.population().place_of(*b.strike) &&
         a.strike->cluster == b.strike->cluster;
}

TEST(MemoryPopulationTest, PointsOfASweepArePaired) {
  for (const std::string strata : {"auto", "false"}) {
    const std::string strike =
        "strike: {process: particle, where: {memory: all}, strata: " + strata + "}";
    const Planned none(small("none") + strike), interleaved(small("none", "130nm", 2) + strike),
        secded(small("secded") + strike), both(small("secded", "130nm", 2) + strike),
        parity(small("parity") + strike);
    constexpr int kTrials = 2000;
    int same_place = 0, of_data = 0, data_alike = 0, parity_alike = 0;
    for (std::uint64_t k = 0; k < kTrials; ++k) {
      ASSERT_TRUE(are_alike(none, interleaved, k)) << "interleaving changes no strike";
      ASSERT_TRUE(are_alike(secded, both, k));
      const bool is_data = secded.population().place_of(secded.strike(k)) < 16 * 8;
      const bool is_alike = are_alike(none, secded, k);
      same_place += is_alike ? 1 : 0;
      of_data += is_data ? 1 : 0;
      data_alike += is_data && is_alike ? 1 : 0;
      parity_alike += are_alike(none, parity, k) ? 1 : 0;
    }
    EXPECT_EQ(data_alike, of_data) << "whoever strikes a data cell strikes it with any check bits";
    expect_count(same_place, kTrials * 64.0 / 72, kTrials);
    expect_count(parity_alike, kTrials * 64.0 / 65, kTrials);
  }
  const Planned node(small("none", "65nm") + kParticle), other(small("none") + kParticle);
  for (std::uint64_t k = 0; k < 100; ++k) {
    EXPECT_EQ(node.plan.draw(TrialId(k)).image, other.plan.draw(TrialId(k)).image);
    EXPECT_EQ(node.strike(k).cycle, other.strike(k).cycle);
  }
}

TEST(MemoryPopulationTest, AFluenceDrawsAsManyEventsAsItCauses) {
  const Planned setup(small("none") +
                      "strike: {process: particle, where: {memory: all}, fluence: 1e9}");
  const double expected = 1e9 * sim::neutron_cross_section(setup.particles().node()) * 10240 * 8;
  EXPECT_NEAR(setup.population().expected(), expected, 1e-12 * expected);
  EXPECT_NEAR(setup.plan.weight(), 1.0 - std::exp(-expected), 1e-12);
  double events = 0.0;
  constexpr int kDraws = 20'000;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnStrike strike = setup.strike(k);
    ASSERT_GE(strike.events, 1);
    ASSERT_EQ(strike.weight, setup.plan.weight());
    ASSERT_EQ(*strike.radiation, sim::Radiation::kNeutron);
    events += static_cast<double>(strike.events);
  }
  const double mean = expected / setup.plan.weight();
  EXPECT_NEAR(events / kDraws, mean, 5.0 * std::sqrt(mean / kDraws));
  EXPECT_NE(
      errors_of([] {
        Planned(small("none") + "strike: {process: particle, where: {memory: all}, fluence: 1e14}");
      }).find("strike.fluence: causes "),
      std::string::npos);
}

TEST(MemoryPopulationTest, RatesOfDevicesOfAnotherSizeAreWarnedOf) {
  const ScratchFolder folder;
  const std::string own = folder.write(
      "own.csv", "mode,transient_fit,transient_src,permanent_fit,permanent_src\nrow,1,A,1,A\n");
  const auto warnings = [](const std::string& memory, const std::string& dram) {
    const Planned setup(
        "accelerator: {base: gemmini_16x16, memory: {dram: {holds: backing, row: "
        "1024, banks: 8, " +
        memory + "}}}\nstrike: {process: dram, where: {memory: all}, dram: {" + dram + "}}");
    return setup.population().warnings();
  };
  const std::vector<std::string> small = warnings("capacity: 64KiB, ecc: ssc", "devices: 10");
  ASSERT_EQ(small.size(), 1U);
  for (const char* part : {"a device of 'dram' has 64 Kbit",
                           "have 1 Gbit (R:", "rates are per device, whatever its size"}) {
    EXPECT_NE(small[0].find(part), std::string::npos) << small[0];
  }
  EXPECT_EQ(warnings("capacity: 1GiB, ecc: ssc", "devices: 10").size(), 0U) << "1 Gbit each";
  EXPECT_EQ(warnings("capacity: 256MiB, ecc: ssc", "devices: 10").size(), 0U) << "a quarter";
  EXPECT_EQ(warnings("capacity: 128MiB, ecc: ssc", "devices: 10").size(), 1U) << "an eighth";
  EXPECT_EQ(warnings("capacity: 4GiB, ecc: none", "devices: 8").size(), 0U) << "4 Gbit each";
  EXPECT_NE(warnings("capacity: 4GiB, ecc: none", "devices: 4").at(0).find("has 8 Gbit"),
            std::string::npos);
  EXPECT_EQ(warnings("capacity: 64KiB, ecc: ssc", "devices: 10, modes: " + own).size(), 0U)
      << "rates of one's own are those of one's own devices";
}

TEST(MemoryPopulationTest, ARatePerBitDrawsTheNumberOfCells) {
  const Planned setup(small("none") + "strike: {where: {memory: all}, per_bit: 1e-5}");
  const double expected = 10240 * 8 * 1e-5;
  EXPECT_NEAR(setup.population().expected(), expected, 1e-12);
  EXPECT_NEAR(setup.plan.weight(), 1.0 - std::exp(-expected), 1e-5);
  double cells = 0.0;
  constexpr int kDraws = 20'000;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnStrike strike = setup.strike(k);
    ASSERT_GE(strike.cells.size(), 1U);
    ASSERT_EQ(strike.weight, setup.plan.weight());
    cells += static_cast<double>(strike.cells.size());
  }
  const double mean = expected / setup.plan.weight();
  EXPECT_NEAR(cells / kDraws, mean, 5.0 * std::sqrt(mean / kDraws));
  EXPECT_NE(errors_of([] {
              Planned("strike: {where: {memory: all}, per_bit: 1}");
            }).find("of 2,621,440 cells faulty in each trial"),
            std::string::npos);
}

TEST(MemoryPopulationTest, PoissonCountsFollowTheirLaw) {
  for (const double mean : {1e-9, 0.3, 5.0, 400.0}) {
    double sum = 0.0;
    constexpr int kSteps = 100'000;
    for (int i = 0; i < kSteps; ++i) {
      sum += static_cast<double>(poisson_at_least_one(mean, (i + 0.5) / kSteps));
    }
    EXPECT_NEAR(sum / kSteps, mean / -std::expm1(-mean), 1e-3 * std::max(1.0, mean)) << mean;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
