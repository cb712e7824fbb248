// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A picture of a memory array around some struck cells: which codeword each cell belongs to, and
// what ECC makes of those that are struck.
#pragma once

#include <span>
#include <string>

#include "campaigns/pictures/svg.h"
#include "sim/memory/memory_config.h"

namespace tilestrike::campaigns {

struct ArrayPicture {
  std::string title;  // "scratchpad of gemmini_16x16"
  const sim::MemoryConfig* memory = nullptr;
  std::span<const sim::Cell> struck;  // the first one is in the middle; others of its bank alone
  int tap_rows = 0;                   // well taps are drawn in front of every so many rows; 0: none
};

/// Cells are squares, coloured by codeword (pale where the codeword is not struck), check bits
/// hatched, struck cells crossed out. What does not fit around the first struck cell is left out,
/// and said to be.
SvgPicture draw_array(const ArrayPicture& picture);

}  // namespace tilestrike::campaigns
