// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the patterns of events, what pairs of them come to, and the rates that follow exact? (Against
// strikes that are drawn: accumulation_strikes_test.cpp.)
#include "sim/strikes/accumulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sim/strikes/rates.h"
#include "tests/sim/accumulation_cases.h"
#include "tests/sim/nodes.h"

namespace tilestrike::sim {
namespace {

const ClusterLaw kSingles = law_of(0.0, 0.0, 1, 0.5);

using Words = std::array<std::uint64_t, 3>;

TEST(AccumulationTest, PatternsOfAnEventAreThoseOfEveryStrikeInTurn) {
  struct Case {
    int interleave, tap_rows;
  };
  for (const auto& [interleave, tap_rows] : {Case{1, 0}, Case{2, 0}, Case{1, 3}, Case{3, 1}}) {
    SCOPED_TRACE(testing::Message() << "interleave " << interleave << ", taps " << tap_rows);
    const ClusterLaw law = law_of(0.6, 0.8, 5, 0.6);
    // Rows 3 to 5 of 9, and the second of three groups of codewords, see no edge of the bank.
    const ArrayGeometry geometry({27 * interleave, 1, 3 * interleave, 8, 5, interleave});
    ASSERT_EQ(geometry.rows(), 9);
    const int first_row = tap_rows > 0 ? 3 : 4;
    const int rows = tap_rows > 0 ? 3 : 1;
    std::map<Words, double> expected;
    const std::vector<double> sizes = size_probabilities(law);
    const auto shapes = enumerate_shapes(law.word_line_share, static_cast<int>(sizes.size()));
    Cluster cluster;
    Upset upset;
    for (std::size_t n = 0; n < sizes.size(); ++n) {
      for (const ClusterShape& shape : shapes[n]) {
        for (std::size_t struck = 0; struck <= n; ++struck) {
          cluster.set(shape.used(), struck);
          for (std::uint64_t index = 0; index < geometry.cells(); ++index) {
            place_cluster(cluster, geometry.cell_at(index), geometry, tap_rows, upset);
            std::map<CodewordId, BitString> hit;
            for (std::size_t i = 0; i < upset.bits().size(); ++i) {
              const int row = upset.cells()[i].row;
              const std::uint64_t group =
                  upset.bits()[i].codeword.value / static_cast<std::uint64_t>(interleave) % 3;
              if (row >= first_row && row < first_row + rows && group == 1) {
                hit[upset.bits()[i].codeword].set(upset.bits()[i].bit);
              }
            }
            for (const auto& [codeword, flipped] : hit) {
              expected[flipped.words] +=
                  sizes[n] * shape.struck[struck] / (rows * interleave * geometry.codeword_bits());
            }
          }
        }
      }
    }
    const EventPatterns event =
        patterns_of_event(law, {geometry.codeword_bits(), interleave, tap_rows});
    EXPECT_EQ(event.patterns.size(), expected.size());
    for (const EventPatterns::Pattern& pattern : event.patterns) {
      EXPECT_NEAR(pattern.codewords / expected[pattern.flipped.words], 1.0, 1e-12);
    }
    EXPECT_EQ(event.not_enumerated, 0.0);
  }
}

TEST(AccumulationTest, NoUpsetCellIsLost) {
  const ClusterLaw law = cluster_law(shipped_node("28nm"), Radiation::kNeutron, 0.9, 1e-3);
  const std::vector<double> sizes = size_probabilities(law);
  double cells = 0.0;
  double beyond = 0.0;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    (n < kMostEnumeratedCells ? cells : beyond) +=
        n < kMostEnumeratedCells ? static_cast<double>(n + 1) * sizes[n] : sizes[n];
  }
  for (const int interleave : {1, 4}) {
    const EventPatterns event = patterns_of_event(law, {72, interleave, 0});
    double sum = 0.0;
    for (const EventPatterns::Pattern& pattern : event.patterns) {
      sum += pattern.codewords * pattern.flipped.count();
    }
    EXPECT_NEAR(sum / cells, 1.0, 1e-12);
    EXPECT_LT(event.codewords(), cells);
    EXPECT_NEAR(event.not_enumerated, beyond, 1e-15);
    EXPECT_GT(beyond, 5e-4);
  }
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const EventPatterns event = patterns_of_event(law, {code.codeword_bits(), 1, 0});
  EXPECT_GT(event.codewords_not_enumerated, 11 * beyond);
  EXPECT_LT(event.codewords_not_enumerated, 100 * beyond);
  EXPECT_NEAR(upsets_at(code, law, 1, 2.0).not_enumerated_per_hour,
              2.0 * event.codewords_not_enumerated, 1e-12);
}

TEST(AccumulationTest, SinglesMeetAsTheCodesCountPatterns) {
  // docs/ecc.md counts what each code makes of two and of three bits.
  const auto upsets = [](EccKind kind) {
    return upsets_at(EccCode::make(kind, 64), kSingles, 1, 1.0);
  };
  const CodewordUpsets secded = upsets(EccKind::kSecded);
  EXPECT_NEAR(secded.right_per_hour, 1.0, 1e-12);
  EXPECT_EQ(secded.detected_per_hour, 0.0);
  EXPECT_EQ(secded.silent_per_hour, 0.0);
  EXPECT_NEAR(secded.right_pairs.due, 71.0 / 72, 1e-12);  // else the same bit, twice
  EXPECT_EQ(secded.right_pairs.silent, 0.0);
  EXPECT_NEAR(secded.right_triples.silent, 6 * 33568.0 / std::pow(72, 3), 1e-12);
  EXPECT_NEAR(secded.right_triples.due, 6 * (59640.0 - 33568) / std::pow(72, 3), 1e-12);
  EXPECT_EQ(secded.right_triples.covered, 1.0);
  const CodewordUpsets daec = upsets(EccKind::kSecdedDaec);
  EXPECT_NEAR(daec.right_pairs.silent, 2 * 1200.0 / (72 * 72), 1e-12);
  EXPECT_NEAR(daec.right_pairs.due, 2 * 1285.0 / (72 * 72), 1e-12);  // 71 pairs are neighbours
  const CodewordUpsets dected = upsets(EccKind::kDected);
  EXPECT_EQ(dected.right_pairs.due + dected.right_pairs.silent, 0.0);
  EXPECT_NEAR(dected.right_triples.due, 6 * 79079.0 / std::pow(79, 3), 1e-12);
  EXPECT_EQ(dected.right_triples.silent, 0.0);
  const CodewordUpsets parity = upsets(EccKind::kParity);
  EXPECT_EQ(parity.right_per_hour, 0.0);
  EXPECT_NEAR(parity.detected_per_hour, 1.0, 1e-12);
  EXPECT_NEAR(parity.detected_pairs.silent, 64.0 / 65, 1e-12);
  EXPECT_EQ(parity.detected_triples.silent, 0.0);
  EXPECT_NEAR(parity.detected_triples.due, 1.0, 1e-12);
  EXPECT_NEAR(upsets(EccKind::kNone).silent_per_hour, 1.0, 1e-12);
}

TEST(AccumulationTest, KindsAreWhatTheDecoderSaysOfEachPattern) {
  const EccCode& code = EccCode::make(EccKind::kSecdedDaec, 32);
  const EventPatterns event =
      patterns_of_event(law_of(0.5, 0.6, 5, 0.7), {code.codeword_bits(), 1, 0});
  const CodewordUpsets upsets = upsets_of(code, {{event, 0.25}, {event, 0.75}});
  RandomStream random(3, 0, Purpose::kTest);
  double kinds[3] = {};
  ReadShares pairs, mixed;
  const auto read = [&](const BitString& flipped) {
    const BitString data(random.next() & 0xFFFFFFFF);
    const Decoded decoded = code.decode(code.encode(data) ^ flipped);
    return decoded.status == EccStatus::kDetected ? 1 : decoded.data == data ? 0 : 2;
  };
  for (const auto& [p, p_rate] : event.patterns) {
    kinds[read(p)] += p_rate;
    for (const auto& [q, q_rate] : event.patterns) {
      if (read(p) != 0 || read(q) == 2) {
        continue;
      }
      ReadShares& shares = read(q) == 0 ? pairs : mixed;
      const int both = read(p ^ q);
      shares.due += both == 1 ? p_rate * q_rate : 0.0;
      shares.silent += both == 2 ? p_rate * q_rate : 0.0;
    }
  }
  EXPECT_NEAR(upsets.right_per_hour, kinds[0], 1e-12);
  EXPECT_NEAR(upsets.detected_per_hour, kinds[1], 1e-12);
  EXPECT_NEAR(upsets.silent_per_hour, kinds[2], 1e-12);
  EXPECT_GT(kinds[1], 1e-3);
  EXPECT_GT(kinds[2], 1e-3);
  EXPECT_NEAR(upsets.right_pairs.due, pairs.due / (kinds[0] * kinds[0]), 1e-12);
  EXPECT_NEAR(upsets.right_pairs.silent, pairs.silent / (kinds[0] * kinds[0]), 1e-12);
  EXPECT_NEAR(upsets.mixed_pairs.due, mixed.due / (kinds[0] * kinds[1]), 1e-12);
  EXPECT_NEAR(upsets.mixed_pairs.silent, mixed.silent / (kinds[0] * kinds[1]), 1e-12);
}

TEST(AccumulationTest, AShareOfTheEventsIsLessOfEachSource) {
  const EccCode& code = EccCode::make(EccKind::kSecded, 32);
  const EventPatterns narrow =
      patterns_of_event(law_of(0.3, 0.6, 4, 0.7), {code.codeword_bits(), 1, 0});
  const EventPatterns wide =
      patterns_of_event(law_of(0.6, 0.6, 4, 0.7), {code.codeword_bits(), 2, 0});
  const CodewordUpsets scaled = upsets_of(code, {{narrow, 0.2}, {wide, 0.5}}).scaled(0.3);
  const CodewordUpsets fewer = upsets_of(code, {{narrow, 0.06}, {wide, 0.15}});
  EXPECT_NEAR(scaled.right_per_hour, fewer.right_per_hour, 1e-12);
  EXPECT_NEAR(scaled.detected_per_hour, fewer.detected_per_hour, 1e-12);
  EXPECT_NEAR(scaled.silent_per_hour, fewer.silent_per_hour, 1e-12);
  EXPECT_NEAR(scaled.not_enumerated_per_hour, fewer.not_enumerated_per_hour, 1e-12);
  EXPECT_NEAR(scaled.right_pairs.due, fewer.right_pairs.due, 1e-12);
  EXPECT_NEAR(scaled.mixed_pairs.silent, fewer.mixed_pairs.silent, 1e-12);
  EXPECT_NEAR(scaled.detected_triples.silent, fewer.detected_triples.silent, 1e-12);
}

/// Neutrons and alpha particles on (72,64) codewords of a node's memory.
CodewordUpsets upsets_on(const TechnologyNode& node, double flux_factor, int interleave,
                         int tap_rows) {
  const CodewordLayout layout{72, interleave, tap_rows};
  const auto source = [&](Radiation radiation, double fit_per_mbit) {
    return EventSource{patterns_of_event(cluster_law(node, radiation), layout),
                       events_per_codeword_hour(fit_per_mbit, 72)};
  };
  return upsets_of(EccCode::make(EccKind::kSecded, 64),
                   {source(Radiation::kNeutron, node.neutron_rate.value * flux_factor),
                    source(Radiation::kAlpha, node.alpha_rate.value)});
}

TEST(AccumulationTest, WeightsThatStayForAYearInFlight) {
  // 32 MiB at interleave 8, under 628.8 times the neutrons of sea level (other models of the
  // atmosphere at 12.2 km). Every upset cell is alone in its codeword, so a codeword sees events x
  // mean cells: N lambda^2 T / 2 by hand.
  const double flux_factor = 628.8;
  const double codewords = 32.0 * 1024 * 1024 / 8;
  const double hours = 8760;
  struct Case {
    const char* node;
    double mean_cells, by_hand;
  };
  for (const Case& each : {Case{"28nm", 1.413, 328}, Case{"16nm", 1.064, 17.06}}) {
    SCOPED_TRACE(each.node);
    const TechnologyNode& node = shipped_node(each.node);
    const CodewordUpsets upsets = upsets_on(node, flux_factor, 8, 0);
    const double lambda =
        (node.neutron_rate.value * flux_factor * each.mean_cells + node.alpha_rate.value) * 72e-15;
    EXPECT_NEAR(upsets.right_per_hour / lambda, 1.0, 1e-3);
    const double by_hand = codewords * lambda * lambda * hours / 2 * kHoursPerFit;
    EXPECT_NEAR(by_hand / each.by_hand, 1.0, 0.002);
    // Two hits of one bit, of 72, are none.
    const AccumulationRates rates = accumulate(upsets, codewords, {hours, 0, 0});
    EXPECT_NEAR(rates.due / (by_hand * 71 / 72), 1.0, 0.002);
    EXPECT_LT(rates.silent, 1e-5 * rates.due);
    EXPECT_LT(rates.left_out, 1e-9 * rates.due);
    // Well taps every 32 rows save some cells.
    const double cut =
        accumulate(upsets_on(node, flux_factor, 8, 32), codewords, {hours, 0, 0}).due;
    EXPECT_LT(cut, rates.due);
    EXPECT_NEAR(cut / each.by_hand, 1.0, 0.05);
    // Scrubbed once a day, 365 times less.
    EXPECT_NEAR(accumulate(upsets, codewords, {hours, 24, 0}).due * 365 / rates.due, 1.0, 0.002);
  }
}

TEST(AccumulationTest, WhatIsDetectedMayStay) {
  // Parity detects one upset; two are silent, but for the same bit twice. Where the word is used
  // and stays, the second may come at any time before the next write.
  const EccCode& code = EccCode::make(EccKind::kParity, 64);
  const CodewordUpsets upsets =
      upsets_of(code, {{patterns_of_event(kSingles, {code.codeword_bits(), 4, 0}), 1e-7}});
  const double codewords = 1e4, residence = 8760, lambda = upsets.detected_per_hour;
  const double by_hand = codewords * lambda * lambda * residence / 2 * kHoursPerFit * 64 / 65;
  const AccumulationRates stays = accumulate(upsets, codewords, {residence, 0.0, 1e-5, true});
  EXPECT_NEAR(stays.silent_between_reads / by_hand, 1.0, 0.002);
  // No scrubber heals it.
  EXPECT_NEAR(
      accumulate(upsets, codewords, {residence, 24.0, 1e-5, true}).silent_between_reads / by_hand,
      1.0, 0.002);
  const AccumulationRates gone = accumulate(upsets, codewords, {residence, 0.0, 1e-5, false});
  EXPECT_NEAR(gone.silent_between_reads / by_hand, 1e-5 / residence, 1e-9);
}

TEST(AccumulationTest, WhatIsLeftOutBoundsPairsWithLargeClusters) {
  ClusterLaw law = law_of(0.3, 0.5, 4, 0.7);
  law.heavy_tail = 0.2;
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  const CodewordUpsets upsets =
      upsets_of(code, {{patterns_of_event(law, {code.codeword_bits(), 8, 0}), 1e-9}});
  const double right = upsets.right_per_hour, larger = upsets.not_enumerated_per_hour;
  ASSERT_GT(larger, 0.1 * right);
  // All pairs in which one is large, as if each were wrong.
  const double by_hand =
      1e6 * ((right + larger) * (right + larger) - right * right) * 8760 / 2 * kHoursPerFit;
  const AccumulationRates rates = accumulate(upsets, 1e6, {8760, 0.0, 0.0});
  EXPECT_NEAR(rates.left_out / by_hand, 1.0, 1e-3);
}

TEST(AccumulationTest, TheTablesOfTheDocumentHold) {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  std::ifstream file(std::string(root != nullptr ? root : ".") + "/docs/accumulation.md");
  std::stringstream document;
  document << file.rdbuf();
  const auto expect_row = [&](const std::string& name, const std::vector<double>& values) {
    std::string row = "| " + name + " |";
    for (const double value : values) {
      char text[32];
      std::snprintf(text, sizeof text, " %.3g |", value);
      row += text;
    }
    EXPECT_NE(document.str().find(row), std::string::npos) << row;
  };
  const TechnologyNode& node = shipped_node("28nm");
  const auto tap_rows = static_cast<int>(node.tap_rows.value);
  const ClusterLaw neutrons = cluster_law(node, Radiation::kNeutron);
  for (const EccKind kind : {EccKind::kParity, EccKind::kSec, EccKind::kSecded,
                             EccKind::kSecdedDaec, EccKind::kDected, EccKind::kSsc}) {
    const EccCode& code = EccCode::make(kind, 64);
    const std::string name = "`" + std::string(info_of(kind).name) + "`";
    const auto upsets = [&](const ClusterLaw& law, int interleave) {
      return upsets_of(
          code, {{patterns_of_event(law, {code.codeword_bits(), interleave, tap_rows}), 1.0}});
    };
    const CodewordUpsets singles = upsets(kSingles, 1);
    const CodewordUpsets one = upsets(neutrons, 1);
    const CodewordUpsets four = upsets(neutrons, 4);
    if (kind == EccKind::kParity) {
      expect_row(name, {singles.detected_pairs.silent, one.detected_pairs.silent,
                        four.detected_pairs.silent});
      continue;
    }
    expect_row(name, {singles.right_pairs.due, singles.right_pairs.silent, one.right_pairs.due,
                      one.right_pairs.silent, four.right_pairs.due, four.right_pairs.silent,
                      four.right_triples.due, four.right_triples.silent});
  }
  const double flux = neutron_flux_factor({.altitude_m = 12200.0});
  for (const char* name : {"28nm", "16nm"}) {
    const TechnologyNode& each = shipped_node(name);
    const auto fit = [&](int interleave, double scrub_hours) {
      const CodewordUpsets upsets =
          upsets_on(each, flux, interleave, static_cast<int>(each.tap_rows.value));
      return accumulate(upsets, 32.0 * 1024 * 1024 / 8, {8760, scrub_hours, 0});
    };
    for (const int interleave : {1, 2, 8}) {
      const AccumulationRates none = fit(interleave, 0);
      const AccumulationRates daily = fit(interleave, 24);
      expect_row(std::string(name) + " | " + std::to_string(interleave),
                 {none.due, none.silent, none.silent_after_right + none.silent_between_reads,
                  daily.due, daily.silent_after_right + daily.silent_between_reads});
    }
  }
}

TEST(AccumulationTest, RatesAreRightFromTheSmallestOn) {
  CodewordUpsets upsets;
  upsets.right_pairs = {0.5, 0.25, 1.0};
  upsets.mixed_pairs = {0.5, 0.125, 1.0};
  const double codewords = 1e9;
  const double hours = 8760;
  for (const double x : {1e-20, 1e-15, 1e-9, 1e-6}) {
    SCOPED_TRACE(x);
    const double rate = x / hours;
    upsets.right_per_hour = rate;
    upsets.detected_per_hour = 0.1 * rate;
    // No scrub: N lambda^2 T / 2.
    const double pairs = codewords * rate * rate / 2 * hours * kHoursPerFit;
    const AccumulationRates none = accumulate(upsets, codewords, {hours, 0, 0});
    EXPECT_NEAR(none.due / (0.5 * pairs), 1.0, 2 * x + 1e-12);
    EXPECT_NEAR(none.silent / (0.25 * pairs), 1.0, 2 * x + 1e-12);
    EXPECT_NEAR(none.silent_after_right / (0.1 * 0.125 * pairs), 1.0, 2 * x + 1e-12);
    EXPECT_LE(none.left_out, pairs * x * x);
    // A short period in the place of the residence.
    const double period = 1e-6;
    const double scrubbed = accumulate(upsets, codewords, {hours, period, 0}).due;
    EXPECT_NEAR(scrubbed / (0.5 * pairs * period / hours), 1.0, 1e-6);
    // At times of any phase: one in a residence that is as long, on average, and fewer.
    const auto ratio = [&](double scrub) {
      return accumulate(upsets, codewords, {hours, scrub, 0}).due / none.due;
    };
    EXPECT_NEAR(ratio(hours), 2.0 / 3, 1e-5);
    EXPECT_NEAR(ratio(3 * hours), 1 - 1.0 / 9, 1e-5);
    EXPECT_NEAR(ratio(1e9 * hours), 1.0, 1e-8);
  }
  upsets.right_per_hour = 0.0;
  EXPECT_EQ(accumulate(upsets, codewords, {hours, 1, 1}).due, 0.0);
  // As little as memories and inferences can make it: N lambda^2 T / 2 without underflow.
  upsets.right_per_hour = 1e-15;
  EXPECT_NEAR(accumulate(upsets, 1e9, {1e-6, 0, 0}).due / (0.5 * 0.5e-36 * 1e9 * 1e9), 1.0, 1e-12);
}

/// Mean over the phases of a scrubber of the sum over intervals of f(length), by adding up.
double mean_over_phases(double residence, double scrub, const std::function<double(double)>& f) {
  constexpr int kPhases = 20'000;
  double sum = 0.0;
  for (int i = 0; i < kPhases; ++i) {
    double at = 0.0;
    for (double next = (i + 0.5) / kPhases * scrub; next < residence; next += scrub) {
      sum += f(next - at);
      at = next;
    }
    sum += f(residence - at);
  }
  return sum / kPhases;
}

TEST(AccumulationTest, RemaindersAndPhasesAreExact) {
  CodewordUpsets upsets;
  upsets.right_per_hour = 0.4;
  upsets.detected_per_hour = 0.3;
  upsets.right_pairs = {0.5, 0.25, 1.0};
  upsets.right_triples = {0.75, 0.125, 0.9};
  upsets.mixed_pairs = {0.0, 0.6, 1.0};
  upsets.detected_pairs = {0.0, 0.7, 1.0};
  upsets.detected_triples = {0.9, 0.05, 1.0};
  const auto two = [](double x) { return x * x / 2 * std::exp(-x); };
  const auto three = [&](double x) { return 1 - std::exp(-x) * (1 + x) - two(x); };
  const auto four = [&](double x) { return three(x) - x * x * x / 6 * std::exp(-x); };
  const auto before = [](double x) { return x - 1 + std::exp(-x); };
  for (const double residence : {1.0, 2.0}) {
    for (const double scrub : {0.1, 0.3, 0.77, 1.0, 1.9, 7.0}) {
      SCOPED_TRACE(testing::Message() << residence << " h, scrubbed every " << scrub);
      const double fit = 10.0 / residence * kHoursPerFit;
      const AccumulationRates rates = accumulate(upsets, 10.0, {residence, scrub, 0.0});
      const auto mean = [&](double rate, const auto& f) {
        return fit * mean_over_phases(residence, scrub, [&](double h) { return f(rate * h); });
      };
      const auto close = [](double got, double expected) {
        EXPECT_NEAR(got / expected, 1.0, 1e-4);
      };
      close(rates.due, mean(0.4, [&](double x) { return 0.5 * two(x) + 0.75 * three(x); }));
      close(rates.silent, mean(0.4, [&](double x) { return 0.25 * two(x) + 0.125 * three(x); }));
      close(rates.left_out, mean(0.4, [&](double x) { return four(x) + 0.1 * three(x); }));
      close(rates.silent_after_right, 0.75 * 0.6 * mean(0.4, before));
      if (scrub < residence) {  // the scrubber looks
        close(rates.silent_between_reads, mean(0.3, [&](double x) {
                                            return 0.7 * two(x) + 0.05 * three(x);
                                          }) + 0.75 * 0.6 * mean(0.4, before));
      }
    }
    // Reads begin with the write: three intervals of 0.3 hours in one hour, and 0.1.
    const double read = 0.3 * residence;
    const auto f = [&](double h) {
      return 0.7 * two(0.3 * h) + 0.05 * three(0.3 * h) + 0.75 * 0.6 * before(0.4 * h);
    };
    EXPECT_NEAR(accumulate(upsets, 10.0, {residence, 0, read}).silent_between_reads /
                    (10.0 / residence * kHoursPerFit * (3 * f(read) + f(0.1 * residence))),
                1.0, 1e-10);
  }
}

}  // namespace
}  // namespace tilestrike::sim
