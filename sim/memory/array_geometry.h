// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The geometry of a memory array: banks x rows x columns of cells, derived from the capacity, and
// the bijection (codeword, bit) <-> cell, asked both ways (docs/memory_arrays.md).
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fault.h"
#include "base/ids.h"

namespace tilestrike::sim {

/// What is said of an array. The capacity counts data only: other check bits or another interleave
/// leave it, the banks and the rows alone; check bits make the rows wider.
struct ArrayConfig {
  std::int64_t capacity_bytes = 0;  // data of all banks
  int banks = 1;
  int row_bytes = 128;  // data of one row (word line) of one bank
  int data_bits = 64;   // of a codeword
  int check_bits = 0;   // of a codeword; cells like any other
  int interleave = 1;   // columns from one bit of a codeword to the next (column multiplexing)
  friend bool operator==(const ArrayConfig&, const ArrayConfig&) = default;
};

/// One physical storage bit.
struct Cell {
  int bank = 0;
  int row = 0;     // along the bit line
  int column = 0;  // along the word line
  friend auto operator<=>(const Cell&, const Cell&) = default;
};

using tilestrike::CodewordBit;
using tilestrike::CodewordId;

/// Adds everything that is wrong with `config`; `key` names the memory in messages, `where` its
/// place.
void check_array(const ArrayConfig& config, const std::string& key, const std::string& where,
                 ErrorList& errors);

/// Codewords follow one another along a row, rows along a bank, banks along the array. Word w of a
/// row is word w % interleave of group w / interleave, and its bit b lies in
///     column = (group * codeword_bits + b) * interleave + w % interleave.
class ArrayGeometry {
 public:
  /// Throws Failure with all errors of check_array().
  explicit ArrayGeometry(const ArrayConfig& config);

  const ArrayConfig& config() const { return config_; }
  int banks() const { return config_.banks; }
  int rows() const { return rows_; }        // of a bank
  int columns() const { return columns_; }  // of a bank
  int interleave() const { return config_.interleave; }
  int codeword_bits() const { return codeword_bits_; }
  int words_per_row() const { return words_per_row_; }
  std::uint64_t codewords() const { return codewords_; }
  std::uint64_t data_cells() const {
    return codewords_ * static_cast<std::uint64_t>(config_.data_bits);
  }
  std::uint64_t check_cells() const {
    return codewords_ * static_cast<std::uint64_t>(config_.check_bits);
  }
  std::uint64_t cells() const { return cells_; }

  /// Both require what the array has.
  Cell cell_of(CodewordBit bit) const;
  CodewordBit bit_at(const Cell& cell) const;

  /// Cells numbered 0 .. cells() - 1 along rows, then banks, for uniform draws.
  Cell cell_at(std::uint64_t index) const;
  std::uint64_t index_of(const Cell& cell) const;

  /// The columns of a row numbered with its data cells first, in physical order, then its check
  /// cells: a data cell has the same number in arrays that differ in check bits alone.
  int column_at(int number) const;
  int number_of_column(int column) const;

 private:
  ArrayConfig config_;
  int rows_ = 0;
  int columns_ = 0;
  int codeword_bits_ = 0;
  int words_per_row_ = 0;
  std::uint64_t codewords_ = 0;
  std::uint64_t cells_ = 0;
};

/// "bank 0 row 12 column 345"
std::string text_of(const Cell& cell);

// In the header, for millions of strikes a second. 32-bit divisions where the numbers are: a row's.

inline Cell ArrayGeometry::cell_of(CodewordBit bit) const {
  const auto words = static_cast<std::uint64_t>(words_per_row_);
  const auto rows = static_cast<std::uint64_t>(rows_);
  const std::uint64_t line = bit.codeword.value / words;
  const auto word = static_cast<std::uint32_t>(bit.codeword.value % words);
  const auto interleave = static_cast<std::uint32_t>(config_.interleave);
  const std::uint32_t group = word / interleave;
  const std::uint32_t column =
      (group * static_cast<std::uint32_t>(codeword_bits_) + static_cast<std::uint32_t>(bit.bit)) *
          interleave +
      word % interleave;
  return {static_cast<int>(line / rows), static_cast<int>(line % rows), static_cast<int>(column)};
}

inline CodewordBit ArrayGeometry::bit_at(const Cell& cell) const {
  const auto column = static_cast<std::uint32_t>(cell.column);
  const auto interleave = static_cast<std::uint32_t>(config_.interleave);
  const auto width = static_cast<std::uint32_t>(codeword_bits_);
  const std::uint32_t slot = column / interleave;  // of a group's bits, one after the other
  const std::uint32_t word = slot / width * interleave + column % interleave;
  const std::uint64_t line =
      static_cast<std::uint64_t>(cell.bank) * static_cast<std::uint64_t>(rows_) +
      static_cast<std::uint64_t>(cell.row);
  return {CodewordId(line * static_cast<std::uint64_t>(words_per_row_) + word),
          static_cast<int>(slot % width)};
}

inline Cell ArrayGeometry::cell_at(std::uint64_t index) const {
  const auto columns = static_cast<std::uint64_t>(columns_);
  const auto rows = static_cast<std::uint64_t>(rows_);
  const std::uint64_t line = index / columns;
  return {static_cast<int>(line / rows), static_cast<int>(line % rows),
          static_cast<int>(index % columns)};
}

inline std::uint64_t ArrayGeometry::index_of(const Cell& cell) const {
  return (static_cast<std::uint64_t>(cell.bank) * static_cast<std::uint64_t>(rows_) +
          static_cast<std::uint64_t>(cell.row)) *
             static_cast<std::uint64_t>(columns_) +
         static_cast<std::uint64_t>(cell.column);
}

inline int ArrayGeometry::column_at(int number) const {
  const int data = words_per_row_ * config_.data_bits;
  const bool is_data = number < data;
  const int at = is_data ? number : number - data;
  const int bits = is_data ? config_.data_bits : config_.check_bits;
  const int slot = at / config_.interleave;  // of a group's bits of this kind
  const int bit = slot % bits + (is_data ? 0 : config_.data_bits);
  return (slot / bits * codeword_bits_ + bit) * config_.interleave + at % config_.interleave;
}

inline int ArrayGeometry::number_of_column(int column) const {
  const int slot = column / config_.interleave;
  const int group = slot / codeword_bits_;
  const int bit = slot % codeword_bits_;
  const bool is_data = bit < config_.data_bits;
  const int bits = is_data ? config_.data_bits : config_.check_bits;
  const int first = is_data ? 0 : words_per_row_ * config_.data_bits;
  const int within = group * bits + bit - (is_data ? 0 : config_.data_bits);
  return first + within * config_.interleave + column % config_.interleave;
}

}  // namespace tilestrike::sim
