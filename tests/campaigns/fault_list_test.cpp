// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a list strike what it names, once, and is everything else refused where it stands?
#include "campaigns/scenario/fault_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "campaigns/plan/coverage.h"
#include "campaigns/plan/listed_population.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"
#include "campaigns/run/strike_trial.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

/// Two small memories with SEC-DED: codewords of 64 + 8 bits, two to a row.
const std::string kMemories =
    "accelerator: {base: gemmini_16x16, memory: {scratchpad: {capacity: 8KiB, banks: 4, row: 16, "
    "codeword: 64, interleave: 1, ecc: secded}, accumulator: {holds: accumulators, capacity: 2KiB, "
    "banks: 2, row: 16, codeword: 64, interleave: 1, ecc: secded}}}\n";

std::string list_of(const std::string& faults, const std::string& more = "") {
  return kMemories + "strike: {process: list, " + more + "faults: [" + faults + "]}";
}

struct Planned {
  explicit Planned(const std::string& text)
      : scenario(campaign_of("model: lenet5\n" + text).points.front().scenario),
        study(study_inputs(scenario, sim::builtin_engines()), {.read_of_16 = 16}),
        plan(scenario, study.facts()) {}

  Scenario scenario;
  FakeStudy study;
  Plan plan;
};

std::string refusal(const std::string& text) {
  return errors_of([&] { Planned{text}; });
}

void expect_refused(const std::string& text, const std::string& message) {
  const std::string errors = refusal(text);
  EXPECT_NE(errors.find(message), std::string::npos) << text << "\n" << errors;
}

TEST(FaultListTest, CellsAreNamedByCodewordOrByPlace) {
  // Bit 70 is a check bit; codeword 3 is the second of row 1.
  const Planned setup(
      list_of("[{memory: scratchpad, codeword: 3, bit: 70, cycle: 7, image: 2}, {memory: "
              "scratchpad, bank: 0, row: 1, column: 72, cycle: 7}], {memory: accumulator, bank: "
              "1, row: 0, column: 0, cycle: 9, fault: random}"));
  EXPECT_EQ(setup.plan.trials(), 2);
  EXPECT_EQ(setup.plan.population_text(), "2 listed trials");
  const DrawnTrial first = setup.plan.draw(TrialId(0));
  EXPECT_EQ(first.image, ImageId(2)) << "one fault names it for all";
  ASSERT_EQ(first.strike->cells.size(), 2U);
  for (const auto& [index, bit] : {std::pair{0, 0}, {1, 70}}) {
    const CellFault& fault = first.strike->cells[static_cast<std::size_t>(index)].fault;
    EXPECT_EQ(fault.memory, 0U);
    EXPECT_EQ(fault.bit, (CodewordBit{CodewordId(3), bit}));
    EXPECT_EQ(fault.when, (CycleWindow{7, 8}));
    EXPECT_EQ(fault.kind, FaultKind::kFlip);
  }
  EXPECT_EQ(first.strike->codewords, 1);
  const CellFault second = setup.plan.draw(TrialId(1)).strike->cells.front().fault;
  EXPECT_EQ(second.memory, 1U);
  EXPECT_EQ(second.bit, (CodewordBit{CodewordId(128), 0})) << "64 rows of 2 words are before it";
  EXPECT_EQ(second.kind, FaultKind::kRandom);
}

TEST(FaultListTest, CellsOfATrialWithoutACycleShareADrawnOne) {
  std::string faults;
  for (int i = 0; i < 60; ++i) {
    faults +=
        "[{memory: scratchpad, codeword: 5, bit: 0}, {memory: accumulator, codeword: 1, bit: "
        "3}, {memory: scratchpad, codeword: 5, bit: 1, cycle: 11}], ";
  }
  const Planned setup(list_of(faults));
  std::set<Cycle> cycles;
  for (std::uint64_t k = 0; k < 60; ++k) {
    const std::vector<DrawnCell> cells = setup.plan.draw(TrialId(k)).strike->cells;
    ASSERT_EQ(cells.size(), 3U);
    EXPECT_EQ(cells[0].fault.when, cells[2].fault.when);
    EXPECT_EQ(cells[1].fault.when, (CycleWindow{11, 12}));
    cycles.insert(cells[0].fault.when.from);
  }
  EXPECT_GT(cycles.size(), 40U) << "300 cycles to draw from";
  EXPECT_EQ(setup.plan.population().joint_structure(), "scratchpad+accumulator");
}

