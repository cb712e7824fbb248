// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do the integer layers compute their formulas, element by element?
#include "dnn/integer/integer_operators.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/dnn/integer_reference.h"

namespace tilestrike::dnn {
namespace {

/// Runs a kernel on operands, as arguments of their own, or as one list.
at::Tensor result_of(const KernelPointer& kernel, const std::vector<at::Tensor>& operands,
                     bool as_list = false) {
  Layer layer;
  Values values;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const ValueId id(static_cast<std::int32_t>(i));
    values.emplace_back(operands[i]);
    layer.inputs.push_back(id);
    if (!as_list) {
      layer.arguments.push_back({"", Argument::Kind::kValue, {}, {id}});
    }
  }
  if (as_list) {
    layer.arguments.push_back({"", Argument::Kind::kValueList, {}, layer.inputs});
  }
  layer.outputs = {ValueId(static_cast<std::int32_t>(operands.size()))};
  values.emplace_back();
  kernel->run(layer, values);
  return values.back().toTensor();
}

std::int8_t at(const at::Tensor& tensor, std::int64_t n, std::int64_t c, std::int64_t y,
               std::int64_t x) {
  return tensor.const_data_ptr<
      std::int8_t>()[((n * tensor.size(1) + c) * tensor.size(2) + y) * tensor.size(3) + x];
}

/// Calls `visit(n, c, y, x)` for each element of a (N, C, H, W) tensor.
template <class Visit>
void for_each(const at::Tensor& tensor, const Visit& visit) {
  for (std::int64_t n = 0; n < tensor.size(0); ++n) {
    for (std::int64_t c = 0; c < tensor.size(1); ++c) {
      for (std::int64_t y = 0; y < tensor.size(2); ++y) {
        for (std::int64_t x = 0; x < tensor.size(3); ++x) {
          visit(n, c, y, x);
        }
      }
    }
  }
}

FixedPoint with_zero(double ratio, std::int32_t zero) {
  FixedPoint result = FixedPoint::of(ratio);
  result.zero = zero;
  return result;
}

std::vector<PoolWindow> windows() {
  return {{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false},
          {{3, 3}, {2, 2}, {1, 1}, {1, 1}, false},
          {{3, 2}, {1, 3}, {1, 0}, {1, 1}, false},
          {{7, 7}, {1, 1}, {0, 0}, {1, 1}, false}};
}

TEST(IntegerOperatorsTest, MaxPoolingTakesTheLargestStoredValue) {
  RandomStream stream(1, 0, Purpose::kTest);
  std::vector<PoolWindow> all = windows();
  all.push_back({{2, 2}, {2, 2}, {0, 0}, {2, 2}, true});
  for (const PoolWindow& window : all) {
    const at::Tensor input = random_int8(stream, {2, 3, 9, 8}, -128, -1);  // padding never wins
    const at::Tensor result = result_of(make_max_pool2d(window), {input});
    ASSERT_EQ(result.scalar_type(), c10::kChar);
    for_each(result, [&](auto n, auto c, auto y, auto x) {
      int largest = -129;
      for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky) {
        for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx) {
          const std::int64_t row =
              y * window.stride[0] - window.padding[0] + ky * window.dilation[0];
          const std::int64_t column =
              x * window.stride[1] - window.padding[1] + kx * window.dilation[1];
          if (row >= 0 && row < 9 && column >= 0 && column < 8) {
            largest = std::max<int>(largest, at(input, n, c, row, column));
          }
        }
      }
      ASSERT_EQ(at(result, n, c, y, x), largest);
    });
  }
}

TEST(IntegerOperatorsTest, AveragePoolingRequantisesTheSumOfTheWindow) {
  RandomStream stream(2, 0, Purpose::kTest);
  for (const PoolWindow& window : windows()) {
    const double count = static_cast<double>(window.kernel[0] * window.kernel[1]);
    for (const int zero : {0, 127, -30}) {
      const at::Tensor input = zero == 127 ? random_int8(stream, {1, 2, 9, 8}, -128, -128)
                                           : random_int8(stream, {2, 3, 9, 8});
      const FixedPoint ratio = with_zero(1.3 / count, -zero / 2);
      const at::Tensor result = result_of(make_average_pool2d(window, {ratio, zero}), {input});
      for_each(result, [&](auto n, auto c, auto y, auto x) {
        std::int64_t sum = 0;
        for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky) {
          for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx) {
            const std::int64_t row = y * window.stride[0] - window.padding[0] + ky;
            const std::int64_t column = x * window.stride[1] - window.padding[1] + kx;
            if (row >= 0 && row < 9 && column >= 0 && column < 8) {
              sum += at(input, n, c, row, column) - zero;  // padding is a real zero
            }
          }
        }
        ASSERT_EQ(at(result, n, c, y, x), exact_requantised(sum, ratio, {}));
      });
    }
  }
}

