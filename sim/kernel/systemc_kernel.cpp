// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/systemc_kernel.h"

#include <cstdio>
#include <systemc>

// Its library refers to it; TileStrike's programs have their own main(). It runs only if a program
// was linked without one.
int sc_main(int, char**) {
  std::fputs("this program was linked without a main()\n", stderr);
  return 3;
}

namespace tilestrike::sim {

void elaborate() {
  static const bool done = [] {
    sc_core::sc_report_handler::set_actions(sc_core::SC_FATAL, sc_core::SC_THROW);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_,
                                            sc_core::SC_DO_NOTHING);
    create_mesh_module();
    create_core_module();
    create_platform_modules();
    return true;
  }();
  (void)done;
}

}  // namespace tilestrike::sim
