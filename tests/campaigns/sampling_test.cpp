// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is trial k a function of (seed, k) alone, uniform over what it should be, and a census complete?
#include "campaigns/plan/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

struct Planned {
  explicit Planned(const std::string& text)
      : scenario(campaign_of("model: lenet5\n" + text).points.front().scenario),
        study(study_inputs(scenario, sim::builtin_engines()), {}),
        plan(scenario, study.facts()) {}
  Scenario scenario;
  FakeStudy study;
  Plan plan;
};

using Drawn = std::tuple<std::int64_t, std::uint64_t, FaultKind, Cycle, Cycle>;

Drawn key_of(const DrawnTrial& trial) {
  const RegisterFault& fault = trial.faults.front().fault;
  return {trial.image ? trial.image->value : -1, fault.site.value, fault.kind, fault.when.from,
          fault.when.until};
}

TEST(SamplingTest, TrialsDependOnSeedAndNumberAlone) {
  const Planned once("trials: 100"), again("trials: 7\ndevice: cpu\ndata: {use: 10}"),
      other("seed: 2");
  int same = 0;
  for (std::uint64_t k = 0; k < 50; ++k) {
    const auto drawn = key_of(once.plan.draw(TrialId(k)));
    EXPECT_EQ(drawn, key_of(once.plan.draw(TrialId(k))));
    EXPECT_EQ(std::get<0>(drawn), once.plan.image_of(TrialId(k))->value);
    EXPECT_EQ(drawn, key_of(again.plan.draw(TrialId(k))));
    same += drawn == key_of(other.plan.draw(TrialId(k))) ? 1 : 0;
  }
  EXPECT_EQ(same, 0);
}

std::string scrubbed(const std::string& scratchpad, const std::string& accumulator) {
  return "accelerator: {base: gemmini_16x16, memory: {scratchpad: {ecc: secded, scrub: " +
         scratchpad + "}, accumulator: {ecc: secded, scrub: " + accumulator +
         "}}}\nstrike: {where: {memory: all}}\n";
}

TEST(SamplingTest, EveryScrubberHasAPhaseOfItsOwn) {
  const Planned both(scrubbed("1000", "1048576")), one(scrubbed("0", "1048576")),
      none(scrubbed("0", "0")), longer(scrubbed("3000", "1048576"));
  constexpr int kDraws = 6000;
  std::vector<int> thirds(3, 0);
  int high_together = 0;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnTrial drawn = both.plan.draw(TrialId(k));
    const bridge::ScrubPhases& phases = drawn.scrub_phases;
    ASSERT_EQ(phases.size(), both.study.facts().memories.size());
    EXPECT_EQ(phases, both.plan.draw(TrialId(k)).scrub_phases);
    ASSERT_TRUE(*phases[0] >= 0 && *phases[0] < 1000);
    ASSERT_TRUE(*phases[1] >= 0 && *phases[1] < 1048576);
    ++thirds[static_cast<std::size_t>(*phases[0] * 3 / 1000)];
    high_together += *phases[0] >= 500 && *phases[1] >= 524288 ? 1 : 0;
    // Nothing else depends on it, and it on nothing else.
    const DrawnTrial other = one.plan.draw(TrialId(k));
    EXPECT_FALSE(other.scrub_phases[0]);
    EXPECT_EQ(other.scrub_phases[1], phases[1]);
    EXPECT_EQ(longer.plan.draw(TrialId(k)).scrub_phases[1], phases[1]);
    EXPECT_FALSE(none.plan.draw(TrialId(k)).scrub_phases[1]);
    EXPECT_EQ(drawn.image, other.image);
    const CellFault cell = drawn.job().strike.cells[0], same = other.job().strike.cells[0];
    EXPECT_TRUE(cell.memory == same.memory && cell.bit == same.bit && cell.when == same.when);
  }
  for (const int third : thirds) {
    EXPECT_NEAR(third, kDraws / 3.0, 5 * std::sqrt(kDraws * 2.0 / 9));
  }
  EXPECT_NEAR(high_together, kDraws / 4.0, 5 * std::sqrt(kDraws * 3.0 / 16));
}

TEST(SamplingTest, PointsOfASweepArePaired) {
  // The same sites and cycles exist, so that only the kind of fault differs.
  const Planned flip("strike: {fault: flip}"),
      stuck("strike: {fault: stuck_at_0, lasts: transient}");
  for (std::uint64_t k = 0; k < 50; ++k) {
    const DrawnTrial a = flip.plan.draw(TrialId(k)), b = stuck.plan.draw(TrialId(k));
    EXPECT_EQ(a.image, b.image);
    EXPECT_EQ(a.faults[0].fault.site, b.faults[0].fault.site);
    EXPECT_EQ(a.faults[0].fault.when, b.faults[0].fault.when);
  }
}

