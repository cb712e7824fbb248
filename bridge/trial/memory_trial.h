// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one loop for strikes on memories: from the first reader of a struck codeword on, what each
// layer reads is worked out, its results are corrected by what that changes, and the rest of the
// network runs until everything alive equals golden (docs/memory_schedule.md, "What a strike
// does").
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
#include "bridge/schedule/mapping.h"
#include "bridge/trial/audit.h"
#include "bridge/words/cell_strike.h"
#include "bridge/words/trial_result.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

class MemoryTrial {
 public:
  /// `mapping` is of an accelerator with memories. Both must outlive this object. `engine`: a name
  /// of sim::engine_names(). What lies on the chip and is struck runs on the platform, its passes
  /// on that engine's mesh; with closed_form nothing is simulated (docs/memory_strikes.md,
  /// "Engines").
  MemoryTrial(const dnn::Network& network, Mapping& mapping, const std::string& engine,
              JudgeKind judge);

  const Residency& residency() const { return residency_; }

  /// `golden`: a run of one image. `strike` as Study::strike_cells() takes it.
  TrialResult run(const dnn::Tape& golden, const CellStrike& strike, Story* story);

  /// The strike as later inferences find it (ScrubWalk::left_for_later()).
  std::vector<CellFault> left_for_later(const CellStrike& strike);

  CellContents& contents() { return contents_; }

  /// The same trial, with every layer on the mesh that reads anything struck on the platform and by
  /// formula, and each simulated pass on the mesh of every engine.
  TrialAudit audit(const dnn::Tape& golden, const CellStrike& strike);

 private:
  struct Progress;

  StruckPasses& platform();
  LayerEffect effect_of(const MeshStrike& strike);
  void compare_engines(const MeshStrike& strike, const LayerEffect& effect);
  std::string text_of_read(std::size_t layer, const StruckWord& word,
                           const Findings& findings) const;
  void disagree(const std::string& engine, std::size_t layer, const std::string& how);
  void run_on_mesh(MeshLayer& layer, const LayerRead& loaded, Progress& progress);
  void run_vector(std::size_t layer, LayerRead read, Progress& progress);
  void read_answer(Progress& progress);
  void scrub(Progress& progress);
  void conclude(Progress& progress);

  const dnn::Network& network_;
  Mapping& mapping_;
  Residency residency_;
  OnDue on_due_;
  LayerReader reader_;
  ScrubWalk scrubbers_;
  CellContents contents_;
  std::string engine_;
  JudgeKind judge_;
  std::unique_ptr<sim::Engine> mesh_;  // where passes run neither on the platform's mesh nor ...
  std::unique_ptr<StruckPasses> platform_;            // ... by formula; once something runs there
  std::vector<std::unique_ptr<sim::Engine>> others_;  // once a trial was audited
  TrialAudit* audit_ = nullptr;
};

}  // namespace tilestrike::bridge
