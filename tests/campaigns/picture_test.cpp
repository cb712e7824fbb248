// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do pictures show what they say, the same each time?
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <string>

#include "base/error.h"
#include "campaigns/pictures/array_picture.h"
#include "campaigns/pictures/contents_picture.h"

namespace tilestrike::campaigns {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(SvgTest, TextIsEscapedAndNumbersAreShort) {
  SvgPicture picture(100, 50, "a < b & \"c\"");
  picture.rect(1.0, 2.126, 3.5, 1.0 / 3.0, {"#ff0000"}, "x > y");
  picture.text(0, -0.001, "<\n>");
  const std::string text = picture.text_of_file();
  EXPECT_NE(text.find("<title>a &lt; b &amp; &quot;c&quot;</title>"), std::string::npos);
  EXPECT_NE(text.find("x=\"1\" y=\"2.13\" width=\"3.5\" height=\"0.33\" fill=\"#ff0000\""),
            std::string::npos);
  EXPECT_NE(text.find("x &gt; y"), std::string::npos);
  EXPECT_NE(text.find("y=\"0\""), std::string::npos);
  EXPECT_NE(text.find("&lt; &gt;"), std::string::npos);
  EXPECT_TRUE(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
}

TEST(SvgTest, AFileThatCannotBeWrittenIsNamed) {
  try {
    SvgPicture(1, 1, "").write("no/such/folder/a.svg");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(failure.errors().front().where.find("no/such/folder"), std::string::npos);
  }
}

sim::MemoryConfig memory_of(sim::EccKind ecc, int interleave) {
  sim::MemoryConfig memory;
  memory.capacity_bytes = 4096;
  memory.banks = 2;
  memory.row_bytes = 32;
  memory.interleave = interleave;
  memory.ecc = ecc;
  return memory;
}

TEST(ArrayPictureTest, StruckCellsAreCrossedAndTheirCodewordsTold) {
  const sim::MemoryConfig memory = memory_of(sim::EccKind::kSecded, 1);
  // Three cells of one codeword, one of another row's, which is a check bit.
  const sim::Cell struck[] = {{1, 5, 70}, {1, 5, 69}, {1, 6, 70}, {1, 5, 68}};
  const std::string text = draw_array({"array", &memory, struck}).text_of_file();
  EXPECT_EQ(count_of(text, "stroke-width=\"2.5\""), 8U) << "two lines for each struck cell";
  const sim::ArrayGeometry geometry(memory.array());
  const auto word = [&](const sim::Cell& cell) {
    return std::to_string(geometry.bit_at(cell).codeword.value);
  };
  EXPECT_NE(text.find("codeword " + word(struck[0]) + ": bits 68 (check), 69 (check), 70 (check)"),
            std::string::npos);
  EXPECT_NE(text.find("codeword " + word(struck[2]) + ": bit 70 (check): corrected"),
            std::string::npos);
  EXPECT_NE(text.find("hatched: check bits"), std::string::npos);
  EXPECT_EQ(text.find("not all struck cells"), std::string::npos);
  EXPECT_EQ(text, draw_array({"array", &memory, struck}).text_of_file());
}

TEST(ArrayPictureTest, EveryCellHasTheColourOfItsCodewordAndCheckBitsAreHatched) {
  const sim::MemoryConfig memory = memory_of(sim::EccKind::kSecded, 2);
  const sim::Cell struck[] = {{0, 0, 140}};
  const std::string text = draw_array({"array", &memory, struck}).text_of_file();
  const sim::ArrayGeometry geometry(memory.array());
  std::map<std::string, std::string> colours;  // by codeword
  std::size_t cells = 0, check_cells = 0;
  for (std::size_t at = text.find("<title>bank 0"); at != std::string::npos;
       at = text.find("<title>bank 0", at + 1)) {
    int row = 0, column = 0;
    ASSERT_EQ(std::sscanf(text.c_str() + at, "<title>bank 0 row %d column %d", &row, &column), 2);
    const sim::CodewordBit bit = geometry.bit_at({0, row, column});
    const std::string name = std::to_string(bit.codeword.value);
    EXPECT_EQ(text.substr(text.find("codeword ", at) + 9, name.size()), name);
    const std::string colour = text.substr(text.rfind("fill=\"#", at) + 6, 7);
    const auto [known, is_new] = colours.emplace(name, colour);
    EXPECT_EQ(known->second, colour) << "one colour for each codeword";
    ++cells;
    check_cells += bit.bit >= 64 ? 1 : 0;
  }
  EXPECT_GE(cells, 49U);
  EXPECT_EQ(count_of(text, "url(#hatch)"), check_cells);
  EXPECT_GT(check_cells, 0U);
  // Of the row that is struck, the two codewords that alternate differ in colour.
  EXPECT_NE(colours.at("0"), colours.at("1"));
}

TEST(ArrayPictureTest, WhatDoesNotFitIsSaidToBeLeftOut) {
  const sim::MemoryConfig memory = memory_of(sim::EccKind::kNone, 1);
  const sim::Cell struck[] = {{0, 2, 3}, {0, 60, 3}, {0, 2, 4}};
  const std::string text = draw_array({"array", &memory, struck}).text_of_file();
  EXPECT_NE(text.find("not all struck cells are in sight"), std::string::npos);
  EXPECT_EQ(count_of(text, "stroke-width=\"2.5\""), 4U);
  EXPECT_NE(text.find("wrong data, no ECC"), std::string::npos);
  EXPECT_EQ(text.find("hatched"), std::string::npos);
}

bridge::InferenceContents example() {
  using sim::MemoryContent;
  bridge::InferenceContents contents;
  contents.layers = {"conv", "add", "fc & more"};
  contents.period = 1000;
  contents.memories = {{"buffer",
                        100,
                        {{0, 50, 0, 500, MemoryContent::kWeights, 0, "tile 0"},
                         {50, 25, 100, 200, MemoryContent::kActivations, 0, "block 0"},
                         {50, 25, 200, 300, MemoryContent::kActivations, 0, "block 1"},
                         {50, 25, 600, 1000, MemoryContent::kActivations, 2, "block 2"}}},
                       {"empty", 64, {}}};
  return contents;
}

TEST(ContentsPictureTest, TheLiveShareIsThatOfBytesTimesCycles) {
  const bridge::InferenceContents contents = example();
  EXPECT_DOUBLE_EQ(live_share(contents.memories[0], 1000),
                   (50.0 * 500 + 25 * 200 + 25 * 400) / 100000);
  EXPECT_EQ(live_share(contents.memories[1], 1000), 0.0);
}

TEST(ContentsPictureTest, SpansLieWhereTheyBelongAndGapsThatCannotBeSeenAreClosed) {
  const std::string text = draw_contents(example(), "t").text_of_file();
  // 900 pixels for 1000 cycles, 190 for 100 bytes, from (84, 62) on.
  EXPECT_NE(text.find("<rect x=\"84\" y=\"62\" width=\"450\" height=\"95\""), std::string::npos);
  EXPECT_NE(text.find("<rect x=\"174\" y=\"157\" width=\"180\" height=\"47.5\""), std::string::npos)
      << "two loads without a gap";
  EXPECT_NE(text.find("<rect x=\"624\" y=\"157\" width=\"360\" height=\"47.5\""),
            std::string::npos);
  EXPECT_NE(text.find("block 0 ... of conv: bytes 50 to 74, cycles 100 to 299"), std::string::npos);
  EXPECT_NE(text.find("fc &amp; more"), std::string::npos);
  EXPECT_EQ(text.find(">add<"), std::string::npos) << "a layer that reads no memory";
  EXPECT_NE(text.find("buffer, 100B: 40 % of its byte-cycles are live"), std::string::npos);
  EXPECT_NE(text.find("empty, 64B: 0 %"), std::string::npos);
  EXPECT_EQ(count_of(text, "url(#hatch)"), 1U) << "weights";
  EXPECT_EQ(text, draw_contents(example(), "t").text_of_file());
}

}  // namespace
}  // namespace tilestrike::campaigns
