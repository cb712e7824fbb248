// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The audit of a trial: what it has struck once more, on every other engine. No LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/trial/run_observer.h"

namespace tilestrike::bridge {

/// Runs of the mesh of more PEs x cycles are not given to the engine `stepped`: it takes seconds.
inline constexpr std::int64_t kMostSteppedPeCycles = std::int64_t{1} << 26;

/// Looks on while trials are computed by one engine, and asks the others. Of a strike on memories:
/// every layer on the mesh that reads anything struck on the platform and by formula, and each
/// simulated pass on the mesh of every engine.
class EngineAudit final : public Auditor {
 public:
  /// `engine`: that computes the trials.
  explicit EngineAudit(std::string engine);
  ~EngineAudit() override;

  TrialAudit take() override;

  void on_run(const StruckRun& run) override;
  void on_cells(const CellRun& run) override;

 private:
  bool is_asked(const sim::Engine& other, const sim::MeshJob& job);
  void disagree(const std::string& engine, const std::string& layer, const std::string& how);

  std::string engine_;
  std::vector<std::unique_ptr<sim::Engine>> others_;
  TrialAudit audit_;
};

}  // namespace tilestrike::bridge
