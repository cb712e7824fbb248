// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/tiling.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "base/random.h"

namespace tilestrike::bridge {
namespace {

AcceleratorConfig accelerator(int rows, int columns, sim::Dataflow dataflow,
                              std::int64_t rows_per_pass = 0) {
  AcceleratorConfig config;
  config.mesh.rows = rows;
  config.mesh.columns = columns;
  config.mesh.dataflow = dataflow;
  config.schedule.rows_per_pass = rows_per_pass;
  return config;
}

GemmShape product(std::int64_t groups, std::int64_t rows, std::int64_t depth,
                  std::int64_t columns) {
  GemmShape gemm;
  gemm.groups = groups;
  gemm.rows = rows;
  gemm.depth = depth;
  gemm.columns = columns;
  return gemm;
}

// Every multiply-accumulate of the layer lies in exactly one tile, and each tile fits the mesh.
void expect_partition(const GemmShape& gemm, const AcceleratorConfig& config) {
  const Tiling tiling(gemm, config);
  std::vector<int> covered(static_cast<std::size_t>(gemm.multiply_accumulates()));
  for (int pass = 0; pass < tiling.passes(); ++pass) {
    const Tile tile = tiling.tile(pass);
    const bool ws = config.mesh.is_weight_stationary();
    EXPECT_LE(ws ? tile.shape.depth : tile.shape.rows, config.mesh.rows);
    EXPECT_LE(tile.shape.columns, config.mesh.columns);
    for (std::int64_t i = 0; i < tile.shape.rows; ++i) {
      for (std::int64_t k = 0; k < tile.shape.depth; ++k) {
        for (std::int64_t j = 0; j < tile.shape.columns; ++j) {
          const std::int64_t place =
              ((tile.group * gemm.rows + tile.row + i) * gemm.depth + tile.depth + k) *
                  gemm.columns +
              tile.column + j;
          ++covered[static_cast<std::size_t>(place)];
        }
      }
    }
  }
  for (const int times : covered) {
    ASSERT_EQ(times, 1);
  }
}

TEST(TilingTest, TilesPartitionTheProduct) {
  RandomStream random(1, 0, Purpose::kTest);
  for (int i = 0; i < 60; ++i) {
    const GemmShape gemm = product(1 + static_cast<std::int64_t>(random.below(3)),
                                   1 + static_cast<std::int64_t>(random.below(40)),
                                   1 + static_cast<std::int64_t>(random.below(40)),
                                   1 + static_cast<std::int64_t>(random.below(20)));
    const auto dataflow =
        random.below(2) == 0 ? sim::Dataflow::kWeightStationary : sim::Dataflow::kOutputStationary;
    expect_partition(gemm, accelerator(2 + static_cast<int>(random.below(8)),
                                       2 + static_cast<int>(random.below(8)), dataflow,
                                       static_cast<std::int64_t>(random.below(20))));
  }
}

TEST(TilingTest, DepthFoldsOfOneBlockAreConsecutive) {
  const GemmShape gemm = product(2, 30, 37, 11);
  const Tiling tiling(gemm, accelerator(8, 4, sim::Dataflow::kWeightStationary, 10));
  ASSERT_EQ(tiling.depth_folds(), 5);
  ASSERT_EQ(tiling.passes(), 2 * 3 * 3 * 5);
  for (int pass = 0; pass < tiling.passes(); ++pass) {
    const Tile first = tiling.tile(pass - pass % 5);
    const Tile tile = tiling.tile(pass);
    EXPECT_EQ(tile.depth, pass % 5 * 8);
    EXPECT_EQ(tile.row, first.row);
    EXPECT_EQ(tile.column, first.column);
    EXPECT_EQ(tile.group, first.group);
  }
}

TEST(TilingTest, OutputStationaryStreamsTheWholeDepth) {
  const Tiling tiling(product(1, 30, 500, 11), accelerator(8, 8, sim::Dataflow::kOutputStationary));
  EXPECT_EQ(tiling.depth_folds(), 1);
  EXPECT_EQ(tiling.passes(), 4 * 2);
  EXPECT_EQ(tiling.tile(7).shape, (sim::PassShape{6, 500, 3}));
}

TEST(TilingTest, TooManyPassesAreRefused) {
  EXPECT_THROW(
      Tiling(product(1 << 20, 1 << 16, 4, 4), accelerator(2, 2, sim::Dataflow::kOutputStationary)),
      Failure);
}

TEST(TilingTest, OutputIndexFollowsTheTensor) {
  GemmShape gemm = product(2, 12, 9, 5);
  EXPECT_EQ(gemm.output_index(1, 3, 2), 3 * 5 + 7);  // a linear layer: (rows, channels)
  gemm.is_convolution = true;
  EXPECT_EQ(gemm.output_index(1, 3, 2), 7 * 12 + 3);  // (channels, positions)
}

}  // namespace
}  // namespace tilestrike::bridge
