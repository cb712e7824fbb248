// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/value_change_dump.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

TEST(ValueChangeDumpTest, CodesAreDigitsOfPrintableCharacters) {
  EXPECT_EQ(vcd_code(0), "!");
  EXPECT_EQ(vcd_code(93), "~");
  EXPECT_EQ(vcd_code(94), "!\"");
  EXPECT_EQ(vcd_code(94 * 94), "!!\"");
}

TEST(ValueChangeDumpTest, ValuesHaveNoLeadingZeros) {
  const std::uint64_t limbs[] = {0x5, 0x1};
  EXPECT_EQ(vcd_change(limbs, 1, 0), "1!");
  EXPECT_EQ(vcd_change(limbs + 1, 32, 1), "b1 \"");
  EXPECT_EQ(vcd_change(limbs, 64, 0), "b101 !");
  EXPECT_EQ(vcd_change(limbs, 65, 0), "b1" + std::string(61, '0') + "101 !");
  const std::uint64_t zero[] = {0, 0};
  EXPECT_EQ(vcd_change(zero, 1, 0), "0!");
  EXPECT_EQ(vcd_change(zero, 65, 0), "b0 !");
}

}  // namespace
}  // namespace tilestrike
