// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/splice.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {
namespace {

struct PassDelta {
  std::int64_t index;  // of the output
  int pass;
  std::int64_t row, column;  // within the group's GEMM
  std::int32_t delta;
};

// The output's value after all folds, each with its fault, saturating where the memory does, less
// its golden value. Golden sums stay in range: MatrixKernel checks their bound.
std::int32_t saturating_delta(const BoundLayer& layer, std::span<const PassDelta> folds) {
  const Tiling& tiling = layer.tiling();
  const int first_pass = folds.front().pass - folds.front().pass % tiling.depth_folds();
  const std::int64_t group = tiling.tile(first_pass).group;
  const auto [index, pass, row, column, delta] = folds.front();
  std::int32_t golden = 0;
  std::int32_t faulty = 0;
  for (int fold = 0; fold < tiling.depth_folds(); ++fold) {
    const Tile tile = tiling.tile(first_pass + fold);
    std::int64_t sum = fold == 0 ? layer.operands().bias(group, column) : 0;
    for (std::int64_t k = tile.depth; k < tile.depth + tile.shape.depth; ++k) {
      sum += std::int64_t{layer.operands().activation(group, row, k)} *
             layer.operands().weight(group, k, column);
    }
    std::int32_t struck = sim::wrapped(sum);
    for (const PassDelta& found : folds) {
      struck = found.pass == first_pass + fold ? sim::wrapped(sum + found.delta) : struck;
    }
    golden = sim::wrapped(std::int64_t{golden} + sum);
    faulty = fold == 0 ? struck : sim::sum_of(faulty, struck, sim::Overflow::kSaturate);
  }
  return sim::wrapped(std::int64_t{faulty} - golden);
}

}  // namespace

std::vector<AccumulatorDelta> accumulator_deltas(const BoundLayer& layer, sim::Overflow overflow,
                                                 std::span<const sim::OutputDelta> deltas) {
  std::vector<PassDelta> found;
  found.reserve(deltas.size());
  Tile tile;
  int tile_of = -1;
  for (const sim::OutputDelta& delta : deltas) {
    if (delta.pass != tile_of) {
      tile_of = delta.pass;
      tile = layer.tiling().tile(delta.pass);
    }
    const std::int64_t row = tile.row + delta.row;
    const std::int64_t column = tile.column + delta.column;
    found.push_back({layer.tiling().gemm().output_index(tile.group, row, column), delta.pass, row,
                     column, delta.delta});
  }
  std::sort(found.begin(), found.end(), [](const PassDelta& x, const PassDelta& y) {
    return std::pair(x.index, x.pass) < std::pair(y.index, y.pass);
  });
  std::vector<AccumulatorDelta> sums;
  for (auto first = found.begin(); first != found.end();) {
    const auto last = std::find_if(
        first, found.end(), [&](const PassDelta& other) { return other.index != first->index; });
    std::int32_t sum = 0;
    if (overflow == sim::Overflow::kSaturate && layer.tiling().depth_folds() > 1) {
      sum = saturating_delta(layer, {first, last});
    } else {
      std::for_each(first, last, [&](const PassDelta& part) {
        sum = sim::wrapped(std::int64_t{sum} + part.delta);
      });
    }
    if (sum != 0) {
      sums.push_back({first->index, sum});
    }
    first = last;
  }
  return sums;
}

at::Tensor spliced(const at::Tensor& accumulators, std::span<const AccumulatorDelta> deltas) {
  at::Tensor result = accumulators.contiguous().clone();
  const auto count = static_cast<std::int64_t>(deltas.size());
  at::Tensor index = at::empty({count}, c10::TensorOptions(c10::kLong));
  at::Tensor change = at::empty({count}, c10::TensorOptions(c10::kInt));
  for (std::int64_t i = 0; i < count; ++i) {
    index.data_ptr<std::int64_t>()[i] = deltas[static_cast<std::size_t>(i)].index;
    change.data_ptr<std::int32_t>()[i] = deltas[static_cast<std::size_t>(i)].delta;
  }
  result.view(-1).index_add_(0, index.to(result.device()), change.to(result.device()));
  return result;
}

}  // namespace tilestrike::bridge