TEST(FaultListTest, StuckCellsLast) {
  const Planned setup(
      list_of("{memory: scratchpad, codeword: 5, bit: 0}, {memory: scratchpad, codeword: 5, bit: "
              "1, cycle: 20, until: 30}",
              "fault: stuck_at_1, "));
  EXPECT_TRUE(setup.plan.is_persistent());
  EXPECT_TRUE(setup.plan.draw(TrialId(0)).strike->cells.front().fault.when.is_permanent());
  EXPECT_EQ(setup.plan.draw(TrialId(1)).strike->cells.front().fault.when, (CycleWindow{20, 30}));
}

TEST(FaultListTest, TwoCellsOfACodewordAreWhatEccSeesTwice) {
  Planned setup(
      list_of("[{memory: scratchpad, codeword: 5, bit: 3, cycle: 4, image: 1}, {memory: "
              "scratchpad, codeword: 5, bit: 4, cycle: 4}], {memory: scratchpad, codeword: 5, "
              "bit: 3, cycle: 4, image: 1}"));
  std::vector<TrialRecord> records =
      strike_and_judge(setup.study, setup.plan, 0,
                       {setup.plan.draw(TrialId(0)), setup.plan.draw(TrialId(1))}, "systemc");
  ASSERT_TRUE(records[0].memory && records[1].memory);
  // The made-up study reads every codeword, through the code.
  EXPECT_EQ(records[0].memory->detected, 1);
  EXPECT_EQ(records[1].memory->corrected, 1);
  EXPECT_EQ(records[0].memory->corrected + records[1].memory->detected, 0);
  EXPECT_EQ(records[0].memory->bits, 2);
  EXPECT_EQ(records[0].memory->codewords, 1);
  EXPECT_EQ(records[0].structure, "scratchpad");
}

TEST(FaultListTest, CsvFilesNameCells) {
  const ScratchFolder folder;
  const std::string file = folder.write("f.csv",
                                        "trial,memory,codeword,bit,bank,row,column,cycle\n"
                                        "0,scratchpad,3,70,,,,7\n"
                                        "0,scratchpad,,,0,1,72,7\n");
  const Planned setup(kMemories + "strike: {process: list, faults: " + file + "}");
  ASSERT_EQ(setup.plan.trials(), 1);
  EXPECT_EQ(setup.plan.draw(TrialId(0)).strike->cells.size(), 2U);
  folder.write("f.csv", "trial,memory,codeword,bit\n0,scratchpad,3,70\n0,scratchpad,3,70\n");
  expect_refused(kMemories + "strike: {process: list, faults: " + file + "}",
                 file +
                     ":3:1: strike.faults: codeword 3 bit 70 of scratchpad (bank 0 row 1 column "
                     "142) twice in one trial, here and at " +
                     file + ":2:1; two flips undo each other");
}

TEST(FaultListTest, WhatAMemoryDoesNotHaveIsRefusedWithItsGeometry) {
  const std::string rule =
      "name codeword (0 to 1023) and bit (0 to 71, check bits from 64 on), or bank (0 to 3), row "
      "(0 to 127) and column (0 to 143)";
  for (const std::string place :
       {"codeword: 1024, bit: 0", "codeword: 0, bit: 72", "codeword: 4", "bit: 4",
        "bank: 4, row: 0, column: 0", "bank: 0, row: 128, column: 0",
        "bank: 0, row: 0, column: "
        "144",
        "bank: 0, row: 0", "codeword: 1, bit: 1, row: 0", "row: 0, column: 0",
        "codeword: 1, bit: 1, position: 2"}) {
    expect_refused(list_of("{memory: scratchpad, cycle: 1, " + place + "}"),
                   "strike.faults: 'scratchpad' has no such cell; " + rule);
  }
  const std::string cell = "memory: scratchpad, codeword: 1, bit: 1";
  expect_refused(list_of("{memory: scratchpat, codeword: 1, bit: 1}"),
                 "has no memory 'scratchpat'; did you mean 'scratchpad'?");
  expect_refused(list_of("{" + cell + ", cycle: 300}"), "cycles are 0 to 299");
  expect_refused(list_of("{" + cell + ", image: 10}"), "images are 0 to 9");
  expect_refused(list_of("{" + cell + ", until: 9, fault: stuck_at_0}", "lasts: transient, "),
                 "strike.faults.cycle: this key is required");
  expect_refused(list_of("{" + cell + ", image: 1, fault: stuck_at_0}"),
                 "a lasting fault is judged on all images in use");
  expect_refused("accelerator: none\nstrike: {process: list, faults: [{" + cell + "}]}",
                 "without an accelerator there are no memories");
  expect_refused(list_of("{" + cell + "}", "count: 2, "), "mean nothing with 'process: list'");
}

