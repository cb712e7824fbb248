// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// All of this room where there is no Verilator.
#include "rtl/engines.h"

namespace tilestrike::rtl {

void add_engines(sim::EngineSet& engines) {
  engines.add_absent({.name = "rtl",
                      .what = "this build has no RTL",
                      .cure = "install verilator and build with -DTS_WITH_RTL=ON"});
}

void add_core_engines(std::vector<sim::CoreEngineEntry>&) {}

}  // namespace tilestrike::rtl
