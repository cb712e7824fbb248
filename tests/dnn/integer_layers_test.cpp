// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the accumulators of matrix layers the exact integers, for every shape and at every bound?
#include "dnn/integer/integer_layers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "tests/dnn/integer_reference.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int32_t kTopBit = 1 << 30;

MatrixShape convolution(std::int64_t groups, std::int64_t in, std::int64_t out, std::int64_t kernel,
                        std::int64_t stride = 1, std::int64_t padding = 0,
                        std::int64_t dilation = 1) {
  MatrixShape shape;
  shape.groups = groups;
  shape.in_channels = in;
  shape.out_channels = out;
  shape.kernel = {kernel, kernel};
  shape.stride = {stride, stride};
  shape.padding = {padding, padding};
  shape.dilation = {dilation, dilation};
  return shape;
}

MatrixShape linear(std::int64_t in, std::int64_t out) {
  MatrixShape shape;
  shape.is_convolution = false;
  shape.in_channels = in;
  shape.out_channels = out;
  return shape;
}

std::vector<std::int64_t> weight_sizes(const MatrixShape& shape) {
  if (!shape.is_convolution) {
    return {shape.out_channels, shape.in_channels};
  }
  return {shape.out_channels, shape.in_channels / shape.groups, shape.kernel[0], shape.kernel[1]};
}

/// With int8 outputs at a ratio of 2^-shift.
std::shared_ptr<const MatrixKernel> kernel_of(const MatrixShape& shape, const at::Tensor& weight,
                                              const at::Tensor& bias, std::int32_t shift = 40,
                                              int input_zero = 0, int output_zero = 0) {
  MatrixKernel::Parameters parameters;
  parameters.shape = shape;
  parameters.weight = weight;
  parameters.bias = bias;
  parameters.input_zero = input_zero;
  parameters.output_zero = output_zero;
  parameters.multiplier = at::full({shape.out_channels}, kTopBit, at::dtype(c10::kInt));
  parameters.shift = at::full({shape.out_channels}, 30 + shift, at::dtype(c10::kInt));
  return MatrixKernel::make(std::move(parameters), "layer");
}

struct Case {
  MatrixShape shape;
  std::int64_t height, width;
};

std::vector<Case> chosen_cases() {
  std::vector<Case> cases{
      {convolution(1, 1, 6, 5, 1, 2), 28, 28},     // LeNet-5
      {convolution(1, 16, 32, 3, 2, 1), 28, 28},   // ResNet-8
      {convolution(1, 16, 32, 1, 2), 28, 28},      // ... its shortcut
      {convolution(1, 3, 8, 7, 2, 3), 32, 32},     // ResNet-18's stem
      {convolution(1, 64, 48, 1), 9, 9},           // pointwise
      {convolution(24, 24, 24, 3, 1, 1), 14, 14},  // depthwise
      {convolution(24, 24, 24, 5, 2, 2), 14, 14},
      {convolution(8, 8, 16, 3, 1, 1), 7, 7},     // depthwise with a multiplier
      {convolution(4, 16, 32, 3, 1, 1), 10, 11},  // grouped
      {convolution(1, 8, 8, 3, 1, 2, 2), 13, 9},  // dilated
      {convolution(2, 6, 4, 3, 3, 3, 3), 20, 21},
      {convolution(1, 4, 4, 7), 7, 7},  // one output position
      // As far apart as DeepLab's, and farther: making the kernel must not cost their distance.
      {convolution(1, 64, 32, 3, 1, 36, 36), 9, 9},
      {convolution(1, 8, 4, 3, 1, 0, 24), 49, 50},
      {convolution(32, 32, 32, 3, 1, 60, 60), 3, 3},
      {convolution(1, 2, 3, 1), 1, 1},
  };
  MatrixShape oblong = convolution(2, 4, 6, 1);
  oblong.kernel = {1, 5};
  oblong.stride = {2, 1};
  oblong.padding = {0, 2};
  oblong.dilation = {1, 2};
  cases.push_back({oblong, 12, 15});
  return cases;
}

std::vector<Case> drawn_cases(int count) {
  std::vector<Case> cases;
  RandomStream stream(7, 0, Purpose::kTest);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  while (static_cast<int>(cases.size()) < count) {
    Case drawn{MatrixShape{}, draw(1, 15), draw(1, 15)};
    MatrixShape& shape = drawn.shape;
    shape.groups = draw(1, 4);
    shape.in_channels = shape.groups * draw(1, 9);
    shape.out_channels = shape.groups * draw(1, 9);
    bool fits = true;
    for (int i = 0; i < 2; ++i) {
      shape.kernel[i] = draw(1, 5);
      shape.stride[i] = draw(1, 3);
      shape.padding[i] = draw(0, 3);
      shape.dilation[i] = draw(1, 2);
      const std::int64_t size = i == 0 ? drawn.height : drawn.width;
      fits = fits && size + 2 * shape.padding[i] > shape.dilation[i] * (shape.kernel[i] - 1);
    }
    if (fits) {
      cases.push_back(drawn);
    }
  }
  return cases;
}

