// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/layer_operands.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace tilestrike::bridge {
namespace {

constexpr int kRows = 5;
constexpr int kColumns = 3;

std::vector<std::int8_t> random_bytes(std::size_t count, std::uint64_t seed) {
  RandomStream random(seed, 0, Purpose::kTest);
  std::vector<std::int8_t> bytes(count);
  for (std::int8_t& byte : bytes) {
    byte = static_cast<std::int8_t>(random.next());
  }
  return bytes;
}

AcceleratorConfig accelerator(sim::Dataflow dataflow) {
  AcceleratorConfig config;
  config.mesh.rows = kRows;
  config.mesh.columns = kColumns;
  config.mesh.dataflow = dataflow;
  return config;
}

// A grouped convolution with everything: stride, padding and dilation that differ in the two
// directions.
GemmShape convolution() {
  GemmShape gemm;
  gemm.is_convolution = true;
  gemm.groups = 2;
  gemm.in_height = 9;
  gemm.in_width = 8;
  gemm.kernel = {3, 2};
  gemm.stride = {2, 1};
  gemm.padding = {1, 2};
  gemm.dilation = {1, 3};
  gemm.depth = 3 * 3 * 2;  // 3 channels per group
  gemm.columns = 4;
  gemm.out_width = (8 + 4 - 3 - 1) / 1 + 1;
  gemm.rows = ((9 + 2 - 2 - 1) / 2 + 1) * gemm.out_width;
  return gemm;
}

// The input element that a position of the product reads, from the definition of a convolution.
std::int8_t defined(const GemmShape& gemm, const std::vector<std::int8_t>& input,
                    std::int64_t group, std::int64_t row, std::int64_t depth) {
  const std::int64_t channels = gemm.depth / (gemm.kernel[0] * gemm.kernel[1]);
  const std::int64_t channel = group * channels + depth / (gemm.kernel[0] * gemm.kernel[1]);
  const std::int64_t ky = depth / gemm.kernel[1] % gemm.kernel[0];
  const std::int64_t kx = depth % gemm.kernel[1];
  const std::int64_t y =
      row / gemm.out_width * gemm.stride[0] - gemm.padding[0] + ky * gemm.dilation[0];
  const std::int64_t x =
      row % gemm.out_width * gemm.stride[1] - gemm.padding[1] + kx * gemm.dilation[1];
  if (y < 0 || y >= gemm.in_height || x < 0 || x >= gemm.in_width) {
    return 0;
  }
  return input[static_cast<std::size_t>((channel * gemm.in_height + y) * gemm.in_width + x)];
}

class LayerOperandsTest : public testing::TestWithParam<sim::Dataflow> {};

TEST_P(LayerOperandsTest, CutsWhatTheConvolutionReads) {
  const GemmShape gemm = convolution();
  const AcceleratorConfig config = accelerator(GetParam());
  const Tiling tiling(gemm, config);
  const auto input = random_bytes(2 * 3 * 9 * 8, 1);
  const auto weight = random_bytes(static_cast<std::size_t>(2 * gemm.columns * gemm.depth), 2);
  std::vector<std::int32_t> bias{11, -12, 13, -14, 15, -16, 17, -18};
  const OperandPlaces places(tiling, config.mesh);
  const LayerOperands operands(places, input.data(), weight.data(), bias.data());
  const bool ws = config.mesh.is_weight_stationary();
  for (int pass = 0; pass < tiling.passes(); ++pass) {
    const Tile tile = tiling.tile(pass);
    const int steps = ws ? tile.shape.rows : tile.shape.depth;
    const int first = steps / 3;  // a part of the stream only
    const int count = steps - first;
    std::vector<std::int8_t> a(static_cast<std::size_t>(count) * kRows);
    operands.activations(pass, first, count, a.data());
    for (int n = 0; n < count; ++n) {
      for (int r = 0; r < kRows; ++r) {
        const std::int64_t row = tile.row + (ws ? first + n : r);
        const std::int64_t depth = tile.depth + (ws ? r : first + n);
        const bool is_padding_lane = r >= (ws ? tile.shape.depth : tile.shape.rows);
        const int expected = is_padding_lane ? 0 : defined(gemm, input, tile.group, row, depth);
        ASSERT_EQ(a[static_cast<std::size_t>(n * kRows + r)], expected);
        if (!is_padding_lane) {
          ASSERT_EQ(operands.activation(tile.group, row, depth), expected);
        }
      }
    }
    for (int r = 0; r < (ws ? tile.shape.depth : tile.shape.rows); ++r) {
      std::vector<std::int8_t> lane(static_cast<std::size_t>(count));
      operands.activation_lane(config.mesh, pass, r, first, count, lane.data());
      for (int n = 0; n < count; ++n) {
        ASSERT_EQ(lane[static_cast<std::size_t>(n)], a[static_cast<std::size_t>(n * kRows + r)]);
      }
    }
    std::vector<std::int8_t> w(static_cast<std::size_t>(tile.shape.depth) * kColumns);
    operands.weights(pass, 0, tile.shape.depth, w.data());
    for (int k = 0; k < tile.shape.depth; ++k) {
      for (int c = 0; c < kColumns; ++c) {
        const std::int64_t channel = tile.group * gemm.columns + tile.column + c;
        const int expected =
            c >= tile.shape.columns
                ? 0
                : weight[static_cast<std::size_t>(channel * gemm.depth + tile.depth + k)];
        ASSERT_EQ(w[static_cast<std::size_t>(k * kColumns + c)], expected);
        if (c < tile.shape.columns) {
          std::int8_t element = 0;
          operands.weight_column(config.mesh, pass, c, k, 1, &element);
          ASSERT_EQ(element, expected);
        }
      }
    }
    std::vector<std::int32_t> sums(static_cast<std::size_t>(tile.shape.rows) * kColumns);
    operands.accumulators(pass, 0, tile.shape.rows, sums.data());
    for (int c = 0; c < kColumns; ++c) {
      const bool has_bias = tile.depth == 0 && c < tile.shape.columns;
      ASSERT_EQ(sums[static_cast<std::size_t>(c)],
                has_bias
                    ? bias[static_cast<std::size_t>(tile.group * gemm.columns + tile.column + c)]
                    : 0);
      if (c < tile.shape.columns) {
        ASSERT_EQ(operands.accumulator(config.mesh, pass, 0, c), sums[static_cast<std::size_t>(c)]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dataflows, LayerOperandsTest,
                         testing::Values(sim::Dataflow::kWeightStationary,
                                         sim::Dataflow::kOutputStationary));

}  // namespace
}  // namespace tilestrike::bridge