TEST(FaultListTest, AFaultIsInOnePlaceAndAListOnOneKindOfPlace) {
  const std::string cell = "{memory: scratchpad, codeword: 1, bit: 1}";
  const std::string flop = "{register: load, pe: [1, 2], bit: 3, cycle: 4}";
  const std::string word = "{tensor: fc.weight, word: 0, bit: 3}";
  expect_refused(list_of("{bit: 3, cycle: 4}"), "a fault that is nowhere; name one of {register");
  expect_refused(list_of("{memory: scratchpad, tensor: fc.weight, word: 0}"),
                 "a fault in two places; name one of");
  expect_refused(list_of(flop + ", " + cell),
                 "a cell of a memory in a list that begins with a register of the mesh (test.yaml");
  expect_refused(list_of("[" + word + ", " + flop + "]"),
                 "a register of the mesh in a list that begins with a word of a tensor");
  expect_refused(list_of(cell + ", " + word), "make a scenario for each");
}

TEST(FaultListTest, ABitTwiceInOneTrialIsRefusedWithBothPlaces) {
  const std::string start = "model: lenet5\n" + kMemories + "strike:\n  process: list\n";
  const auto errors_in = [&](const std::string& faults) {
    return errors_of([&] { campaign_of(start + "  faults:\n" + faults); });
  };
  const std::string registers = errors_in(
      "    - - {register: load, pe: [1, 2], bit: 3, cycle: 4}\n"
      "      - {register: load, pe: [1, 2], bit: 4, cycle: 4}\n"
      "      - {register: load, pe: [1, 2], bit: 3, cycle: 4}\n");
  EXPECT_EQ(registers,
            "test.yaml:8:9: strike.faults: load[1][2] bit 3 twice in one trial, here and at "
            "test.yaml:6:9; two flips undo each other: keep one of the two, or make them two "
            "trials");
  // A register's bit may be struck again once it is over.
  EXPECT_EQ(errors_in("    - - {register: load, pe: [1, 2], bit: 3, cycle: 4}\n"
                      "      - {register: load, pe: [1, 2], bit: 3, cycle: 5}\n"),
            "");
  const std::string stuck = errors_in(
      "    - - {register: load, pe: [1, 2], bit: 3, fault: stuck_at_0}\n"
      "      - {register: load, pe: [1, 2], bit: 3, fault: stuck_at_1, cycle: 9}\n");
  EXPECT_NE(stuck.find("a bit is stuck at 0 or at 1: keep one"), std::string::npos) << stuck;
  // One cell by both of its names, also at different cycles.
  const std::string cells = errors_in(
      "    - - {memory: scratchpad, codeword: 3, bit: 70, cycle: 4}\n"
      "      - {memory: scratchpad, bank: 0, row: 1, column: 142, cycle: 9}\n");
  EXPECT_NE(cells.find("test.yaml:7:9: strike.faults: codeword 3 bit 70 of scratchpad"),
            std::string::npos)
      << cells;
  EXPECT_EQ(errors_in("    - {memory: scratchpad, codeword: 3, bit: 70, cycle: 4}\n"
                      "    - {memory: scratchpad, codeword: 3, bit: 70, cycle: 4}\n"),
            "")
      << "two trials";
}

/// What a network of three layers stores.
bridge::StudyFacts tensor_facts() {
  bridge::StudyFacts study{sim::MeshConfig{}};
  study.images = 4;
  study.stores = {{"c.weight", "c", TensorRole::kWeight, kFloat32, 6, "6"},
                  {"c.bias", "c", TensorRole::kBias, kFloat32, 2, "2"},
                  {"fc.weight", "fc", TensorRole::kWeight, kFloat32, 92, "92"},
                  {"input", "input", TensorRole::kActivation, kFloat32, 20, "20"},
                  {"c", "c", TensorRole::kActivation, kFloat32, 30, "30"},
                  {"fc", "fc", TensorRole::kActivation, kFloat32, 10, "10"}};
  for (const char* name : {"c", "flatten", "fc"}) {
    study.layers.emplace_back();
    study.layers.back().name = name;
  }
  return study;
}

Scenario on_tensors(const std::string& strike) {
  return campaign_of("model: lenet5\naccelerator: none\nstrike: " + strike).points.front().scenario;
}

std::string refused_words(const std::string& faults, const bridge::StudyFacts& study) {
  return errors_of([&] { Plan(on_tensors("{process: list, faults: [" + faults + "]}"), study); });
}

