// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a scenario with `model: none` strikes: passes of the mesh with made-up operands, in place of
// a network (docs/correlate.md).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "campaigns/plan/sampling.h"
#include "sim/mesh/engine.h"

namespace tilestrike::campaigns {

using VisitRun = std::function<void(const std::string& layer, const sim::MeshJob& job)>;

/// Sets of operands where the scenario does not say `data.use`.
inline constexpr std::int64_t kMadeUpSets = 2;

/// One run of four passes back to back: the depth folds of a full tile, then two edge tiles; one of
/// its windows waits. Its cycles are those of an inference, and its sets of operands are the
/// images: of even ones all numbers are random, of odd ones -128, 127 or 0 (sums: the ends of
/// int32, or 0). What c0 and c1 hold before is random.
class MadeUpPasses {
 public:
  /// `sets` sets of operands, drawn from `seed`.
  MadeUpPasses(const sim::MeshConfig& config, std::uint64_t seed, std::int64_t sets);
  ~MadeUpPasses();

  /// As of a study: its images are the sets of operands.
  const bridge::StudyFacts& facts() const { return facts_; }
  /// The struck runs of one set of operands: `visit` takes the name of the layer and the job, which
  /// live for the call.
  void each_struck_run(ImageId image, std::span<const RegisterFault> faults,
                       const VisitRun& visit) const;

 private:
  class Set;
  bridge::StudyFacts facts_;
  sim::MeshRun run_;
  std::vector<std::unique_ptr<Set>> sets_;
};

}  // namespace tilestrike::campaigns
