// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a scenario of strikes on memories mean what it says, and is everything else refused?
#include "campaigns/scenario/memory_strike.h"

#include <gtest/gtest.h>

#include "campaigns/scenario/strike.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

Scenario scenario_of(const std::string& text) {
  ErrorList errors;
  const Scenario scenario =
      read_scenario(parse_yaml("model: lenet5\n" + text, "s.yaml"), sim::builtin_engines(), errors);
  errors.throw_if_any();
  return scenario;
}

std::string refusal(const std::string& text) {
  return errors_of([&] { scenario_of(text); });
}

TEST(MemoryStrikeTest, MemoriesAreNamedInAllForms) {
  const auto selected = [](const std::string& where) {
    const Scenario scenario = scenario_of("strike: {where: {memory: " + where + "}}");
    EXPECT_TRUE(strikes_memories(scenario.strike));
    return selected_memories(scenario.strike, scenario.accelerator);
  };
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(selected("accumulator"), Places{1});
  EXPECT_EQ(selected("[accumulator, scratchpad]"), (Places{0, 1}));
  EXPECT_EQ(selected("all"), (Places{0, 1}));
  EXPECT_EQ(selected("{name: scratchpad, cells: data}"), Places{0});
  EXPECT_EQ(selected("{cells: data}"), (Places{0, 1}));
  EXPECT_FALSE(strikes_memories(scenario_of("strike: {where: {mesh: {}}}").strike));
}

TEST(MemoryStrikeTest, ParticlesSpareBackingCopiesUnlessNamed) {
  const std::string dram =
      "accelerator: {base: gemmini_16x16, memory: {dram: {holds: backing, capacity: 1MiB}}}\n";
  const Scenario all = scenario_of(dram + "strike: {process: particle, where: {memory: all}}");
  EXPECT_EQ(selected_memories(all.strike, all.accelerator).size(), 2U);
  const Scenario uniform = scenario_of(dram + "strike: {where: {memory: all}}");
  EXPECT_EQ(selected_memories(uniform.strike, uniform.accelerator).size(), 3U);
  EXPECT_NE(refusal(dram + "strike: {process: particle, where: {memory: dram}}")
                .find("'dram' holds the backing copies"),
            std::string::npos);
}

TEST(MemoryStrikeTest, ExpandingTwiceIsExpandingOnce) {
  for (const std::string text :
       {"strike: {where: {memory: scratchpad}, count: 3}",
        "strike: {where: {memory: {name: [scratchpad, accumulator], cells: data}}, fault: "
        "[stuck_at_0, stuck_at_1], lasts: {from: 1, until: 9}}",
        "strike: {process: particle, where: {memory: all, mesh: {}}, radiation: alpha, strata: "
        "false, voltage: 0.7, rate_per_volt: 2.5, heavy_tail: 0.001, residence: 12}",
        "strike: {process: particle, where: {memory: all}, altitude: 12000}",
        "strike: {process: particle, where: {memory: all}, rigidity: 3.9, sun: active, "
        "thermal_flux: 2.5}",
        "strike: {process: particle, where: {memory: all}, fluence: 1e9}\nuntil: {relative: 20%, "
        "of: [sdc, due]}"}) {
    ErrorList errors;
    const Value once = expanded(scenario_of(text));
    const Value twice =
        expanded(read_scenario(parse_yaml(once.yaml(), "t.yaml"), sim::builtin_engines(), errors));
    errors.throw_if_any();
    EXPECT_EQ(once.yaml(), twice.yaml());
  }
}

TEST(MemoryStrikeTest, SurroundingsAreReadAndLeftOutAtTheReference) {
  const std::string particle = "strike: {process: particle, where: {memory: all}";
  const StrikeConfig strike =
      scenario_of(particle + ", altitude: 100, rigidity: 3.9, sun: active, thermal_flux: 2.5}")
          .strike;
  const sim::Surroundings surroundings = surroundings_of(strike.particle);
  EXPECT_EQ(surroundings.altitude_m, 100.0);
  EXPECT_EQ(surroundings.rigidity_gv, 3.9);
  EXPECT_EQ(surroundings.sun, sim::Sun::kActive);
  EXPECT_EQ(surroundings.thermal_flux, 2.5);
  const auto yaml_of = [](const std::string& text) { return expanded(scenario_of(text)).yaml(); };
  const std::string bare = yaml_of(particle + "}");
  for (const char* key : {"altitude", "rigidity", "sun:", "thermal_flux"}) {
    EXPECT_EQ(bare.find(key), std::string::npos) << key;
  }
  EXPECT_EQ(yaml_of(particle + ", altitude: 0, rigidity: 2.08, sun: mean, thermal_flux: 1}"), bare);
  EXPECT_NE(yaml_of(particle + ", sun: quiet}").find("sun: quiet"), std::string::npos);
}

