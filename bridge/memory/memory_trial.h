// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one loop for strikes on memories: from the first reader of a struck codeword on, what each
// layer reads is worked out, its results are corrected by what that changes, and the rest of the
// network runs until everything alive equals golden (docs/memory_schedule.md, "What a strike
// does").
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bridge/mapping.h"
#include "bridge/memory/cell_contents.h"
#include "bridge/memory/layer_reader.h"
#include "bridge/memory/residency.h"
#include "bridge/study.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

class MemoryTrial {
 public:
  /// `mapping` is of an accelerator with memories. Both must outlive this object.
  MemoryTrial(const dnn::Network& network, Mapping& mapping);

  const Residency& residency() const { return residency_; }

  /// `golden`: a run of one image. `faults` as Study::strike_cells() takes them.
  TrialResult run(const dnn::Tape& golden, std::span<const CellFault> faults, Story* story);

  CellContents& contents() { return contents_; }

 private:
  struct Progress;

  void run_on_mesh(MeshLayer& layer, const LayerRead& read, Progress& progress);
  void run_vector(std::size_t layer, const LayerRead& read, Progress& progress);
  void read_answer(Progress& progress);
  void conclude(Progress& progress);

  const dnn::Network& network_;
  Mapping& mapping_;
  Residency residency_;
  OnDue on_due_;
  LayerReader reader_;
  CellContents contents_;
};

}  // namespace tilestrike::bridge
