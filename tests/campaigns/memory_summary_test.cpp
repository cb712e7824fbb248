// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are AVF and FIT those of the rows, strata weighted as they should be, and inputs told?
#include "campaigns/report/strike_summary.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "campaigns/report/report.h"
#include "campaigns/run/replay.h"
#include "campaigns/run/runner.h"
#include "campaigns/statistics/stratified.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"
#include "tests/campaigns/strata.h"

namespace tilestrike::campaigns {
namespace {

std::string small(const std::string& ecc, const std::string& node = "130nm", int interleave = 1,
                  const std::string& more = "") {
  const std::string array =
      "row: 16, codeword: 64, interleave: " + std::to_string(interleave) + ", ecc: " + ecc + "}";
  return "model: lenet5\naccelerator: {base: gemmini_16x16, node: " + quick_node(node) + more +
         ", memory: {scratchpad: {capacity: 8KiB, banks: 4, " + array +
         ", accumulator: {holds: accumulators, capacity: 2KiB, banks: 2, " + array + "}}\n";
}

StudyFactory studies() {
  return [](const bridge::StudyInputs& inputs) {
    return std::make_unique<FakeStudy>(inputs, FakeStudy::Settings{});
  };
}

RunReport report_of(const std::string& path, const std::string& text) {
  const Campaign campaign = campaign_of(text);
  const auto results = Results::for_campaign(path, campaign);
  Surroundings surroundings;
  surroundings.open_study = studies();
  return run_campaign(campaign, *results, surroundings);
}

StrikeSummary summary_of(const std::string& path, const std::string& text) {
  return *report_of(path, text).summaries.at(0).strikes;
}

/// Where the raw rate is known: cells x (770 + 431) FIT/Mbit at 130 nm.
constexpr double kScratchpadFit = 8192 * 8 * 1201.0 / 1e6;
constexpr double kAccumulatorFit = 2048 * 8 * 1201.0 / 1e6;

TEST(MemorySummaryTest, WithoutEccRatesAreThoseOfTheRows) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const StrikeSummary summary =
      summary_of(path, small("none") +
                           "trials: 3000\nstrike: {process: particle, where: {memory: all}, "
                           "strata: false}");
  EXPECT_FALSE(summary.is_stratified);
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const auto number = [&](const std::string& where) {
    return database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE " + where).getInt();
  };
  ASSERT_EQ(summary.structures.size(), 2U);
  EXPECT_NEAR(summary.structures[0].fit.total(), kScratchpadFit, 1e-9);
  EXPECT_NEAR(summary.all.fit.total(), kScratchpadFit + kAccumulatorFit, 1e-9);
  const int n = number("structure = 'accumulator'");
  const int sdc = number("structure = 'accumulator' AND outcome = 'sdc'");
  const Estimate& avf = summary.structures[1].avf[Rate::kSdc];
  EXPECT_EQ(avf.n, n);
  EXPECT_DOUBLE_EQ(avf.value, sdc / static_cast<double>(n));
  EXPECT_DOUBLE_EQ(avf.interval.high, clopper_pearson(sdc, n, 0.95).high);
  EXPECT_NEAR(summary.structures[1].in_fit(avf).value, kAccumulatorFit * sdc / n, 1e-9);
  EXPECT_DOUBLE_EQ(summary.all.avf[Rate::kSdc].value, number("outcome = 'sdc'") / 3000.0);
  EXPECT_TRUE(summary.all.avf[Rate::kDue].is_settled()) << "without check bits nothing is detected";
  EXPECT_EQ(summary.all.avf[Rate::kDue].interval.high, 0.0);
  EXPECT_EQ(number("weight = 1.0 AND stratum = '' AND radiation IN ('neutron', 'alpha')"), 3000);
  EXPECT_EQ(number("bits = faults AND codewords >= 1 AND codewords <= bits AND bank IS NOT NULL"),
            3000);
  EXPECT_TRUE(summary.warnings.empty());
}

TEST(MemorySummaryTest, StrataAreWeightedByTheirRates) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const std::string text =
      small("secded") + "trials: 4000\nstrike: {process: particle, where: {memory: all}}";
  const StrikeSummary summary = summary_of(path, text);
  EXPECT_TRUE(summary.is_stratified);
  const Scenario scenario = campaign_of(text).points[0].scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  std::map<std::size_t, StratumShares> classes;
  for (const StrikeGroup& group : plan.population().single_particles()->groups()) {
    const std::string where =
        "FROM trials_wide WHERE structure = '" +
        plan.population().single_particles()->structures()[group.structure].name +
        "' AND radiation = '" + std::string(name_of(group.radiation)) + "' AND stratum = '" +
        group.text + "'";
    const int n = database.execAndGet("SELECT COUNT(*) " + where).getInt();
    const int hits =
        database.execAndGet("SELECT COUNT(*) " + where + " AND outcome = 'due'").getInt();
    if (*group.stratum == sim::Stratum::kDetected || *group.stratum == sim::Stratum::kBoth) {
      StratumShares& each = classes[group.of_class];
      each.weight += group.fit / plan.population().single_particles()->fit();
      each.shares.add(stratum_of(0.0, hits, n).shares);
    } else {
      EXPECT_EQ(hits, 0);
    }
  }
  std::vector<StratumShares> counts;
  double weighted = 0.0;
  for (const auto& [of_class, each] : classes) {
    counts.push_back(each);
    weighted += each.weight * each.shares.mean();
  }
  const Estimate expected = stratified_mean(counts, 0.95);
  EXPECT_NEAR(summary.all.avf[Rate::kDue].value, weighted, 1e-12);
  EXPECT_NEAR(summary.all.avf[Rate::kDue].interval.low, expected.interval.low, 1e-12);
  EXPECT_NEAR(summary.all.avf[Rate::kDue].interval.high, expected.interval.high, 1e-12);
  EXPECT_EQ(
      database
          .execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outcome = 'sdc' AND stratum NOT "
                      "LIKE '%silent' AND stratum NOT LIKE '%both'")
          .getInt(),
      0);
  // The weights of the rows say the same.
  const double by_rows =
      database.execAndGet("SELECT SUM(weight * (outcome = 'due')) / COUNT(*) FROM trials")
          .getDouble();
  EXPECT_NEAR(by_rows, weighted, 0.05 * weighted);
  ASSERT_TRUE(summary.all.enumerated);
  EXPECT_GT(summary.all.enumerated->due, summary.all.in_fit(summary.all.avf[Rate::kDue]).value);
  EXPECT_TRUE(summary.warnings.empty());
}

