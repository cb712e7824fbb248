// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/schedule/schedule.h"

#include <algorithm>

namespace tilestrike::bridge {
namespace {

bool overlaps(CycleWindow x, CycleWindow y) {
  return x.from < x.until && std::max(x.from, y.from) < std::min(x.until, y.until);
}

}  // namespace

Schedule::Schedule(const AcceleratorConfig& accelerator, const std::vector<LayerWork>& work,
                   const std::vector<StoredTensor>& tensors) {
  const ScheduleConfig& config = accelerator.schedule;
  if (Placement::has_memories(accelerator)) {
    memory_ = std::make_unique<MemorySchedule>(accelerator, work, tensors);
  }
  Cycle now = memory_ ? 1 : 0;  // inputs are written in cycle 0: no load may read them before
  for (std::size_t i = 0; i < work.size(); ++i) {
    const LayerWork& todo = work[i];
    ScheduledLayer layer;
    layer.start = now;
    if (todo.gemm) {
      const TileLimits limits = memory_ ? memory_->placement().limits(i) : TileLimits{};
      layer.tiling = std::make_unique<Tiling>(*todo.gemm, accelerator, limits);
      layer.run = std::make_unique<sim::MeshRun>(
          accelerator.mesh, layer.tiling->shapes(),
          memory_ ? memory_->hold(i, *layer.tiling, now) : sim::WindowHold());
      layer.mesh_cycles = layer.run->cycles();
      if (memory_) {
        layer.vector_cycles = memory_->end_mesh_layer(i, *layer.run, now) - now - layer.mesh_cycles;
      }
    } else {
      layer.vector_elements = todo.vector_elements;
      layer.vector_cycles =
          memory_ ? memory_->add_vector_layer(i, now) - now
                  : (todo.vector_elements + config.vector_lanes - 1) / config.vector_lanes;
    }
    if (layer.end() > layer.start) {
      now = layer.end() + config.layer_latency;
    }
    layers_.push_back(std::move(layer));
  }
  if (memory_) {
    memory_->finish(now);
    ++now;  // in which the answer is read
  }
  period_ = now + config.idle_cycles;
}

std::optional<RegisterFault> Schedule::within_run(const RegisterFault& fault,
                                                  std::size_t layer) const {
  const ScheduledLayer& scheduled = layers_[layer];
  if (scheduled.run == nullptr) {
    return std::nullopt;
  }
  const Cycle end = scheduled.start + scheduled.mesh_cycles;
  RegisterFault seen = fault;
  seen.when.from = fault.when.from - scheduled.start + 1;
  if (fault.kind == FaultKind::kFlip) {
    seen.when.until = seen.when.from + 1;
    return fault.when.from >= scheduled.start && fault.when.from < end ? std::optional(seen)
                                                                       : std::nullopt;
  }
  if (!overlaps(fault.when, {scheduled.start, end})) {
    return std::nullopt;
  }
  if (!fault.when.is_permanent()) {
    seen.when.until = fault.when.until - scheduled.start + 1;
  }
  return seen;
}

}  // namespace tilestrike::bridge
