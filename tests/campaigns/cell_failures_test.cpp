// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do campaigns of low voltage and of DRAM failures strike the cells that fail, the same ones at
// every point of a sweep and on replay, and is what makes no sense refused?
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "campaigns/plan/dram_population.h"
#include "campaigns/plan/low_voltage_population.h"
#include "campaigns/report/report.h"
#include "campaigns/run/replay.h"
#include "campaigns/run/runner.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

const std::string kDram =
    "accelerator: {base: gemmini_16x16, memory: {dram: {holds: backing, capacity: 64KiB, banks: 4, "
    "row: 256, ecc: ssc}}}\n";

StudyFactory studies() {
  return [](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, FakeStudy::Settings{});
  };
}

/// The trials of a campaign, by scenario and number.
using Rows = std::map<std::pair<std::int64_t, std::int64_t>, TrialRecord>;
Rows run(const ScratchFolder& folder, const std::string& text, std::int64_t trials) {
  const Campaign campaign = campaign_of(text);
  const std::string path = folder.path("r.sqlite");
  const auto results = Results::for_campaign(path, campaign);
  Surroundings surroundings;
  surroundings.open_study = studies();
  run_campaign(campaign, *results, surroundings);
  Rows rows;
  for (std::int64_t scenario = 0; scenario < static_cast<std::int64_t>(campaign.points.size());
       ++scenario) {
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      ReplayRequest request;
      request.results = path;
      request.scenario = scenario;
      request.trial = trial;
      const ReplayReport report = replay(request, sim::builtin_engines(), studies());
      EXPECT_TRUE(report.differences.empty()) << text_of(report_of(report));
      rows[{scenario, trial}] = report.record;
    }
  }
  return rows;
}

TEST(CellFailuresTest, LowVoltageStrikesTheFailingCellsThatHoldAnything) {
  sim::MemoryConfig config;
  config.capacity_bytes = 64 * 1024;
  config.row_bytes = 64;
  const std::vector<bridge::StudyMemory> memories = {
      {"a", config, 0}, {"b", config, 3000}, {"c", config, 8192}};
  const std::vector<std::size_t> selected = {1, 2};
  sim::LowVoltageConfig law;
  law.voltage = 0.52;
  const CellFailures found = fail_at_low_voltage(memories, selected, law, 7, 3);
  const sim::ArrayGeometry geometry(config.array());
  std::vector<CellFault> expected;
  std::uint64_t cells = 0;
  for (const std::size_t memory : selected) {
    for (const sim::FailingCell& cell :
         sim::LowVoltageArray(geometry, law, 7, 3, memory).failing(0.52)) {
      ++cells;
      if (memory == 2 || cell.bit.codeword.value < 3000) {
        expected.push_back({memory, cell.bit,
                            cell.value ? FaultKind::kStuckAt1 : FaultKind::kStuckAt0,
                            CycleWindow{}});
      }
    }
  }
  ASSERT_GT(expected.size(), 100U);
  ASSERT_EQ(found.faults.size(), expected.size());
  EXPECT_EQ(found.cells, cells);
  EXPECT_GT(found.cells, found.faults.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found.faults[i].memory, expected[i].memory);
    EXPECT_EQ(found.faults[i].bit, expected[i].bit);
    EXPECT_EQ(found.faults[i].kind, expected[i].kind);
    EXPECT_TRUE(found.faults[i].when.is_permanent());
  }
}

TEST(CellFailuresTest, ALowerVoltageAddsCellsToTheSameChips) {
  const ScratchFolder folder;
  const Rows rows = run(folder,
                        "model: lenet5\ntrials: 5\nstrike: {process: low_voltage, where: {memory: "
                        "all}, low_voltage: {correlated: 0.3}}\n"
                        "sweep: {strike.low_voltage.voltage: [0.56, 0.54, 0.52]}",
                        5);
  for (std::int64_t trial = 0; trial < 5; ++trial) {
    std::int64_t before = 0;
    for (std::int64_t scenario = 0; scenario < 3; ++scenario) {
      const TrialRecord& row = rows.at({scenario, trial});
      EXPECT_GT(row.memory->bits, before);
      before = row.memory->bits;
      EXPECT_EQ(row.images, 10) << "a chip is judged on all images";
    }
  }
}

