// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/bridge/schedule_events.h"

#include <algorithm>

namespace tilestrike::bridge {
namespace {

bool overlaps(CycleWindow x, CycleWindow y) {
  return x.from < x.until && std::max(x.from, y.from) < std::min(x.until, y.until);
}

void add_pass_events(const ScheduledLayer& layer, std::size_t index, CycleWindow window,
                     std::vector<Event>& events) {
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

}  // namespace

std::optional<std::size_t> layer_at(const Schedule& schedule, Cycle cycle) {
  const std::vector<ScheduledLayer>& layers = schedule.layers();
  // Layers without cycles share their start with the next: the last that starts by then is at work.
  const auto after = std::upper_bound(
      layers.begin(), layers.end(), cycle,
      [](Cycle value, const ScheduledLayer& layer) { return value < layer.start; });
  for (auto layer = after; layer != layers.begin();) {
    --layer;
    if (layer->end() > layer->start) {
      if (cycle < layer->end()) {
        return static_cast<std::size_t>(layer - layers.begin());
      }
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::vector<Event> events_of(const Schedule& schedule, CycleWindow window) {
  const std::vector<ScheduledLayer>& layers = schedule.layers();
  std::vector<Event> events;
  Cycle busy_until = 0;
  const auto add = [&](Event event) {
    if (overlaps(event.when, window)) {
      events.push_back(event);
    }
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ScheduledLayer& layer = layers[i];
    if (layer.end() == layer.start) {
      continue;
    }
    add({EventKind::kStall, i, -1, {busy_until, layer.start}, 0});
    if (overlaps({layer.start, layer.end()}, window)) {
      if (layer.run != nullptr) {
        add_pass_events(layer, i, window, events);
      } else {
        add({EventKind::kVector, i, -1, {layer.start, layer.end()}, layer.vector_elements});
      }
    }
    busy_until = layer.end();
  }
  add({EventKind::kIdle, layers.size(), -1, {busy_until, schedule.cycles_per_inference()}, 0});
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& x, const Event& y) { return x.when.from < y.when.from; });
  return events;
}

}  // namespace tilestrike::bridge
