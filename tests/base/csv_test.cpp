// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do cells of comma-separated text know their places, and are rows of another length refused?
#include "base/csv.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

TEST(CsvTest, CellsAreCutFreeAndKnowTheirPlaces) {
  ErrorList errors;
  const CsvTable table = parse_csv("\nname , rate\r\n\n  a b,\t7 \n,\n", "t.csv", "key", errors);
  EXPECT_TRUE(errors.empty());
  ASSERT_EQ(table.header.size(), 2);
  EXPECT_EQ(table.header[0].text, "name");
  EXPECT_EQ(table.header[1].text, "rate");
  EXPECT_EQ(table.header[1].place.text(), "t.csv:2:8");
  ASSERT_EQ(table.rows.size(), 2);
  EXPECT_EQ(table.rows[0][0].text, "a b");
  EXPECT_EQ(table.rows[0][0].place.text(), "t.csv:4:3");
  EXPECT_EQ(table.rows[0][1].text, "7");
  EXPECT_EQ(table.rows[1][0].text, "");
  EXPECT_EQ(table.rows[1][1].text, "");
}

TEST(CsvTest, NoTextIsNoTable) {
  ErrorList errors;
  EXPECT_TRUE(parse_csv("", "t.csv", "key", errors).header.empty());
  EXPECT_TRUE(parse_csv(" \n\r\n", "t.csv", "key", errors).header.empty());
  EXPECT_TRUE(errors.empty());
}

TEST(CsvTest, RowsOfAnotherLengthAreErrorsAndTheRestIsRead) {
  ErrorList errors;
  const CsvTable table = parse_csv("a,b\n1\n2,3\n4,5,6", "t.csv", "key", errors);
  ASSERT_EQ(table.rows.size(), 1);
  EXPECT_EQ(table.rows[0][0].text, "2");
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 2);
    EXPECT_EQ(failure.errors()[0].text(),
              "t.csv:2:1: key: 1 cells under 2 column names; give each row one cell per column; "
              "leave a cell empty to skip it");
    EXPECT_EQ(failure.errors()[1].where, "t.csv:4:1");
  }
}

}  // namespace
}  // namespace tilestrike
