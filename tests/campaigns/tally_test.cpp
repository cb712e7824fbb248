// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is what is counted in parts, in whatever order, the same as what is counted at once?
#include "campaigns/tally/tally.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"
#include "campaigns/run/runner.h"
#include "tests/campaigns/campaign_files.h"
#include "tests/campaigns/fake_study.h"

namespace tilestrike::campaigns {
namespace {

/// A campaign that has been run, and what its summary needs.
class Done {
 public:
  explicit Done(const std::string& text)
      : campaign_(campaign_of(text)),
        scenario_(campaign_.points[0].scenario),
        study_(study_inputs(scenario_, sim::builtin_engines()), {}),
        plan_(scenario_, study_.facts()),
        results_(Results::for_campaign(folder_.path("r.sqlite"), campaign_)) {
    Surroundings surroundings;
    surroundings.open_study = [](const bridge::StudyInputs& inputs) {
      return std::make_unique<FakeStudy>(inputs, FakeStudy::Settings{});
    };
    run_campaign(campaign_, *results_, surroundings);
  }

  SummaryFacts facts() const { return {"", &scenario_, &plan_, &study_.facts()}; }
  const Results& results() const { return *results_; }

 private:
  ScratchFolder folder_;
  Campaign campaign_;
  Scenario scenario_;
  FakeStudy study_;
  Plan plan_;
  std::unique_ptr<Results> results_;
};

std::vector<std::string> campaigns() {
  const std::string memories =
      "accelerator: {base: gemmini_16x16, node: " + quick_node("28nm") +
      ", schedule: {weights: at_boot}, memory: {scratchpad: {capacity: 8KiB, banks: 4, row: 16, "
      "codeword: 64, interleave: 1, ecc: secded}, accumulator: {holds: accumulators, capacity: "
      "2KiB, "
      "banks: 2, row: 16, codeword: 64, interleave: 1}}}\n";
  return {"model: lenet5\ntrials: 300\n",
          "model: lenet5\ntrials: 60\nstrike: {fault: stuck_at_1}\n",
          "model: lenet5\ntrials: 300\n" + memories +
              "strike: {process: particle, where: {memory: all, mesh: {}}}\n",
          "model: lenet5\ntrials: 100\n" + memories + "strike: {where: {memory: all}, count: 2}\n"};
}

std::string json_of(const Summary& summary) { return json_of(report_of(summary)).dump(); }

TEST(TallyTest, PartsComeToTheWholeBitForBit) {
  for (const std::string& text : campaigns()) {
    const Done done(text);
    Tally whole = empty_tally(done.facts());
    std::vector<Tally> parts(7, empty_tally(done.facts()));
    done.results().each_trial(0, tallied_fields(), [&](const TrialRecord& trial) {
      whole.add(trial);
      parts[static_cast<std::size_t>(trial.trial * trial.trial % 7)].add(trial);
      return true;
    });
    Tally merged = parts.back();
    for (std::size_t i = parts.size() - 1; i-- > 0;) {
      EXPECT_FALSE(merged == whole);
      merged.merge(parts[i]);
    }
    EXPECT_TRUE(merged == whole) << text;
    EXPECT_EQ(merged.trials(), whole.trials());
    const Summary summary = summarise(done.results(), 0, done.facts());
    EXPECT_EQ(summary.counted, merged.trials());
    EXPECT_EQ(json_of(summarise(done.results(), 0, done.facts(), merged)), json_of(summary));
  }
}

TEST(TallyTest, GoesOnWhereItStopped) {
  const Done done(campaigns()[2]);
  Tally tally = empty_tally(done.facts());
  for (const std::int64_t most : {10, 10, 11, 200}) {
    count_up_to(most, done.results(), 0, tally);
    EXPECT_EQ(tally.trials(), most);
    Tally anew = empty_tally(done.facts());
    count_up_to(most, done.results(), 0, anew);
    EXPECT_TRUE(tally == anew);
    const Estimate rate = rate_of(tally, done.facts(), Rate::kSdc);
    EXPECT_EQ(rate.n, most);
    EXPECT_EQ(rate.value, rate_of(anew, done.facts(), Rate::kSdc).value);
  }
  EXPECT_EQ(json_of(summarise(done.results(), 0, done.facts(), tally)),
            json_of(summarise(done.results(), 0, done.facts())));
}

}  // namespace
}  // namespace tilestrike::campaigns