TEST(FaultListTest, AWordsBitTwiceIsRefusedBeforeAnyTrial) {
  const bridge::StudyFacts study = tensor_facts();
  const std::string twice = refused_words(
      "{tensor: c.weight, word: 1, bit: 3}, [{tensor: c.weight, word: 3, bit: 30}, {tensor: c.bias,"
      " word: 0, bit: 30}, {tensor: c.weight, word: 3, bit: 30}]",
      study);
  EXPECT_NE(twice.find("strike.faults: bit 30 of word 3 of c.weight twice in one trial, here and "
                       "at test.yaml:3:"),
            std::string::npos)
      << twice;
  EXPECT_EQ(twice.rfind("test.yaml:3:", 0), 0U) << twice;
  EXPECT_NE(twice.find("two flips undo each other"), std::string::npos) << twice;
  const std::string stuck = refused_words(
      "[{tensor: c.weight, word: 3, bit: 30, fault: stuck_at_1}, {tensor: c.weight, word: 3, bit: "
      "30, fault: stuck_at_0}]",
      study);
  EXPECT_NE(stuck.find("a bit is stuck at 0 or at 1"), std::string::npos) << stuck;
  const std::string whole = refused_words(
      "[{tensor: c.weight, word: 3, fault: random}, {tensor: c.weight, word: 3, bit: 7}]", study);
  EXPECT_NE(whole.find("bit 7 of word 3 of c.weight twice"), std::string::npos) << whole;
  EXPECT_EQ(refused_words("[{tensor: c.weight, word: 3, bit: 6}, {tensor: c.weight, word: 3, bit: "
                          "7}, {tensor: c.weight, word: 2, bit: 7}]",
                          study),
            "");
}

TEST(FaultListTest, ASharedParameterIsOneStoreByBothOfItsNames) {
  bridge::StudyFacts study = tensor_facts();
  study.stores[0].layers = {"c", "fc", "head"};  // "fc.weight" is another's own name
  const std::string head = "{tensor: head.weight, word: 3, bit: 30}";
  EXPECT_EQ(refused_words(head + ", [{tensor: fc.weight, word: 3, bit: 30}, " + head + "]", study),
            "");
  const std::string twice =
      refused_words("[" + head + ", {tensor: c.weight, word: 3, bit: 30}]", study);
  EXPECT_NE(twice.find("bit 30 of word 3 of c.weight twice in one trial"), std::string::npos)
      << twice;
}

TEST(FaultListTest, NamesThatTheNetworkDoesNotStoreSayWhatItStores) {
  const bridge::StudyFacts study = tensor_facts();
  EXPECT_NE(refused_words("{tensor: c.wight, word: 0, bit: 3}", study)
                .find("stores no tensor 'c.wight'; near: c.weight"),
            std::string::npos);
  const std::string view = refused_words("{tensor: flatten, word: 0, bit: 3}", study);
  EXPECT_NE(view.find("the layer 'flatten' stores no words of its own"), std::string::npos) << view;
  // All that is wrong at once.
  const std::string two =
      refused_words("{tensor: c.bias, word: 2}, {tensor: c.bias, word: 0, bit: 32}", study);
  EXPECT_NE(two.find("words are 0 to 1"), std::string::npos) << two;
  EXPECT_NE(two.find("bits are 0 to 31"), std::string::npos) << two;
  EXPECT_NE(refused_words("{tensor: c.bias, word: 1, bit: 3, image: 2}", study)
                .find("these faults stay, and are judged on all images in use"),
            std::string::npos);
}

TEST(FaultListTest, WeightsAndActivationsMeetInOneInference) {
  const bridge::StudyFacts study = tensor_facts();
  const Plan plan(on_tensors("{process: list, faults: [[{tensor: c, word: 29, bit: 2, image: 3}, "
                             "{tensor: c.weight, word: 3, bit: 3}], {tensor: fc.weight, word: 91, "
                             "bit: 0, image: 1}]}"),
                  study);
  EXPECT_FALSE(plan.is_persistent());
  EXPECT_EQ(plan.population().lasts(), "for one inference");
  const DrawnTrial drawn = plan.draw(TrialId(0));
  EXPECT_EQ(drawn.image, ImageId(3));
  ASSERT_EQ(drawn.words.faults.size(), 2U);
  EXPECT_EQ(drawn.words.faults[0].store, StoreId(0));
  EXPECT_EQ(drawn.words.faults[1].store, StoreId(4));
  EXPECT_EQ(plan.image_of(TrialId(1)), ImageId(1)) << "as all trials of such a list";
  // Drawn from all words of both.
  const Plan both(on_tensors("{where: {weights: \"*\", activations: \"*\"}, count: 2}"), study);
  EXPECT_FALSE(both.is_persistent());
  EXPECT_EQ(both.population_text(), "5056 bits of 158 words in 5 tensors x 4 images");
  int with_weights = 0;
  constexpr int kTrials = 4000;
  for (std::uint64_t k = 0; k < kTrials; ++k) {
    const DrawnTrial trial = both.draw(TrialId(k));
    EXPECT_TRUE(trial.image.has_value());
    for (const WordFault& fault : trial.words.faults) {
      with_weights += study.stores[fault.store.value].role == TensorRole::kWeight ? 1 : 0;
    }
  }
  const double share = 98.0 / 158.0;
  EXPECT_NEAR(with_weights, 2 * kTrials * share, 5 * std::sqrt(2 * kTrials * share * (1 - share)));
  const Plan stuck(on_tensors("{where: {weights: \"*\", activations: \"*\"}, fault: stuck_at_0}"),
                   study);
  EXPECT_TRUE(stuck.is_persistent()) << "stuck for ever, on every image";
}

