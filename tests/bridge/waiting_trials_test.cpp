// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do trials that wait for each other come to what each comes to alone?
#include "bridge/trial/waiting_trials.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "sim/mesh/engine_set.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kImages = 3;
constexpr std::size_t kTrials = 60;
const TopKJudge kTopK{};

class WaitingTrialsTest : public testing::TestWithParam<bool> {
 protected:
  WaitingTrialsTest()
      : load_(zoo_workload("mobilenet", kImages)),
        executor_(load_.network),
        accelerator_(mesh_of(16, 16, sim::Dataflow::kWeightStationary)) {
    for (std::int64_t i = 0; i < kImages; ++i) {
      tapes_.push_back(executor_.record(load_.inputs.narrow(i, 1)));
    }
    mapping_ = std::make_unique<Mapping>(load_.network, tapes_.front(), accelerator_);
    if (GetParam()) {
      differential_ = std::make_unique<dnn::Differential>(load_.network);
    }
    trials_ = std::make_unique<MeshTrials>(load_.network, *mapping_, sim::builtin_engines(),
                                           "wavefront", kTopK, differential_.get());
    const sim::MeshSites sites(accelerator_.mesh);
    RandomStream random(4, 0, Purpose::kTest);
    const auto cycles = static_cast<std::uint64_t>(mapping_->schedule().cycles_per_inference());
    while (faults_.size() < kTrials) {
      RegisterFault fault;
      fault.site = SiteId(random.below(sites.total_bits()));
      fault.when.from = static_cast<Cycle>(random.below(cycles));
      if (trials_->run(tape_of(faults_.size()), {&fault, 1}, nullptr).changed_outputs > 0) {
        faults_.push_back(fault);
      }
    }
  }

  const dnn::Tape& tape_of(std::size_t trial) const { return tapes_[trial % kImages]; }
  std::unique_ptr<TrialRun> run_of(std::size_t trial) const {
    return std::make_unique<TrialRun>(load_.network, *mapping_, tape_of(trial), nullptr,
                                      ImageId(static_cast<std::int64_t>(trial % kImages)),
                                      differential_.get());
  }

  Workload load_;
  dnn::Executor executor_;
  AcceleratorConfig accelerator_;
  std::vector<dnn::Tape> tapes_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<dnn::Differential> differential_;
  std::unique_ptr<MeshTrials> trials_;
  std::vector<RegisterFault> faults_;
};

TEST_P(WaitingTrialsTest, EachComesToWhatItComesToAlone) {
  std::vector<std::optional<TrialResult>> together(kTrials);
  WaitingTrials waiting(nullptr, kTopK, [&](std::size_t number, TrialResult result) {
    EXPECT_FALSE(together[number].has_value());
    together[number] = std::move(result);
  });
  for (std::size_t i = 0; i < kTrials; ++i) {
    waiting.add(i, run_of(i), trials_->path({&faults_[i], 1}));
  }
  waiting.finish();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kTrials; ++i) {
    ASSERT_TRUE(together[i].has_value()) << i;
    const TrialResult alone = trials_->run(tape_of(i), {&faults_[i], 1}, nullptr,
                                           ImageId(static_cast<std::int64_t>(i % kImages)));
    EXPECT_EQ(together[i]->judgement.outcome, alone.judgement.outcome) << i;
    EXPECT_EQ(together[i]->judgement.relative_l2, alone.judgement.relative_l2) << i;
    EXPECT_EQ(together[i]->judgement.faulty_class, alone.judgement.faulty_class) << i;
    EXPECT_EQ(together[i]->masked_at, alone.masked_at) << i;
    EXPECT_EQ(together[i]->layer, alone.layer) << i;
    EXPECT_EQ(together[i]->changed_accumulators, alone.changed_accumulators) << i;
    EXPECT_EQ(together[i]->changed_outputs, alone.changed_outputs) << i;
    wrong += alone.judgement.outcome == Outcome::kSdc ? 1 : 0;
  }
  EXPECT_GT(wrong, kTrials / 10);
}

TEST_P(WaitingTrialsTest, SomeWait) {
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < kTrials; ++i) {
    const auto run = run_of(i);
    run->may_wait = true;
    const auto path = trials_->path({&faults_[i], 1});
    waiting += run_layers(*run, *path, nullptr, load_.network.layers.size()) ? 1 : 0;
    EXPECT_EQ(run->is_waiting, run->next_layer < load_.network.layers.size());
  }
  if (!GetParam()) {  // every layer is computed whole
    EXPECT_GT(waiting, kTrials / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(FromLists, WaitingTrialsTest, testing::Bool());

}  // namespace
}  // namespace tilestrike::bridge
