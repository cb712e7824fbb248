// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one loop (docs/architecture.md): from the first struck layer on, simulate the struck passes,
// splice, requantise, go on, and stop as soon as everything that is still alive equals golden.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "bridge/schedule/mapping.h"
#include "bridge/trial/audit.h"
#include "bridge/trial/struck_runs.h"
#include "bridge/words/trial_result.h"
#include "dnn/executor.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

/// The struck passes of one layer, kept for the dump.
struct StruckLayer {
  std::size_t layer = 0;
  at::Tensor input, right;  // that the layer read; right: of a product of two values
  at::Tensor accumulators;  // faulty; undefined when they equal golden
  at::Tensor output;        // faulty; undefined when it equals golden
  sim::MeshResult result;
};

class TrialRunner {
 public:
  /// Both must outlive this object. `engine`: a name of sim::engine_names(); what it does not cover
  /// goes to SystemC.
  TrialRunner(const dnn::Network& network, Mapping& mapping, const std::string& engine,
              JudgeKind judge);

  /// `story` and `struck` may be null.
  TrialResult run(const dnn::Tape& golden, std::span<const RegisterFault> faults, Story* story,
                  std::vector<StruckLayer>* struck);

  /// The same trial with each of its struck runs of the mesh on every other engine.
  TrialAudit audit(const dnn::Tape& golden, std::span<const RegisterFault> faults);

  /// The same trial; `visit` sees each of its struck runs of the mesh.
  void each_struck_run(const dnn::Tape& golden, std::span<const RegisterFault> faults,
                       const VisitRun& visit);

 private:
  struct Progress;
  sim::MeshResult simulate(const sim::MeshJob& job);
  void run_on_mesh(MeshLayer& layer, std::span<const RegisterFault> faults, bool are_more_to_come,
                   Progress& progress);
  void compare_engines(const MeshLayer& layer, const sim::MeshJob& job,
                       const sim::MeshResult& result);
  void describe(const MeshLayer& layer, const RegisterFault& fault, Progress& progress);
  void conclude(Progress& progress);

  const dnn::Network& network_;
  Mapping& mapping_;
  sim::MeshSites sites_;
  JudgeKind judge_;
  std::unique_ptr<sim::Engine> engine_, fallback_;
  std::vector<std::unique_ptr<sim::Engine>> others_;  // once a trial was audited
  TrialAudit* audit_ = nullptr;
  const VisitRun* visit_ = nullptr;
};

}  // namespace tilestrike::bridge