TEST(CellFailuresTest, AChipIsATrialOfAllOfItsMemories) {
  const ScratchFolder folder;
  const std::string low =
      "model: lenet5\ntrials: 20\nstrike: {process: low_voltage, low_voltage: {voltage: 0.57, "
      "correlated: 0}, where: {memory: ";
  const Campaign campaign = campaign_of(low + "all}}");
  const auto& memories = campaign.points.front().scenario.accelerator.memory;
  ASSERT_EQ(memories.size(), 2U);
  std::set<std::string> firsts;
  for (const auto& [key, row] : run(folder, low + "all}}", 20)) {
    EXPECT_EQ(row.structure, "scratchpad+accumulator");
    // The place is that of the first failing cell, in the memory that `register` names.
    const auto trial = static_cast<std::uint64_t>(key.second);
    for (std::size_t i = 0; i < memories.size(); ++i) {
      const sim::ArrayGeometry geometry(memories[i].second.array());
      const auto& law = campaign.points.front().scenario.strike.low_voltage;
      const auto cells = sim::LowVoltageArray(geometry, law, 1, trial, i).failing(0.57);
      if (!cells.empty()) {
        EXPECT_EQ(row.register_name, memories[i].first);
        EXPECT_EQ(row.memory->word, static_cast<std::int64_t>(cells[0].bit.codeword.value));
        EXPECT_EQ(row.memory->row, geometry.cell_of(cells[0].bit).row);
        firsts.insert(memories[i].first);
        break;
      }
    }
  }
  EXPECT_FALSE(firsts.empty());
  std::filesystem::remove(folder.path("r.sqlite"));
  const auto results = Results::for_campaign(folder.path("r.sqlite"), campaign);
  Surroundings surroundings;
  surroundings.open_study = studies();
  const RunReport done = run_campaign(campaign, *results, surroundings);
  ASSERT_EQ(done.summaries.front().registers.size(), 1U) << "no split by the first failing cell";
  EXPECT_EQ(done.summaries.front().registers[0].name, "scratchpad+accumulator");
  EXPECT_EQ(done.summaries.front().registers[0].activated.n, 20);
  std::filesystem::remove(folder.path("r.sqlite"));
  for (const auto& [key, row] : run(folder, low + "accumulator}}", 20)) {
    EXPECT_EQ(row.structure, "accumulator") << "struck alone it keeps its name";
    EXPECT_EQ(row.register_name, "");
  }
}

TEST(CellFailuresTest, SoIsATrialOfCellsHereAndThereAndOfAFluence) {
  for (const auto& [strike, structure] : std::vector<std::pair<std::string, std::string>>{
           {"{where: {memory: all}, count: 3}", "scratchpad+accumulator"},
           {"{where: {memory: all}, per_bit: 1e-6}", "scratchpad+accumulator"},
           {"{where: {memory: accumulator}, count: 3}", "accumulator"},
           {"{process: particle, where: {memory: all}, fluence: 1e9}", "scratchpad+accumulator"},
           {"{where: {memory: all}}", ""},
           {"{process: particle, where: {memory: all}}", ""}}) {
    const ScratchFolder folder;
    for (const auto& [key, row] : run(folder, "model: lenet5\ntrials: 5\nstrike: " + strike, 5)) {
      const std::string name = row.structure;
      if (structure.empty()) {  // one event strikes one memory
        EXPECT_TRUE(name == "scratchpad" || name == "accumulator") << strike << " " << name;
        EXPECT_EQ(row.register_name, "");
      } else {
        EXPECT_EQ(name, structure) << strike;
        EXPECT_EQ(row.register_name.empty(), structure == "accumulator") << strike;
      }
    }
  }
}

TEST(CellFailuresTest, AChipWithoutFailingCellsIsATrialToo) {
  const ScratchFolder folder;
  const Rows rows = run(folder,
                        "model: lenet5\ntrials: 3\nstrike: {process: low_voltage, where: {memory: "
                        "scratchpad}, low_voltage: {voltage: 0.9}}",
                        3);
  for (const auto& [key, row] : rows) {
    EXPECT_EQ(row.memory->bits, 0);
    EXPECT_EQ(row.outcome, Outcome::kMasked);
    EXPECT_EQ(row.masked_at, MaskedAt::kUnchanged);
    EXPECT_EQ(row.structure, "scratchpad");
  }
}

TEST(CellFailuresTest, DramFailsAsItsFileSaysInTheMemoryThatHoldsBackingCopies) {
  const ScratchFolder folder;
  const std::string own = folder.write(
      "own.csv",
      "mode,transient_fit,transient_src,permanent_fit,permanent_src\nrow,1,A,0,A\nbank,0,A,2,A\n");
  const std::string strike =
      "strike: {process: dram, where: {memory: all}, dram: {devices: 10, "
      "modes: " +
      own + "}, lasts: ";
  const Rows rows = run(folder, "model: lenet5\ntrials: 6\n" + kDram + strike + "transient}", 6);
  for (const auto& [key, row] : rows) {
    EXPECT_EQ(row.structure, "dram");
    EXPECT_GE(row.memory->codewords, 29) << "of 32 in a row, some without a flip";
    EXPECT_LE(row.memory->codewords, 32);
    EXPECT_GT(row.memory->bits, 32 * 8 / 3);
    EXPECT_LT(row.memory->bits, 32 * 8 * 2 / 3);
    EXPECT_EQ(row.fault, FaultKind::kFlip);
    EXPECT_EQ(row.images, 1);
  }
  const ScratchFolder& again = folder;
  std::filesystem::remove(again.path("r.sqlite"));
  for (const auto& [key, row] :
       run(again, "model: lenet5\ntrials: 4\n" + kDram + strike + "permanent}", 4)) {
    EXPECT_EQ(row.memory->codewords, 2048) << "a bank";
    EXPECT_EQ(row.memory->bits, 2048 * 8) << "every bit of the device is stuck";
    EXPECT_EQ(row.images, 10);
  }
}

