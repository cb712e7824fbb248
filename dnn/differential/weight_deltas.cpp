// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/weight_deltas.h"

#include <map>

#include "dnn/differential/matrix_geometry.h"

namespace tilestrike::dnn {
namespace {

/// sums[pixel] += delta * what the weight's tap reads there, of one image.
void add_tap(const MatrixShape& shape, const MatrixGeometry& planes, const std::int8_t* plane,
             std::int64_t ky, std::int64_t kx, std::int32_t delta, std::int32_t padded,
             std::uint32_t* sums) {
  for (std::int64_t oy = 0; oy < planes.out_height; ++oy) {
    const std::int64_t y = oy * shape.stride[0] - shape.padding[0] + ky * shape.dilation[0];
    const bool is_inside = y >= 0 && y < planes.height;
    const std::int8_t* line = plane + (is_inside ? y : 0) * planes.width;
    for (std::int64_t ox = 0; ox < planes.out_width; ++ox, ++sums) {
      const std::int64_t x = ox * shape.stride[1] - shape.padding[1] + kx * shape.dilation[1];
      const std::int32_t read = is_inside && x >= 0 && x < planes.width ? line[x] : padded;
      *sums += static_cast<std::uint32_t>(delta * read);
    }
  }
}

}  // namespace

std::vector<AccumulatorDelta> deltas_of_weights(const MatrixKernel::Parameters& parameters,
                                                std::span<const WeightDelta> weights,
                                                std::span<const WeightDelta> biases,
                                                const at::Tensor& input, const at::Tensor& output) {
  const MatrixShape& shape = parameters.shape;
  const MatrixGeometry planes = MatrixGeometry::of(shape, input, output);
  const std::int64_t depth = shape.depth(), taps = shape.kernel[0] * shape.kernel[1];
  const std::int64_t group_inputs = shape.in_channels / shape.groups;
  const std::int64_t group_outputs = shape.out_channels / shape.groups;
  const at::Tensor row_major = input.contiguous();
  const auto* elements = row_major.const_data_ptr<std::int8_t>();
  const auto out_pixels = static_cast<std::size_t>(planes.out_pixels());
  std::map<std::int64_t, std::vector<std::uint32_t>> by_channel;  // (images, pixels) of each
  const auto sums_of = [&](std::int64_t channel) -> std::vector<std::uint32_t>& {
    std::vector<std::uint32_t>& sums = by_channel[channel];
    sums.resize(static_cast<std::size_t>(planes.images) * out_pixels, 0);
    return sums;
  };
  for (const WeightDelta& weight : weights) {
    const std::int64_t channel = weight.word / depth, k = weight.word % depth;
    const std::int64_t of_input = channel / group_outputs * group_inputs + k / taps;
    std::vector<std::uint32_t>& sums = sums_of(channel);
    for (std::int64_t image = 0; image < planes.images; ++image) {
      const std::int8_t* plane =
          elements + (image * planes.channels + of_input) * planes.height * planes.width;
      add_tap(shape, planes, plane, k % taps / shape.kernel[1], k % shape.kernel[1], weight.delta,
              parameters.input_zero, sums.data() + static_cast<std::size_t>(image) * out_pixels);
    }
  }
  for (const WeightDelta& bias : biases) {
    for (std::uint32_t& sum : sums_of(bias.word)) {
      sum += static_cast<std::uint32_t>(bias.delta);
    }
  }
  std::vector<AccumulatorDelta> deltas;
  for (std::int64_t image = 0; image < planes.images; ++image) {
    for (const auto& [channel, sums] : by_channel) {
      const std::int64_t first = (image * planes.outputs + channel) * planes.out_pixels();
      for (std::size_t pixel = 0; pixel < out_pixels; ++pixel) {
        const std::uint32_t sum = sums[static_cast<std::size_t>(image) * out_pixels + pixel];
        if (sum != 0) {
          deltas.push_back(
              {first + static_cast<std::int64_t>(pixel), static_cast<std::int32_t>(sum)});
        }
      }
    }
  }
  return deltas;
}

}  // namespace tilestrike::dnn
