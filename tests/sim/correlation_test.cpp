// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do engines that are right agree, is one that is wrong found with its register and cycle, and is
// what an engine does not compute kept apart from agreement?
#include "sim/compare/correlation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/defective_mesh.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

constexpr std::int64_t kNoLimit = std::int64_t{1} << 40;

EngineSet with_a_broken_one() {
  EngineSet engines = builtin_engines();
  engines.add(defective_engine());
  return engines;
}

class CorrelationTest : public testing::Test {
 protected:
  void SetUp() override {
    DefectiveEngine::is_late = false;
    DefectiveEngine::is_crossed = true;
  }

  MeshJob job_of(std::span<const RegisterFault> faults) const {
    MeshJob job;
    job.run = &run_;
    job.operands = &operands_;
    job.faults = faults;
    return job;
  }

  const MeshConfig config_{4, 4};
  const MeshSites sites_{config_};
  const MeshRun run_{config_, {{6, 4, 4}, {6, 3, 4}, {2, 2, 2}}};
  RandomStream random_{51, 0, Purpose::kTest};
  const RandomOperands operands_{run_, random_};
};

TEST_F(CorrelationTest, TheCrossedBitIsFoundAtTheCycleOfItsStrikeAndNoOtherDiffers) {
  Correlator correlator(with_a_broken_one(), {"wavefront", "stepped", "broken"}, kNoLimit);
  EXPECT_TRUE(correlator.compares_states(config_));
  int parted = 0;
  for (std::uint64_t site = 0; site < sites_.total_bits(); ++site) {
    const RegisterFault fault = flip_of(site, 14);
    const JobCorrelation found = correlator.correlate(job_of({&fault, 1}));
    ASSERT_EQ(found.pairs.size(), 3);
    EXPECT_EQ(found.covers, (std::vector<bool>{true, true, true}));
    const bool is_crossed = fault.site == DefectiveMesh::crossed_site(sites_);
    for (const PairVerdict& pair : found.pairs) {
      const bool has_broken = pair.second == 2;
      ASSERT_EQ(pair.verdict, is_crossed && has_broken ? Verdict::kDiffer : Verdict::kAgree)
          << sites_.text(fault.site);
      EXPECT_TRUE(pair.has_end);
      EXPECT_EQ(pair.has_states, pair.first == 1 && pair.second == 2);
    }
    if (!is_crossed) {
      continue;
    }
    const PairVerdict& pair = found.pairs.back();  // stepped, broken
    ASSERT_TRUE(pair.parting);
    EXPECT_EQ(pair.parting->place(sites_), "partial_sum[2][1]");
    EXPECT_EQ(pair.parting->state, 14);
    // State 14 holds wavefront 14 - 1 - 2 - 1 = 10, step 0 of the window that streams pass 1.
    ASSERT_TRUE(pair.difference);
    EXPECT_EQ(pair.difference->what, EngineDifference::What::kOutput);
    EXPECT_EQ(pair.difference->pass, 1);
    EXPECT_EQ(pair.difference->row, 0);
    EXPECT_EQ(pair.difference->column, 1);
    ++parted;
  }
  EXPECT_EQ(parted, 1);
}

TEST_F(CorrelationTest, ALateRegisterIsFoundWhateverIsStruck) {
  DefectiveEngine::is_crossed = false;
  DefectiveEngine::is_late = true;
  Correlator correlator(with_a_broken_one(), {"stepped", "broken"}, kNoLimit);
  MeshSite site;
  site.kind = Register::kDeskew;
  site.column = 0;
  const RegisterFault fault{sites_.id_of(site), FaultKind::kFlip, {20, 21}};
  const JobCorrelation found = correlator.correlate(job_of({&fault, 1}));
  // load[2][1] changes first when the first weight has come down: four edges after its wavefront,
  // which is the first of the run unless that weight is zero.
  ASSERT_TRUE(found.pairs.front().parting);
  EXPECT_EQ(found.pairs.front().parting->place(sites_), "load[2][1]");
  SteppedMesh whole(config_, sites_);
  RunEdges edges(run_, operands_);
  std::vector<std::int32_t> words(16, 0);
  Cycle first_change = 0;
  while (words[DefectiveMesh::late_cell(config_)] == 0) {
    whole.step(edges.of(first_change++));
    whole.read_all(Register::kLoad, words);
  }
  EXPECT_EQ(found.pairs.front().parting->state, first_change);
}

