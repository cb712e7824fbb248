// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the element-wise integer arithmetic what docs/integer_network.md says, in every case?
#include "dnn/integer/kernels.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/dnn/integer_reference.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kTopBit = 1 << 30;

/// Values at which rounding by this ratio may go wrong: the ends, zero, and around each tie.
std::vector<std::int32_t> telling_values(FixedPoint ratio, RandomStream& stream) {
  std::vector<std::int32_t> values{kLeast, kLeast + 1, -1, 0, 1, kMost - 1, kMost};
  const double step = std::ldexp(1.0, ratio.shift) / ratio.multiplier;
  for (int k = -130; k <= 130; k += 1) {
    const double tie = (k + 0.5) * step;
    for (int near = -1; near <= 1; ++near) {
      const double value = std::floor(tie) + near;
      if (std::abs(value) < kMost) {
        values.push_back(static_cast<std::int32_t>(value));
      }
    }
  }
  for (int i = 0; i < 200; ++i) {
    values.push_back(static_cast<std::int32_t>(stream.next() >> 32));
  }
  return values;
}

TEST(FixedPointTest, RatiosComeBackWithinHalfAUnitOfTheMultiplier) {
  RandomStream stream(1, 0, Purpose::kTest);
  for (int i = 0; i < 10000; ++i) {
    const double ratio = std::ldexp(1.0 + stream.unit(), static_cast<int>(stream.below(62)) - 32);
    const FixedPoint found = FixedPoint::of(ratio);
    EXPECT_GE(found.multiplier, kTopBit);
    EXPECT_GE(found.shift, 0);
    EXPECT_LE(found.shift, kMostShift);
    EXPECT_LE(std::abs(std::ldexp(found.multiplier, -found.shift) / ratio - 1.0),
              std::ldexp(1.0, -31));
  }
  EXPECT_EQ(FixedPoint::of(1.0).multiplier, kTopBit);
  EXPECT_EQ(FixedPoint::of(1.0).shift, 30);
  EXPECT_EQ(FixedPoint::of(std::nextafter(1.0, 0.0)).multiplier, kTopBit);  // rounded up to 1
  EXPECT_EQ(FixedPoint::of(std::nextafter(1.0, 0.0)).shift, 30);
}

