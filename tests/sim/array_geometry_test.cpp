// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the geometry a bijection between (codeword, bit) and cells, do neighbours in a row belong to
// codewords as the interleaving says, and is every geometry that does not multiply refused?
#include "sim/memory/array_geometry.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/random.h"

namespace tilestrike::sim {
namespace {

ArrayConfig config_of(std::int64_t capacity, int banks, int row, int data_bits, int check_bits,
                      int interleave) {
  return {capacity, banks, row, data_bits, check_bits, interleave};
}

std::string errors_of(const ArrayConfig& config) {
  ErrorList errors;
  check_array(config, "memory.buffer", "a.yaml:3:1", errors);
  try {
    errors.throw_if_any();
  } catch (const Failure& failure) {
    std::string text;
    for (const Error& error : failure.errors()) {
      text += error.text() + "\n";
    }
    return text;
  }
  return "";
}

/// Every bit of every codeword has a cell of its own, from which it is found again, and there are
/// no other cells.
void expect_bijection(const ArrayGeometry& geometry) {
  std::vector<bool> taken(geometry.cells());
  std::uint64_t wrong = 0;
  for (std::uint64_t word = 0; word < geometry.codewords(); ++word) {
    for (int bit = 0; bit < geometry.codeword_bits(); ++bit) {
      const CodewordBit asked{CodewordId(word), bit};
      const Cell cell = geometry.cell_of(asked);
      const bool is_inside = 0 <= cell.bank && cell.bank < geometry.banks() && 0 <= cell.row &&
                             cell.row < geometry.rows() && 0 <= cell.column &&
                             cell.column < geometry.columns();
      ASSERT_TRUE(is_inside) << text_of(cell);
      const std::uint64_t index = geometry.index_of(cell);
      wrong += taken[index] || geometry.bit_at(cell) != asked || geometry.cell_at(index) != cell;
      taken[index] = true;
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(geometry.cells(), geometry.codewords() * geometry.codeword_bits());
  EXPECT_EQ(geometry.cells(), geometry.data_cells() + geometry.check_cells());
  EXPECT_EQ(geometry.data_cells(), 8 * geometry.config().capacity_bytes);
}

/// Along a row, `interleave` codewords take turns: the cell to the right holds the same bit of the
/// next of them, and behind the last the next bit of the first; a group's last cell is followed by
/// bit 0 of the next group's first codeword.
void expect_interleaved(const ArrayGeometry& geometry) {
  std::uint64_t wrong = 0;
  const auto interleave = static_cast<std::uint64_t>(geometry.interleave());
  for (int column = 0; column + 1 < geometry.columns(); ++column) {
    const CodewordBit here = geometry.bit_at({0, 0, column});
    const CodewordBit right = geometry.bit_at({0, 0, column + 1});
    CodewordBit expected = here;
    ++expected.codeword.value;
    if (expected.codeword.value % interleave == 0) {  // the turn goes back to the group's first
      ++expected.bit;
      if (expected.bit == geometry.codeword_bits()) {
        expected.bit = 0;
      } else {
        expected.codeword.value -= interleave;
      }
    }
    wrong += right != expected;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(ArrayGeometryTest, IsDerivedFromTheCapacityWhichEccAndInterleaveLeaveAlone) {
  const ArrayGeometry plain(config_of(256 * 1024, 4, 128, 64, 0, 1));
  EXPECT_EQ(plain.rows(), 512);
  EXPECT_EQ(plain.columns(), 1024);
  EXPECT_EQ(plain.words_per_row(), 16);
  const ArrayGeometry secded(config_of(256 * 1024, 4, 128, 64, 8, 4));
  EXPECT_EQ(secded.rows(), 512);
  EXPECT_EQ(secded.columns(), 1152);
  EXPECT_EQ(secded.data_cells(), plain.data_cells());
  EXPECT_EQ(secded.check_cells(), 256 * 1024);
  EXPECT_EQ(secded.codewords(), plain.codewords());
}

TEST(ArrayGeometryTest, PlacesOfAHandMadeExample) {
  // Two banks of two rows; four 8-bit codewords with 5 check bits to a row, two of them in turns.
  const ArrayGeometry geometry(config_of(16, 2, 4, 8, 5, 2));
  EXPECT_EQ(geometry.columns(), 52);
  EXPECT_EQ(geometry.cell_of({CodewordId(0), 0}), (Cell{0, 0, 0}));
  EXPECT_EQ(geometry.cell_of({CodewordId(1), 0}), (Cell{0, 0, 1}));
  EXPECT_EQ(geometry.cell_of({CodewordId(0), 1}), (Cell{0, 0, 2}));
  EXPECT_EQ(geometry.cell_of({CodewordId(1), 12}), (Cell{0, 0, 25}));
  EXPECT_EQ(geometry.cell_of({CodewordId(2), 0}), (Cell{0, 0, 26}));
  EXPECT_EQ(geometry.cell_of({CodewordId(3), 12}), (Cell{0, 0, 51}));
  EXPECT_EQ(geometry.cell_of({CodewordId(4), 0}), (Cell{0, 1, 0}));
  EXPECT_EQ(geometry.cell_of({CodewordId(8), 3}), (Cell{1, 0, 6}));
  EXPECT_EQ(text_of(geometry.cell_of({CodewordId(15), 12})), "bank 1 row 1 column 51");
}

TEST(ArrayGeometryTest, NamedGeometriesAreBijections) {
  for (const int interleave : {1, 2, 4, 8, 16}) {
    for (const int check_bits : {0, 1, 8, 15}) {
      const ArrayGeometry geometry(config_of(16 * 1024, 4, 128, 64, check_bits, interleave));
      expect_bijection(geometry);
      expect_interleaved(geometry);
    }
  }
}

TEST(ArrayGeometryTest, AThousandRandomGeometriesAreBijections) {
  RandomStream random(20, 0, Purpose::kTest);
  const auto between = [&](int least, int most) {
    return least + static_cast<int>(random.below(static_cast<std::uint64_t>(most - least + 1)));
  };
  for (int i = 0; i < 1000; ++i) {
    const int data_bits = between(1, 16) * 8;
    const int interleave = between(1, 8);
    const int groups = between(1, 3);
    const int row = data_bits / 8 * interleave * groups;
    const int banks = between(1, 4);
    const int rows = between(1, 6);
    const ArrayConfig config = config_of(std::int64_t{banks} * rows * row, banks, row, data_bits,
                                         between(0, 20), interleave);
    SCOPED_TRACE(testing::Message()
                 << "geometry " << i << ": " << config.capacity_bytes << " " << banks << " " << row
                 << " " << data_bits << " " << config.check_bits << " " << interleave);
    const ArrayGeometry geometry(config);
    EXPECT_EQ(geometry.rows(), rows);
    EXPECT_EQ(geometry.words_per_row(), interleave * groups);
    expect_bijection(geometry);
    expect_interleaved(geometry);
    if (HasFailure()) {
      return;
    }
  }
}

TEST(ArrayGeometryTest, LargeArraysDoNotOverflow) {
  // 64 GiB: cell numbers beyond 32 bits.
  const ArrayGeometry geometry(config_of(std::int64_t{1} << 36, 16, 1024, 64, 8, 8));
  EXPECT_EQ(geometry.cells(), (std::uint64_t{1} << 39) / 64 * 72);
  const std::uint64_t last = geometry.cells() - 1;
  const Cell cell = geometry.cell_at(last);
  EXPECT_EQ(cell, (Cell{15, geometry.rows() - 1, geometry.columns() - 1}));
  EXPECT_EQ(geometry.index_of(cell), last);
  const CodewordBit bit{CodewordId(geometry.codewords() - 1), 71};
  EXPECT_EQ(geometry.bit_at(cell), bit);
  EXPECT_EQ(geometry.cell_of(bit), cell);
}

TEST(ArrayGeometryTest, WhatDoesNotMultiplyIsRefusedWithACure) {
  EXPECT_EQ(errors_of(config_of(1000, 4, 128, 64, 8, 1)),
            "a.yaml:3:1: memory.buffer.capacity: 1000 bytes are no whole number of rows of 128 "
            "bytes in 4 banks; give a multiple of banks x row = 512 bytes, such as 512 or 1024, or "
            "change 'banks' or 'row'\n");
  EXPECT_EQ(errors_of(config_of(1024, 1, 8, 128, 9, 1)),
            "a.yaml:3:1: memory.buffer.codeword: a codeword of 137 bits (128 data, 9 check) is "
            "wider than a row of 64 data bits; give a 'row' of at least 16 bytes, or a codeword of "
            "at most 64 data bits\n");
  EXPECT_EQ(errors_of(config_of(1024, 1, 128, 24, 6, 1)),
            "a.yaml:3:1: memory.buffer.codeword: 24 data bits do not divide a row of 1024 data "
            "bits; let codewords fill the row: a 'row' whose bits are a multiple of 24, or another "
            "codeword\n");
  EXPECT_EQ(errors_of(config_of(1024, 1, 128, 64, 8, 3)),
            "a.yaml:3:1: memory.buffer.interleave: 3 does not divide the 16 codewords of a row "
            "(128 bytes of 64-bit codewords); allowed here: 1, 2, 4, 8, 16; or change 'row'\n");
  EXPECT_EQ(errors_of(config_of(0, 1, 128, 64, -1, 0)),
            "a.yaml:3:1: memory.buffer.capacity: 0 is out of range; allowed: 1 or more\n"
            "a.yaml:3:1: memory.buffer.ecc: -1 is out of range; allowed: 0 or more\n"
            "a.yaml:3:1: memory.buffer.interleave: 0 is out of range; allowed: 1 or more\n");
}

TEST(ArrayGeometryTest, AllErrorsComeAtOnce) {
  const std::string errors = errors_of(config_of(1000, 4, 128, 64, 8, 5));
  EXPECT_NE(errors.find("memory.buffer.capacity"), std::string::npos);
  EXPECT_NE(errors.find("memory.buffer.interleave"), std::string::npos);
  EXPECT_THROW(ArrayGeometry(config_of(1000, 4, 128, 64, 8, 5)), Failure);
}

TEST(ArrayGeometryTest, HugeRowsAndColumnsAreRefused) {
  EXPECT_NE(errors_of(config_of(std::int64_t{1} << 40, 1, 1, 8, 0, 1)).find("rows to a bank"),
            std::string::npos);
  EXPECT_NE(errors_of(config_of(std::int64_t{1} << 22, 1, 1 << 22, 8, 5, 1)).find("columns"),
            std::string::npos);
  EXPECT_NE(
      errors_of(config_of(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<int>::max(),
                          std::numeric_limits<int>::max(), 8, std::numeric_limits<int>::max(), 1))
          .find("columns"),
      std::string::npos);
}

TEST(ArrayGeometryTest, DataCellsHaveTheSameNumbersWhateverTheCheckBits) {
  for (const int interleave : {1, 2, 4}) {
    const ArrayGeometry plain({4096, 2, 64, 64, 0, interleave});
    const ArrayGeometry checked({4096, 2, 64, 64, 8, interleave});
    std::vector<bool> is_seen(static_cast<std::size_t>(checked.columns()));
    for (int column = 0; column < checked.columns(); ++column) {
      const int number = checked.number_of_column(column);
      ASSERT_EQ(checked.column_at(number), column);
      ASSERT_FALSE(is_seen.at(static_cast<std::size_t>(number)));
      is_seen[static_cast<std::size_t>(number)] = true;
    }
    for (int number = 0; number < plain.columns(); ++number) {
      EXPECT_EQ(plain.bit_at({1, 3, plain.column_at(number)}),
                checked.bit_at({1, 3, checked.column_at(number)}));
    }
  }
}

}  // namespace
}  // namespace tilestrike::sim
