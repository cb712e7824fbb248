// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/tiling.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

// Sums of 128 * 128 over a longer streamed depth would leave int32 anyway.
constexpr std::int64_t kLongestPass = std::numeric_limits<std::int32_t>::max();

std::int64_t folds(std::int64_t size, std::int64_t step) { return (size + step - 1) / step; }

}  // namespace

Tiling::Tiling(const GemmShape& gemm, const AcceleratorConfig& accelerator,
               const TileLimits& limits)
    : gemm_(gemm) {
  const sim::MeshConfig& mesh = accelerator.mesh;
  const bool ws = mesh.is_weight_stationary();
  const auto limited = [](std::int64_t size, std::int64_t limit) {
    return limit == 0 ? size : std::min(limit, size);
  };
  row_step_ = !ws ? mesh.rows
                  : limited(limited(gemm.rows, accelerator.schedule.rows_per_pass), limits.rows);
  depth_step_ = ws ? mesh.rows : limited(gemm.depth, limits.depth);
  column_step_ = mesh.columns;
  const std::int64_t row_folds = folds(gemm.rows, row_step_);
  const std::int64_t depth_folds = folds(gemm.depth, depth_step_);
  const std::int64_t column_folds = folds(gemm.columns, column_step_);
  const double passes = static_cast<double>(gemm.groups) * static_cast<double>(row_folds) *
                        static_cast<double>(depth_folds) * static_cast<double>(column_folds);
  if (passes > static_cast<double>(kLongestPass) || gemm.rows > kLongestPass ||
      gemm.depth > kLongestPass) {
    fail(ErrorCode::kUnsupported, "a layer of more than 2^31 tile passes, rows or depth", "",
         "use a larger mesh or smaller images");
  }
  row_folds_ = static_cast<int>(row_folds);
  depth_folds_ = static_cast<int>(depth_folds);
  column_folds_ = static_cast<int>(column_folds);
  passes_ = static_cast<int>(gemm.groups) * row_folds_ * depth_folds_ * column_folds_;
}

Tile Tiling::tile(int pass) const {
  // Order: group, column fold, row fold, depth fold (the innermost), so that one block of
  // accumulators is finished before the next begins.
  Tile tile;
  std::int64_t rest = pass;
  tile.depth = rest % depth_folds_ * depth_step_;
  rest /= depth_folds_;
  tile.row = rest % row_folds_ * row_step_;
  rest /= row_folds_;
  tile.column = rest % column_folds_ * column_step_;
  tile.group = rest / column_folds_;
  const auto length = [](std::int64_t step, std::int64_t size, std::int64_t from) {
    return static_cast<std::int32_t>(std::min(step, size - from));
  };
  tile.shape = {length(row_step_, gemm_.rows, tile.row),
                length(depth_step_, gemm_.depth, tile.depth),
                length(column_step_, gemm_.columns, tile.column)};
  return tile;
}

std::vector<sim::PassShape> Tiling::shapes() const {
  std::vector<sim::PassShape> all(static_cast<std::size_t>(passes_));
  for (int pass = 0; pass < passes_; ++pass) {
    all[static_cast<std::size_t>(pass)] = tile(pass).shape;
  }
  return all;
}

}  // namespace tilestrike::bridge
