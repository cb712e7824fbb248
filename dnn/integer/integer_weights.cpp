// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

constexpr double kMostStored = 127.0;       // magnitude of a rounded weight
constexpr double kMostBias = 1073741824.0;  // 2^30: half of int32 is left to the products
constexpr double kMostInt32 = 2147483647.0;

std::vector<double> chosen_scales(const FloatMatrix& matrix, double input_scale) {
  const std::int64_t depth = matrix.shape.depth();
  const float* weights = matrix.weight.const_data_ptr<float>();
  std::vector<double> scale(matrix.factor.size());
  for (std::size_t o = 0; o < scale.size(); ++o) {
    const float* row = weights + static_cast<std::int64_t>(o) * depth;
    float largest = 0.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      largest = std::max(largest, std::abs(row[k]));
    }
    scale[o] = std::max(largest * std::abs(matrix.factor[o]) / kMostStored,
                        std::abs(matrix.bias[o]) / (input_scale * kMostBias));
  }
  const double most = *std::ranges::max_element(scale);
  std::ranges::replace(scale, 0.0, most > 0.0 ? most : 1.0);
  return scale;
}

at::Tensor rounded_weights(const FloatMatrix& matrix, const std::vector<double>& scale) {
  const std::int64_t depth = matrix.shape.depth();
  const float* weights = matrix.weight.const_data_ptr<float>();
  at::Tensor result = at::empty(matrix.weight.sizes(), at::dtype(c10::kChar));
  auto* out = result.mutable_data_ptr<std::int8_t>();
  for (std::size_t o = 0; o < scale.size(); ++o) {
    const double inverse = matrix.factor[o] / scale[o];
    for (std::int64_t k = 0; k < depth; ++k) {
      const double rounded = std::nearbyint(*weights++ * inverse);
      *out++ = static_cast<std::int8_t>(std::clamp(rounded, -kMostStored, kMostStored));
    }
  }
  return result;
}

}  // namespace

IntegerWeights integer_weights(const Step& step, const Quantisation& input) {
  const FloatMatrix& matrix = step.matrix;
  const bool is_given = matrix.stored.defined();
  IntegerWeights result;
  result.scale = is_given ? matrix.stored_scale : chosen_scales(matrix, input.scale);
  result.weight = is_given ? matrix.stored : rounded_weights(matrix, result.scale);
  const std::int64_t depth = matrix.shape.depth();
  result.bias = at::empty({matrix.shape.out_channels}, at::dtype(c10::kInt));
  const auto* weight = result.weight.const_data_ptr<std::int8_t>();
  auto* bias = result.bias.mutable_data_ptr<std::int32_t>();
  for (std::size_t o = 0; o < result.scale.size(); ++o) {
    double folded = std::nearbyint(matrix.bias[o] / (input.scale * result.scale[o]));
    if (!is_given) {
      folded = std::clamp(folded, -kMostBias, kMostBias);
    }
    for (std::int64_t k = 0; k < depth; ++k) {
      folded -= static_cast<double>(input.zero) * *weight++;
    }
    if (!(std::abs(folded) <= kMostInt32)) {
      fail(ErrorCode::kUnsupported,
           "layer '" + step.layer->name + "': the bias of channel " + std::to_string(o) +
               " does not fit int32 at the network's own scales",
           step.layer->source, "quantise it with a larger weight scale in this channel");
    }
    bias[o] = static_cast<std::int32_t>(folded);
  }
  return result;
}

}  // namespace tilestrike::dnn