TEST(MemorySummaryTest, StrataAgreeWithDirectSampling) {
  const ScratchFolder folder;
  const std::string strike = "strike: {process: particle, where: {memory: all, mesh: {}}, strata: ";
  const StrikeSummary strata =
      summary_of(folder.path("a.sqlite"), small("secded") + "trials: 6000\n" + strike + "true}");
  const StrikeSummary direct = summary_of(
      folder.path("b.sqlite"), small("secded") + "trials: 40000\nseed: 2\n" + strike + "false}");
  EXPECT_TRUE(strata.is_stratified);
  EXPECT_FALSE(direct.is_stratified);
  for (const auto& [ours, theirs] : {std::pair(&strata.all, &direct.all),
                                     {&strata.structures[0], &direct.structures[0]},
                                     {&strata.structures[1], &direct.structures[1]}}) {
    for (const Rate rate : {Rate::kSdc, Rate::kSdc1, Rate::kDue}) {
      const Estimate& a = ours->avf[rate];
      const Estimate& b = theirs->avf[rate];
      // Two intervals of 95 %: their difference lies within both half-widths, added as squares.
      EXPECT_NEAR(a.value, b.value,
                  1.5 * std::hypot(a.interval.half_width(), b.interval.half_width()))
          << name_of(rate);
    }
  }
  const Estimate& rare = strata.structures[0].avf[Rate::kSdc];
  EXPECT_LT(rare.interval.half_width() / rare.value, 0.4) << "3 in 1000 strikes can be silent";
  EXPECT_LT(rare.interval.half_width(), direct.structures[0].avf[Rate::kSdc].interval.half_width());
}

TEST(MemorySummaryTest, WhatIsTooRareIsABound) {
  const ScratchFolder folder;
  const StrikeSummary summary =
      summary_of(folder.path("r.sqlite"),
                 small("secded", "65nm", 2) +
                     "trials: 1000\nstrike: {process: particle, where: {memory: all}}");
  const Estimate fit = summary.all.in_fit(summary.all.avf[Rate::kSdc]);
  EXPECT_TRUE(fit.is_settled());
  EXPECT_EQ(fit.value, 0.0);
  EXPECT_NEAR(fit.interval.high, summary.all.enumerated->silent, 1e-12 * fit.interval.high);
  EXPECT_LT(fit.interval.high, 1e-6);
  EXPECT_NE(text_of(report_of(summary)).find("(enumerated)"), std::string::npos);
  EXPECT_FALSE(summary.all.avf[Rate::kDue].is_settled());
  const auto json = json_of(report_of(summary));
  EXPECT_EQ(json["all"]["fit_of"]["sdc"]["kind"], "enumerated bound");
}

