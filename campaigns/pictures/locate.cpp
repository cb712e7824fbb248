// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/pictures/locate.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

[[noreturn]] void out_of_range(const std::string& flag, const std::string& what,
                               std::uint64_t size) {
  fail(ErrorCode::kInvalidInput, what + " is out of range", flag,
       fmt::format("allowed: 0 to {}", size - 1));
}

}  // namespace

std::size_t find_memory(const NamedMemories& memories, const std::string& accelerator,
                        const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < memories.size(); ++i) {
    if (memories[i].first == name) {
      return i;
    }
    names.push_back(memories[i].first);
  }
  fail(ErrorCode::kNotFound, "no memory of " + accelerator + " is named '" + name + "'", "--memory",
       names.empty() ? "this accelerator has no memories: give it a map 'memory'"
                     : suggestion(name, names));
}

sim::Cell parse_cell(const std::string& text, const sim::ArrayGeometry& geometry) {
  const int sizes[] = {geometry.banks(), geometry.rows(), geometry.columns()};
  const char* names[] = {"bank", "row", "column"};
  int numbers[3] = {};
  std::size_t start = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const auto number =
        start <= text.size() ? parse_integer(text.substr(start, end - start)) : std::nullopt;
    if (!number || (i == 2) != (end == text.size())) {
      fail(ErrorCode::kInvalidInput, "'" + text + "' is not a cell", "--cell",
           "write BANK,ROW,COLUMN, such as 0,12,345");
    }
    if (*number < 0 || *number >= sizes[i]) {
      out_of_range("--cell", fmt::format("{} {}", names[i], *number),
                   static_cast<std::uint64_t>(sizes[i]));
    }
    numbers[i] = static_cast<int>(*number);
    start = end + 1;
  }
  return {numbers[0], numbers[1], numbers[2]};
}

LocatedCell located(const sim::MemoryConfig& memory, const sim::ArrayGeometry& geometry,
                    const sim::Cell& cell, std::string where) {
  LocatedCell found{std::move(where), cell, geometry.bit_at(cell), -1, 0};
  if (found.bit.bit < memory.data_bits) {
    const std::uint64_t place =
        found.bit.codeword.value * static_cast<std::uint64_t>(memory.data_bits) +
        static_cast<std::uint64_t>(found.bit.bit);
    found.byte = static_cast<std::int64_t>(place / 8);
    found.bit_of_byte = static_cast<int>(place % 8);
  }
  return found;
}

std::vector<LocatedCell> with_neighbours(const sim::MemoryConfig& memory, const sim::Cell& cell) {
  const sim::ArrayGeometry geometry(memory.array());
  std::vector<LocatedCell> cells = {located(memory, geometry, cell, "here")};
  const auto add = [&](const char* where, int rows, int columns) {
    const sim::Cell other{cell.bank, cell.row + rows, cell.column + columns};
    if (other.row >= 0 && other.row < geometry.rows() && other.column >= 0 &&
        other.column < geometry.columns()) {
      cells.push_back(located(memory, geometry, other, where));
    }
  };
  add("left", 0, -1);
  add("right", 0, 1);
  add("up", -1, 0);
  add("down", 1, 0);
  return cells;
}

std::vector<LocatedCell> located_codeword(const sim::MemoryConfig& memory, std::uint64_t codeword,
                                          std::optional<int> bit) {
  const sim::ArrayGeometry geometry(memory.array());
  if (codeword >= geometry.codewords()) {
    out_of_range("--codeword", fmt::format("codeword {}", codeword), geometry.codewords());
  }
  if (bit && (*bit < 0 || *bit >= geometry.codeword_bits())) {
    out_of_range("--bit", fmt::format("bit {} of a codeword", *bit),
                 static_cast<std::uint64_t>(geometry.codeword_bits()));
  }
  if (bit) {
    return with_neighbours(memory, geometry.cell_of({sim::CodewordId(codeword), *bit}));
  }
  std::vector<LocatedCell> cells;
  for (int each = 0; each < geometry.codeword_bits(); ++each) {
    cells.push_back(located(memory, geometry, geometry.cell_of({sim::CodewordId(codeword), each}),
                            each < memory.data_bits ? "data" : "check"));
  }
  return cells;
}

sim::CodewordBit bit_of_byte(const sim::MemoryConfig& memory, std::int64_t byte, int bit_of_byte) {
  if (byte < 0 || byte >= memory.capacity_bytes) {
    out_of_range("--byte", fmt::format("byte {}", byte),
                 static_cast<std::uint64_t>(memory.capacity_bytes));
  }
  if (bit_of_byte < 0 || bit_of_byte > 7) {
    out_of_range("--bit", fmt::format("bit {} of a byte", bit_of_byte), 8);
  }
  const std::int64_t place = 8 * byte + bit_of_byte;
  return {sim::CodewordId(static_cast<std::uint64_t>(place / memory.data_bits)),
          static_cast<int>(place % memory.data_bits)};
}

std::vector<std::vector<std::string>> table_of(const std::vector<LocatedCell>& cells) {
  std::vector<std::vector<std::string>> table = {
      {"where", "bank", "row", "column", "codeword", "bit", "kind", "byte", "bit_of_byte"}};
  for (const LocatedCell& cell : cells) {
    const bool is_data = cell.byte >= 0;
    table.push_back({cell.where, std::to_string(cell.cell.bank), std::to_string(cell.cell.row),
                     std::to_string(cell.cell.column), std::to_string(cell.bit.codeword.value),
                     std::to_string(cell.bit.bit), is_data ? "data" : "check",
                     is_data ? std::to_string(cell.byte) : "-",
                     is_data ? std::to_string(cell.bit_of_byte) : "-"});
  }
  return table;
}

}  // namespace tilestrike::campaigns