TEST(MemoryStrikeTest, ParticlesAreReadAsTheyStand) {
  const StrikeConfig strike =
      scenario_of(
          "strike: {process: particle, where: {memory: all}, radiation: thermal, altitude: 1609, "
          "strata: true, residence: 12}\naccelerator: {base: edge_8x8, node: " +
          quick_node("28nm") + "}")
          .strike;
  EXPECT_EQ(strike.particle.radiation, sim::Radiation::kThermal);
  EXPECT_EQ(strike.particle.altitude, 1609.0);
  EXPECT_EQ(strike.particle.strata, StrataChoice::kOn);
  EXPECT_EQ(strike.particle.residence_hours, 12.0);
  EXPECT_FALSE(is_persistent(strike));
}

TEST(MemoryStrikeTest, AnotherVoltageNeedsTheLawOfTheRate) {
  const std::string particle = "strike: {process: particle, where: {memory: all}";
  for (const std::string good :
       {", voltage: 0.9}", ", voltage: 0}", ", voltage: 0.7, rate_per_volt: 0}"}) {
    EXPECT_EQ(refusal(particle + good), "") << good << ": 28nm has 0.9 V";
  }
  const auto sweep = [&](const std::string& text) {
    return errors_of([&] {
      campaign_of("model: lenet5\n" + particle + text + "\nsweep: {strike.voltage: [0.9, 0.8]}");
    });
  };
  EXPECT_EQ(sweep(", rate_per_volt: 2.5}"), "");
  EXPECT_EQ(errors_of([&] {
              campaign_of("model: lenet5\n" + particle +
                          ", rate_per_volt: 2.5}\nsweep: {strike.voltage: [0, 0.8]}");
            }),
            "")
      << "a point with the node's own voltage";
  EXPECT_EQ(errors_of([&] {
              campaign_of("model: lenet5\n" + particle + ", rate_per_volt: 2.5}",
                          {"strike.voltage=0.8"});
            }),
            "");
  const std::string alone = refusal(particle + ", rate_per_volt: 2}");
  EXPECT_NE(alone.find("strike.rate_per_volt: without 'voltage' the supply is the node's"),
            std::string::npos)
      << alone;
  EXPECT_NE(alone.find("add 'voltage: ...' in V, or leave rate_per_volt out"), std::string::npos)
      << alone;
  const std::string swept = sweep("}");
  EXPECT_NE(swept.find("sweep point strike.voltage=0.8: strike.voltage: the rate"),
            std::string::npos)
      << swept;
  EXPECT_EQ(swept.find("strike.voltage=0.9"), std::string::npos) << swept;
  // Left out of the expanded form where it is not given: old results go on.
  EXPECT_EQ(expanded(scenario_of(particle + "}")).yaml().find("rate_per_volt"), std::string::npos);
}

