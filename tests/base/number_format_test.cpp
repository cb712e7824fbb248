// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do number formats have the names, the widths and the fields that users know them by?
#include "base/number_format.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

struct Known {
  const char* name;
  const char* also;  // another text that means the same
  int bits;
  std::uint64_t sign, middle, low;  // masks: exponent or integer, mantissa or fraction
};

TEST(NumberFormat, FloatsHaveSignExponentAndMantissa) {
  for (const Known& known : {Known{"float32", "fp32", 32, 0x80000000, 0x7F800000, 0x007FFFFF},
                             Known{"float16", "fp16", 16, 0x8000, 0x7C00, 0x03FF},
                             Known{"bfloat16", "bf16", 16, 0x8000, 0x7F80, 0x007F},
                             Known{"float8_e4m3", "fp8_e4m3", 8, 0x80, 0x78, 0x07},
                             Known{"float8_e5m2", "fp8_e5m2", 8, 0x80, 0x7C, 0x03}}) {
    const auto format = NumberFormat::parse(known.name);
    ASSERT_TRUE(format) << known.name;
    EXPECT_EQ(NumberFormat::parse(known.also), format);
    EXPECT_EQ(format->name(), known.name);
    EXPECT_TRUE(format->is_float());
    EXPECT_EQ(format->bits, known.bits);
    EXPECT_EQ(format->field("sign"), known.sign) << known.name;
    EXPECT_EQ(format->field("exponent"), known.middle) << known.name;
    EXPECT_EQ(format->field("mantissa"), known.low) << known.name;
    EXPECT_FALSE(format->field("magnitude"));
    EXPECT_FALSE(format->field("fraction"));
  }
}

TEST(NumberFormat, IntegersHaveSignAndMagnitude) {
  for (const Known& known :
       {Known{"int8", "int8", 8, 0x80, 0x7F, 0}, Known{"int4", "int4", 4, 0x8, 0x7, 0}}) {
    const auto format = NumberFormat::parse(known.name);
    ASSERT_TRUE(format) << known.name;
    EXPECT_EQ(format->name(), known.name);
    EXPECT_EQ(format->bits, known.bits);
    EXPECT_EQ(format->field("sign"), known.sign);
    EXPECT_EQ(format->field("magnitude"), known.middle);
    EXPECT_FALSE(format->field("exponent"));
    EXPECT_FALSE(format->field("mantissa"));
    EXPECT_FALSE(format->field("fraction"));
  }
}

TEST(NumberFormat, UnsignedIntegersHaveNoSign) {
  const NumberFormat format = NumberFormat::unsigned_integer(8);
  EXPECT_EQ(format.name(), "uint8");
  EXPECT_EQ(format.field("magnitude"), 0xFFU);
  EXPECT_EQ(format.field("sign"), std::nullopt);
  EXPECT_EQ(format.field_names(), std::vector<std::string>{"magnitude"});
}

TEST(NumberFormat, FixedPointHasSignIntegerAndFraction) {
  for (const Known& known :
       {Known{"q3.12", "Q3.12", 16, 0x8000, 0x7000, 0x0FFF},
        Known{"q0.7", "Q0.7", 8, 0x80, 0, 0x7F}, Known{"q7.0", "Q7.0", 8, 0x80, 0x7F, 0},
        Known{"q0.31", "Q0.31", 32, 0x80000000, 0, 0x7FFFFFFF},
        Known{"q1.0", "Q1.0", 2, 0x2, 0x1, 0}}) {
    const auto format = NumberFormat::parse(known.name);
    ASSERT_TRUE(format) << known.name;
    EXPECT_EQ(NumberFormat::parse(known.also), format);
    EXPECT_EQ(format->name(), known.name);
    EXPECT_EQ(format->bits, known.bits);
    EXPECT_EQ(format->field("sign"), known.sign) << known.name;
    EXPECT_EQ(format->field("integer"), known.middle) << known.name;
    EXPECT_EQ(format->field("fraction"), known.low) << known.name;
    EXPECT_FALSE(format->field("mantissa"));
  }
}

TEST(NumberFormat, FieldsMakeUpTheWordWithoutOverlap) {
  for (const char* name : {"float32", "float16", "bfloat16", "float8_e4m3", "float8_e5m2", "int8",
                           "int4", "q3.12", "q0.31", "float64", "int64"}) {
    const auto format = NumberFormat::parse(name);
    ASSERT_TRUE(format) << name;
    std::uint64_t all = 0;
    for (const std::string& field : format->field_names()) {
      ASSERT_TRUE(format->field(field)) << name << ' ' << field;
      EXPECT_EQ(all & *format->field(field), 0U) << name << ' ' << field;
      all |= *format->field(field);
    }
    EXPECT_EQ(all, format->all_bits()) << name;
  }
}

TEST(NumberFormat, OtherTextIsNone) {
  for (const char* text : {"", "fp64x", "float", "int", "int3", "FP32", "q", "q3", "q.", "q3.",
                           "q.4", "q0.0", "q16.16", "q32.0", "q-1.4", "q3.-4", "3.12", "q3.12 "}) {
    EXPECT_FALSE(NumberFormat::parse(text)) << text;
  }
}

TEST(NumberFormat, EveryNameOfScenariosIsAFormat) {
  for (const std::string& name : number_format_names()) {
    EXPECT_TRUE(name == "qM.N" || NumberFormat::parse(name)) << name;
  }
}

}  // namespace
}  // namespace tilestrike
