// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The audit of a trial: what it has struck once more, on every other engine. No LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/trial/run_observer.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::sim {
class ChipOnEngine;  // sim/chip/chip_comparison.h
}

namespace tilestrike::bridge {

/// Runs of the mesh of more PEs x cycles are not given to a slow engine: it takes seconds.
inline constexpr std::int64_t kMostSteppedPeCycles = std::int64_t{1} << 26;

/// Looks on while trials are computed by one engine, and asks the others. Of a strike on memories:
/// every layer on the mesh that reads anything struck on the platform and by formula, and each
/// simulated pass on the mesh of every engine. Of a strike on cores: the chip, its struck cores on
/// each engine that covers them.
class EngineAudit final : public Auditor {
 public:
  /// `engine`: the one of `engines` that computes the trials; the rest are asked.
  EngineAudit(const sim::EngineSet& engines, const std::string& engine);
  ~EngineAudit() override;

  TrialAudit take() override;

  void on_run(const StruckRun& run) override;
  void on_cells(const CellRun& run) override;
  void on_chip(const ChipStrike& strike) override;

 private:
  /// An engine that is asked.
  struct Other {
    sim::EngineEntry entry;
    std::unique_ptr<sim::MeshEngine> mesh;
    std::unique_ptr<sim::ChipOnEngine> cores;  // once a chip of cores is struck
  };
  bool is_asked(const Other& other, const sim::MeshJob& job);
  void disagree(const std::string& engine, const std::string& where, const std::string& how);

  sim::EngineEntry engine_;
  std::vector<Other> others_;
  TrialAudit audit_;
};

}  // namespace tilestrike::bridge
