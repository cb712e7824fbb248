// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are all shapes enumerated, with the right probabilities, and what they mean for codewords?
#include "sim/strikes/cluster_shapes.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

EventProbabilities events_of(const std::string& node, int interleave,
                             EccKind kind = EccKind::kSecded, int tap_rows = 0) {
  const EccCode& code = EccCode::make(kind, 64);
  return enumerate_events(cluster_law(shipped_node(node), Radiation::kNeutron),
                          {code.codeword_bits(), interleave, tap_rows}, judge_by(code));
}

TEST(ClusterShapesTest, AllFixedPolyominoesOfUpToTenCells) {
  // OEIS A001168.
  const std::size_t counts[] = {1, 2, 6, 19, 63, 216, 760, 2725, 9910, 36446};
  const auto shapes = enumerate_shapes(0.121, 10);
  ASSERT_EQ(shapes.size(), 10);
  for (std::size_t n = 1; n <= 10; ++n) {
    EXPECT_EQ(shapes[n - 1].size(), counts[n - 1]);
    double sum = 0.0;
    for (const ClusterShape& shape : shapes[n - 1]) {
      sum += shape.probability();
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

TEST(ClusterShapesTest, ProbabilitiesOfSmallShapesByHand) {
  const double p = 0.3, q = 0.7;
  const auto shapes = enumerate_shapes(p, 3);
  const auto find = [&](std::vector<ClusterCell> cells) {
    for (const ClusterShape& shape : shapes[cells.size() - 1]) {
      if (std::equal(cells.begin(), cells.end(), shape.used().begin())) {
        return shape;
      }
    }
    return ClusterShape{};
  };
  EXPECT_NEAR(find({{0, 0}, {0, 1}}).probability(), p, 1e-15);
  EXPECT_NEAR(find({{0, 0}, {1, 0}}).probability(), q, 1e-15);
  EXPECT_NEAR(find({{0, 0}, {1, 0}}).struck[0], q / 2, 1e-15);
  // From two in a row a step leads to either end (p each) or beside (q each of four).
  const double flat = 2 * p + 4 * q;
  const double tall = 2 * q + 4 * p;
  EXPECT_NEAR(find({{0, 0}, {0, 1}, {0, 2}}).probability(), p * 2 * p / flat, 1e-15);
  EXPECT_NEAR(find({{0, 0}, {1, 0}, {2, 0}}).probability(), q * 2 * q / tall, 1e-15);
  EXPECT_NEAR(find({{0, 0}, {0, 1}, {1, 0}}).probability(), p * q / flat + q * p / tall, 1e-15);
  // The middle of three in a row is struck as often as both ends together.
  const ClusterShape row = find({{0, 0}, {0, 1}, {0, 2}});
  EXPECT_NEAR(row.struck[1], row.struck[0] + row.struck[2], 1e-15);
}

TEST(ClusterShapesTest, ValuesAt28NanometresWithSecded) {
  const EventProbabilities one = events_of("28nm", 1);
  EXPECT_NEAR(one.several_bits, 5.838e-2, 0.001e-2);
  EXPECT_NEAR(one.three_bits, 1.848e-3, 0.001e-3);
  EXPECT_NEAR(one.detected, 5.77e-2, 0.005e-2);
  EXPECT_NEAR(one.silent, 9.11e-4, 0.005e-4);
  EXPECT_NEAR(one.silent_only, 6.80e-4, 0.005e-4);
  EXPECT_EQ(one.not_enumerated, 0.0);
  const EventProbabilities two = events_of("28nm", 2);
  EXPECT_NEAR(two.detected, 1.9e-3, 0.05e-3);
  EXPECT_NEAR(two.silent_only, 1.9e-9, 0.05e-9);
  const EventProbabilities four = events_of("28nm", 4);
  EXPECT_NEAR(four.detected, 5.5e-7, 0.05e-7);
  EXPECT_EQ(four.silent_only, 0.0);
}

TEST(ClusterShapesTest, TheStruckCodewordIsOneOfTheEventsCodewords) {
  for (const char* node : {"130nm", "28nm", "5nm"}) {
    const EventProbabilities events = events_of(node, 1);
    EXPECT_LT(events.detected_in_struck, events.detected);
    EXPECT_LT(events.silent_in_struck, events.silent);
    EXPECT_GT(events.detected_in_struck, 0.5 * events.detected);
    EXPECT_LE(events.silent_only, events.silent);
  }
}

TEST(ClusterShapesTest, WithoutAnEccEveryDataCellIsSilent) {
  const EventProbabilities none = events_of("28nm", 1, EccKind::kNone);
  EXPECT_NEAR(none.silent, 1.0, 1e-12);
  EXPECT_EQ(none.detected, 0.0);
  // Parity sees an odd number of cells, and its own bit is a cell like any other.
  const EventProbabilities parity = events_of("28nm", 1, EccKind::kParity);
  EXPECT_NEAR(parity.detected + parity.silent_only, 1.0, 1e-3);
  EXPECT_GT(parity.detected, 0.9);
}

TEST(ClusterShapesTest, WellTapsCutTheShareByTheStepsThatCrossThem) {
  const double whole = events_of("28nm", 1).several_cells;
  EXPECT_NEAR(whole, 0.277, 1e-12);
  // A vertical pair is cut if its second cell lies beyond a tap: one place of 16.
  ClusterLaw pairs = cluster_law(shipped_node("28nm"), Radiation::kNeutron);
  pairs.most_cells = 2;
  const JudgeCodeword judge = judge_by(EccCode::make(EccKind::kSecded, 64));
  EXPECT_NEAR(enumerate_events(pairs, {72, 1, 16}, judge).several_cells,
              0.277 * (1 - (1 - 0.121) / 16), 1e-12);
  const double cut = events_of("28nm", 1, EccKind::kSecded, 16).several_cells;
  EXPECT_NEAR(1 - cut / whole, 0.045, 0.005);
  // Rows that are alone between taps leave steps along the word line only.
  const double alone = events_of("28nm", 1, EccKind::kSecded, 1).several_cells;
  EXPECT_LT(alone, 0.277 * 0.3);
  EXPECT_NEAR(enumerate_events(pairs, {72, 1, 1}, judge).several_cells, 0.277 * 0.121, 1e-12);
}

TEST(ClusterShapesTest, WhatIsTooLargeIsSaid) {
  ClusterLaw law = cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, 1e-3);
  const EventProbabilities events =
      enumerate_events(law, {72, 1, 0}, judge_by(EccCode::make(EccKind::kSecded, 64)));
  const std::vector<double> sizes = size_probabilities(law);
  EXPECT_NEAR(events.not_enumerated, 1e-3 - sizes[9], 1e-12);
}

/// "1.87e-03", and a plain 0 where there is no way, as the documentation has it.
std::string chance(double probability) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2e", probability);
  return probability > 0.0 ? text : "0";
}

TEST(ClusterShapesTest, TheDocumentedTablesAreTheEnumeratedOnes) {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  const std::string documented =
      read_text_file(std::string(root != nullptr ? root : ".") + "/docs/technology_nodes.md");
  for (const TechnologyNode& node : shipped_nodes()) {
    std::string several = "| " + node.name, outcomes = several, silent;
    double before = 1.0;
    for (const int interleave : {1, 2, 4, 8}) {
      const EventProbabilities events = events_of(node.name, interleave);
      EXPECT_LE(events.several_bits, before) << node.name << " " << interleave;
      before = events.several_bits;
      several += " | " + chance(events.several_bits);
      outcomes += " | " + chance(events.detected);
      if (interleave <= 2) {
        silent += " | " + chance(events.silent_only);
      } else {
        EXPECT_EQ(events.silent_only, 0.0) << node.name << " " << interleave;
      }
    }
    several += " |\n";
    outcomes += silent + " |\n";
    EXPECT_NE(documented.find(several), std::string::npos) << several;
    EXPECT_NE(documented.find(outcomes), std::string::npos) << outcomes;
  }
}

TEST(ClusterShapesTest, InterleavingBeyondTheSpanLeavesOneBitToACodeword) {
  for (const char* node : {"130nm", "28nm", "3nm"}) {
    EXPECT_EQ(events_of(node, 10).several_bits, 0.0);  // no cluster is wider than ten columns
  }
}

}  // namespace
}  // namespace tilestrike::sim
