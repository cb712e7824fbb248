// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The arrays of a chip's cores as memories with a geometry: what clusters of cells are laid on
// (docs/core.md, "Arrays as memories").
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "bridge/accelerator/accelerator.h"
#include "sim/core/core_sites.h"
#include "sim/memory/memory_config.h"

namespace tilestrike::sim {
class BootedChip;
}

namespace tilestrike::bridge {

/// Data bits of a codeword of an array: a word, or 64 bits of a longer one.
int codeword_bits(const sim::CoreBlock& array);

/// By array, in the order of sim::CoreStorage: its name, and the array of all cores together, a
/// bank for each. Eight codewords lie in a row, where a core has so many.
std::vector<std::pair<std::string, sim::MemoryConfig>> core_arrays(
    const AcceleratorConfig& accelerator, std::size_t cores);

/// The memories of an accelerator; of one with cores the arrays of one core that are made of memory
/// cells.
NamedParts<sim::MemoryConfig> memories_of(const AcceleratorConfig& accelerator);

/// A bit of a codeword of such a memory.
struct CoreCell {
  std::size_t core = 0;
  CodewordId codeword;  // of the core's array
  int bit = 0;          // of it; check bits follow the data
};
CoreCell core_cell(const sim::CoreBlock& array, CodewordBit bit);
/// The inverse.
CodewordBit codeword_bit(const sim::CoreBlock& array, const CoreCell& cell);

/// The site of a data bit. Requires one.
sim::CoreSite site_of(const sim::CoreBlock& array, const CoreCell& cell);
CoreCell cell_of(const sim::CoreBlock& array, std::size_t core, const sim::CoreSite& site);
/// The same; of a check bit, the first of its codeword.
sim::CoreSite site_beside(const sim::CoreBlock& array, CoreCell cell);

/// What the boot writes into a cell of an array, check bits too.
bool is_booted(const sim::BootedChip& chip, const sim::CoreBlock& array, const CoreCell& cell);

}  // namespace tilestrike::bridge