TEST(IntegerOperatorsTest, TheLargestAveragedWindowIsExact) {
  const std::int64_t side = 256;  // 256 * 256 = kMostPooled
  const PoolWindow window{{side, side}, {side, side}, {0, 0}, {1, 1}, false};
  const at::Tensor input = at::empty({1, 1, side, side}, at::dtype(c10::kChar)).fill_(-128);
  input.mutable_data_ptr<std::int8_t>()[17] = -127;
  ASSERT_EQ(side * side, kMostPooled);
  const FixedPoint ratio = FixedPoint::of(1.0 / (2 << 17));
  for (const int zero : {0, 127}) {
    EXPECT_EQ(result_of(make_average_pool2d(window, {ratio, zero}), {input}).item<std::int8_t>(),
              exact_requantised((-128 - zero) * side * side + 1, ratio, {}));
  }
}

TEST(IntegerOperatorsTest, MeansRequantiseTheSumOverTheirDimensions) {
  RandomStream stream(3, 0, Purpose::kTest);
  const at::Tensor input = random_int8(stream, {2, 5, 7, 6});
  for (const bool keeps : {true, false}) {
    const int zero = keeps ? 0 : 19;
    const FixedPoint ratio = with_zero(2.1 / 42, -zero);
    for (const auto& dimensions : std::vector<std::vector<std::int64_t>>{{2, 3}, {-1, -2}}) {
      const at::Tensor result = result_of(make_mean(dimensions, keeps, {ratio, zero}), {input});
      EXPECT_EQ(result.dim(), keeps ? 4 : 2);
      for (std::int64_t i = 0; i < 10; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < 42; ++k) {
          sum += input.const_data_ptr<std::int8_t>()[i * 42 + k] - zero;
        }
        EXPECT_EQ(result.const_data_ptr<std::int8_t>()[i], exact_requantised(sum, ratio, {}));
      }
    }
  }
}

TEST(IntegerOperatorsTest, ConcatenationBringsItsOperandsToOneScale) {
  RandomStream stream(4, 0, Purpose::kTest);
  const at::Tensor a = random_int8(stream, {2, 3, 4, 5}), b = random_int8(stream, {2, 2, 4, 5});
  const FixedPoint ratio = with_zero(0.37, 11);
  const at::Tensor result = result_of(
      make_concatenation(1, {std::nullopt, Rescaling{ratio, -40}, std::nullopt}), {a, b, a}, true);
  EXPECT_TRUE(at::equal(result.narrow(1, 0, 3), a));
  EXPECT_TRUE(at::equal(result.narrow(1, 5, 3), a));
  const at::Tensor middle = result.narrow(1, 3, 2).contiguous();
  for (std::int64_t i = 0; i < b.numel(); ++i) {
    EXPECT_EQ(middle.const_data_ptr<std::int8_t>()[i],
              exact_requantised(b.const_data_ptr<std::int8_t>()[i] + 40, ratio, {}));
  }
  const at::Tensor alone = result_of(make_requantise({ratio, -40}), {b});
  EXPECT_TRUE(at::equal(alone, middle));
}

TEST(IntegerOperatorsTest, ClampAdditionAndConversionsAreThoseOfTheKernels) {
  RandomStream stream(5, 0, Purpose::kTest);
  const at::Tensor a = random_int8(stream, {2, 77}), b = random_int8(stream, {2, 77});
  const at::Tensor bounded = result_of(make_clamp({-5, 60}), {a});
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    EXPECT_EQ(bounded.const_data_ptr<std::int8_t>()[i],
              std::clamp<int>(a.const_data_ptr<std::int8_t>()[i], -5, 60));
  }
  const ScaledAddition ratios = ScaledAddition::of(0.7, 0.2);
  EXPECT_TRUE(
      at::equal(result_of(make_addition(ratios, {0, 127}), {a, b}), add(a, b, ratios, {0, 127})));
  const at::Tensor real = result_of(make_dequantise({0.25F, -9}), {a});
  EXPECT_TRUE(at::equal(real, (a.to(c10::kFloat) + 9) * 0.25));
  EXPECT_TRUE(at::equal(result_of(make_quantise({0.25F, -9}), {real}), a));
}

}  // namespace
}  // namespace tilestrike::dnn
