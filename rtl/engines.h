// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engines of this room.
#pragma once

#include <vector>

#include "sim/core/core_engine.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::rtl {

/// Adds the engine `rtl`: the mesh in Verilated RTL. In a build without Verilator: that it is
/// absent.
void add_engines(sim::EngineSet& engines);

/// Adds the engine `rtl` for cores. In a build without Verilator: nothing.
void add_core_engines(std::vector<sim::CoreEngineEntry>& engines);

}  // namespace tilestrike::rtl
