// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/layer_operands.h"

#include <algorithm>

namespace tilestrike::bridge {

OperandPlaces::OperandPlaces(const Tiling& tiling, const sim::MeshConfig& mesh)
    : tiling_(tiling), gemm_(tiling.gemm()), mesh_(mesh) {
  by_depth_.reserve(static_cast<std::size_t>(gemm_.depth));
  if (!gemm_.is_convolution) {
    for (std::int64_t k = 0; k < gemm_.depth; ++k) {
      by_depth_.push_back({k, 0, 0});
    }
    return;
  }
  const std::int64_t area = gemm_.in_height * gemm_.in_width;
  for (std::int64_t k = 0; k < gemm_.depth; ++k) {
    const std::int64_t x = k % gemm_.kernel[1];
    const std::int64_t y = k / gemm_.kernel[1] % gemm_.kernel[0];
    const std::int64_t channel = k / (gemm_.kernel[0] * gemm_.kernel[1]);
    const std::int64_t dy = y * gemm_.dilation[0];
    const std::int64_t dx = x * gemm_.dilation[1];
    by_depth_.push_back({channel * area + dy * gemm_.in_width + dx, dy, dx});
  }
  reach_y_ = (gemm_.kernel[0] - 1) * gemm_.dilation[0];
  reach_x_ = (gemm_.kernel[1] - 1) * gemm_.dilation[1];
}

LayerOperands::Corner LayerOperands::corner(std::int64_t group, std::int64_t row) const {
  const GemmShape& gemm = places_->gemm_;
  if (!gemm.is_convolution) {
    return {0, 0, ((gemm.is_product ? group * gemm.rows : 0) + row) * gemm.depth, true};
  }
  const std::int64_t channels = gemm.depth / (gemm.kernel[0] * gemm.kernel[1]);
  Corner corner{};
  corner.y = row / gemm.out_width * gemm.stride[0] - gemm.padding[0];
  corner.x = row % gemm.out_width * gemm.stride[1] - gemm.padding[1];
  corner.offset = (group * channels * gemm.in_height + corner.y) * gemm.in_width + corner.x;
  corner.is_inside = corner.y >= 0 && corner.x >= 0 &&
                     corner.y + places_->reach_y_ < gemm.in_height &&
                     corner.x + places_->reach_x_ < gemm.in_width;
  return corner;
}

std::int8_t LayerOperands::at(const Corner& corner, const DepthPlace& place) const {
  const GemmShape& gemm = places_->gemm_;
  if (!corner.is_inside) {
    const std::int64_t y = corner.y + place.dy;
    const std::int64_t x = corner.x + place.dx;
    if (y < 0 || y >= gemm.in_height || x < 0 || x >= gemm.in_width) {
      return gemm.padding_value;
    }
  }
  return input_[corner.offset + place.offset];
}

std::int8_t LayerOperands::activation(std::int64_t group, std::int64_t row,
                                      std::int64_t depth) const {
  return at(corner(group, row), places_->by_depth_[static_cast<std::size_t>(depth)]);
}

std::int8_t LayerOperands::weight(std::int64_t group, std::int64_t depth,
                                  std::int64_t column) const {
  const GemmShape& gemm = places_->gemm_;
  return weights_[(group * gemm.columns + column) * gemm.depth + depth];
}

std::int32_t LayerOperands::bias(std::int64_t group, std::int64_t column) const {
  const GemmShape& gemm = places_->gemm_;
  return bias_ == nullptr ? 0 : bias_[group * gemm.columns + column];
}

void LayerOperands::activations(int pass, int first, int count, std::int8_t* out) const {
  const Tile tile = places_->tiling_.tile(pass);
  const std::int64_t lanes = places_->mesh_.rows;
  const DepthPlace* places = &places_->by_depth_[static_cast<std::size_t>(tile.depth)];
  if (places_->mesh_.is_weight_stationary()) {
    for (std::int64_t n = 0; n < count; ++n) {
      const Corner from = corner(tile.group, tile.row + first + n);
      for (std::int64_t r = 0; r < tile.shape.depth; ++r) {
        out[n * lanes + r] = at(from, places[r]);
      }
    }
    return;
  }
  for (std::int64_t r = 0; r < tile.shape.rows; ++r) {
    const Corner from = corner(tile.group, tile.row + r);
    for (std::int64_t n = 0; n < count; ++n) {
      out[n * lanes + r] = at(from, places[first + n]);
    }
  }
}

void LayerOperands::weights(int pass, int first, int count, std::int8_t* out) const {
  const GemmShape& gemm = places_->gemm_;
  const Tile tile = places_->tiling_.tile(pass);
  for (std::int64_t c = 0; c < tile.shape.columns; ++c) {
    const std::int8_t* row =
        weights_ + (tile.group * gemm.columns + tile.column + c) * gemm.depth + tile.depth;
    for (std::int64_t n = 0; n < count; ++n) {
      out[n * places_->mesh_.columns + c] = row[first + n];
    }
  }
}

void LayerOperands::accumulators(int pass, int first, int count, std::int32_t* out) const {
  (void)first;  // the bias is the same in all rows
  const Tile tile = places_->tiling_.tile(pass);
  if (tile.depth > 0) {
    return;  // later depth folds start from zero; their results are added in the accumulator memory
  }
  for (std::int64_t n = 0; n < count; ++n) {
    for (std::int64_t c = 0; c < tile.shape.columns; ++c) {
      out[n * places_->mesh_.columns + c] = bias(tile.group, tile.column + c);
    }
  }
}

void LayerOperands::activation_lane(const sim::MeshConfig& mesh, int pass, int lane, int first,
                                    int count, std::int8_t* out) const {
  const Tile tile = places_->tiling_.tile(pass);
  if (mesh.is_weight_stationary()) {
    const DepthPlace& place = places_->by_depth_[static_cast<std::size_t>(tile.depth + lane)];
    for (std::int64_t n = 0; n < count; ++n) {
      out[n] = at(corner(tile.group, tile.row + first + n), place);
    }
    return;
  }
  const Corner from = corner(tile.group, tile.row + lane);
  const DepthPlace* places = &places_->by_depth_[static_cast<std::size_t>(tile.depth + first)];
  for (std::int64_t n = 0; n < count; ++n) {
    out[n] = at(from, places[n]);
  }
}

void LayerOperands::weight_column(const sim::MeshConfig&, int pass, int column, int first,
                                  int count, std::int8_t* out) const {
  const GemmShape& gemm = places_->gemm_;
  const Tile tile = places_->tiling_.tile(pass);
  std::copy_n(weights_ + (tile.group * gemm.columns + tile.column + column) * gemm.depth +
                  tile.depth + first,
              count, out);
}

std::int32_t LayerOperands::accumulator(const sim::MeshConfig&, int pass, int, int column) const {
  const Tile tile = places_->tiling_.tile(pass);
  return tile.depth > 0 ? 0 : bias(tile.group, tile.column + column);
}

}  // namespace tilestrike::bridge