void expect_exact(const Case& given, std::int64_t batch, RandomStream& stream) {
  const MatrixShape& shape = given.shape;
  const at::Tensor weight = random_int8(stream, weight_sizes(shape), -127, 127);
  const at::Tensor bias = random_int32(stream, {shape.out_channels}, -kTopBit, kTopBit);
  const int zero = static_cast<int>(stream.below(256)) - 128;
  const auto kernel = kernel_of(shape, weight, bias, 40, zero);
  const std::vector<std::int64_t> sizes{batch, shape.in_channels, given.height, given.width};
  for (const at::Tensor& input :
       {random_int8(stream, sizes), at::full(sizes, -128, at::dtype(c10::kChar)),
        at::full(sizes, 127, at::dtype(c10::kChar))}) {
    const at::Tensor found = kernel->accumulate(input);
    const at::Tensor expected = exact_accumulators(shape, input, weight, bias, zero);
    ASSERT_TRUE(at::equal(found, expected))
        << "groups " << shape.groups << ", channels " << shape.in_channels << " -> "
        << shape.out_channels << ", kernel " << shape.kernel[0] << " x " << shape.kernel[1]
        << ", on " << given.height << " x " << given.width;
  }
}

TEST(MatrixKernelTest, AccumulatorsOfKnownShapesAreExact) {
  RandomStream stream(1, 0, Purpose::kTest);
  for (const Case& given : chosen_cases()) {
    expect_exact(given, 1, stream);
    expect_exact(given, 3, stream);
  }
}

TEST(MatrixKernelTest, AccumulatorsOfDrawnShapesAreExact) {
  RandomStream stream(2, 0, Purpose::kTest);
  for (const Case& given : drawn_cases(300)) {
    expect_exact(given, 2, stream);
  }
}

TEST(MatrixKernelTest, ExtremeOperandsEverywhereAreExact) {
  for (const int weight_value : {-128, -127, 127}) {
    for (const int input_value : {-128, 127}) {
      const MatrixShape shape = convolution(1, 64, 8, 3, 1, 1);
      const at::Tensor weight = at::full(weight_sizes(shape), weight_value, at::dtype(c10::kChar));
      const at::Tensor input = at::full({1, 64, 6, 6}, input_value, at::dtype(c10::kChar));
      const auto kernel = kernel_of(shape, weight, {});
      EXPECT_EQ(kernel->bound(), 128.0 * std::abs(weight_value) * shape.depth());
      EXPECT_TRUE(
          at::equal(kernel->accumulate(input), exact_accumulators(shape, input, weight, {})));
    }
  }
}

/// One output whose weights' magnitudes add up to `sum`.
at::Tensor weights_of_sum(std::int64_t sum) {
  std::vector<std::int64_t> weights(static_cast<std::size_t>(sum / 127), 127);
  weights.push_back(sum % 127);
  for (std::size_t i = 0; i < weights.size(); i += 2) {
    weights[i] = -weights[i];
  }
  return at::tensor(weights).to(c10::kChar).view({1, -1});
}

TEST(MatrixKernelTest, Float32EndsExactlyAtItsBound) {
  RandomStream stream(3, 0, Purpose::kTest);
  for (const std::int64_t beyond : {-1, 0, 1, 2}) {
    const at::Tensor weight = weights_of_sum((1 << 17) + beyond);
    const MatrixShape shape = linear(weight.size(1), 1);
    const auto kernel = kernel_of(shape, weight, {});
    EXPECT_EQ(kernel->bound(), (1 << 24) + 128.0 * beyond);
    EXPECT_EQ(kernel->path(), beyond <= 0 ? ExactPath::kFloat32 : ExactPath::kFloat64) << beyond;
    const at::Tensor worst =
        at::tensor({-128, 127}, c10::kChar).index_select(0, weight.view({-1}).gt(0).to(c10::kLong));
    for (const at::Tensor& input :
         {worst.view({1, -1}), random_int8(stream, {4, weight.size(1)})}) {
      EXPECT_TRUE(
          at::equal(kernel->accumulate(input), exact_accumulators(shape, input, weight, {})))
          << beyond;
    }
  }
}

TEST(MatrixKernelTest, SumsBeyondFloat32AreExactInFloat64) {
  RandomStream stream(4, 0, Purpose::kTest);
  const MatrixShape shape = convolution(1, 512, 3, 3, 1, 1);
  const at::Tensor weight = random_int8(stream, weight_sizes(shape), 90, 127);
  const auto kernel = kernel_of(shape, weight, {});
  ASSERT_EQ(kernel->path(), ExactPath::kFloat64);
  const at::Tensor input = random_int8(stream, {2, 512, 4, 4}, 100, 127);
  EXPECT_TRUE(at::equal(kernel->accumulate(input), exact_accumulators(shape, input, weight, {})));
}

