// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one SystemC kernel of a process. It elaborates once, before it first runs: whoever needs a
// module has all of them made. For use inside of sim/; no SystemC in this header.
#pragma once

namespace tilestrike::sim {

/// Makes every module, at the first call.
void elaborate();

// By the files that have them; once, from elaborate().
void create_mesh_module();
void create_core_module();
void create_platform_modules();

}  // namespace tilestrike::sim