TEST(SamplingTest, TransientsAreUniformOverSitesCyclesAndImages) {
  const Planned setup("strike: {where: {mesh: {pe: [0, 0], register: load}}}");
  EXPECT_EQ(setup.plan.population_size(), 8U * 300 * 10);
  constexpr int kDraws = 60'000;
  std::map<std::uint64_t, int> sites;
  std::map<std::int64_t, int> images;
  std::vector<int> thirds(3, 0);
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    const DrawnTrial trial = setup.plan.draw(TrialId(k));
    ASSERT_EQ(trial.faults.size(), 1U);
    const RegisterFault& fault = trial.faults[0].fault;
    ++sites[fault.site.value];
    ++images[trial.image->value];
    ASSERT_GE(fault.when.from, 0);
    ASSERT_LT(fault.when.from, 300);
    ASSERT_EQ(fault.when.until, fault.when.from + 1);
    ++thirds[static_cast<std::size_t>(fault.when.from / 100)];
  }
  const auto check = [&](double count, double groups) {
    const double expected = kDraws / groups;
    EXPECT_NEAR(count, expected, 5.0 * std::sqrt(expected));
  };
  EXPECT_EQ(sites.size(), 8U);
  for (const auto& [site, count] : sites) {
    check(count, 8);
  }
  EXPECT_EQ(images.size(), 10U);
  for (const auto& [image, count] : images) {
    check(count, 10);
  }
  for (const int count : thirds) {
    check(count, 3);
  }
}

TEST(SamplingTest, ALayerLimitsTheCycles) {
  const Planned setup("strike: {where: {mesh: {layer: \"fc\"}}}");
  EXPECT_EQ(setup.plan.cycles(), 80);
  std::set<Cycle> cycles;
  for (std::uint64_t k = 0; k < 2000; ++k) {
    cycles.insert(setup.plan.draw(TrialId(k)).faults[0].fault.when.from);
  }
  EXPECT_EQ(*cycles.begin(), 200);
  EXPECT_EQ(*cycles.rbegin(), 279);
  EXPECT_EQ(cycles.size(), 80U);
  const Planned both("strike: {where: {mesh: {layer: \"*c*\"}}}");
  EXPECT_EQ(both.plan.cycles(), 160);
  EXPECT_NE(errors_of([] {
              Planned("strike: {where: {mesh: {layer: con1}}}");
            }).find("no layer on the mesh matches 'con1'; did you mean 'conv1'?"),
            std::string::npos);
}

TEST(SamplingTest, SeveralFaultsStrikeDifferentSites) {
  const Planned setup(
      "strike: {count: 8, fault: [flip, stuck_at_1], lasts: transient, where: {mesh: {pe: [0, 0], "
      "register: load}}}");
  std::set<Cycle> cycles;
  std::set<FaultKind> kinds;
  for (std::uint64_t k = 0; k < 20; ++k) {
    std::set<std::uint64_t> sites;
    for (const DrawnFault& fault : setup.plan.draw(TrialId(k)).faults) {
      sites.insert(fault.fault.site.value);
      cycles.insert(fault.fault.when.from);
      kinds.insert(fault.fault.kind);
    }
    EXPECT_EQ(sites.size(), 8U);
  }
  EXPECT_GT(cycles.size(), 60U) << "each upset has its own cycle";
  EXPECT_EQ(kinds.size(), 2U);
}

TEST(SamplingTest, RandomValuesAreAFlipOrNothing) {
  const Planned setup("strike: {fault: random}");
  int flips = 0;
  for (std::uint64_t k = 0; k < 4000; ++k) {
    const std::vector<RegisterFault> acting = setup.plan.draw(TrialId(k)).job().strike.registers;
    for (const RegisterFault& fault : acting) {
      EXPECT_EQ(fault.kind, FaultKind::kFlip);
    }
    flips += static_cast<int>(acting.size());
  }
  EXPECT_NEAR(flips, 2000, 5 * std::sqrt(1000.0));
}

TEST(SamplingTest, LastingFaultsAreJudgedOnAllImages) {
  const Planned permanent("strike: {fault: stuck_at_0}");
  EXPECT_TRUE(permanent.plan.is_persistent());
  const DrawnTrial trial = permanent.plan.draw(TrialId(3));
  EXPECT_FALSE(trial.image);
  EXPECT_FALSE(permanent.plan.image_of(TrialId(3)));
  EXPECT_TRUE(trial.faults[0].fault.when.is_permanent());
  const Planned window("strike: {fault: stuck_at_0, lasts: {from: 5, until: 9}}");
  EXPECT_EQ(window.plan.draw(TrialId(0)).faults[0].fault.when, (CycleWindow{5, 9}));
  EXPECT_NE(errors_of([] {
              Planned("strike: {fault: stuck_at_0, lasts: {until: 301}}");
            }).find("301 is beyond the inference; an inference takes 300 cycles"),
            std::string::npos);
}

