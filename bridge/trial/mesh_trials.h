// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on the registers of the mesh: the struck passes are simulated, and what their results are
// off by is the change of the layer.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/fault.h"
#include "bridge/trial/trial_run.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::bridge {

/// What trials on the mesh of one accelerator have in common.
class MeshTrials {
 public:
  /// Network, mapping and judge must outlive this object. `engine`: one of `engines`; what it does
  /// not cover goes to their stand_in(). `differential`: of the network, or null.
  MeshTrials(const dnn::Network& network, const Mapping& mapping, const sim::EngineSet& engines,
             const std::string& engine, const Judge& judge,
             dnn::Differential* differential = nullptr);

  /// How a strike meets an inference, for run_layers() and conclude(). No random faults.
  std::unique_ptr<StrikePath> path(std::span<const RegisterFault> faults);
  const Guard* guard() const { return guard_.get(); }

  /// The whole trial. `golden`: a run of one image, `image`: which. `observer` may be null.
  TrialResult run(const dnn::Tape& golden, std::span<const RegisterFault> faults,
                  RunObserver* observer, ImageId image = ImageId(0));

 private:
  friend class MeshPath;
  sim::MeshResult simulate(const sim::MeshJob& job);

  const dnn::Network& network_;
  const Mapping& mapping_;
  sim::MeshSites sites_;
  std::unique_ptr<Guard> guard_;  // may be null
  const Judge& judge_;
  dnn::Differential* differential_;
  std::string engine_name_;
  std::unique_ptr<sim::MeshEngine> engine_;
  std::unique_ptr<sim::MeshEngine> stand_in_;  // where the engine does not cover all
};

}  // namespace tilestrike::bridge