TEST(FaultListTest, FaultsPerParameterOfAListAreCounted) {
  const bridge::StudyFacts study = tensor_facts();
  const Plan plan(on_tensors("{process: list, faults: [[{tensor: c.weight, word: 3, bit: 20}, "
                             "{tensor: fc.weight, word: 30, bit: 21}, {tensor: c.weight, word: 5, "
                             "bit: 22}], {tensor: c.bias, word: 1, bit: 3}]}"),
                  study);
  // Two faults a trial on average; 6 + 2 + 92 words.
  EXPECT_DOUBLE_EQ(plan.population().expected(), 2.0);
  EXPECT_DOUBLE_EQ(*plan.population().expected_per_word(), 0.02);
  EXPECT_EQ(plan.population().weight(), 1.0);
}

TEST(CoverageTest, CountsWhatNoStrikeCanNameAndTellsWhatIsStoredTwice) {
  bridge::StudyFacts study = tensor_facts();
  study.unstruck = {{"mask", "bool", 50, "truth values"}};
  study.stores[2].note = "one of two copies";
  const Plan plan(on_tensors("{where: {weights: \"*\"}}"), study);
  EXPECT_EQ(text_of(report_of(coverage_of(plan.population().selected(), study))),
            "covers 98 of 150 stored words (65.3 %); left out: mask (50, truth values), c.bias (2, "
            "bias)\nfc.weight: one of two copies\n");
}

TEST(CoverageTest, SaysWhatGlobsLeaveOut) {
  bridge::StudyFacts study = tensor_facts();
  study.stores.insert(study.stores.begin() + 3,
                      {"mask", "fc", TensorRole::kParameter, kFloat32, 50, "50"});
  const auto covered = [&](const std::string& where) {
    const Plan plan(on_tensors("{where: " + where + "}"), study);
    return coverage_of(plan.population().selected(), study);
  };
  const TensorCoverage weights = covered("{weights: \"*\"}");
  EXPECT_EQ(weights.stored.covered, 98);
  EXPECT_EQ(weights.stored.words, 150);
  EXPECT_FALSE(weights.activations.has_value());
  EXPECT_EQ(text_of(report_of(weights)),
            "covers 98 of 150 stored words (65.3 %); left out: mask (50, parameter), c.bias (2, "
            "bias)\n");
  const TensorCoverage input = covered("{activations: [input, fc]}");
  EXPECT_EQ(text_of(report_of(input)),
            "covers none of the 150 stored words\ncovers 30 of 60 words of activations of an image "
            "(50.0 %); left out: c (30, activation)\nlayers without words of their own (views, or "
            "of no one image): flatten\n");
  EXPECT_NE(text_of(report_of(covered("{weights: \"*\", biases: \"*\", parameters: mask}")))
                .find("covers all 150 stored words"),
            std::string::npos);
  // A glob of a layer that is no weight: the list in words is short, the one for scripts is whole.
  for (int i = 0; i < 9; ++i) {
    study.stores.push_back(
        {"norm" + std::to_string(i), "n", TensorRole::kNormalisation, kFloat32, 10'000, "1"});
  }
  const TensorCoverage few = covered("{weights: \"c\"}");
  EXPECT_EQ(few.stored.left_out.size(), 12U);
  const std::string text = text_of(report_of(few));
  EXPECT_NE(text.find("covers 6 of 90150 stored words (under 0.1 %); left out: norm0 (10000, "
                      "normalisation), "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("norm5 (10000, normalisation) and 6 more (30144 words)"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace tilestrike::campaigns
