// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/engines.h"

#include <vector>

#include "rtl/engines.h"
#include "sim/core/core_engine.h"

namespace tilestrike::bridge {

sim::EngineSet engines_of_this_build() {
  sim::EngineSet engines = sim::builtin_engines();
  rtl::add_engines(engines);
  std::vector<sim::CoreEngineEntry> of_cores = sim::builtin_core_engines();
  rtl::add_core_engines(of_cores);
  for (const sim::CoreEngineEntry& each : of_cores) {
    engines.set_core(each.name, each.make);
  }
  return engines;
}

}  // namespace tilestrike::bridge
