// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/integer_reference.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace tilestrike::dnn {
namespace {

__extension__ using Wide = __int128;

template <class Number>
at::Tensor random_integers(RandomStream& stream, const std::vector<std::int64_t>& sizes,
                           c10::ScalarType type, std::int64_t low, std::int64_t high) {
  at::Tensor tensor = at::empty(sizes, at::dtype(type));
  auto* data = tensor.mutable_data_ptr<Number>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    data[i] = static_cast<Number>(
        low + static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(high - low + 1))));
  }
  return tensor;
}

}  // namespace

std::int8_t exact_requantised(std::int64_t value, FixedPoint ratio, Clamp clamp) {
  const Wide divisor = Wide{1} << (ratio.shift + 1);
  const Wide doubled = 2 * Wide{value} * ratio.multiplier + (ratio.shift > 0 ? divisor / 2 : 0);
  Wide quotient = doubled / divisor;
  if (doubled % divisor < 0) {
    --quotient;
  }
  return static_cast<std::int8_t>(std::clamp<Wide>(quotient + ratio.zero, clamp.low, clamp.high));
}

at::Tensor exact_accumulators(const MatrixShape& shape, const at::Tensor& input,
                              const at::Tensor& weight, const at::Tensor& bias, int zero) {
  const bool is_convolution = shape.is_convolution;
  const std::int64_t height = is_convolution ? input.size(2) : 1;
  const std::int64_t width = is_convolution ? input.size(3) : 1;
  const auto out_size = [&](std::int64_t size, int i) {
    return (size + 2 * shape.padding[i] - shape.dilation[i] * (shape.kernel[i] - 1) - 1) /
               shape.stride[i] +
           1;
  };
  const std::int64_t out_height = out_size(height, 0), out_width = out_size(width, 1);
  std::vector<std::int64_t> sizes{input.size(0), shape.out_channels};
  if (is_convolution) {
    sizes.insert(sizes.end(), {out_height, out_width});
  }
  at::Tensor result = at::empty(sizes, at::dtype(c10::kInt));
  auto* out = result.mutable_data_ptr<std::int32_t>();
  const auto* in = input.const_data_ptr<std::int8_t>();
  const auto* weights = weight.const_data_ptr<std::int8_t>();
  const std::int64_t inputs = shape.in_channels / shape.groups;
  const std::int64_t outputs = shape.out_channels / shape.groups;
  for (std::int64_t n = 0; n < input.size(0); ++n) {
    for (std::int64_t o = 0; o < shape.out_channels; ++o) {
      for (std::int64_t y = 0; y < out_height; ++y) {
        for (std::int64_t x = 0; x < out_width; ++x) {
          std::int64_t sum = bias.defined() ? bias.const_data_ptr<std::int32_t>()[o] : 0;
          for (std::int64_t c = 0; c < inputs; ++c) {
            for (std::int64_t ky = 0; ky < shape.kernel[0]; ++ky) {
              for (std::int64_t kx = 0; kx < shape.kernel[1]; ++kx) {
                const std::int64_t row =
                    y * shape.stride[0] + ky * shape.dilation[0] - shape.padding[0];
                const std::int64_t column =
                    x * shape.stride[1] + kx * shape.dilation[1] - shape.padding[1];
                const bool is_inside = row >= 0 && row < height && column >= 0 && column < width;
                const std::int64_t channel = o / outputs * inputs + c;
                const std::int64_t place =
                    ((n * shape.in_channels + channel) * height + row) * width + column;
                const std::int64_t value = is_inside ? in[place] : zero;
                sum += value *
                       weights[((o * inputs + c) * shape.kernel[0] + ky) * shape.kernel[1] + kx];
              }
            }
          }
          *out++ = static_cast<std::int32_t>(sum);
        }
      }
    }
  }
  return result;
}

at::Tensor random_int8(RandomStream& stream, std::vector<std::int64_t> sizes, int low, int high) {
  return random_integers<std::int8_t>(stream, sizes, c10::kChar, low, high);
}

at::Tensor random_int32(RandomStream& stream, std::vector<std::int64_t> sizes, std::int64_t low,
                        std::int64_t high) {
  return random_integers<std::int32_t>(stream, sizes, c10::kInt, low, high);
}

}  // namespace tilestrike::dnn
