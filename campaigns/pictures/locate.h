// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where a bit of a memory lies, asked from either side: cell to codeword, codeword to cell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::campaigns {

/// One cell, and what it is.
struct LocatedCell {
  std::string where;  // "here", "left" ...: from the cell that was asked for
  sim::Cell cell;
  sim::CodewordBit bit;
  std::int64_t byte = -1;  // of the memory's data that it belongs to; -1: a check bit
  int bit_of_byte = 0;
};

using NamedMemories = NamedParts<sim::MemoryConfig>;

/// The number of a memory by its name. Throws Failure that names the nearest.
std::size_t find_memory(const NamedMemories& memories, const std::string& accelerator,
                        const std::string& name);

/// "BANK,ROW,COLUMN" of a memory. Throws Failure where there is no such cell.
sim::Cell parse_cell(const std::string& text, const sim::ArrayGeometry& geometry);

LocatedCell located(const sim::MemoryConfig& memory, const sim::ArrayGeometry& geometry,
                    const sim::Cell& cell, std::string where);

/// The cell and those next to it: left, right, up, down, where the bank goes on.
std::vector<LocatedCell> with_neighbours(const sim::MemoryConfig& memory, const sim::Cell& cell);

/// Bit `bit` of a codeword with its neighbours, or all bits of it. Throws Failure where it has
/// none.
std::vector<LocatedCell> located_codeword(const sim::MemoryConfig& memory, std::uint64_t codeword,
                                          std::optional<int> bit);

/// The codeword bit of bit `bit_of_byte` of byte `byte` of a memory's data. Throws Failure.
sim::CodewordBit bit_of_byte(const sim::MemoryConfig& memory, std::int64_t byte, int bit_of_byte);

/// Rows of a table; the first names the columns.
std::vector<std::vector<std::string>> table_of(const std::vector<LocatedCell>& cells);

}  // namespace tilestrike::campaigns
