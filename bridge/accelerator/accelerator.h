// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The accelerator as its YAML file describes it. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>

#include "base/field_table.h"
#include "base/ids.h"
#include "sim/core/core_config.h"
#include "sim/memory/memory_config.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::bridge {

/// How long weights stay in the memory that holds them.
enum class WeightReload {
  kPerPass,       // fetched for each pass, into slots that are filled in turn
  kPerInference,  // all of them, at the start of each inference
  kAtBoot,        // all of them, once
};

/// What happens when ECC finds an error that it cannot correct in what is read.
enum class OnDue {
  kStop,     // the inference ends without an answer
  kZero,     // the codeword is taken as zeros
  kUse,      // it is taken as it is
  kRefetch,  // it is fetched again where the backing copy is clean; else as kStop
};

/// What checks a layer's accumulators before they are requantised (bridge/trial/guard.h).
enum class GuardKind {
  kNone,
  kColumnSums,
};

/// How layers become passes, cycles and memory events (docs/architecture.md, "Schedule").
struct ScheduleConfig {
  std::int64_t rows_per_pass = 0;  // WS: most activation rows of a pass; 0: all of a layer
  std::int64_t vector_lanes = 16;  // elements per cycle of operators that do not use the mesh
  std::int64_t layer_latency = 0;  // cycles between a layer's last result and the next layer
  std::int64_t idle_cycles = 0;    // between two inferences; 0: back to back
  // Of accelerators with memories (docs/memory_schedule.md):
  WeightReload weights = WeightReload::kPerPass;
  std::int64_t weight_slots = 2;  // kPerPass: tiles of weights on chip
  std::int64_t dma_bytes = 16;    // per cycle, of each channel: weights, activations, results
  std::int64_t dma_latency = 20;  // cycles from a read of the backing memory to its arrival
};

/// How long what a core is given at boot stays in it.
enum class CoreReload {
  kPerInference,  // synapses, parameters and routes are written before each inference
  kAtBoot,        // once: what is struck stays for all later inferences
};

/// A chip of neuromorphic cores around each of them (docs/core.md).
struct ChipConfig {
  Cycle barrier = 1;     // cycles between the slowest core and the next tick
  Cycle fixed_tick = 0;  // of each tick; 0: by the barrier
  CoreReload reload = CoreReload::kAtBoot;
  int interleave = 4;             // columns from one bit of a word to the next, in arrays of cells
  std::int64_t scrub_cycles = 0;  // of each array with ECC; 0: there is no scrubber
};

struct AcceleratorConfig {
  std::string name;
  std::string about;
  double clock_mhz = 1000.0;
  std::string node = "28nm";  // of its cells; data/technology_nodes.csv, or FILE.csv:NAME
  sim::MeshConfig mesh;
  NamedParts<sim::MemoryConfig> memory;
  ScheduleConfig schedule;
  OnDue on_due = OnDue::kStop;
  GuardKind guard = GuardKind::kNone;
  /// In place of mesh and memories: a chip of such cores.
  bool has_core = false;
  sim::CoreConfig core;
  ChipConfig chip;
};

FieldTable<AcceleratorConfig> accelerator_fields();

/// Adds an error for each part that does not go with the others, once the fields have been read
/// from `map`.
void check_parts(const AcceleratorConfig& config, const Value& map, const std::string& path,
                 ErrorList& errors);

/// Turns times into cycles of the clock, once the fields have been read from `map`.
void convert_times(AcceleratorConfig& config, const Value& map, const std::string& path,
                   ErrorList& errors);

}  // namespace tilestrike::bridge
