// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The schedule of one inference: when each layer is at work, cyclic in the inferences
// (docs/architecture.md, "Schedule"). Only a dozen integers per layer are held; its passes follow
// from them. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "bridge/layout/tiling.h"
#include "bridge/schedule/memory_schedule.h"
#include "sim/mesh/mesh_run.h"

namespace tilestrike::bridge {

struct ScheduledLayer {
  Cycle start = 0;  // the first wavefront enters in this cycle
  Cycle mesh_cycles = 0;
  Cycle vector_cycles = 0;  // of a layer on the mesh: until its results have left
  std::int64_t vector_elements = 0;
  std::unique_ptr<const Tiling> tiling;     // nullptr: not on the mesh
  std::unique_ptr<const sim::MeshRun> run;  // its passes, one after another
  Cycle end() const { return start + mesh_cycles + vector_cycles; }
};

class Schedule {
 public:
  /// `tensors`: what the operands of `work` refer to; an accelerator without memories needs none.
  Schedule(const AcceleratorConfig& accelerator, const std::vector<LayerWork>& work,
           const std::vector<StoredTensor>& tensors = {});

  const std::vector<ScheduledLayer>& layers() const { return layers_; }
  /// nullptr: the accelerator has no memories; operands are always there when the mesh wants them.
  const MemorySchedule* memory() const { return memory_.get(); }
  /// Cycles from the start of an inference to the start of the next, idle ones included.
  Cycle cycles_per_inference() const { return period_; }

  /// The part of a fault that a layer's run on the mesh sees, in the states of that run: cycle c of
  /// the inference is state c - start + 1. nullopt: none, or the layer is not on the mesh.
  std::optional<RegisterFault> within_run(const RegisterFault& fault, std::size_t layer) const;

 private:
  std::unique_ptr<MemorySchedule> memory_;
  std::vector<ScheduledLayer> layers_;
  Cycle period_ = 0;
};

}  // namespace tilestrike::bridge
