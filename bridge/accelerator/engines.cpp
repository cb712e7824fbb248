// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/engines.h"

#include "rtl/engines.h"

namespace tilestrike::bridge {

sim::EngineSet engines_of_this_build() {
  sim::EngineSet engines = sim::builtin_engines();
  rtl::add_engines(engines);
  return engines;
}

}  // namespace tilestrike::bridge