TEST(MemorySummaryTest, PrecisionIsThatOfTheWeightedRates) {
  const ScratchFolder folder;
  const RunReport report =
      report_of(folder.path("r.sqlite"),
                small("secded") +
                    "trials: 100000\nuntil: {relative: 20%, of: [sdc, due]}\nstrike: "
                    "{process: particle, where: {memory: all}}");
  const Summary& summary = report.summaries.at(0);
  EXPECT_LT(summary.counted, 15'000);
  for (const Rate rate : {Rate::kSdc, Rate::kDue}) {
    const Estimate& avf = summary.strikes->all.avf[rate];
    EXPECT_LE(avf.interval.half_width(), 0.2 * avf.value);
  }
  // What is only enumerated or impossible does not hold a campaign up.
  const RunReport none =
      report_of(folder.path("n.sqlite"), small("none") +
                                             "trials: 100000\nuntil: {relative: 20%, of: [sdc, "
                                             "due]}\nstrike: {process: particle, where: {memory: "
                                             "all}}");
  EXPECT_LT(none.summaries.at(0).counted, 2000);
}

TEST(MemorySummaryTest, ResidentWeightsAreStruckForManyInferences) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const StrikeSummary summary = summary_of(
      path, small("none", "130nm", 1, ", schedule: {weights: at_boot}") +
                "trials: 2000\nstrike: {process: particle, where: {memory: scratchpad}, strata: "
                "false, residence: 2}");
  // 300 cycles at 1 GHz; on average half of two hours is left.
  EXPECT_NEAR(summary.period_seconds, 300e-9, 1e-15);
  EXPECT_NEAR(summary.later_inferences, 3600.0 / 300e-9, 1.0);
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  EXPECT_EQ(
      database
          .execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outlives = 1 AND later_images = "
                      "10 OR outlives = 0 AND later_images IS NULL")
          .getInt(),
      2000);
  const double events =
      database
          .execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outcome = 'sdc' OR later_wrong > 0")
          .getInt();
  EXPECT_NEAR(summary.all.wrong_event.value, events / 2000.0, 1e-12);
  EXPECT_GT(summary.all.wrong_event.value, summary.all.avf[Rate::kSdc].value);
  const double later =
      database.execAndGet("SELECT SUM(COALESCE(later_wrong, 0) / 10.0) FROM trials_wide")
          .getDouble();
  const double own =
      database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outcome = 'sdc'").getInt();
  const double expected = (own + later * summary.later_inferences) / 2000.0;
  EXPECT_NEAR(summary.all.wrong_inferences.value, expected, 1e-9 * expected);
  EXPECT_LT(summary.all.wrong_inferences.interval.low, expected);
  const auto json = json_of(report_of(summary));
  EXPECT_NEAR(json["all"]["wrong_inferences_per_hour"]["value"].get<double>(),
              expected * summary.all.fit.total() / 1e9, 1e-9 * expected);
}

