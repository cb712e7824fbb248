// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The table of `tilestrike list memories`; the first row names the columns.
#pragma once

#include <string>

#include "bridge/accelerator/accelerator.h"
#include "campaigns/cli/list_table.h"

namespace tilestrike::campaigns::cli {

/// One row per memory of an accelerator, and one of all: its geometry, how often it is struck at an
/// altitude, and how often that would be reported or silent if every codeword were read. In JSON
/// `capacity` is in bytes.
ListTable memories_table(const bridge::AcceleratorConfig& accelerator, double altitude_m);
/// What columns mean, and where the node's numbers come from.
std::string memories_footnote(const bridge::AcceleratorConfig& accelerator, double altitude_m);

}  // namespace tilestrike::campaigns::cli
