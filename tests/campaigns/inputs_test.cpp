// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does every number that a process rests on say where it comes from, and is it that number?
#include "campaigns/plan/strike_inputs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "campaigns/plan/dram_population.h"
#include "campaigns/plan/low_voltage_population.h"
#include "campaigns/plan/population_of.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

Scenario scenario_of(const std::string& text) {
  return campaign_of("model: lenet5\n" + text).points.front().scenario;
}

/// By the start of its name; the test fails where there is not one.
Sourced input(const std::vector<StrikeInput>& inputs, const std::string& name) {
  Sourced found;
  int count = 0;
  for (const StrikeInput& each : inputs) {
    if (each.name.starts_with(name)) {
      found = each.value;
      ++count;
    }
  }
  EXPECT_EQ(count, 1) << name;
  return found;
}

void expect_sources(const std::vector<StrikeInput>& inputs) {
  for (const StrikeInput& each : inputs) {
    EXPECT_EQ(provenance_of(each.value.source), each.value.provenance)
        << each.name << ": " << each.value.source;
  }
}

TEST(InputsTest, LowVoltageSaysWhatIsAssumedAndWhatTheScenarioSays) {
  const Scenario scenario = scenario_of(
      "strike: {process: low_voltage, where: {memory: all}, low_voltage: {voltage: 0.52, "
      "density: 0.25}}");
  const std::vector<StrikeInput> inputs = low_voltage_inputs(scenario.strike.low_voltage);
  expect_sources(inputs);
  EXPECT_EQ(inputs.size(), 8U) << "each key of the process, and what follows";
  EXPECT_EQ(input(inputs, "voltage").value, 0.52);
  EXPECT_EQ(input(inputs, "voltage").source, "A:the scenario");
  EXPECT_EQ(input(inputs, "median").value, 0.437);
  EXPECT_NE(input(inputs, "median").source.find("Salami"), std::string::npos);
  EXPECT_EQ(input(inputs, "standard deviation").value, 0.0318);
  EXPECT_EQ(input(inputs, "failures that come with").value, 0.1);
  EXPECT_EQ(input(inputs, "of these, those of rows").value, 0.5);
  EXPECT_EQ(input(inputs, "cells of a weak row").value, 0.25);
  EXPECT_EQ(input(inputs, "cells of a weak row").source, "A:the scenario") << "not the default";
  EXPECT_NE(input(inputs, "failing cells that read 1").source, "A:the scenario");
  const Sourced share = input(inputs, "cells that fail at this voltage");
  EXPECT_NEAR(share.value, 0.5 * std::erfc((0.52 - 0.437) / 0.0318 / std::sqrt(2.0)), 1e-12);
  EXPECT_EQ(share.provenance, Provenance::kAssumed) << "no better than what it follows from";
}

TEST(InputsTest, DramNamesTheRatesThatItsTrialsAreDrawnFrom) {
  const std::string dram =
      "accelerator: {base: gemmini_16x16, memory: {dram: {holds: backing, capacity: 64KiB, banks: "
      "4, row: 256, ecc: ssc}}}\nstrike: {process: dram, where: {memory: all}, ";
  const auto of = [&](const std::string& rest) {
    return dram_inputs(scenario_of(dram + rest).strike);
  };
  const std::vector<StrikeInput> transient = of("dram: {devices: 10}}");
  expect_sources(transient);
  EXPECT_EQ(input(transient, "devices of a memory").value, 10.0);
  EXPECT_EQ(input(transient, "bit, transient").value, 14.2);
  EXPECT_EQ(input(transient, "bit, transient").provenance, Provenance::kPrimary);
  EXPECT_EQ(input(transient, "row, transient").value, 0.2);
  EXPECT_EQ(input(transient, "size of the devices").value, 1024.0 * 1024.0 * 1024.0);
  EXPECT_EQ(input(transient, "size of the devices").provenance, Provenance::kRecalled);
  EXPECT_EQ(input(transient, "cells of a transient failure").value, 0.5);
  EXPECT_NE(input(transient, "cells of a transient failure").source, "A:the scenario");
  const std::vector<StrikeInput> permanent =
      of("dram: {devices: 10, ones: 0.9}, lasts: permanent}");
  expect_sources(permanent);
  EXPECT_EQ(input(permanent, "row, permanent").value, 8.2);
  EXPECT_EQ(input(permanent, "cells of a permanent failure").value, 0.9);
  EXPECT_EQ(input(permanent, "cells of a permanent failure").source, "A:the scenario");
  for (const StrikeInput& each : permanent) {
    EXPECT_EQ(each.name.find("transient"), std::string::npos) << each.name;
  }
  // With a file of one's own its sources, and no size that was studied.
  const ScratchFolder folder;
  const std::string own = folder.write(
      "own.csv",
      "mode,transient_fit,transient_src,permanent_fit,permanent_src\nrow,3,M:beam,1,A\n");
  const std::vector<StrikeInput> mine = of("dram: {devices: 10, modes: " + own + "}}");
  EXPECT_EQ(input(mine, "row, transient").source, "M:beam");
  EXPECT_EQ(mine.size(), transient.size() - 1);
}

TEST(InputsTest, AFluenceSaysItsCrossSectionAndEachProcessHasItsOwn) {
  const auto of = [](const std::string& strike) {
    const Scenario scenario = scenario_of(
        "accelerator: {base: gemmini_16x16, node: " + quick_node("28nm") + "}\nstrike: " + strike);
    bridge::StudyFacts study(scenario.accelerator.mesh);
    study.cycles = 300;
    for (const auto& [name, config] : scenario.accelerator.memory) {
      study.memories.push_back({name, config, 100});
    }
    return population_of(scenario, study)->inputs();
  };
  const std::vector<StrikeInput> fluence =
      of("{process: particle, where: {memory: all}, fluence: 1e9, voltage: 0.7, rate_per_volt: 2}");
  expect_sources(fluence);
  EXPECT_EQ(input(fluence, "fluence").value, 1e9);
  EXPECT_EQ(input(fluence, "neutron rate").value, 66.0);
  EXPECT_EQ(input(fluence, "neutron flux").value, 13.0);
  // 66 events in 1e9 h and 1e6 bits at 13 n/(cm2 h), and e^0.4 of it at the lower voltage.
  EXPECT_NEAR(input(fluence, "cross section").value, 66e-15 / 13.0 * std::exp(0.4), 1e-20);
  EXPECT_EQ(input(fluence, "e-folds of the rates").value, 2.0);
  EXPECT_EQ(of("{process: low_voltage, where: {memory: all}}").size(), 8U);
  EXPECT_TRUE(of("{process: particle, where: {memory: all}}").empty()) << "the summary has them";
  EXPECT_TRUE(of("{where: {memory: all}}").empty());
}

}  // namespace
}  // namespace tilestrike::campaigns
