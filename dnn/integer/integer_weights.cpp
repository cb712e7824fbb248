// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

constexpr double kMostStored = 127.0;       // magnitude of a rounded weight
constexpr double kMostBias = 1073741824.0;  // 2^30: half of int32 is left to the products
constexpr double kMostInt32 = 2147483647.0;

/// Raises the scales to what one use needs.
void raise_scales(const MatrixUse& use, std::vector<double>& scale) {
  const FloatMatrix& matrix = use.step->matrix;
  const std::int64_t depth = matrix.shape.depth();
  const float* weights = matrix.weight.const_data_ptr<float>();
  scale.resize(matrix.factor.size(), 0.0);
  for (std::size_t o = 0; o < scale.size(); ++o) {
    const float* row = weights + static_cast<std::int64_t>(o) * depth;
    float largest = 0.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      largest = std::max(largest, std::abs(row[k]));
    }
    const double input_scale = use.input.scale;
    scale[o] = std::max({scale[o], largest * std::abs(matrix.factor[o]) / kMostStored,
                         std::abs(matrix.bias[o]) / (input_scale * kMostBias)});
  }
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

/// Whether two layers read the same weights, whatever they add to the result.
bool is_same_matrix(const FloatMatrix& a, const FloatMatrix& b) {
  return !a.origin.empty() && a.origin == b.origin && a.factor == b.factor &&
         a.weight.sizes() == b.weight.sizes() && a.stored.defined() == b.stored.defined() &&
         a.stored_scale == b.stored_scale && at::equal(a.weight, b.weight) &&
         (!a.stored.defined() || at::equal(a.stored, b.stored));
}

at::Tensor integer_bias(const MatrixUse& use, const IntegerWeights& weights) {
  const FloatMatrix& matrix = use.step->matrix;
  const std::int64_t depth = matrix.shape.depth();
  at::Tensor result = at::empty({matrix.shape.out_channels}, at::dtype(c10::kInt));
  const auto* weight = weights.weight.const_data_ptr<std::int8_t>();
  auto* bias = result.mutable_data_ptr<std::int32_t>();
  for (std::size_t o = 0; o < weights.scale.size(); ++o) {
    double folded = std::nearbyint(matrix.bias[o] / (use.input.scale * weights.scale[o]));
    if (!matrix.stored.defined()) {
      folded = std::clamp(folded, -kMostBias, kMostBias);
    }
    for (std::int64_t k = 0; k < depth; ++k) {
      folded -= static_cast<double>(use.input.zero) * *weight++;
    }
    if (!(std::abs(folded) <= kMostInt32)) {
      fail(ErrorCode::kUnsupported,
           "layer '" + use.step->layer->name + "': the bias of channel " + std::to_string(o) +
               " does not fit int32 at the network's own scales",
           use.step->layer->source, "quantise it with a larger weight scale in this channel");
    }
    bias[o] = static_cast<std::int32_t>(folded);
  }
  return result;
}

/// The int8 words that these uses share; their biases are still to come.
IntegerWeights shared_weights(std::span<const MatrixUse> uses,
                              const std::vector<std::size_t>& same) {
  const FloatMatrix& matrix = uses[same.front()].step->matrix;
  IntegerWeights result;
  if (matrix.stored.defined()) {
    result.weight = matrix.stored;
    result.scale = matrix.stored_scale;
    return result;
  }
  for (const std::size_t i : same) {
    raise_scales(uses[i], result.scale);
  }
  const double most = *std::ranges::max_element(result.scale);
  std::ranges::replace(result.scale, 0.0, most > 0.0 ? most : 1.0);
  result.weight = rounded_weights(matrix, result.scale);
  return result;
}

}  // namespace

std::vector<IntegerWeights> integer_weights(std::span<const MatrixUse> uses, c10::Device device) {
  std::vector<std::vector<std::size_t>> groups;  // of uses of the same words
  std::map<std::vector<ValueId>, std::vector<std::size_t>> groups_of_origin;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const FloatMatrix& matrix = uses[i].step->matrix;
    std::vector<std::size_t>& known = groups_of_origin[matrix.origin];
    const auto found = std::ranges::find_if(known, [&](std::size_t group) {
      return is_same_matrix(uses[groups[group].front()].step->matrix, matrix);
    });
    if (found == known.end()) {
      known.push_back(groups.size());
      groups.push_back({i});
    } else {
      groups[*found].push_back(i);
    }
  }
  std::vector<IntegerWeights> all(uses.size());
  for (const std::vector<std::size_t>& same : groups) {
    const IntegerWeights shared = shared_weights(uses, same);
    const at::Tensor weight = shared.weight.to(device);
    std::vector<std::size_t> apart;  // uses with a bias of their own
    std::vector<at::Tensor> on_host;
    for (const std::size_t i : same) {
      const at::Tensor bias = integer_bias(uses[i], shared);
      std::size_t k = 0;
      while (k < apart.size() &&
             !(at::equal(bias, on_host[k]) &&
               uses[i].step->matrix.bias_origin == uses[apart[k]].step->matrix.bias_origin)) {
        ++k;
      }
      if (k == apart.size()) {
        apart.push_back(i);
        on_host.push_back(bias);
        all[i].bias = bias.to(device);
      }
      all[i] = {weight, all[apart[k]].bias, shared.scale};
    }
  }
  return all;
}

}  // namespace tilestrike::dnn
