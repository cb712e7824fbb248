// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/product_layer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "dnn/differential/product_lists.h"
#include "dnn/integer/kernels.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kMostProduct = 128 * 128;

/// int8 (2, rows, columns): of one extreme value, and random.
at::Tensor test_operand(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  at::Tensor operand = at::full({2, rows, columns}, -128, at::dtype(c10::kChar));
  auto* drawn = operand.mutable_data_ptr<std::int8_t>() + rows * columns;
  RandomStream stream(seed, 0, Purpose::kTest);
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    drawn[i] = static_cast<std::int8_t>(stream.next() >> 56);
  }
  return operand;
}

/// The self-test looks at so many rows of a product, so that thousands of tokens do not make it
/// longer than the inferences.
constexpr std::int64_t kMostTested = 32;

std::int64_t step_of(std::int64_t rows) { return (rows + kMostTested - 1) / kMostTested; }

/// int32 sums of every step_of(M)-th row of a (2, M, K) by b (2, N, K), by definition.
at::Tensor plain_sums(const at::Tensor& a, const at::Tensor& b) {
  const std::int64_t rows = a.size(1), depth = a.size(2), columns = b.size(1);
  const std::int64_t step = step_of(rows);
  at::Tensor result = at::empty({2, (rows + step - 1) / step, columns}, at::dtype(c10::kInt));
  auto* out = result.mutable_data_ptr<std::int32_t>();
  for (std::int64_t group = 0; group < 2; ++group) {
    const auto* left = a.const_data_ptr<std::int8_t>() + group * rows * depth;
    const auto* right = b.const_data_ptr<std::int8_t>() + group * columns * depth;
    for (std::int64_t i = 0; i < rows; i += step) {
      for (std::int64_t j = 0; j < columns; ++j) {
        std::int32_t sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          sum += left[i * depth + k] * right[j * depth + k];
        }
        *out++ = sum;
      }
    }
  }
  return result;
}

class ProductKernel final : public MatrixKernel {
 public:
  ProductKernel(const ProductParameters& given, c10::Device device, const std::string& layer)
      : given_(given), layer_(layer) {
    parameters_.shape.is_convolution = false;
    parameters_.shape.is_product = true;
    parameters_.shape.in_channels = given.depth;
    parameters_.shape.out_channels = given.columns;
    parameters_.type = given.type;
    if (given.scale > 0.0F) {
      parameters_.scale = at::tensor({given.scale}).to(device);
    } else {
      ratio_ = FixedPoint::of(given.ratio);
      ratio_.zero = parameters_.output_zero = given.output_zero;
      parameters_.multiplier = at::tensor({ratio_.multiplier}, at::dtype(c10::kInt)).to(device);
      parameters_.shift = at::tensor({ratio_.shift}, at::dtype(c10::kInt)).to(device);
    }
    check_bound(given.depth);
    choose_path(device);
  }

  const Parameters& parameters() const override { return parameters_; }
  ExactPath path() const override { return path_; }
  double bound() const override { return static_cast<double>(kMostProduct * given_.depth); }
  void weights_changed(std::span<const WordFault> /*faults*/) const override {
    TS_CHECK(false, "a product of computed values stores no weights: " + layer_);
  }
  ValueId input_of(const Layer& layer) const override { return layer.arguments[0].values.front(); }
  ValueId weight_of(const Layer& layer) const override { return layer.arguments[1].values.front(); }
  at::Tensor weight_from(const at::Tensor& right) const override {
    return given_.is_right_transposed ? right : right.transpose(-1, -2);
  }

  at::Tensor accumulate(const at::Tensor& input, const at::Tensor& right) const override {
    check_bound(input.size(-1));
    return sums(input, weight_from(right));
  }

  at::Tensor requantise(const at::Tensor& accumulators) const override {
    return parameters_.scale.defined()
               ? at::mul(accumulators, parameters_.scale).to(parameters_.type)
               : dnn::requantise(accumulators, ratio_, Clamp{});
  }

  void run(const Layer& layer, Values& values) const override {
    values[layer.outputs.front().value] = requantise(accumulators_of(layer, values));
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    return make_product_lists(given_.is_right_transposed, ratio_, given_.scale, layer, golden);
  }

 private:
  void check_bound(std::int64_t depth) const {
    if (depth > std::numeric_limits<std::int32_t>::max() / kMostProduct) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer_ + "': its accumulators could reach " +
               std::to_string(kMostProduct * depth) + ", more than int32 holds",
           {}, "use fewer or smaller tokens");
    }
  }

  at::Tensor sums(const at::Tensor& input, const at::Tensor& weight) const {
    const bool is_narrow =
        path_ == ExactPath::kFloat32 && kMostProduct * input.size(-1) <= kExactInFloat32;
    const auto type = is_narrow ? c10::kFloat : c10::kDouble;
    const at::Tensor result =
        at::matmul(input.to(type), weight.to(type).transpose(-1, -2)).contiguous();
    return to_accumulators(result, ChannelLayout::around(result, result.dim() - 1), {});
  }

  /// As of the other matrix layers: float32 on the CPU while every sum is exact, else float64.
  void choose_path(c10::Device device) {
    const c10::InferenceMode no_gradients;
    const at::Tensor a = test_operand(given_.rows, given_.depth, 1);
    const at::Tensor b = test_operand(given_.columns, given_.depth, 2);
    const at::Tensor expected = plain_sums(a, b);
    const auto agrees = [&] {
      const at::Tensor found = sums(a.to(device), b.to(device)).cpu();
      return at::equal(found.slice(1, 0, {}, step_of(given_.rows)), expected);
    };
    if (device.is_cpu() && kMostProduct * given_.depth <= kExactInFloat32) {
      path_ = ExactPath::kFloat32;
      if (agrees()) {
        return;
      }
    }
    path_ = ExactPath::kFloat64;
    if (!agrees()) {
      fail(ErrorCode::kMachine,
           "layer '" + layer_ + "': the matrix arithmetic of device " + device.str() +
               " does not give exact integers",
           {}, "use device cpu, or another LibTorch");
    }
  }

  ProductParameters given_;
  std::string layer_;
  Parameters parameters_;
  FixedPoint ratio_{};
  ExactPath path_ = ExactPath::kFloat64;
};

}  // namespace

std::shared_ptr<const MatrixKernel> make_product(const ProductParameters& parameters,
                                                 c10::Device device, const std::string& layer) {
  TS_CHECK((parameters.scale > 0.0F) != (parameters.ratio > 0.0),
           "an output is either int8 or float: " + layer);
  return std::make_shared<const ProductKernel>(parameters, device, layer);
}

}  // namespace tilestrike::dnn