TEST_F(CorrelationTest, WhatHasNoFormulaIsNotCovered) {
  Correlator correlator(with_a_broken_one(), {"closed_form", "wavefront", "stepped"}, kNoLimit);
  MeshSite site;
  site.kind = Register::kStationary0;
  site.row = site.column = 1;
  RegisterFault fault{sites_.id_of(site), FaultKind::kStuckAt1, {5, 30}};
  const JobCorrelation held = correlator.correlate(job_of({&fault, 1}));
  EXPECT_EQ(held.covers, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(held.pairs[0].verdict, Verdict::kNotCovered);
  EXPECT_EQ(held.pairs[1].verdict, Verdict::kNotCovered);
  EXPECT_EQ(held.pairs[2].verdict, Verdict::kAgree);
  // A flip has a formula, but none for the end state of c0 and c1.
  fault.kind = FaultKind::kFlip;
  const JobCorrelation flip = correlator.correlate(job_of({&fault, 1}));
  EXPECT_EQ(flip.pairs[0].verdict, Verdict::kAgree);
  EXPECT_FALSE(flip.pairs[0].has_end);
  EXPECT_TRUE(flip.pairs[2].has_end);
}

TEST_F(CorrelationTest, LongRunsAreNotStepped) {
  Correlator correlator(with_a_broken_one(), {"wavefront", "stepped"}, run_.cycles() * 16 - 1);
  const RegisterFault fault = flip_of(0, 3);
  EXPECT_EQ(correlator.correlate(job_of({&fault, 1})).pairs.front().verdict, Verdict::kNotCovered);
  Correlator patient(with_a_broken_one(), {"wavefront", "stepped"}, run_.cycles() * 16);
  EXPECT_EQ(patient.correlate(job_of({&fault, 1})).pairs.front().verdict, Verdict::kAgree);
}

TEST_F(CorrelationTest, PhasesOfARegister) {
  const auto phase_at = [&](Register kind, Cycle cycle, const MeshRun& run) {
    MeshSite site;
    site.kind = kind;
    site.column = 0;
    site.row = kind == Register::kOutput ? -1 : 0;
    return phase_of(run, MeshSites(run.config()), flip_of(sites_.id_of(site).value, cycle));
  };
  // Overlapped WS: window 0 loads pass 0 (wavefronts 0 to 3), window 1 streams it and loads pass 1
  // (4 to 9, rows enter in the last four), 2 streams pass 1 (10 to 15), 3 pass 2 (16, 17).
  EXPECT_EQ(phase_at(Register::kVertical, 0, run_), Phase::kIdle);
  EXPECT_EQ(phase_at(Register::kVertical, 1, run_), Phase::kPreload);
  EXPECT_EQ(phase_at(Register::kVertical, 4, run_), Phase::kPreload);
  EXPECT_EQ(phase_at(Register::kVertical, 5, run_), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kVertical, 6, run_), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kVertical, 7, run_), Phase::kPreloadStream);
  EXPECT_EQ(phase_at(Register::kVertical, 18, run_), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kVertical, 19, run_), Phase::kIdle);
  EXPECT_EQ(phase_at(Register::kOutput, 4 + 5, run_), Phase::kStreamDrain);  // wavefront 4
  MeshConfig os = config_;
  os.dataflow = Dataflow::kOutputStationary;
  os.preload = Preload::kSerial;
  const MeshRun serial(os, {{4, 5, 4}, {4, 2, 4}});
  // Loads 0 to 3, streams 4 to 8, loads and drains 9 to 12, streams 13, 14, drains 15 to 18.
  EXPECT_EQ(phase_at(Register::kActivation, 4, serial), Phase::kPreload);
  EXPECT_EQ(phase_at(Register::kActivation, 5, serial), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kActivation, 10, serial), Phase::kPreloadDrain);
  EXPECT_EQ(phase_at(Register::kActivation, 14, serial), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kActivation, 19, serial), Phase::kDrain);
  EXPECT_EQ(phase_at(Register::kActivation, 20, serial), Phase::kIdle);
  // Window 1 streams six wavefronts, waits for three, and loads in the last four.
  const MeshRun waits(config_, {{6, 4, 4}, {6, 3, 4}}, [](const Window& window, const Window&) {
    return window.index == 1 ? 13 : window.length;
  });
  EXPECT_EQ(phase_at(Register::kVertical, 1 + 4 + 5, waits), Phase::kStream);
  EXPECT_EQ(phase_at(Register::kVertical, 1 + 4 + 6, waits), Phase::kWait);
  EXPECT_EQ(phase_at(Register::kVertical, 1 + 4 + 8, waits), Phase::kWait);
  EXPECT_EQ(phase_at(Register::kVertical, 1 + 4 + 9, waits), Phase::kPreload);
}

// The golden run may be kept or forgotten; from a window on, and from states that differ.
TEST_F(CorrelationTest, LockstepIsTheSameHoweverMuchItKeeps) {
  MeshState start, other;
  for (MeshState* state : {&start, &other}) {
    for (auto& words : state->stationary) {
      for (int i = 0; i < 16; ++i) {
        words.push_back(fitted(static_cast<std::uint32_t>(random_.next()), 8));
      }
    }
  }
  SteppedMesh a(config_, sites_), b(config_, sites_), c(config_, sites_), d(config_, sites_);
  const MeshRun longer(config_, {{90, 4, 4}, {70, 3, 4}, {80, 2, 2}});
  const RandomOperands operands(longer, random_);
  Lockstep kept(longer, operands, sites_, a, b, {&start, 0});
  ASSERT_FALSE(kept.record());
  int departed = 0;
  for (int trial = 0; trial < 60; ++trial) {
    RegisterFault fault =
        flip_of(random_.below(sites_.total_bits()),
                1 + static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(longer.cycles()))));
    if (trial % 3 == 0) {
      fault.kind = FaultKind::kStuckAt1;
      fault.when.until = fault.when.from + 100;
    }
    const MeshState* faulty_start = trial % 4 == 0 ? &other : nullptr;
    const LockstepResult expected = kept.strike({&fault, 1}, faulty_start);
    Lockstep forgetful(longer, operands, sites_, c, d, {&start, 0}, Lockstep::Golden::kForgotten);
    const LockstepResult result = forgetful.strike({&fault, 1}, faulty_start);
    EXPECT_FALSE(expected.disagreement || result.disagreement);
    EXPECT_EQ(result.changed_word, expected.changed_word);
    EXPECT_EQ(result.changed_results, expected.changed_results);
    EXPECT_EQ(result.departs, expected.departs);
    EXPECT_EQ(result.agrees_from, expected.agrees_from);
    if (faulty_start == nullptr && fault.kind == FaultKind::kFlip) {
      EXPECT_EQ(result.departs, fault.when.from);
    }
    departed += result.departs > 0 ? 1 : 0;
  }
  EXPECT_GT(departed, 40);
}

}  // namespace
}  // namespace tilestrike::sim
