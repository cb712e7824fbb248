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
                   const std::vector<StoredTensor>& tensors)
    : accelerator_(accelerator) {
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

std::optional<std::size_t> Schedule::layer_at(Cycle cycle) const {
  // Layers without cycles share their start with the next: the last that starts by then is at work.
  const auto after = std::upper_bound(
      layers_.begin(), layers_.end(), cycle,
      [](Cycle value, const ScheduledLayer& layer) { return value < layer.start; });
  for (auto layer = after; layer != layers_.begin();) {
    --layer;
    if (layer->end() > layer->start) {
      if (cycle < layer->end()) {
        return static_cast<std::size_t>(layer - layers_.begin());
      }
      return std::nullopt;
    }
  }
  return std::nullopt;
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

void Schedule::add_pass_events(std::size_t index, CycleWindow window,
                               std::vector<Event>& events) const {
  const ScheduledLayer& layer = layers_[index];
  const sim::MeshRun& run = *layer.run;
  const sim::MeshConfig& mesh = run.config();
  const bool ws = mesh.is_weight_stationary();
  const auto add = [&](EventKind kind, int pass, Cycle from, Cycle length, std::int64_t bytes) {
    const CycleWindow when{layer.start + from, layer.start + from + length};
    if (pass >= 0 && overlaps(when, window)) {
      events.push_back({kind, index, pass, when, bytes});
    }
  };
  // Results leave up to rows + columns cycles after their operands entered.
  const Cycle earliest = window.from - layer.start - run.largest_delay();
  for (int w = std::max(0, run.window_of(std::max<Cycle>(earliest, 0))); w < run.windows(); ++w) {
    const sim::Window at = run.window(w);
    if (layer.start + at.start >= window.until) {
      break;
    }
    const auto shape = [&](int pass) {
      return pass < 0 ? sim::PassShape{} : run.passes()[static_cast<std::size_t>(pass)];
    };
    const sim::PassShape streamed = shape(at.streams);
    const sim::PassShape loaded = shape(at.loads);
    const sim::PassShape drained = shape(at.drains);
    add(EventKind::kPreload, at.loads, at.end() - mesh.rows, mesh.rows,
        ws ? std::int64_t{loaded.depth} * loaded.columns
           : std::int64_t{loaded.rows} * loaded.columns * kSumBytes);
    add(EventKind::kStream, at.streams, at.start, at.streams < 0 ? 0 : run.steps(at.streams),
        std::int64_t{streamed.rows} * streamed.depth +
            (ws ? 0 : std::int64_t{streamed.depth} * streamed.columns));
    if (ws) {
      add(EventKind::kDrain, at.streams, at.start + mesh.rows, streamed.rows + mesh.columns - 1,
          std::int64_t{streamed.rows} * streamed.columns * kSumBytes);
    } else {
      add(EventKind::kDrain, at.drains, at.start, mesh.rows,
          std::int64_t{drained.rows} * drained.columns * kSumBytes);
    }
  }
}

std::vector<Event> Schedule::events(CycleWindow window) const {
  std::vector<Event> events;
  Cycle busy_until = 0;
  const auto add = [&](Event event) {
    if (overlaps(event.when, window)) {
      events.push_back(event);
    }
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const ScheduledLayer& layer = layers_[i];
    if (layer.end() == layer.start) {
      continue;
    }
    add({EventKind::kStall, i, -1, {busy_until, layer.start}, 0});
    if (overlaps({layer.start, layer.end()}, window)) {
      if (layer.run != nullptr) {
        add_pass_events(i, window, events);
      } else {
        add({EventKind::kVector, i, -1, {layer.start, layer.end()}, layer.vector_elements});
      }
    }
    busy_until = layer.end();
  }
  add({EventKind::kIdle, layers_.size(), -1, {busy_until, period_}, 0});
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& x, const Event& y) { return x.when.from < y.when.from; });
  return events;
}

}  // namespace tilestrike::bridge
