// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The struck passes of a layer on the platform (docs/platform.md, "Struck passes"): their operands
// lie in the memories, cells flip at their cycles, the mesh reads through ECC, and sums are added
// up in the accumulator memory. Which passes are struck is all that comes from Residency.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bridge/effects/layer_effect.h"
#include "bridge/exposure/residency.h"
#include "sim/mesh/engine.h"
#include "sim/platform/platform.h"

namespace tilestrike::bridge {

class StruckPasses {
 public:
  /// `residency` must outlive this object.
  StruckPasses(const Residency& residency, OnDue on_due);

  /// Told of each pass that was simulated: as a job of one pass, without faults, its operands as
  /// they were read, and its results, rows x columns of the pass.
  using Observe =
      std::function<void(const sim::MeshJob& job, const std::vector<std::int32_t>& results)>;
  /// `mesh`: what computes the passes from the operands as they were read; nullptr, or a mesh that
  /// it does not cover: the platform's own.
  LayerEffect run(const MeshStrike& strike, sim::MeshEngine* mesh, const Observe& observe = {});

 private:
  class Program;

  const Residency& residency_;
  OnDue on_due_;
  std::vector<std::int32_t>
      places_;  // on the platform, by memory of the accelerator; -1: not there
  std::unique_ptr<sim::Platform> platform_;
  std::vector<sim::PlatformStep> steps_;  // room for those of the run at hand
};

}  // namespace tilestrike::bridge