TEST(MemoryStrikeTest, WhatMeansNothingIsRefused) {
  const std::string particle = "strike: {process: particle, where: {memory: all}, ";
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"strike: {where: {memory: scratchpat}}",
            "s.yaml:2:26: strike.where.memory: the accelerator has no memory named 'scratchpat'; "
            "did you mean 'scratchpad'?"},
           {"strike: {process: particle}",
            "strike.process: particles strike memories, and none is in 'where'; add 'where: "
            "{memory: all}'"},
           {"strike: {process: particle, where: {mesh: {}}}",
            "particles strike memories, and none is in 'where'"},
           {"strike: {where: {memory: all, mesh: {}}}",
            "mesh and memories together are drawn by their rates; write 'process: particle'"},
           {"strike: {where: {memory: all, weights: \"*\"}}", "memories and tensors at once"},
           {"strike: {where: {memory: all}, altitude: 100}",
            "strike.altitude: only particles have this key"},
           {"strike: {where: {memory: all}, per_parameter: 1e-7}",
            "strike.per_parameter: a memory knows cells, not parameters; write 'per_bit'"},
           {"strike: {where: {memory: all}, per_bit: 1e-7, count: 2}",
            "strike.per_bit: a rate draws the number of faulty cells; keep 'count' or the rate"},
           {particle + "per_bit: 1e-7}", "strike.per_bit: a rate draws the number of faulty cells"},
           {"strike: {where: {memory: all}, per_bit: 1.5}", "1.5 is not a probability"},
           {"strike: {where: {memory: all, bits: exponent}}", "these are bits of tensors"},
           {"strike: {where: {memory: {name: all, cells: check}}}",
            "strike.where.memory: 1 faults in different cells, of 0 cells"},
           {"strike: {where: {memory: {cell: 3}}}", "strike.where.memory.cell: unknown key"},
           {"strike: {where: {memory: all}, fault: stuck_at_0, lasts: {from: 9, until: 3}}",
            "the window ends before it starts"},
           {"strike: {where: {memory: all}, lasts: permanent}",
            "a flip or random value acts only once"},
           {"strike: {where: {memory: accumulator}, count: 1000000}",
            "strike.count: 1000000 faults in different cells, of 524288 cells"},
           {particle + "fault: stuck_at_0}", "strike.fault: a particle flips what it upsets"},
           {particle + "count: 2}", "strike.count: a trial is one particle"},
           {particle + "lasts: permanent}", "what a particle flips stays"},
           {particle + "radiation: beta}", "strike.radiation: 'beta' is not a choice"},
           {particle + "radiation: thermal}\naccelerator: {base: gemmini_16x16, node: 65nm}",
            "at 65nm no thermal events are known"},
           {particle + "rigidity: 18}", "strike.rigidity: 18 is out of range"},
           {particle + "sun: bright}", "strike.sun: 'bright' is not a choice"},
           {particle + "thermal_flux: -1}", "strike.thermal_flux: -1 is out of range"},
           {particle + "fluence: 1e6, rigidity: 5}",
            "strike.rigidity: a fluence says how many neutrons come, wherever; keep 'rigidity' or "
            "'fluence'"},
           {particle + "fluence: 1e6, sun: quiet}", "strike.sun: a fluence says"},
           {particle + "fluence: 1e6, thermal_flux: 2}",
            "strike.thermal_flux: a fluence is of fast neutrons alone"},
           {"strike: {where: {memory: all}, sun: quiet}", "strike.sun: only particles have this"},
           {particle + "altitude: 99999}", "strike.altitude: 99999 is out of range"},
           {particle + "voltage: 0.7}",
            "strike.voltage: the rate at another voltage than the 0.9 V of 28nm is not known; give "
            "rate_per_volt (published values for 28 to 65 nm SRAM neutron rates lie around 2 to 3 "
            "e-folds per volt, R), or 0 to leave the rate"},
           {particle + "voltage: 0.7, rate_per_volt: -1}",
            "strike.rate_per_volt: -1 is out of range"},
           {"strike: {where: {memory: all}, rate_per_volt: 2}",
            "strike.rate_per_volt: only particles have this key"},
           {particle + "heavy_tail: 2}", "strike.heavy_tail: 2 is out of range"},
           {particle + "fluence: 1e6, radiation: alpha}", "a fluence is of neutrons"},
           {particle + "fluence: 1e6, altitude: 5}", "wherever"},
           {particle + "fluence: 1e6, strata: true}", "several events in a trial"},
           {particle + "strata: maybe}", "'maybe' is not a choice"},
           {particle + "count: 1}\ntrials: exhaustive", "particles are drawn, not counted through"},
           {"strike: {process: particle, where: {memory: all, mesh: {layer: fc}}}",
            "rates are of all cycles"},
           {"strike: {process: particle, where: {memory: all, mesh: {}}, fluence: 1}",
            "judged on memories or on the mesh"},
           {"strike: {where: {memory: all}}\naccelerator: none", "there are no memories"},
           {"strike: {where: {memory: all}}\naccelerator: {mesh: {rows: 4, columns: 4}, name: "
            "bare}",
            "the accelerator 'bare' has no memories"},
           {"strike: {process: particle, where: {memory: all}}\naccelerator: {base: "
            "gemmini_16x16, memory: {mesh: {holds: weights, capacity: 1KiB}}}",
            "give this memory another name"},
           {"strike: {process: list, where: {memory: all}, faults: [{register: load, pe: [1, 2], "
            "bit: 3, cycle: 4}]}",
            "'where' means nothing with 'process: list'"}}) {
    const std::string errors = refusal(text);
    EXPECT_NE(errors.find(message), std::string::npos) << text << "\n" << errors;
  }
}

TEST(MemoryStrikeTest, SweepsReachIntoMemoriesAndNode) {
  const Campaign campaign = campaign_of(
      "model: lenet5\nstrike: {process: particle, where: {memory: all}}\nsweep: {accelerator.node: "
      "[28nm, 16nm], accelerator.memory.*.ecc: [none, secded]}",
      {"accelerator.memory.*.interleave=1"});
  ASSERT_EQ(campaign.points.size(), 4U);
  const bridge::AcceleratorConfig& last = campaign.points.back().scenario.accelerator;
  EXPECT_EQ(last.node, "16nm");
  for (const auto& [name, memory] : last.memory) {
    EXPECT_EQ(memory.ecc, sim::EccKind::kSecded);
    EXPECT_EQ(memory.interleave, 1);
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
