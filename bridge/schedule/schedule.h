// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The schedule of one inference: which layer, pass and phase the accelerator is in at a cycle,
// cyclic in the inferences (docs/architecture.md, "Schedule"). Only a dozen integers per layer are
// held; pass events are worked out when they are asked for. No LibTorch in this header.
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

/// What the accelerator does over a span of cycles.
enum class EventKind {
  kPreload,  // a pass's weights (WS) or accumulators (OS) enter the mesh
  kStream,   // a pass's operands stream through
  kDrain,    // a pass's results leave
  kVector,   // an operator that does not use the mesh
  kStall,    // latency between two layers
  kIdle,     // until the next inference
};

struct Event {
  EventKind kind = EventKind::kIdle;
  std::size_t layer = 0;   // of the network; kIdle: the number of layers
  int pass = -1;           // of the layer, where the mesh is meant
  CycleWindow when;        // from the start of the inference
  std::int64_t bytes = 0;  // that cross the mesh's or the vector unit's edge
};

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

  /// The layer that is at work in a cycle of an inference; nullopt: stall or idle.
  std::optional<std::size_t> layer_at(Cycle cycle) const;
  /// The part of a fault that a layer's run on the mesh sees, in the states of that run: cycle c of
  /// the inference is state c - start + 1. nullopt: none, or the layer is not on the mesh.
  std::optional<RegisterFault> within_run(const RegisterFault& fault, std::size_t layer) const;

  /// The events of one inference that overlap a window, by start.
  std::vector<Event> events(CycleWindow window) const;

 private:
  void add_pass_events(std::size_t layer, CycleWindow window, std::vector<Event>& events) const;

  AcceleratorConfig accelerator_;
  std::unique_ptr<MemorySchedule> memory_;
  std::vector<ScheduledLayer> layers_;
  Cycle period_ = 0;
};

}  // namespace tilestrike::bridge
