// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the entries of a list of faults must be to each other, to the mesh and to the memories; what
// needs the network is checked by the plan.
#pragma once

#include <string>

#include "base/document.h"
#include "base/error.h"
#include "bridge/accelerator/accelerator.h"
#include "campaigns/scenario/strike.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::campaigns {

/// The list of a strike whose process it is. Cells of memories are left to check_listed_cells().
void check_list(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                ErrorList& errors);

/// Those of its faults that are on memories.
void check_listed_cells(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                        ErrorList& errors);

/// Two faults of one trial on one bit, which a message calls `bit`.
void refuse_twice(const ListedFault& first, const ListedFault& second, const std::string& bit,
                  const StrikeConfig& strike, ErrorList& errors);

}  // namespace tilestrike::campaigns
