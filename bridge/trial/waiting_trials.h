// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Trials that come to a layer which is computed whole wait there for each other, and go on as one
// batch (docs/differential.md).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/trial/guard.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/trial_run.h"

namespace tilestrike::bridge {

class WaitingTrials {
 public:
  using Done = std::function<void(std::size_t number, TrialResult result)>;

  /// Network, guard (which may be null) and judge must outlive this object, as the golden runs of
  /// all trials must until finish(). A batch must give the bits that each image alone gives.
  /// `done`: called once for each trial, in any order.
  WaitingTrials(const Guard* guard, const Judge& judge, Done done)
      : guard_(guard), judge_(judge), done_(std::move(done)) {}

  /// Runs a trial to its end, or to where it waits.
  void add(std::size_t number, std::unique_ptr<TrialRun> run, std::unique_ptr<StrikePath> path);
  /// Runs all that wait to their ends.
  void finish();

 private:
  struct Trial {
    std::size_t number = 0;
    std::unique_ptr<TrialRun> run;
    std::unique_ptr<StrikePath> path;
  };
  /// Concludes it, or lets it wait.
  void advance(Trial trial);

  const Guard* guard_;
  const Judge& judge_;
  Done done_;
  std::vector<Trial> waiting_;
};

}  // namespace tilestrike::bridge
