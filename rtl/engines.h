// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engines of this room.
#pragma once

#include "sim/mesh/engine_set.h"

namespace tilestrike::rtl {

/// Adds the engine `rtl`: the mesh in Verilated RTL. In a build without Verilator: that it is
/// absent.
void add_engines(sim::EngineSet& engines);

}  // namespace tilestrike::rtl
