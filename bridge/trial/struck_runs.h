// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The runs of the mesh that a trial strikes, as jobs for any engine. No LibTorch here.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/fault.h"
#include "base/ids.h"
#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

/// A job and the layer that it belongs to; both live for the call.
using VisitRun = std::function<void(const std::string& layer, const sim::MeshJob& job)>;

/// What has runs of the mesh to strike.
class StruckRuns {
 public:
  virtual ~StruckRuns() = default;
  /// Of one image, and faults as of Study::strike(): the struck runs, layer by layer, each as the
  /// ones before have left the mesh.
  virtual void each_struck_run(ImageId image, std::span<const RegisterFault> faults,
                               const VisitRun& visit) = 0;
};

}  // namespace tilestrike::bridge