TEST(FixedPointTest, RatiosWithoutAFormAreRefusedWithTheReason) {
  EXPECT_EQ(FixedPoint::of(std::ldexp(1.0, -32)).shift, 62);
  EXPECT_EQ(FixedPoint::of(2147483647.0).shift, 0);
  for (const double ratio :
       {0.0, -1.0, std::ldexp(1.0, -33), std::ldexp(1.0, 31),
        std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    const std::string text = failure_of([&] { FixedPoint::of(ratio); });
    EXPECT_NE(text.find("requantisation by"), std::string::npos) << ratio;
    EXPECT_NE(text.find("scales"), std::string::npos) << text;
  }
}

TEST(RequantiseTest, EveryShiftEqualsExactArithmeticWithTiesAndEnds) {
  RandomStream stream(2, 0, Purpose::kTest);
  for (std::int32_t shift = 0; shift <= kMostShift; ++shift) {
    for (const std::int32_t multiplier :
         {kTopBit, kTopBit + 1, kMost, 1500000000,
          static_cast<std::int32_t>(kTopBit + stream.below(kTopBit))}) {
      // The zero point is added after rounding: exact_requantised() does so, too.
      const FixedPoint ratio{multiplier, shift, shift % 3 == 0 ? 0 : shift * 4 - 128};
      const std::vector<std::int32_t> values = telling_values(ratio, stream);
      for (const Clamp clamp : {Clamp{}, Clamp{0, 127}, Clamp{-3, 77}}) {
        const at::Tensor result = requantise(at::tensor(values), ratio, clamp);
        const auto* found = result.const_data_ptr<std::int8_t>();
        for (std::size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(found[i], exact_requantised(values[i], ratio, clamp))
              << values[i] << " * " << multiplier << " >> " << shift;
        }
      }
    }
  }
}

TEST(RequantiseTest, TiesGoTowardsPlusInfinity) {
  const FixedPoint half{kTopBit, 31};
  const at::Tensor result = requantise(at::tensor({-3, -2, -1, 0, 1, 2, 3}, c10::kInt), half, {});
  EXPECT_TRUE(at::equal(result, at::tensor({-1, -1, 0, 0, 1, 1, 2}, c10::kChar))) << result;
}

TEST(RequantiseTest, Int8ValuesAreTheSameAsInt32Ones) {
  at::Tensor all = at::empty({256}, at::dtype(c10::kChar));
  for (int i = 0; i < 256; ++i) {
    all.mutable_data_ptr<std::int8_t>()[i] = static_cast<std::int8_t>(i - 128);
  }
  for (std::int32_t shift = 0; shift <= kMostShift; ++shift) {
    const FixedPoint ratio{1400000003, shift};
    EXPECT_TRUE(at::equal(requantise(all, ratio, {-100, 99}),
                          requantise(all.to(c10::kInt), ratio, {-100, 99})))
        << shift;
  }
}

TEST(RequantiseTest, EachChannelHasItsOwnRatio) {
  RandomStream stream(3, 0, Purpose::kTest);
  for (const auto& sizes :
       std::vector<std::vector<std::int64_t>>{{2, 5, 3, 7}, {1, 5, 1, 1}, {3, 5}, {4, 5, 33, 1}}) {
    const at::Tensor sums = random_int32(stream, sizes, -3000000, 3000000);
    const at::Tensor multiplier = random_int32(stream, {5}, kTopBit, kMost);
    const at::Tensor shift = at::tensor({25, 31, 38, 45, 62}, c10::kInt);
    const ChannelLayout layout = ChannelLayout::around(sums, 1);
    const std::int32_t zero = sizes[0] == 2 ? -77 : 0;
    const at::Tensor result = requantise(sums, layout, multiplier, shift, {-50, 127}, zero);
    for (std::int64_t i = 0; i < sums.numel(); ++i) {
      const std::int64_t channel = i / layout.inner % 5;
      const FixedPoint ratio{multiplier.const_data_ptr<std::int32_t>()[channel],
                             shift.const_data_ptr<std::int32_t>()[channel], zero};
      ASSERT_EQ(result.const_data_ptr<std::int8_t>()[i],
                exact_requantised(sums.const_data_ptr<std::int32_t>()[i], ratio, {-50, 127}));
    }
  }
}

TEST(RequantiseTest, ADeviceWithoutKernelsIsRefusedWithTheCure) {
  const at::Tensor nowhere = at::empty({4}, at::dtype(c10::kInt).device(c10::kMeta));
  const std::string text = failure_of([&] { requantise(nowhere, FixedPoint{kTopBit, 31}, {}); });
  EXPECT_NE(text.find("meta"), std::string::npos) << text;
  EXPECT_NE(text.find("TS_WITH_CUDA=ON"), std::string::npos) << text;
}

TEST(AccumulatorsTest, FloatsAreRoundedAndTheBiasAdded) {
  const at::Tensor bias = at::tensor({1000, -7}, c10::kInt);
  const std::vector<double> sums{-3.0, 5.0, 16777216.0, -16777216.0};
  for (const auto type : {c10::kFloat, c10::kDouble}) {
    const at::Tensor in = at::tensor(sums).to(type).view({1, 2, 2});
    EXPECT_TRUE(at::equal(to_accumulators(in, ChannelLayout::around(in, 1), bias),
                          at::tensor({997, 1005, 16777209, -16777223}, c10::kInt).view({1, 2, 2})));
    const at::Tensor rows = in.view({2, 2});
    EXPECT_TRUE(at::equal(to_accumulators(rows, ChannelLayout::around(rows, 1), {}),
                          at::tensor({-3, 5, 16777216, -16777216}, c10::kInt).view({2, 2})));
  }
  const at::Tensor nearly = at::tensor({-2.0000001, 1.9999999, 2147483646.75, -0.25}, c10::kDouble);
  EXPECT_TRUE(at::equal(to_accumulators(nearly, ChannelLayout::around(nearly, 0), {}),
                        at::tensor({-2, 2, kMost, 0}, c10::kInt)));
}

TEST(AdditionTest, AllPairsEqualTheFormulaAndNearTheRealSum) {
  at::Tensor a = at::empty({256, 256}, at::dtype(c10::kChar)), b = a.clone();
  for (int i = 0; i < 65536; ++i) {
    a.mutable_data_ptr<std::int8_t>()[i] = static_cast<std::int8_t>(i / 256 - 128);
    b.mutable_data_ptr<std::int8_t>()[i] = static_cast<std::int8_t>(i % 256 - 128);
  }
  struct Ratios {
    double a, b;
  };
  struct Zeros {
    std::int16_t a, b, result;
  };
  for (const auto [x, y] : {Ratios{1.0, 1.0}, Ratios{0.5, 0.5}, Ratios{0.731, 0.119},
                            Ratios{1e-3, 1.9999}, Ratios{17.5, 0.002}, Ratios{1e-12, 0.9}}) {
    for (const Zeros zeros : {Zeros{0, 0, 0}, Zeros{-128, 127, 3}, Zeros{5, -128, -128}}) {
      const Clamp clamp = zeros.a == 0 ? Clamp{0, 100} : Clamp{};
      ScaledAddition ratios = ScaledAddition::of(x, y);
      ratios.a_zero = zeros.a;
      ratios.b_zero = zeros.b;
      ratios.zero = zeros.result;
      const at::Tensor result = add(a, b, ratios, clamp);
      for (int i = 0; i < 65536; ++i) {
        const std::int64_t first = i / 256 - 128 - zeros.a, second = i % 256 - 128 - zeros.b;
        const std::int64_t sum = first * ratios.a_multiplier + second * ratios.b_multiplier;
        const std::int64_t half = ratios.shift > 0 ? std::int64_t{1} << (ratios.shift - 1) : 0;
        const auto rounded = static_cast<std::int64_t>(
            std::floor(static_cast<double>(sum + half) / std::ldexp(1.0, ratios.shift)) +
            zeros.result);
        const std::int64_t expected = std::clamp<std::int64_t>(rounded, clamp.low, clamp.high);
        ASSERT_EQ(result.const_data_ptr<std::int8_t>()[i], expected) << first << " + " << second;
        const double real =
            std::clamp<double>(first * x + second * y + zeros.result, clamp.low, clamp.high);
        ASSERT_LE(std::abs(expected - real), 0.54) << first << " * " << x << " + " << second;
      }
    }
  }
}

TEST(AdditionTest, RatiosBeyondReachSaturateOrVanish) {
  EXPECT_EQ(ScaledAddition::of(1e9, 1e9).scaled(1, 0), 32767);
  EXPECT_EQ(ScaledAddition::of(1e-30, 1e-30).scaled(127, 127), 0);
  EXPECT_EQ(ScaledAddition::of(0.99999999, 1e-9).a_multiplier, 16384);  // rounded up to 1
  EXPECT_EQ(ScaledAddition::of(0.99999999, 1e-9).shift, 14);
  EXPECT_NE(failure_of([] { ScaledAddition::of(0.0, 1.0); }).find("addition scaled by"),
            std::string::npos);
}

TEST(QuantiseTest, HalvesGoToTheEvenNeighbour) {
  const float infinity = std::numeric_limits<float>::infinity();
  const at::Tensor values =
      at::tensor({0.0F, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 126.5F, 127.4F, 200.0F,
                  -128.5F, -1e30F, 1e30F, infinity, -infinity, std::nanf("")});
  const at::Tensor expected = at::tensor(
      {0, 0, 2, 2, 0, -2, -2, 0, 126, 127, 127, -128, -128, 127, 127, -128, -128}, c10::kChar);
  EXPECT_TRUE(at::equal(quantise_values(values, {1.0F, 0}), expected));
}

TEST(QuantiseTest, TheZeroPointIsAddedAfterRoundingAndBeforeTheClamp) {
  const at::Tensor values =
      at::tensor({0.0F, 0.5F, 1.5F, -0.5F, 26.4F, 27.6F, 300.0F, -227.0F, -229.0F, std::nanf("")});
  const at::Tensor expected =
      at::tensor({100, 100, 102, 100, 126, 127, 127, -127, -128, -128}, c10::kChar);
  EXPECT_TRUE(at::equal(quantise_values(values, {1.0F, 100}), expected))
      << quantise_values(values, {1.0F, 100});
}

TEST(QuantiseTest, EveryStoredValueComesBack) {
  at::Tensor all = at::empty({256}, at::dtype(c10::kChar));
  for (int i = 0; i < 256; ++i) {
    all.mutable_data_ptr<std::int8_t>()[i] = static_cast<std::int8_t>(i - 128);
  }
  for (const float scale : {1.0F, 0.1F, 0.0123456F, 3e7F, 1e-30F}) {
    for (const int zero : {0, -128, -7, 127}) {
      const Quantisation as{scale, zero};
      EXPECT_TRUE(at::equal(quantise_values(dequantise_values(all, as), as), all)) << scale;
      EXPECT_EQ(dequantise_values(all, as).const_data_ptr<float>()[255],
                static_cast<float>(127 - zero) * scale);
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
