// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Whether the fault-free core reads what a storage bit holds before it is next written
// (docs/core.md, "Live and dead").
#pragma once

#include "sim/core/core_run.h"
#include "sim/core/core_sites.h"

namespace tilestrike::sim {

/// Whether what the bit holds just after the edge of `cycle` is read later in the inference, for
/// something that an answer, an event or a finding of ECC can depend on, whatever the values are.
/// Any set of dead bits may change at once without effect.
bool is_live(const CoreRun& run, const CoreSites& sites, const CoreSite& site, Cycle cycle);

}  // namespace tilestrike::sim
