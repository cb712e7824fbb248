// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a correlation find a broken engine, name where it parts, count what agrees and what is not
// covered, and keep it all? On made-up passes, so without a network.
#include "campaigns/correlate/correlate.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bridge/accelerator/engines.h"
#include "campaigns/correlate/correlation_report.h"
#include "campaigns/correlate/correlation_tables.h"
#include "campaigns/correlate/made_up_passes.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/sim/defective_mesh.h"

namespace tilestrike::campaigns {
namespace {

Surroundings with_engines() {
  Surroundings surroundings;
  surroundings.engines = bridge::engines_of_this_build();
  surroundings.engines.add(sim::defective_engine());
  return surroundings;
}

const std::string kMesh =
    "model: none\naccelerator: {base: gemmini_16x16, mesh: {rows: 4, columns: 4}}\n";
const std::string kOnePe = "strike: {where: {mesh: {register: [partial_sum, load], pe: [2, 1]}}}\n";

CorrelationReport correlated(const std::string& text, CorrelateRequest request = {}) {
  return correlate(campaign_of(text), request, with_engines());
}

CorrelateRequest with(std::vector<std::string> engines) {
  CorrelateRequest request;
  request.engines = std::move(engines);
  return request;
}

std::int64_t number(const SQLite::Database& file, const std::string& query) {
  SQLite::Statement statement(file, query);
  return statement.executeStep() ? statement.getColumn(0).getInt64() : -1;
}

TEST(CorrelateTest, EveryFaultOfAPeAndTheOneBrokenBit) {
  const std::string text = kMesh + kOnePe + "trials: exhaustive\n";
  const CorrelationReport report = correlated(text, with({"wavefront", "stepped", "broken"}));
  EXPECT_EQ(report.exit_code(), 1);
  ASSERT_EQ(report.points.size(), 1);
  const PointCorrelation& point = report.points[0];
  const MadeUpPasses passes({4, 4}, 1, kMadeUpSets);
  const std::int64_t of_one_bit = passes.facts().cycles * kMadeUpSets;
  EXPECT_TRUE(point.is_census);
  EXPECT_TRUE(point.compares_states);
  EXPECT_EQ(point.struck, (32 + 8) * of_one_bit);
  EXPECT_EQ(point.without_run, 0);
  const FaultCounts all = point.all();
  EXPECT_EQ(all.strikes, point.struck);
  EXPECT_EQ(all.unchanged, 0);
  EXPECT_EQ(all.masked + all.corrupted, all.strikes);
  EXPECT_GT(all.corrupted, all.strikes / 10);
  // A flip of bit 5 is one of bit 6 there: a difference whenever it is, in the registers at least.
  EXPECT_EQ(all.differed, of_one_bit);
  EXPECT_EQ(all.agreed, all.strikes - of_one_bit);
  EXPECT_EQ(point.bound(all.differed, all.compared()), 1.0 / 40.0);
  for (std::size_t kind = 0; kind < point.registers.size(); ++kind) {
    EXPECT_EQ(point.of_register(kind).differed,
              point.registers[kind] == "partial_sum" ? of_one_bit : 0);
  }
  EXPECT_EQ(point.of_pair(0).differed, 0);           // wavefront, stepped
  EXPECT_EQ(point.of_pair(2).differed, of_one_bit);  // stepped, broken
  EXPECT_EQ(point.of_pair(2).with_states, all.strikes);
  EXPECT_EQ(point.of_pair(1).with_states, 0);
  EXPECT_EQ(point.of_pair(1).differed, of_one_bit);  // in the struck word, if nothing else

  // From the fastest: cycle, site. partial_sum[2][1] bit 5 in cycle 0 is state 1.
  ASSERT_TRUE(point.first);
  EXPECT_EQ(point.first->trial, 5 * passes.facts().cycles);
  EXPECT_EQ(point.first->text, "flip of partial_sum[2][1] bit 5 at cycle 0");
  const CorrelatedPair* pair = point.first->differing();
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->state_register, "partial_sum[2][1]");
  EXPECT_EQ(pair->state, 1);
  EXPECT_EQ(pair->states, "32 against 64");

