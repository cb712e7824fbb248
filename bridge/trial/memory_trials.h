// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on the cells of memories: what each layer reads is worked out, and what that changes is
// the change of the layer (docs/memory_schedule.md, "What a strike does").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bridge/effects/layer_effect.h"
#include "bridge/effects/struck_passes.h"
#include "bridge/exposure/cell_contents.h"
#include "bridge/exposure/layer_reader.h"
#include "bridge/exposure/residency.h"
#include "bridge/exposure/scrub_walk.h"
#include "bridge/trial/trial_run.h"
#include "bridge/words/strike_job.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::bridge {

/// What trials on the memories of one accelerator have in common.
class MemoryTrials {
 public:
  /// `mapping` is of an accelerator with memories. Network, mapping and judge must outlive this
  /// object. `differential`: of the network, or null.
  MemoryTrials(const dnn::Network& network, const Mapping& mapping, const sim::EngineEntry& engine,
               const Judge& judge, dnn::Differential* differential = nullptr);

  const Residency& residency() const { return residency_; }
  CellContents& contents() { return contents_; }

  /// How a strike meets an inference, for run_layers() and conclude(). `strike` must outlive it.
  std::unique_ptr<StrikePath> path(const CellStrike& strike);
  const Guard* guard() const { return guard_.get(); }

  /// The whole trial. `golden`: a run of one image. `observer` may be null.
  TrialResult run(const dnn::Tape& golden, const CellStrike& strike, RunObserver* observer,
                  ImageId image = ImageId(0));

  /// The strike as later inferences find it (ScrubWalk::left_for_later()).
  std::vector<CellFault> left_for_later(const CellStrike& strike);

  // What a strike makes of a layer on the mesh, in the two ways that there are.
  LayerEffect by_formula(const MeshStrike& strike);
  /// `mesh` and `observe` as StruckPasses::run() takes them.
  LayerEffect by_platform(const MeshStrike& strike, sim::MeshEngine* mesh,
                          const StruckPasses::Observe& observe = {});

 private:
  friend class MemoryPath;
  LayerEffect effect_of(const MeshStrike& strike);

  const dnn::Network& network_;
  const Mapping& mapping_;
  Residency residency_;
  OnDue on_due_;
  LayerReader reader_;
  ScrubWalk scrubbers_;
  CellContents contents_;
  std::string engine_name_;
  sim::MemoryMethod method_;
  std::unique_ptr<Guard> guard_;  // may be null
  const Judge& judge_;
  dnn::Differential* differential_;
  std::unique_ptr<sim::MeshEngine> mesh_;   // of the engine; nullptr: not asked
  std::unique_ptr<StruckPasses> platform_;  // once something runs there
};

/// A layer on the mesh that has read struck cells, for observers; all of it lives for the call.
struct CellRun {
  const std::string& layer;
  const std::string& engine;  // that was asked
  const MeshStrike& strike;
  const LayerEffect& effect;
  MemoryTrials& trials;  // to ask in another way
};

}  // namespace tilestrike::bridge
