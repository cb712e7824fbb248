// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Engines that are no part of the program: libraries that are loaded when it starts
// (docs/own_rtl.md).
#pragma once

#include <string>

#include "sim/mesh/engine_set.h"

namespace tilestrike::sim {

/// Counts changes of what such a library is built against: it works with the number it was built
/// with.
inline constexpr int kEngineInterface = 3;

/// Loads a library of engines (cmake/TileStrikeConfig.cmake.in makes one) and lets it add them to
/// `engines`. Throws Failure where the file is none, or was built with another
/// interface.
void load_engines(const std::string& path, EngineSet& engines);

}  // namespace tilestrike::sim

extern "C" {
/// To be defined by the library: adds its engines.
void tilestrike_add_engines(tilestrike::sim::EngineSet& engines);
/// Defined by what CMake makes for it: kEngineInterface.
extern const int tilestrike_engine_interface;
}
