// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike list registers` of an accelerator with cores, and `list presets`.
#pragma once

#include <string>

#include "bridge/accelerator/accelerator.h"
#include "campaigns/cli/list_table.h"

namespace tilestrike::campaigns::cli {

/// Arrays and registers of one core, their fields and sites, and totals by what cells are made of.
ListTable core_storage_table(const bridge::AcceleratorConfig& accelerator);

/// Published fault models, and what of a core is each; or that none is.
ListTable presets_table();

}  // namespace tilestrike::campaigns::cli
