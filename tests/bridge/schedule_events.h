// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A schedule as what happens: which layer, pass and phase the accelerator is in at a cycle.
#pragma once

#include <optional>
#include <vector>

#include "bridge/schedule/schedule.h"

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

/// The layer that is at work in a cycle of an inference; nullopt: stall or idle.
std::optional<std::size_t> layer_at(const Schedule& schedule, Cycle cycle);

/// The events of one inference that overlap a window, by start.
std::vector<Event> events_of(const Schedule& schedule, CycleWindow window);

}  // namespace tilestrike::bridge
