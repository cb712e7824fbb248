// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are bits found from either side, with the cells beside them?
#include "campaigns/pictures/locate.h"

#include <gtest/gtest.h>

#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

TEST(LocateTest, CellsAndCodewordsOfTheNamedAcceleratorsAreFoundFromEitherSide) {
  for (const std::string& name : named_accelerators()) {
    for (const auto& [memory_name, memory] : accelerator_of_flag(name).memory) {
      const sim::ArrayGeometry geometry(memory.array());
      for (std::uint64_t i = 0; i < 1000; ++i) {
        const sim::Cell cell = geometry.cell_at(i * (geometry.cells() - 1) / 999);
        const auto cells = with_neighbours(memory, cell);
        ASSERT_EQ(cells.front().cell, cell);
        const sim::CodewordBit bit = cells.front().bit;
        EXPECT_EQ(located_codeword(memory, bit.codeword.value, bit.bit).front().cell, cell);
        EXPECT_EQ(cells.front().byte >= 0, bit.bit < memory.data_bits);
        if (cells.front().byte >= 0) {
          EXPECT_EQ(bit_of_byte(memory, cells.front().byte, cells.front().bit_of_byte), bit);
        }
      }
    }
  }
}

TEST(LocateTest, NeighboursEndAtTheBanksEdges) {
  sim::MemoryConfig memory;
  memory.capacity_bytes = 1024;
  memory.banks = 2;
  memory.row_bytes = 64;
  memory.interleave = 4;
  const auto corner = with_neighbours(memory, {1, 0, 0});
  ASSERT_EQ(corner.size(), 3U);
  EXPECT_EQ(corner[1].where, "right");
  EXPECT_EQ(corner[1].bit.codeword.value, corner[0].bit.codeword.value + 1) << "interleaved";
  EXPECT_EQ(corner[1].bit.bit, corner[0].bit.bit);
  EXPECT_EQ(corner[2].where, "down");
  EXPECT_EQ(with_neighbours(memory, {0, 3, 100}).size(), 5U);
  EXPECT_EQ(located_codeword(memory, 3, std::nullopt).size(), 64U);
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.errors().front().text();
  }
  return "";
}

TEST(LocateTest, WhatIsNotThereIsNamedWithItsRange) {
  const bridge::AcceleratorConfig accelerator = accelerator_of_flag("gemmini_16x16");
  EXPECT_NE(
      error_of([&] { find_memory(accelerator.memory, "here", "scratchpat"); }).find("'scratchpad'"),
      std::string::npos);
  const sim::MemoryConfig& memory =
      accelerator.memory[find_memory(accelerator.memory, "here", "scratchpad")].second;
  const sim::ArrayGeometry geometry(memory.array());
  for (const char* bad : {"", "1", "1,2", "1,2,3,4", "1,,3", "a,2,3", "1,2,3 "}) {
    EXPECT_NE(error_of([&] { parse_cell(bad, geometry); }).find("BANK,ROW,COLUMN"),
              std::string::npos)
        << bad;
  }
  EXPECT_NE(error_of([&] { parse_cell("4,0,0", geometry); }).find("bank 4 is out of range"),
            std::string::npos);
  EXPECT_NE(error_of([&] { parse_cell("0,0,128", geometry); }).find("0 to 127"), std::string::npos);
  EXPECT_EQ(parse_cell("3,4095,127", geometry), (sim::Cell{3, 4095, 127}));
  EXPECT_NE(error_of([&] { located_codeword(memory, 1 << 20, 0); }).find("0 to 32767"),
            std::string::npos);
  EXPECT_NE(error_of([&] { located_codeword(memory, 0, 64); }).find("0 to 63"), std::string::npos);
  EXPECT_NE(error_of([&] { bit_of_byte(memory, 1 << 18, 0); }).find("--byte"), std::string::npos);
}

}  // namespace
}  // namespace tilestrike::campaigns