TEST(MatrixKernelTest, AccumulatorsThatCouldLeaveInt32AreRefused) {
  // 128 * 127 * 132104 = 2^31 - 1 - 1023.
  const at::Tensor weight = at::full({1, 132104}, 127, at::dtype(c10::kChar));
  const MatrixShape shape = linear(132104, 1);
  const at::Tensor fits = at::tensor({1023}, c10::kInt), too_much = at::tensor({-1024}, c10::kInt);
  const auto kernel = kernel_of(shape, weight, fits);
  const at::Tensor input = at::full({1, 132104}, -128, at::dtype(c10::kChar));
  EXPECT_EQ(kernel->accumulate(input).item<std::int32_t>(), -2147482624 + 1023);
  const std::string text = failure_of([&] { kernel_of(shape, weight, too_much); });
  EXPECT_NE(text.find("'layer'"), std::string::npos) << text;
  EXPECT_NE(text.find("2147483648"), std::string::npos) << text;
  EXPECT_NE(text.find("split the layer"), std::string::npos) << text;
  EXPECT_NE(failure_of([&] {
              kernel_of(linear(132106, 1), at::full({1, 132106}, -128, at::dtype(c10::kChar)), {});
            }).find("int32"),
            std::string::npos);
}

TEST(MatrixKernelTest, LinearLayersTakeAnyLeadingDimensions) {
  RandomStream stream(5, 0, Purpose::kTest);
  const MatrixShape shape = linear(17, 9);
  const at::Tensor weight = random_int8(stream, {9, 17}), bias = random_int32(stream, {9}, -99, 99);
  const auto kernel = kernel_of(shape, weight, bias, 3);
  for (const auto& sizes :
       std::vector<std::vector<std::int64_t>>{{1, 17}, {5, 17}, {2, 3, 17}, {2, 3, 4, 17}}) {
    const at::Tensor input = random_int8(stream, sizes);
    std::vector<std::int64_t> out_sizes = sizes;
    out_sizes.back() = 9;
    const at::Tensor expected =
        exact_accumulators(shape, input.view({-1, 17}), weight, bias).view(out_sizes);
    EXPECT_TRUE(at::equal(kernel->accumulate(input), expected));
    const at::Tensor requantised = kernel->requantise(expected);
    ASSERT_EQ(requantised.sizes(), expected.sizes());
    for (std::int64_t i = 0; i < expected.numel(); ++i) {
      EXPECT_EQ(requantised.const_data_ptr<std::int8_t>()[i],
                exact_requantised(expected.const_data_ptr<std::int32_t>()[i], {kTopBit, 33}, {}));
    }
  }
}

TEST(MatrixKernelTest, FloatOutputsAreScaledAccumulators) {
  RandomStream stream(6, 0, Purpose::kTest);
  for (const bool is_convolution : {true, false}) {
    MatrixKernel::Parameters parameters;
    parameters.shape = is_convolution ? convolution(1, 4, 3, 3) : linear(4, 3);
    parameters.weight = random_int8(stream, weight_sizes(parameters.shape));
    parameters.scale = at::tensor({0.1F, 0.02F, 3.0F});
    const auto kernel = MatrixKernel::make(parameters, "logits");
    const at::Tensor input =
        is_convolution ? random_int8(stream, {2, 4, 5, 6}) : random_int8(stream, {5, 4});
    const at::Tensor sums = kernel->accumulate(input), found = kernel->requantise(sums);
    ASSERT_EQ(found.scalar_type(), c10::kFloat);
    const std::int64_t inner = is_convolution ? 12 : 1;
    for (std::int64_t i = 0; i < sums.numel(); ++i) {
      const auto sum = static_cast<float>(sums.const_data_ptr<std::int32_t>()[i]);
      EXPECT_EQ(found.const_data_ptr<float>()[i],
                sum * parameters.scale.const_data_ptr<float>()[i / inner % 3]);
    }
  }
}

TEST(MatrixKernelTest, RunIsAccumulateThenRequantise) {
  RandomStream stream(8, 0, Purpose::kTest);
  const MatrixShape shape = convolution(1, 4, 3, 3);
  Layer layer;
  layer.inputs = {ValueId(0)};
  layer.outputs = {ValueId(1)};
  layer.kernel = kernel_of(shape, random_int8(stream, weight_sizes(shape)), {}, 6);
  const MatrixKernel* kernel = matrix_kernel(layer);
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(kernel->input_of(layer), ValueId(0));
  const at::Tensor input = random_int8(stream, {2, 4, 5, 6});
  Values values{input, c10::IValue()};
  kernel->run(layer, values);
  EXPECT_TRUE(at::equal(values[1].toTensor(), kernel->requantise(kernel->accumulate(input))));
  EXPECT_EQ(matrix_kernel(Layer{}), nullptr);
}

}  // namespace
}  // namespace tilestrike::dnn
