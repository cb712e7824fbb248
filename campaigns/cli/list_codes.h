// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tables of `tilestrike list codes`; the first row names the columns.
#pragma once

#include "campaigns/cli/list_table.h"

namespace tilestrike::campaigns::cli {

/// One row per code.
ListTable codes_table();

/// What every code with this width makes of every pattern of 1 to 4 flipped bits, of neighbouring
/// bits, and of clusters of 2 to 4 cells. Throws Failure, naming --data-bits.
ListTable code_patterns_table(int data_bits);

}  // namespace tilestrike::campaigns::cli
