// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/waiting_trials.h"

#include <algorithm>
#include <utility>

namespace tilestrike::bridge {
namespace {

constexpr std::size_t kMostAtOnce = 32;

}  // namespace

void WaitingTrials::add(std::size_t number, std::unique_ptr<TrialRun> run,
                        std::unique_ptr<StrikePath> path) {
  run->may_wait = true;
  advance({number, std::move(run), std::move(path)});
  if (waiting_.size() == kMostAtOnce) {
    finish();
  }
}

void WaitingTrials::advance(Trial trial) {
  run_layers(*trial.run, *trial.path, guard_, trial.run->network.layers.size());
  if (trial.run->is_waiting) {
    waiting_.push_back(std::move(trial));
    return;
  }
  done_(trial.number, conclude(*trial.run, *trial.path, judge_));
}

void WaitingTrials::finish() {
  while (!waiting_.empty()) {
    // The first layer: who waits at a later one may be met there by those who wait here.
    std::size_t layer = waiting_.front().run->next_layer;
    for (const Trial& trial : waiting_) {
      layer = std::min(layer, trial.run->next_layer);
    }
    const auto behind = std::ranges::partition(
        waiting_, [layer](const Trial& trial) { return trial.run->next_layer != layer; });
    std::vector<Trial> here(std::make_move_iterator(behind.begin()),
                            std::make_move_iterator(behind.end()));
    waiting_.erase(behind.begin(), behind.end());
    std::vector<dnn::Divergence*> values;
    values.reserve(here.size());
    for (const Trial& trial : here) {
      values.push_back(&trial.run->values);
    }
    dnn::Divergence::run_together(layer, values);
    for (Trial& trial : here) {
      go_on(*trial.run, *trial.path);
      advance(std::move(trial));
    }
  }
}

}  // namespace tilestrike::bridge