// At 28 nm a cell that holds 0 is struck 1.4 times as often as one that holds 1.
TEST(MemorySummaryTest, StrikesCountByWhatTheirCellHolds) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const std::string strike =
      "trials: 4000\nstrike: {process: particle, where: {memory: all, mesh: {}}, strata: false";
  const StrikeSummary weighted = summary_of(path, small("none", "28nm") + strike + "}");
  const StrikeSummary plain = summary_of(
      folder.path("p.sqlite"), small("none", "28nm") + strike + ", stored_values: false}");
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const auto number = [&](const std::string& what) {
    return database.execAndGet("SELECT " + what + " FROM trials_wide").getDouble();
  };
  EXPECT_EQ(number("SUM((structure = 'mesh') != (stored IS NULL))"), 0.0);
  EXPECT_NEAR(number("AVG(1.0 - stored)"), 2.0 / 3.0, 0.03);
  // One definition: AVF is a share of the strikes on what the cells hold, which are the node's rate
  // times the mean weight; no bound exceeds them.
  EXPECT_NEAR(weighted.all.stored.value, number("AVG(weight)"), 1e-12);
  EXPECT_LT(weighted.all.stored.interval.low, weighted.all.stored.value);
  EXPECT_NEAR(weighted.all.strikes(), weighted.all.fit.total() * number("AVG(weight)"), 1e-12);
  for (const StrikeRates& rates : weighted.structures) {
    EXPECT_LE(rates.in_fit(rates.avf[Rate::kSdc]).value, rates.strikes());
    if (rates.enumerated) {
      EXPECT_LE(rates.enumerated->silent, rates.fit.total() * rates.stored.interval.high + 1e-12);
      EXPECT_GE(rates.enumerated->silent, rates.strikes() - 1e-12);
    }
  }
  EXPECT_EQ(weighted.structures[2].stored.value, 1.0) << "not for registers";
  for (const char* text : {"SUM(weight != 1.4 / 1.2 AND stored = 0)",
                           "SUM(ABS(weight - 1.0 / 1.2) > 1e-12 AND stored = 1)",
                           "SUM(weight != 1.0 AND stored IS NULL)"}) {
    EXPECT_EQ(number(text), 0.0) << text;
  }
  const Estimate& avf = weighted.all.avf[Rate::kSdc];
  EXPECT_NEAR(avf.value, number("SUM(weight * (outcome = 'sdc')) / SUM(weight)"), 1e-12);
  EXPECT_GT(weighted.all.in_fit(avf).value,
            1.02 * plain.all.in_fit(plain.all.avf[Rate::kSdc]).value)
      << "more cells hold a 0";
  EXPECT_LT(avf.interval.low, avf.value);
  // Nearly that of one Bernoulli variable, and no narrower.
  EXPECT_GT(avf.interval.half_width(), plain.all.avf[Rate::kSdc].interval.half_width());
  EXPECT_LT(avf.interval.half_width(), 1.4 * plain.all.avf[Rate::kSdc].interval.half_width());
  EXPECT_FALSE(plain.stored_values);
  const auto has = [](const std::vector<std::string>& names, const std::string& part) {
    return std::ranges::any_of(
        names, [&](const std::string& name) { return name.find(part) != std::string::npos; });
  };
  EXPECT_TRUE(has(plain.not_modelled, "stored values"));
  EXPECT_FALSE(has(weighted.not_modelled, "stored values"));
  EXPECT_NE(text_of(report_of(weighted)).find("cell that holds 0 is struck 1.167 times"),
            std::string::npos);
  EXPECT_NE(text_of(report_of(weighted)).find("events of cells that hold 0 over 1 1.4  Q2"),
            std::string::npos);
}

TEST(MemorySummaryTest, StrataAreWeightedByStoredValuesToo) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const StrikeSummary summary =
      summary_of(path, small("secded", "28nm") +
                           "trials: 4000\nstrike: {process: particle, where: {memory: all}}");
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const double by_rows =
      database.execAndGet("SELECT SUM(weight * (outcome = 'due')) / SUM(weight) FROM trials_wide")
          .getDouble();
  EXPECT_NEAR(by_rows, summary.all.avf[Rate::kDue].value, 0.05 * by_rows);
  // Two of three cells hold 0.
  EXPECT_NEAR(summary.all.stored.value, (2 * 1.4 / 1.2 + 1 / 1.2) / 3, 0.01);
}

TEST(MemorySummaryTest, FalseDuesAreThoseThatTheNetworkWouldHaveSurvived) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const StrikeSummary summary =
      summary_of(path, small("parity") +
                           "trials: 2000\nstrike: {process: particle, where: {memory: all}, "
                           "radiation: alpha}");
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const double n =
      database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE stratum = 'reach 1 detected'")
          .getInt();
  const double due =
      database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outcome = 'due'").getInt();
  const double wrong = database
                           .execAndGet(
                               "SELECT COUNT(*) FROM trials_wide WHERE outcome = 'due' AND "
                               "without_stop IN ('masked', 'corrected')")
                           .getInt();
  EXPECT_EQ(n, 2000) << "an alpha particle upsets one cell, and parity finds it";
  EXPECT_NEAR(summary.all.avf[Rate::kDue].value, due / n, 0.01);
  EXPECT_NEAR(summary.all.false_due.value, wrong / n, 0.01);
  EXPECT_GT(wrong, 0.0);
  EXPECT_LT(wrong, due);
  EXPECT_EQ(summary.all.avf[Rate::kSdc].interval.high, 0.0) << "no silent error";
}

