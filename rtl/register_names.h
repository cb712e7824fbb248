// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where each register of the mesh lies in the RTL.
#pragma once

#include <string_view>

#include "sim/mesh/mesh_sites.h"

namespace tilestrike::rtl {

/// The array of ts_mesh.sv that holds the registers of one kind, in the order of their sites.
std::string_view array_of(sim::Register kind);

}  // namespace tilestrike::rtl
