// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Explicit lists of faults, inline or as a CSV file, and the sites that they and a `where` name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaigns/scenario/strike.h"
#include "sim/memory/array_geometry.h"

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

/// Whether the mesh has a register of this name, which is at `path`; else an error at `place`.
bool check_register(const std::string& name, const std::string& path, const std::string& place,
                    const sim::MeshSites& sites, ErrorList& errors);

/// The site that a listed fault names, or nothing when this mesh has none there.
std::optional<SiteId> site_of(const ListedFault& fault, const sim::MeshSites& sites);

/// What a listed fault of this register must name: "name row (0 to 7), column (0 to 7), bit (0 to
/// 31), and no other place".
std::string place_rule(const std::string& register_name, const sim::MeshSites& sites);

/// The bit of a codeword that a listed fault names, or nothing where such an array has none.
std::optional<CodewordBit> cell_of(const ListedFault& fault, const sim::ArrayGeometry& geometry);

/// What names a cell of such an array: "name codeword (0 to 511) and bit (0 to 71, check bits
/// from 64 on), or bank (0 to 3), row (0 to 127) and column (0 to 71)".
std::string place_rule(const sim::ArrayGeometry& geometry);

}  // namespace tilestrike::campaigns