TEST(MemorySummaryTest, InputsSayWhereTheyComeFrom) {
  const ScratchFolder folder;
  const RunReport report =
      report_of(folder.path("r.sqlite"), small("none") +
                                             "trials: 300\nstrike: {process: particle, where: "
                                             "{memory: all}, altitude: 12000, voltage: 1.1, "
                                             "rate_per_volt: 2}");
  const std::string text = text_of(report_of(report.summaries[0]));
  for (const char* part :
       {"neutron rate 770 FIT/Mbit  Q2 (Q2:UG116-BRAM[neutron])", "alpha rate 431 FIT/Mbit  X",
        "neutron flux over sea level's", "R:JESD89A", "voltage 1.1 V  A (A:the scenario)",
        "e-folds of all rates per volt below that of the node 2 1/V  A (A:the scenario)",
        "rows between well taps", "band of all strikes",
        "not modelled: combinational logic; DMA "
        "engines; the sequencer; the vector unit; biases and requantisation constants",
        "registers of the mesh (add 'mesh: {}' to 'where')"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(MemorySummaryTest, EachFactorOfTheFluxIsAnInputAndTheUnknownIsNotModelled) {
  const ScratchFolder folder;
  const auto text_with = [&](const std::string& name, const std::string& keys) {
    return text_of(
        report_of(report_of(folder.path(name),
                            small("none", "28nm") +
                                "trials: 100\nstrike: {process: particle, where: {memory: all, "
                                "mesh: {}}" +
                                keys + "}")
                      .summaries[0]));
  };
  const std::string plain = text_with("p.sqlite", "");
  const std::string there = text_with("t.sqlite", ", rigidity: 3.9, sun: active, thermal_flux: 2");
  for (const char* part : {"neutron flux over the reference's rigidity and sun 0.", "Gordon et al",
                           "thermal neutron flux over the reference's 2  A (A:the scenario)"}) {
    EXPECT_NE(there.find(part), std::string::npos) << part << "\n" << there;
    EXPECT_EQ(plain.find(part), std::string::npos) << part << "\n" << plain;
  }
  EXPECT_EQ(there.find("neutron flux over sea level's"), std::string::npos) << "it is 1";
  for (const char* part :
       {"thermal rate 7 FIT/Mbit  A", "neutron rate of flip-flops 33 FIT/Mbit  A",
        "alpha events of flip-flops (no rate is known at 28nm)",
        "thermal neutron events of flip-flops (no rate is known at 28nm)"}) {
    EXPECT_NE(plain.find(part), std::string::npos) << part << "\n" << plain;
  }
  EXPECT_EQ(plain.find("alpha rate of flip-flops"), std::string::npos);
}

TEST(MemorySummaryTest, PointsOfASweepAreCompared) {
  const ScratchFolder folder;
  const std::string base = "trials: 400\nstrike: {process: particle, where: {memory: all}}\n";
  const RunReport sweep = report_of(folder.path("s.sqlite"),
                                    small("none") + base +
                                        "sweep: {accelerator.memory.*.ecc: [none, secded], "
                                        "accelerator.node: [" +
                                        quick_node("130nm") + ", " + quick_node("65nm") + "]}");
  const auto points_of = [](const std::vector<Summary>& summaries) {
    Report report;
    report.add(points_table(summaries));
    return report;
  };
  const std::string table = text_of(points_of(sweep.summaries));
  EXPECT_NE(table.find("\naccelerator.memory.*.ecc=secded, accelerator.node=" + quick_node("65nm")),
            std::string::npos)
      << table;
  const auto json = json_of(points_of(sweep.summaries))["points"];
  ASSERT_EQ(json.size(), 4U);
  const StrikeRates& all = sweep.summaries[3].strikes->all;
  EXPECT_EQ(json[3]["fit_sdc"]["value"], all.in_fit(all.avf[Rate::kSdc]).value);
  // Every column has its cells; the last is the sum of the two before it.
  const auto columns_of = [](const std::string& line) {
    const std::regex gap("  +");
    return std::distance(std::sregex_token_iterator(line.begin(), line.end(), gap, -1), {});
  };
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(columns_of(line), 8) << line;
  }
  EXPECT_DOUBLE_EQ(
      json[3]["fit_due_both"]["value"].get<double>(),
      json[3]["fit_due"]["value"].get<double>() + json[3]["fit_due_accumulated"].get<double>());
  // One row alone is the same row.
  const StrikeSummary alone = summary_of(folder.path("a.sqlite"), small("secded", "65nm") + base);
  EXPECT_EQ(json_of(report_of(alone)).dump(),
            json_of(report_of(*sweep.summaries[3].strikes)).dump());
  EXPECT_EQ(text_of(points_of({sweep.summaries[0]})), "");
}

TEST(MemorySummaryTest, NoPartIsWiderThanTheWholeAndNoBoundAboveTheStrikes) {
  const ScratchFolder folder;
  for (const std::string node : {"130nm", "28nm"}) {  // without and with stored values
    const StrikeSummary summary = summary_of(
        folder.path(node),
        small("secded", node) + "trials: 60\nstrike: {process: particle, where: {memory: all}}");
    const auto high = [](const StrikeRates& rates, const Estimate& rate) {
      return rates.in_fit(rate).interval.high;
    };
    const double rounding = 1e-9 * summary.all.strikes();
    double sdc = 0.0, due = 0.0, event = 0.0, on = 0.0;
    for (const StrikeRates& rates : summary.structures) {
      sdc += high(rates, rates.avf[Rate::kSdc]);
      due += high(rates, rates.due_event);
      event += high(rates, rates.wrong_event);
      on += high(rates, rates.wrong_on);
      ASSERT_TRUE(rates.enumerated);
      EXPECT_LE(rates.enumerated->silent, rates.strikes() + rounding) << rates.name;
      EXPECT_LE(rates.enumerated->due, rates.strikes() + rounding) << rates.name;
      if (rates.avf[Rate::kSdc].is_settled()) {
        EXPECT_NEAR(high(rates, rates.avf[Rate::kSdc]), rates.enumerated->silent, rounding)
            << rates.name;
      }
    }
    EXPECT_LE(high(summary.all, summary.all.avf[Rate::kSdc]), sdc + rounding);
    EXPECT_LE(high(summary.all, summary.all.due_event), due + rounding);
    EXPECT_LE(high(summary.all, summary.all.wrong_event), event + rounding);
    EXPECT_LE(high(summary.all, summary.all.wrong_on), on + rounding);
    for (const StrikeRates& rates : summary.radiations) {
      EXPECT_LE(high(rates, rates.avf[Rate::kSdc]),
                high(summary.all, summary.all.avf[Rate::kSdc]) + rounding);
    }
  }
}

TEST(MemorySummaryTest, BandsOfWhatWasNotSeenAreBounds) {
  const ScratchFolder folder;
  const StrikeSummary summary =
      summary_of(folder.path("b"), small("secded") +
                                       "trials: 1\nstrike: {process: particle, "
                                       "where: {memory: all}}");
  const auto json = json_of(report_of(summary));
  ASSERT_EQ(json["bands"].size(), summary.structures.size() + 1) << "and all";
  int bounds = 0;
  for (std::size_t i = 0; i < summary.structures.size(); ++i) {
    const StrikeRates& rates = summary.structures[i];
    const auto& due = json["bands"][i]["fit_due"];
    EXPECT_EQ(due.is_null(), rates.avf[Rate::kDue].is_unknown()) << rates.name;
    if (!due.is_null() && !rates.avf[Rate::kDue].is_settled() &&
        rates.avf[Rate::kDue].value == 0.0) {
      EXPECT_GT(due[1].get<double>(), rates.in_fit(rates.avf[Rate::kDue]).interval.high)
          << rates.name;
      ++bounds;
    }
  }
  EXPECT_EQ(bounds, 1) << "of the structure that the trial struck";
}

TEST(MemorySummaryTest, ResumedAndReplayedTrialsAreTheSame) {
  const ScratchFolder folder;
  for (const std::string strike :
       {"{process: particle, where: {memory: all, mesh: {}}}",
        "{process: particle, where: {memory: all}, fluence: 1e9}",
        "{where: {memory: all}, count: 5, fault: [flip, random]}",
        "{where: {memory: scratchpad}, fault: stuck_at_1, lasts: {from: 10, until: 90}}"}) {
    const std::string text = small("secded") + "trials: 60\nstrike: " + strike;
    const Campaign campaign = campaign_of(text);
    const std::string path = folder.path("r.sqlite");
    std::filesystem::remove(path);
    int left = 23;
    for (int run = 0; run < 40; ++run) {
      const auto results = Results::for_campaign(path, campaign);
      Surroundings surroundings;
      surroundings.open_study = studies();
      surroundings.is_interrupted = [&] { return left-- <= 0; };
      if (!run_campaign(campaign, *results, surroundings).is_interrupted) {
        break;
      }
      left = 23;
    }
    for (std::int64_t trial = 0; trial < 60; ++trial) {
      ReplayRequest request;
      request.results = path;
      request.trial = trial;
      const ReplayReport report = replay(request, sim::builtin_engines(), studies());
      EXPECT_TRUE(report.differences.empty()) << strike << "\n" << text_of(report_of(report));
    }
  }
}

TEST(MemorySummaryTest, AReplayTellsOfTheCluster) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  report_of(path,
            small("secded") + "trials: 40\nstrike: {process: particle, where: {memory: all}}");
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  ReplayRequest request;
  request.results = path;
  request.trial = database.execAndGet("SELECT trial FROM trials_wide WHERE bits = 3").getInt();
  const std::string text = text_of(report_of(replay(request, sim::builtin_engines(), studies())));
  EXPECT_NE(text.find("a neutron event at bank "), std::string::npos) << text;
  EXPECT_NE(text.find(": 3 cells of "), std::string::npos) << text;
  EXPECT_NE(text.find(", codeword "), std::string::npos) << text;
  EXPECT_NE(text.find("flip at cycle "), std::string::npos) << text;
  EXPECT_EQ(database
                .execAndGet("SELECT COUNT(*) FROM faults WHERE trial = " +
                            std::to_string(request.trial) + " AND bank IS NOT NULL")
                .getInt(),
            3);
}

// A strike of which an error is reported may still give a wrong answer, where nothing stops.
TEST(MemorySummaryTest, WhatIsReportedIsNotStopped) {
  const Scenario scenario =
      campaign_of(small("secded") + "strike: {process: particle, where: {memory: all}}")
          .points[0]
          .scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  const auto summary = [&](AfterDetection after_detection) {
    StrikeTally tally(*plan.population().single_particles(), 0.0, after_detection);
    StrikeSeen seen;
    seen.structure = "scratchpad";
    seen.radiation = "neutron";
    seen.stratum = "reach 2 detected";
    for (int i = 0; i < 400; ++i) {
      seen.is[Rate::kDue] = i % 2 == 0;
      seen.is_wrong_on = i % 4 == 0;
      seen.is_false_due = i % 4 == 2;
      tally.add(seen);
    }
    return strike_summary(tally, 0.95);
  };
  const StrikeSummary stops = summary(AfterDetection::kStops);
  const StrikeSummary goes_on = summary(AfterDetection::kGoesOn);
  EXPECT_EQ(stops.all.wrong_event.value, 0.0);
  EXPECT_EQ(goes_on.all.due_event.value, stops.all.due_event.value);
  // But for strata without a trial, which are taken to be as the others.
  EXPECT_NEAR(goes_on.all.wrong_event.value / goes_on.all.due_event.value, 0.5, 0.05);
  EXPECT_NEAR(goes_on.all.wrong_inferences.value, goes_on.all.wrong_event.value, 1e-12);
  EXPECT_NEAR(stops.all.false_of_due.value, 0.5, 1e-12);
  EXPECT_NEAR(stops.all.false_of_due.interval.low, clopper_pearson(100, 200, 0.95).low, 1e-9);
  EXPECT_NE(text_of(report_of(stops)).find("which stops that inference"), std::string::npos);
  EXPECT_NE(text_of(report_of(goes_on)).find("the inference goes on"), std::string::npos);
}

// The same of later inferences, as rows have them: with `use` a reported error is an answer, too.
TEST(MemorySummaryTest, LaterAnswersAreWrongAsTheyAreGiven) {
  const ScratchFolder folder;
  const auto later_wrong = [&](const std::string& on_due) {
    const std::string path = folder.path(on_due + ".sqlite");
    report_of(path, small("parity", "130nm", 1,
                          ", on_due: " + on_due + ", schedule: {weights: at_boot}") +
                        "trials: 300\nstrike: {process: particle, where: {memory: all}}");
    SQLite::Database database(path, SQLite::OPEN_READONLY);
    return database.execAndGet("SELECT SUM(COALESCE(later_wrong, 0)) FROM trials_wide").getInt();
  };
  EXPECT_GT(later_wrong("use"), 2 * later_wrong("stop") + 100);
}

// Sums never outlive their inference: what the weights can cause is no bound of theirs.
TEST(MemorySummaryTest, WrongInferencesAreBoundedByWhatAStructureCanCause) {
  const Scenario scenario =
      campaign_of(small("none", "130nm", 1, ", schedule: {weights: at_boot}") +
                  "strike: {process: particle, where: {memory: all}, residence: 1000}")
          .points[0]
          .scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  ASSERT_TRUE(plan.population().single_particles()->structures()[0].outlives);
  ASSERT_FALSE(plan.population().single_particles()->structures()[1].outlives);
  const double later = later_inferences(scenario, plan.cycles());
  ASSERT_GT(later, 1e9);
  StrikeTally tally(*plan.population().single_particles(), later, AfterDetection::kStops);
  StrikeSeen seen;
  for (const StrikeGroup& group : plan.population().single_particles()->groups()) {
    seen.structure = plan.population().single_particles()->structures()[group.structure].name;
    seen.radiation = std::string(name_of(group.radiation));
    seen.stratum = group.text;
    for (int i = 0; i < 1000; ++i) {
      seen.is[Rate::kSdc] = i % 10 == 0;
      seen.later_wrong = group.structure == 0 && i % 10 == 0 ? 0.5 : 0.0;
      tally.add(seen);
    }
  }
  const StrikeSummary summary = strike_summary(tally, 0.95);
  const Estimate& sums = summary.structures[1].wrong_inferences;
  EXPECT_NEAR(sums.value, 0.1, 1e-9);
  EXPECT_GT(sums.interval.low, 0.08);
  EXPECT_LT(sums.interval.high, 0.125);
  const Estimate& weights = summary.structures[0].wrong_inferences;
  EXPECT_NEAR(weights.value, 0.05 * later, 1e-6 * later);
  EXPECT_GT(weights.interval.low, 0.03 * later);
  EXPECT_LT(weights.interval.high, 0.08 * later);
}

TEST(MemorySummaryTest, ImpossibleOutcomesAreCountedAndSaid) {
  const Scenario scenario =
      campaign_of(small("secded") + "strike: {process: particle, where: {memory: all}}")
          .points[0]
          .scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  const Plan plan(scenario, study.facts());
  StrikeTally tally(*plan.population().single_particles(), 0.0, AfterDetection::kStops);
  StrikeSeen seen;
  seen.structure = "scratchpad";
  seen.radiation = "neutron";
  seen.stratum = "reach 1 right";
  for (int i = 0; i < 100; ++i) {
    seen.is[Rate::kSdc] = i < 50;
    tally.add(seen);
  }
  const StrikeSummary summary = strike_summary(tally, 0.95);
  EXPECT_GT(summary.all.avf[Rate::kSdc].value, 0.2);
  ASSERT_EQ(summary.warnings.size(), 1U);
  EXPECT_NE(summary.warnings[0].find("'reach 1 right'"), std::string::npos);
}

TEST(MemorySummaryTest, WhatIsLessPreciseThanAskedIsSaid) {
  const ScratchFolder folder;
  const std::string text = small("secded") +
                           "strike: {process: particle, where: {memory: all}}\n"
                           "until: {relative: 20%, of: [sdc, due]}\ntrials: ";
  const Summary few = report_of(folder.path("few.sqlite"), text + "90").summaries.at(0);
  EXPECT_EQ(few.unmet, (std::vector<std::string>{"sdc", "due"}));
  EXPECT_NE(text_of(report_of(few))
                .find("counted: 90 of 90 trials; less precise than 'until' asks: sdc, due"),
            std::string::npos);
  EXPECT_TRUE(report_of(folder.path("many.sqlite"), text + "20000").summaries.at(0).unmet.empty());
}

TEST(MemorySummaryTest, RatesPerBitContainTheChanceOfAFault) {
  const ScratchFolder folder;
  const std::string path = folder.path("r.sqlite");
  const Summary summary =
      report_of(path, small("none") + "strike: {where: {memory: all}, per_bit: 1e-6}\ntrials: 500")
          .summaries.at(0);
  SQLite::Database database(path, SQLite::OPEN_READONLY);
  const double sdc =
      database.execAndGet("SELECT COUNT(*) FROM trials_wide WHERE outcome = 'sdc'").getInt();
  EXPECT_NEAR(summary.weight, 1.0 - std::exp(-10240 * 8e-6), 1e-6);
  EXPECT_NEAR(summary.all.rates[Rate::kSdc].value, summary.weight * sdc / 500.0, 1e-12);
  EXPECT_NE(text_of(report_of(summary)).find("0.08192 faulty cells expected"), std::string::npos)
      << text_of(report_of(summary));
}

TEST(MemorySummaryTest, WhatIsDetectedHasNoRefinementOfSdc) {
  bridge::Judgement judgement;
  judgement.outcome = Outcome::kDue;
  judgement.sdc_1 = judgement.sdc_5 = judgement.sdc_10 = judgement.sdc_20 = true;
  RateArray<bool> expected;
  expected[Rate::kDue] = true;
  EXPECT_EQ(rates_of(judgement), expected);
  judgement.outcome = Outcome::kSdc;
  expected = {};
  expected[Rate::kSdc] = true;
  for (const Rate rate : kRefinements) {
    expected[rate] = true;
  }
  EXPECT_EQ(rates_of(judgement), expected);
}

}  // namespace
}  // namespace tilestrike::campaigns
