// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Explicit lists of faults, inline or as a CSV file, and the sites that they and a `where` name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {

/// Reads `faults`: a list of entries or lists of entries, or the path of a CSV file whose first
/// line names the columns (keys of an entry; rows with the same number in a column `trial` are one
/// trial).
void read_fault_list(StrikeConfig& strike, const Value& value, const std::string& path,
                     ErrorList& errors);

/// The list as read_fault_list() takes it; nothing for an empty one.
Value write_fault_list(const std::vector<ListedTrial>& list);

/// The sites of a selection, in order.
std::vector<SiteId> selected_sites(const MeshSelection& selection, const sim::MeshSites& sites);

/// The site that a listed fault names, or nothing when this mesh has none there.
std::optional<SiteId> site_of(const ListedFault& fault, const sim::MeshSites& sites);

/// What a listed fault of this register must name: "name row (0 to 7), column (0 to 7), bit (0 to
/// 31), and no other place".
std::string place_rule(const std::string& register_name, const sim::MeshSites& sites);

}  // namespace tilestrike::campaigns
