// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The accelerator as its YAML file describes it. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>

#include "base/field_table.h"
#include "sim/memory/memory_config.h"
#include "sim/mesh_config.h"

namespace tilestrike::bridge {

/// How layers become passes and cycles (docs/architecture.md, "Schedule").
struct ScheduleConfig {
  std::int64_t rows_per_pass = 0;  // WS: most activation rows of a pass; 0: all of a layer
  std::int64_t vector_lanes = 16;  // elements per cycle of operators that do not use the mesh
  std::int64_t layer_latency = 0;  // cycles between a layer's last result and the next layer
  std::int64_t idle_cycles = 0;    // between two inferences; 0: back to back
};

struct AcceleratorConfig {
  std::string name;
  std::string about;
  double clock_mhz = 1000.0;
  std::string node = "28nm";  // of its cells; data/technology_nodes.csv, or FILE.csv:NAME
  sim::MeshConfig mesh;
  NamedParts<sim::MemoryConfig> memory;
  ScheduleConfig schedule;
};

FieldTable<AcceleratorConfig> accelerator_fields();

}  // namespace tilestrike::bridge