  const std::string command = "tilestrike correlate s.yaml";
  const std::string said = text_of(report_of(report, command));
  EXPECT_NE(said.find(std::to_string(of_one_bit) + " of " + std::to_string(all.strikes) +
                      " faults differ; they are the whole population"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("stepped and broken part in layer made_up_passes: partial_sum[2][1] at cycle "
                      "1 of its run: 32 against 64"),
            std::string::npos)
      << said;
  const nlohmann::ordered_json json = json_of(report_of(report, command));
  EXPECT_EQ(json["agrees"], false);
  EXPECT_EQ(json["scenarios"][0]["registers"]["partial_sum"]["differed"], of_one_bit);
  EXPECT_EQ(json["scenarios"][0]["pairs"][2]["differed"], of_one_bit);
  EXPECT_EQ(json["scenarios"][0]["first"]["trial"], point.first->trial);
  const std::string html = html_of(report_of(report, command), "Engines");
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);  // nothing from elsewhere
  EXPECT_NE(html.find("class=\"bad\""), std::string::npos);
  EXPECT_NE(html.find("partial_sum[2][1] at cycle 1"), std::string::npos);
}

TEST(CorrelateTest, WhatDiffersInOutputsOnlyIsNamedByTheFirst) {
  // State 14 holds wavefront 10, step 0 of the window that streams pass 1.
  const std::string text = kMesh +
                           "strike: {process: list, faults: [{register: partial_sum, row: 2, "
                           "column: 1, bit: 5, cycle: 13}]}\n";
  const CorrelationReport report = correlated(text, with({"wavefront", "broken"}));
  const PointCorrelation& point = report.points[0];
  EXPECT_FALSE(point.compares_states);
  ASSERT_TRUE(point.first);
  const CorrelatedPair* pair = point.first->differing();
  EXPECT_EQ(pair->state, -1);
  EXPECT_EQ(pair->differs_in, "output");
  EXPECT_EQ(pair->pass, 1);
  EXPECT_EQ(pair->row, 0);
  EXPECT_EQ(pair->column, 1);
  EXPECT_NE(
      text_of(report_of(report, "")).find("fewer than two of these engines move every register"),
      std::string::npos);
}

TEST(CorrelateTest, EnginesThatAreRightAgreeAndASampleHasABound) {
  for (const char* strike : {"strike: {fault: [flip, random], count: 2}",
                             "strike: {fault: [stuck_at_0, stuck_at_1], lasts: {from: 5, until: "
                             "19}, count: 2}",
                             "strike: {fault: stuck_at_1}"}) {
    const CorrelationReport report =
        correlated(kMesh + strike + "\ntrials: 300\n",
                   with({"systemc", "closed_form", "wavefront", "stepped"}));
    EXPECT_EQ(report.exit_code(), 0) << strike;
    const PointCorrelation& point = report.points[0];
    const FaultCounts all = point.all();
    EXPECT_EQ(all.differed, 0);
    EXPECT_GT(all.agreed, 150);
    EXPECT_NEAR(point.bound(0, all.compared()),
                1.0 - std::pow(0.05, 1.0 / static_cast<double>(all.compared())), 1e-12);
    // closed_form has no formula for some of these; that is not agreement.
    const PairCounts closed_form = point.of_pair(0);
    EXPECT_GT(closed_form.not_covered, 0) << strike;
    EXPECT_EQ(closed_form.agreed + closed_form.not_covered, all.strikes);
    EXPECT_NE(verdict_text(point).find("at most "), std::string::npos);
    EXPECT_NE(verdict_text(point).find("with 95 % confidence"), std::string::npos);
  }
}

TEST(CorrelateTest, NothingComparedIsNoAgreement) {
  const CorrelationReport report = correlated(
      "model: none\naccelerator: {base: gemmini_16x16, mesh: {rows: 4, columns: 4, overflow: "
      "saturate}}\ntrials: 20\n",
      with({"closed_form", "wavefront"}));
  EXPECT_TRUE(report.agrees());
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.points[0].notes,
            (std::vector<std::string>{"closed_form covers none of these faults"}));
  EXPECT_NE(text_of(report_of(report, "")).find("no fault was compared"), std::string::npos);
}

