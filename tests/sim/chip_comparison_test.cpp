// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do engines agree on struck chips, is a broken one found, and is said what differs?
#include "sim/chip/chip_comparison.h"

#include <gtest/gtest.h>

#include "sim/chip/chip_lockstep.h"
#include "tests/sim/chip_jobs.h"
#include "tests/sim/defective_core.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

/// Random strikes on made-up chips, one after another.
class ChipComparisonTest : public testing::Test {
 protected:
  template <typename Visit>
  void each_strike(int strikes, const Visit& visit) {
    for (int trial = 0; trial < strikes; ++trial) {
      ChipMaker maker(chip_taste_of(trial), random_);
      const ChipRun run(maker.make().chip, maker.spikes());
      const auto cycle =
          static_cast<Cycle>(1 + random_.below(static_cast<std::uint64_t>(run.cycles())));
      const bool lasts = random_.below(4) == 0;
      const RegisterFault fault{SiteId(random_.below(run.chip().total_bits())),
                                lasts ? FaultKind::kStuckAt1 : FaultKind::kFlip,
                                {cycle, cycle + (lasts ? 60 : 1)}};
      visit(run, fault);
    }
  }

  RandomStream random_{92, 0, Purpose::kTest};
};

TEST_F(ChipComparisonTest, EnginesAgreeByThemselves) {
  ChipOnEngine stepped(make_core_engine("stepped")), systemc(make_core_engine("systemc"));
  ChipOnEngine closed_form(make_core_engine("closed_form"));
  int compared = 0, by_formula = 0, not_covered = 0, changed = 0;
  each_strike(proof_size(20000, 800), [&](const ChipRun& run, const RegisterFault& fault) {
    const ChipJob job{{&fault, 1}};
    const auto first = stepped.strike(run, job), second = systemc.strike(run, job),
               third = closed_form.strike(run, job);
    ASSERT_EQ(first.has_value(), second.has_value());
    if (!first) {
      ++not_covered;
      EXPECT_TRUE(StruckChip().strike(run, job).was_lockstep) << "no engine had a say";
      EXPECT_FALSE(third.has_value());
      return;
    }
    ++compared;
    changed += first->changed_spikes > 0 ? 1 : 0;
    ASSERT_EQ(first_difference(*first, *second), "") << run.chip().text(fault.site);
    if (third) {
      ++by_formula;
      ASSERT_EQ(first_difference(*first, *third), "") << run.chip().text(fault.site);
    }
  });
  std::printf("%d compared, %d by formula, %d changed spikes, %d in lockstep\n", compared,
              by_formula, changed, not_covered);
  EXPECT_GT(by_formula, compared / 4);
  EXPECT_LT(by_formula, compared);
  EXPECT_GT(changed, compared / 20);
  EXPECT_GT(not_covered, 0);
}

TEST_F(ChipComparisonTest, ABrokenEngineIsFoundWhereItIsBroken) {
  ChipOnEngine stepped(make_core_engine("stepped"));
  ChipOnEngine broken(std::make_unique<DefectiveCoreEngine>());
  int crossed = 0;
  each_strike(proof_size(10000, 800), [&](const ChipRun& run, const RegisterFault& fault) {
    const ChipJob job{{&fault, 1}};
    const auto one = stepped.strike(run, job), other = broken.strike(run, job);
    if (!one) {
      return;
    }
    const CoreSite site = run.chip().core_sites().describe(run.chip().within_core(fault.site));
    const bool is_flip = fault.kind == FaultKind::kFlip && one->before != one->after;
    if (!DefectiveCore::is_crossed(site)) {
      EXPECT_EQ(first_difference(*one, *other), "") << run.chip().text(fault.site);
    } else if (is_flip) {
      ++crossed;
      EXPECT_NE(first_difference(*one, *other), "") << run.chip().text(fault.site);
      EXPECT_EQ(first_difference(*one, *other).empty(), first_difference(*other, *one).empty());
    }
  });
  EXPECT_GT(crossed, 10);
}

/// Nothing covers the job.
class Shy final : public CoreEngine {
 public:
  bool covers(const CoreJob&) override { return false; }
  CoreResult run(const CoreJob&) override { return {}; }
};

TEST_F(ChipComparisonTest, WhatIsNotCoveredHasNoAnswerThoughAnotherEngineHasOne) {
  ChipOnEngine shy(std::make_unique<Shy>());
  each_strike(20, [&](const ChipRun& run, const RegisterFault& fault) {
    EXPECT_FALSE(shy.strike(run, {{&fault, 1}}).has_value());
  });
}

TEST(FirstDifferenceTest, NamesWhatDiffersAndBothNumbers) {
  ChipResult one;
  one.readout = {4, -7};
  one.outputs = {{3, 1, 0, 1}};
  one.cores = {{1, true, false, {}}};
  one.before = 8;
  one.after = 12;
  EXPECT_EQ(first_difference(one, one), "");
  const auto said = [&](auto&& change) {
    ChipResult other = one;
    change(other);
    return first_difference(one, other);
  };
  EXPECT_EQ(said([](ChipResult& other) { other.hung = true; }), "hung: 0; 1");
  EXPECT_EQ(said([](ChipResult& other) { other.readout[1] = -8; }),
            "membrane 1 of the answer: -7; -8");
  EXPECT_EQ(said([](ChipResult& other) { other.readout.pop_back(); }),
            "membranes of the answer: 2; 1");
  EXPECT_EQ(said([](ChipResult& other) { other.outputs.clear(); }),
            "spikes of the answer, changes: 1; 0");
  EXPECT_EQ(said([](ChipResult& other) {
              other.cores.clear();
              other.changed_spikes = 2;
            }),
            "events of cores, spikes changed: 0; 2");
  EXPECT_EQ(said([](ChipResult& other) { other.errors = 2; }), "register error: 0; 2");
  EXPECT_EQ(said([](ChipResult& other) { other.activated = true; }), "activated: 0; 1");
  EXPECT_EQ(said([](ChipResult& other) { other.before = 9; }), "struck field before: 8; 9");
  EXPECT_EQ(said([](ChipResult& other) { other.after = 13; }), "struck field after: 12; 13");
  EXPECT_EQ(said([](ChipResult& other) { other.ecc.corrected = 5; }), "codewords corrected: 0; 5");
  EXPECT_EQ(said([](ChipResult& other) { other.ecc.detected = 1; }), "codewords detected: 0; 1");
  EXPECT_EQ(said([](ChipResult& other) { other.ecc_core = 1; }),
            "core of the first codeword detected: 0; 1");
  // A chip that hangs has no answer, so that nothing else of two such chips is compared.
  ChipResult hung = one, other;
  hung.hung = other.hung = true;
  EXPECT_EQ(first_difference(hung, other), "");
}

}  // namespace
}  // namespace tilestrike::sim
