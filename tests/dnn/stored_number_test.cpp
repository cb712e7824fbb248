// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every word of a number format the number that it stands for, and back?
#include "dnn/stored_number.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace tilestrike::dnn {
namespace {

NumberFormat format_named(const std::string& name) {
  return NumberFormat::parse(name).value_or(kFloat32);
}

/// The value of a floating-point word by the definition of its format.
double value_by_definition(const NumberFormat& format, std::uint32_t word) {
  const std::uint32_t mantissa = word & ((1U << format.fraction_bits) - 1);
  const std::uint32_t most = (1U << format.exponent_bits) - 1;
  const std::uint32_t exponent = word >> format.fraction_bits & most;
  const double sign = word >> (format.bits - 1) != 0 ? -1.0 : 1.0;
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const bool has_infinity = format != NumberFormat::floating(4, 3);
  if (exponent == most && (has_infinity || mantissa == 7)) {
    return has_infinity && mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                                         : std::numeric_limits<double>::quiet_NaN();
  }
  const double fraction = std::ldexp(mantissa, -format.fraction_bits);
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias)
                               : std::ldexp(1.0 + fraction, static_cast<int>(exponent) - bias));
}

TEST(StoredNumber, EveryFloatPatternIsItsNumberAndComesBack) {
  for (const std::string name : {"float16", "bfloat16", "float8_e4m3", "float8_e5m2"}) {
    const NumberFormat format = format_named(name);
    for (std::uint32_t word = 0; word <= format.all_bits(); ++word) {
      const double expected = value_by_definition(format, word);
      const float value = stored_value(format, word);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(value)) << name << ' ' << word;
        ASSERT_TRUE(std::isnan(stored_value(format, stored_word(format, value))));
        continue;
      }
      ASSERT_EQ(value, expected) << name << ' ' << word;
      // float8_e5m2 saturates, so its infinity is read and never written.
      if (format.bits == 16 || std::isfinite(value)) {
        ASSERT_EQ(stored_word(format, value), word) << name;
      }
    }
  }
}

TEST(StoredNumber, EveryIntegerAndFixedPointPatternIsItsNumberAndComesBack) {
  for (const std::string name : {"int4", "int8", "q3.12", "q0.15", "q15.0", "q3.4", "q1.0"}) {
    const NumberFormat format = format_named(name);
    const std::int64_t span = std::int64_t{1} << format.bits;
    for (std::int64_t word = 0; word < span; ++word) {
      const std::int64_t steps = word < span / 2 ? word : word - span;
      const auto value = static_cast<float>(std::ldexp(steps, -format.fraction_bits));
      ASSERT_EQ(stored_value(format, static_cast<std::uint32_t>(word)), value) << name;
      ASSERT_EQ(stored_word(format, value), word) << name;
    }
  }
}

TEST(StoredNumber, RoundsToNearestEvenAndSaturates) {
  const NumberFormat int8 = NumberFormat::integer(8), e4m3 = format_named("fp8_e4m3");
  EXPECT_EQ(stored_word(int8, 2.5F), 2U);
  EXPECT_EQ(stored_word(int8, 3.5F), 4U);
  EXPECT_EQ(stored_word(int8, 1e9F), 127U);
  EXPECT_EQ(stored_word(int8, -1e9F), 128U);
  EXPECT_EQ(stored_word(int8, std::nanf("")), 0U);
  EXPECT_EQ(stored_word(int8, 1.0F, 0.25F), 4U);
  EXPECT_EQ(stored_value(int8, 0xFC, 0.25F), -1.0F);
  EXPECT_EQ(stored_value(e4m3, stored_word(e4m3, 1e9F)), 448.0F);
  EXPECT_EQ(stored_value(e4m3, stored_word(e4m3, -INFINITY)), -448.0F);
  EXPECT_EQ(stored_word(format_named("fp16"), 1e9F), 0x7C00U) << "wider floats have infinity";
}

TEST(StoredNumber, TensorsAreRoundedAsTheirElementsAre) {
  std::vector<float> numbers{
      0.0F,   -0.0F,  1e-45F, -1e-40F, 5.9e-8F,  0.5F,     1.5F,     2.5F,      -2.5F,
      448.0F, 449.0F, 464.0F, 465.0F,  57344.0F, 61440.0F, 65504.F,  65520.F,   7.99F,
      8.0F,   -8.0F,  -8.01F, -0.3F,   3.4e38F,  -3.4e38F, INFINITY, -INFINITY, std::nanf("")};
  RandomStream random(1, 1, Purpose::kTest);
  for (int i = 0; i < 4000; ++i) {
    numbers.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.next())));
    numbers.push_back(static_cast<float>(20.0 * random.unit() - 10.0));
  }
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kFloat);
  std::ranges::copy(numbers, tensor.mutable_data_ptr<float>());
  for (const std::string name :
       {"fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8", "int4", "q3.12", "q0.31", "q7.0"}) {
    const NumberFormat format = format_named(name);
    const at::Tensor rounded = rounded_to(format, tensor);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const float one = stored_value(format, stored_word(format, numbers[i]));
      const float other = rounded.const_data_ptr<float>()[i];
      if (std::isnan(one)) {
        ASSERT_TRUE(std::isnan(other)) << name << ' ' << numbers[i];
      } else {  // the sign of zero, too
        ASSERT_EQ(std::bit_cast<std::uint32_t>(one), std::bit_cast<std::uint32_t>(other))
            << name << ' ' << numbers[i] << ": " << one << ", " << other;
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