TEST(CorrelateTest, TheFileHoldsARowPerFaultAndPairAndTheMatrix) {
  const ScratchFolder folder;
  CorrelateRequest request = with({"wavefront", "stepped", "broken"});
  request.out = folder.path("sub/c.sqlite");
  const CorrelationReport report =
      correlated(kMesh + kOnePe +
                     "trials: 500\nsweep: {accelerator.mesh.preload: [overlapped, serial]}\n"
                     "seed: 3\n",
                 request);
  ASSERT_EQ(report.points.size(), 2);
  SQLite::Database file(request.out, SQLite::OPEN_READONLY);
  EXPECT_EQ(number(file, "SELECT COUNT(*) FROM correlated_faults"), 1000);
  EXPECT_EQ(number(file, "SELECT COUNT(*) FROM correlations"), 3000);
  const std::int64_t differed = report.points[0].of_pair(2).differed;
  EXPECT_GT(differed, 0);
  const std::string of_pair =
      " scenario = 0 AND first_engine = 'stepped' AND second_engine = 'broken'";
  EXPECT_EQ(
      number(file, "SELECT COUNT(*) FROM correlations WHERE verdict = 'differ' AND" + of_pair),
      differed);
  EXPECT_EQ(number(file, "SELECT SUM(differed) FROM correlation_matrix WHERE" + of_pair), differed);
  EXPECT_EQ(number(file,
                   "SELECT SUM(agreed + differed + not_covered) FROM correlation_matrix "
                   "WHERE" +
                       of_pair),
            500);
  // What reproduces the second point's disagreement names the point.
  ASSERT_TRUE(report.points[1].first);
  EXPECT_EQ(reproduction_of(report.points[1], "tilestrike correlate s.yaml"),
            "tilestrike correlate s.yaml --scenario 1 --trial " +
                std::to_string(report.points[1].first->trial) +
                " --engines stepped,broken --vcd vcd");
  // Each that differs is of that bit, and differs in that register just after its cycle.
  EXPECT_EQ(number(file,
                   "SELECT COUNT(*) FROM correlations JOIN correlated_faults USING (scenario, "
                   "trial) WHERE verdict = 'differ' AND scenario = 0 AND second_engine = 'broken' "
                   "AND first_engine = 'stepped' AND register = 'partial_sum' AND bit = 5 AND "
                   "state_register = 'partial_sum[2][1]' AND state_cycle = cycle + 1"),
            differed);
  EXPECT_EQ(number(file, "SELECT differed FROM scenarios WHERE scenario = 0"), differed);
  EXPECT_EQ(number(file, "SELECT COUNT(*) FROM meta WHERE key = 'tilestrike'"), 1);
  EXPECT_EQ(errors_of([&] { correlated(kMesh, request); }),
            request.out +
                ": the file exists; a correlation is written to a new one; remove it, or "
                "name another file with --out");
}

TEST(CorrelateTest, OneTrialAndItsWaveforms) {
  const ScratchFolder folder;
  CorrelateRequest request = with({"stepped", "broken"});
  const std::string text = kMesh + kOnePe + "trials: 400\nseed: 3\n";
  const CorrelationReport all = correlated(text, request);
  ASSERT_TRUE(all.points[0].first);
  request.trial = all.points[0].first->trial;
  request.vcd_folder = folder.path("vcd");
  const CorrelationReport one = correlated(text, request);
  EXPECT_EQ(one.exit_code(), 1);
  const PointCorrelation& point = one.points[0];
  EXPECT_EQ(point.struck, 1);
  ASSERT_TRUE(point.first);
  EXPECT_EQ(point.first->text, all.points[0].first->text);
  const std::string stem = request.vcd_folder + "/trial_" + std::to_string(*request.trial);
  EXPECT_EQ(point.waveforms,
            (std::vector<std::string>{stem + "_stepped.vcd", stem + "_broken.vcd"}));
  for (const std::string& path : point.waveforms) {
    EXPECT_TRUE(std::filesystem::is_regular_file(path)) << path;
  }
  EXPECT_NE(text_of(report_of(one, "")).find("waveform: " + stem + "_broken.vcd"),
            std::string::npos);
}