TEST(SamplingTest, ACensusTakesEveryMemberOnce) {
  const Planned transient(
      "trials: exhaustive\nstrike: {fault: [flip, stuck_at_0], lasts: transient, where: {mesh: "
      "{pe: [0, 0], register: load, layer: fc}}}\ndata: {use: 3}");
  EXPECT_EQ(transient.plan.trials(), 2 * 80 * 8 * 3);
  std::set<Drawn> seen;
  for (std::int64_t k = 0; k < transient.plan.trials(); ++k) {
    const TrialId trial(static_cast<std::uint64_t>(k));
    seen.insert(key_of(transient.plan.draw(trial)));
    EXPECT_EQ(transient.plan.image_of(trial)->value, k / (2 * 80 * 8)) << "neighbours share it";
  }
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), transient.plan.trials());

  const Planned stuck(
      "trials: exhaustive\nstrike: {fault: [stuck_at_0, stuck_at_1], where: {mesh: "
      "{register: valid}}}");
  EXPECT_EQ(stuck.plan.trials(), 2 * 256);
  EXPECT_EQ(stuck.plan.population_text(), "256 sites x 2 kinds of fault, each judged on 10 images");
}

TEST(SamplingTest, AnAbsurdCensusIsRefused) {
  // 128 x 128: 2 million sites, 300 cycles, 10 images are still fine; the study here cannot be
  // larger, so that the bound is reached through the cycles of the target.
  const Scenario scenario =
      campaign_of(
          "model: lenet5\ntrials: exhaustive\naccelerator: {mesh: {rows: 128, columns: "
          "128}}")
          .points.front()
          .scenario;
  FakeStudy study(study_inputs(scenario, sim::builtin_engines()), {});
  bridge::StudyFacts target = study.facts();
  EXPECT_NO_THROW(Plan(scenario, target));
  target.cycles = 100'000'000;
  EXPECT_NE(errors_of([&] { Plan(scenario, target); }).find("more than 2^40 trials"),
            std::string::npos);
  target.cycles = std::numeric_limits<Cycle>::max();  // no overflow on the way
  EXPECT_NE(errors_of([&] { Plan(scenario, target); }).find("more than 2^40 trials"),
            std::string::npos);
}

TEST(SamplingTest, ListsAreTakenAsTheyStand) {
  const Planned setup(
      "strike: {process: list, lasts: transient, faults: [{register: load, pe: [1, 2], bit: 3, "
      "cycle: 4}, [{register: output, column: 1, bit: 0, cycle: 9, image: 3, fault: stuck_at_1, "
      "until: 20}, {register: output, column: 2, bit: 1, cycle: 8, image: 3}]]}");
  EXPECT_EQ(setup.plan.trials(), 2);
  EXPECT_EQ(setup.study.facts().sites.text(setup.plan.draw(TrialId(0)).faults[0].fault.site),
            "load[1][2] bit 3");
  const DrawnTrial second = setup.plan.draw(TrialId(1));
  EXPECT_EQ(second.image, ImageId(3));
  EXPECT_EQ(setup.plan.image_of(TrialId(1)), ImageId(3));
  ASSERT_EQ(second.faults.size(), 2U);
  EXPECT_EQ(second.faults[0].fault.when, (CycleWindow{9, 20}));
  EXPECT_EQ(second.faults[0].fault.kind, FaultKind::kStuckAt1);
  EXPECT_EQ(second.faults[1].fault.when, (CycleWindow{8, 9}));

  for (const auto& [fault, message] : std::vector<std::pair<std::string, std::string>>{
           {"cycle: 300", "300 is beyond the inference; cycles are 0 to 299"},
           {"cycle: 1, image: 10", "image 10 is not in use; images are 0 to 9"}}) {
    EXPECT_NE(errors_of([&] {
                Planned("strike: {process: list, faults: [{register: load, pe: [1, 2], bit: 3, " +
                        fault + "}]}");
              }).find(message),
              std::string::npos);
  }
}

TEST(SamplingTest, ListedStuckAtsLastForEver) {
  const Planned setup(
      "strike: {process: list, fault: stuck_at_0, faults: [{register: load, pe: [1, 2], bit: 3}, "
      "{register: load, pe: [1, 2], bit: 4, cycle: 10, until: 20}]}");
  EXPECT_TRUE(setup.plan.is_persistent());
  EXPECT_TRUE(setup.plan.draw(TrialId(0)).faults[0].fault.when.is_permanent());
  EXPECT_EQ(setup.plan.draw(TrialId(1)).faults[0].fault.when, (CycleWindow{10, 20}));
}

}  // namespace
}  // namespace tilestrike::campaigns
