// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A matrix layer as GEMM tiles on the mesh, in the order in which they run (docs/architecture.md,
// "Tiles"). Pure arithmetic: no tile is stored. No LibTorch in this header.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "sim/mesh/mesh_run.h"

namespace tilestrike::bridge {

/// One matrix layer of one inference (batch 1) as `groups` products of (rows x depth) activations
/// by (depth x columns) weights. im2col is addressing: row m is an output position, depth k is an
/// input channel of the group and a kernel position, k = (channel * kernel_h + ky) * kernel_w + kx.
struct GemmShape {
  bool is_convolution = false;
  bool is_product = false;  // of two activations: (groups, rows, depth) by (groups, columns, depth)
  std::int64_t groups = 1;
  std::int64_t rows = 1;
  std::int64_t depth = 1;
  std::int64_t columns = 1;  // of one group
  // Of convolutions only:
  std::int64_t in_height = 1, in_width = 1, out_width = 1;
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  std::int8_t padding_value = 0;  // the zero point of the layer's input

  std::int64_t outputs() const { return groups * rows * columns; }
  std::int64_t multiply_accumulates() const { return outputs() * depth; }
  /// Index of a result in the layer's output tensor: (O, H, W) of a convolution, (groups,
  /// rows, columns) of a product, (rows, O) else.
  std::int64_t output_index(std::int64_t group, std::int64_t row, std::int64_t column) const {
    if (is_product) {
      return (group * rows + row) * columns + column;
    }
    const std::int64_t channel = group * columns + column;
    return is_convolution ? channel * rows + row : row * columns + channel;
  }
  struct OutputPlace {
    std::int64_t group, row, column;
  };
  /// The other way round.
  OutputPlace output_place(std::int64_t index) const {
    if (is_product) {
      return {index / (rows * columns), index / columns % rows, index % columns};
    }
    const std::int64_t channels = groups * columns;
    const std::int64_t channel = is_convolution ? index / rows : index % channels;
    return {channel / columns, is_convolution ? index % rows : index / channels, channel % columns};
  }
};

/// One tile pass's place in its layer's GEMM.
struct Tile {
  std::int64_t group = 0, row = 0, depth = 0, column = 0;  // of its first element
  sim::PassShape shape;
};

/// What memories allow of one pass; 0: no limit.
struct TileLimits {
  std::int64_t rows = 0;   // WS: of activations
  std::int64_t depth = 0;  // OS: of what streams
};

class Tiling {
 public:
  Tiling(const GemmShape& gemm, const AcceleratorConfig& accelerator,
         const TileLimits& limits = {});

  const GemmShape& gemm() const { return gemm_; }
  int passes() const { return passes_; }
  Tile tile(int pass) const;
  std::vector<sim::PassShape> shapes() const;
  /// Passes whose results add up to one block of outputs: consecutive, from the multiples of this.
  int depth_folds() const { return depth_folds_; }
  int row_folds() const { return row_folds_; }
  int column_folds() const { return column_folds_; }
  /// Rows of all passes but the last ones.
  std::int64_t row_step() const { return row_step_; }
  std::int64_t depth_step() const { return depth_step_; }
  std::int64_t column_step() const { return column_step_; }

 private:
  GemmShape gemm_;
  std::int64_t row_step_, depth_step_, column_step_;
  int row_folds_, depth_folds_, column_folds_;
  int passes_ = 0;
};

}  // namespace tilestrike::bridge