TEST(CellFailuresTest, TheSummaryWarnsOfDevicesThatWereNotStudied) {
  const ScratchFolder folder;
  const auto results_of = [&](const std::string& text) {
    const Campaign campaign = campaign_of("model: lenet5\ntrials: 3\n" + text);
    const std::string path = folder.path("r.sqlite");
    std::filesystem::remove(path);
    const auto results = Results::for_campaign(path, campaign);
    Surroundings surroundings;
    surroundings.open_study = studies();
    return text_of(report_of(run_campaign(campaign, *results, surroundings).summaries.front()));
  };
  const std::string warning = "warning: strike.dram: a device of 'dram' has 64 Kbit";
  EXPECT_NE(results_of(kDram + "strike: {process: dram, where: {memory: all}, dram: {devices: 10}}")
                .find(warning),
            std::string::npos);
  EXPECT_EQ(results_of(kDram + "strike: {where: {memory: dram}}").find("strike.dram"),
            std::string::npos);
}

TEST(CellFailuresTest, FlipsAreThoseOfTheUpset) {
  sim::MemoryConfig config;
  config.capacity_bytes = 16 * 1024;
  config.banks = 2;
  config.ecc = sim::EccKind::kSsc;
  const std::vector<bridge::StudyMemory> memories = {{"d", config, 700}};
  const std::vector<std::size_t> selected = {0};
  const sim::DramConfig device{10, sim::DeviceSpread::kAcross};
  std::vector<sim::DramModeRate> rates(1);
  rates[0].mode = sim::DramMode::kMultiBank;
  rates[0].transient.value = 1.0;
  const sim::DramEventLaw law(rates);
  const CellFailures found = fail_in_dram(memories, selected, device, law, {5, 6}, 1, 0);
  const sim::ArrayGeometry geometry(config.array());
  const sim::DramUpset upset(law.draw(geometry, 1, 0), geometry, device);
  std::size_t next = 0;
  for (std::uint64_t word = 0; word < 700; ++word) {
    upset.struck(sim::CodewordId(word)).for_each([&](int bit) {
      ASSERT_LT(next, found.faults.size());
      EXPECT_EQ(found.faults[next].bit, (sim::CodewordBit{sim::CodewordId(word), bit}));
      EXPECT_EQ(found.faults[next].kind, FaultKind::kFlip);
      EXPECT_EQ(found.faults[next].when, (CycleWindow{5, 6}));
      ++next;
    });
  }
  EXPECT_EQ(next, found.faults.size()) << "cells that never hold anything are left out";
  EXPECT_GT(next, 2000U);
}

TEST(CellFailuresTest, ExpandingTwiceIsExpandingOnce) {
  for (const std::string& text :
       {std::string("strike: {process: low_voltage, where: {memory: all}, low_voltage: {voltage: "
                    "0.5, ones: 0.9}}"),
        kDram + "strike: {process: dram, where: {memory: dram}, dram: {devices: 10}}"}) {
    const Campaign once = campaign_of("model: lenet5\n" + text);
    const std::string expanded = once.points.front().document.yaml();
    EXPECT_EQ(campaign_of(expanded).points.front().document.yaml(), expanded);
  }
}

TEST(CellFailuresTest, WhatMakesNoSenseIsRefused) {
  const auto refusal = [](const std::string& text) {
    return errors_of([&] { campaign_of("model: lenet5\n" + text); });
  };
  const std::string low = "strike: {process: low_voltage, where: {memory: all}, ";
  const std::string dram = kDram + "strike: {process: dram, where: {memory: all}, ";
  const std::pair<std::string, std::string> cases[] = {
      {"strike: {process: low_voltage}", "this process strikes memories, and none is in 'where'"},
      {"strike: {process: low_voltage, where: {memory: all, mesh: {}}}",
       "this process strikes memories alone"},
      {low + "fault: stuck_at_1}", "the process says what becomes of each cell"},
      {low + "lasts: transient}", "cells fail as long as the supply is low"},
      {low + "count: 2}", "a trial is one chip"},
      {low + "low_voltage: {sigma: -1}}", "strike.low_voltage.sigma"},
      {low + "dram: {devices: 2}}", "strike.dram: only the process of this name has this key"},
      {low + "altitude: 3}", "only particles have this key"},
      {low + "}\ntrials: exhaustive", "what fails is drawn"},
      {"strike: {where: {memory: all}, low_voltage: {voltage: 0.5}}",
       "strike.low_voltage: only the process of this name"},
      {"strike: {process: dram, where: {memory: all}}",
       "no memory of 'gemmini_16x16' holds backing copies alone"},
      {dram + "dram: {devices: 3}}", "3 do not share the 80 bits of a codeword evenly"},
      {dram + "dram: {modes: no.csv}}", "no.csv"},
      {dram + "dram: {density: 2}}", "strike.dram.density"},
  };
  for (const auto& [text, part] : cases) {
    const std::string errors = refusal(text);
    EXPECT_NE(errors.find(part), std::string::npos) << text << "\n" << errors;
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
