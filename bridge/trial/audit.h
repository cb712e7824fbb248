// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The audit of a trial: its struck passes once more, on every other engine. No LibTorch here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

struct CellStrike;

struct TrialAudit {
  std::vector<std::string> engines;  // that computed all struck passes of the trial, too
  std::string disagreement;          // engine, layer, fault and first differing result; empty: none
};

/// Runs of the mesh of more PEs x cycles are not given to the engine `stepped`: it takes seconds.
inline constexpr std::int64_t kMostSteppedPeCycles = std::int64_t{1} << 26;
/// Whether an engine is asked for a job of another one.
inline bool can_audit(const sim::Engine& engine, const sim::MeshJob& job) {
  const sim::MeshConfig& mesh = job.run->config();
  const std::int64_t pe_cycles = job.run->cycles() * mesh.rows * mesh.columns;
  return engine.covers(job) && (engine.name() != "stepped" || pe_cycles <= kMostSteppedPeCycles);
}

/// A study whose trials engines compute.
class AuditedStudy {
 public:
  virtual ~AuditedStudy() = default;
  /// Of a transient's image, or one image that lasting faults meet. As Study::strike().
  virtual TrialAudit audit(ImageId image, std::span<const RegisterFault> faults) = 0;
  /// As Study::strike_cells().
  virtual TrialAudit audit_cells(ImageId image, const CellStrike& strike) = 0;
};

}  // namespace tilestrike::bridge