TEST(CorrelateTest, ABuildWithoutRtlSaysSo) {
  const bool has_rtl = bridge::engines_of_this_build().find("rtl") != nullptr;
  CorrelationReport report = correlated(kMesh + "trials: 5\n", with({"stepped", "wavefront"}));
  EXPECT_EQ(report.has_rtl, has_rtl);
  for (const bool has : {true, false}) {
    report.has_rtl = has;
    EXPECT_EQ(text_of(report_of(report, "")).find("this build has no RTL") == std::string::npos,
              has);
    EXPECT_EQ(html_of(report_of(report, ""), "Engines").find("this build has no RTL") ==
                  std::string::npos,
              has);
  }
  Surroundings without;
  without.engines = sim::builtin_engines();
  without.engines.add_absent({"rtl", "this build has no RTL", "install verilator"});
  EXPECT_EQ(errors_of([&] {
              correlate(campaign_of(kMesh), with({"stepped", "rtl"}), without);
            }),
            "--engines: this build has no RTL; install verilator, or choose from systemc, "
            "closed_form, wavefront, stepped");
}

TEST(CorrelateTest, AnInterruptedCorrelationSaysSo) {
  Surroundings stopped = with_engines();
  int trials = 0;
  stopped.is_interrupted = [&] { return ++trials > 10; };
  const CorrelationReport report =
      correlate(campaign_of(kMesh), with({"stepped", "wavefront"}), stopped);
  EXPECT_TRUE(report.is_interrupted);
  EXPECT_EQ(report.exit_code(), 130);
  EXPECT_EQ(report.points[0].struck, 10);
}

TEST(CorrelateTest, MadeUpOperandsAreRandomOrExtreme) {
  MadeUpPasses passes({4, 4}, 7, 4);
  EXPECT_EQ(passes.facts().images, 4);
  const RegisterFault fault{SiteId(3), FaultKind::kFlip, {11, 12}};
  std::vector<std::vector<std::int8_t>> seen;
  for (std::int64_t set = 0; set < 4; ++set) {
    passes.each_struck_run(
        ImageId(set), {&fault, 1}, [&](const std::string&, const sim::MeshJob& job) {
          EXPECT_EQ(job.faults.front().when.from, 12);  // the state after that cycle's edge
          std::vector<std::int8_t> values(24);
          job.operands->activations(0, 0, 6, values.data());
          for (const std::int8_t value : values) {
            EXPECT_TRUE(set % 2 == 0 || value == -128 || value == 127 || value == 0);
          }
          seen.push_back(values);
        });
  }
  ASSERT_EQ(seen.size(), 4);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(seen[i], seen[j]);
    }
  }
  EXPECT_TRUE(std::ranges::any_of(
      seen[0], [](int value) { return value != -128 && value != 127 && value != 0; }));
}

TEST(CorrelateTest, WrongRequests) {
  const auto said = [](const std::string& text, const CorrelateRequest& request) {
    return errors_of([&] { correlated(text, request); });
  };
  EXPECT_EQ(said(kMesh, with({"stepped", "sistemc"})),
            "--engines: no engine is called 'sistemc'; did you mean 'systemc'?");
  EXPECT_EQ(
      said(kMesh, with({"stepped", "stepped"}))
          .rfind("--engines: one engine has nothing to be compared with; name two or more of ", 0),
      0);
  CorrelateRequest trial = with({"stepped", "wavefront"});
  trial.trial = 1000;
  EXPECT_EQ(said(kMesh, trial),
            "--trial: the scenario has no trial 1000; trials are 0 to 999; --trials makes more");
  trial.trial = 0;
  trial.scenario = 1;
  EXPECT_EQ(said(kMesh, trial), "--scenario: the sweep has no scenario 1; scenarios are 0 to 0");
  EXPECT_EQ(said("model: lenet5\nstrike: {where: {weights: \"*\"}}\n", {}),
            "scenario: engines compute struck registers of the mesh only; strike 'where: {mesh: "
            "{}}'");
  EXPECT_EQ(said("model: none\ndata: {images: fashion_mnist/test}\n", {}),
            "test.yaml:2:7: data: without a model there are no images; leave them out; 'use' "
            "counts sets of operands");
  EXPECT_EQ(errors_of([] {
              study_inputs(campaign_of("model: none\n").points[0].scenario, sim::builtin_engines());
            }),
            "scenario: model: none: there is no network whose answer could be judged; name a "
            "model, or use `tilestrike correlate`");
  EXPECT_NE(said("model: none\nstrike: {where: {weights: \"*\"}}\n", {})
                .find("model: without one, registers of the mesh are struck only"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::campaigns
