// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/splice.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "bridge/exposure/pass_result.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {

FoldedOutput folded(const BoundLayer& layer, std::span<const sim::OutputChange> changes) {
  const sim::PeArithmetic arithmetic = sim::arithmetic_of(layer.mesh_layer().run->config());
  FoldedOutput output;
  if (arithmetic.is_linear) {
    for (const sim::OutputChange& change : changes) {
      output.faulty = arithmetic.sum(output.faulty, change.delta());
    }
    return output;
  }
  const int folds = layer.tiling().depth_folds();
  const sim::OutputChange& any = changes.front();
  const int first_pass = any.pass - any.pass % folds;
  for (int pass = first_pass; pass < first_pass + folds; ++pass) {
    const std::int32_t golden = result_of_pass(layer, pass, any.row, any.column);
    const auto change = std::ranges::find(changes, pass, &sim::OutputChange::pass);
    const std::int32_t faulty =
        change == changes.end() ? golden : sim::wrapped(std::int64_t{golden} + change->delta());
    const bool is_first = pass == first_pass;
    output.golden = is_first ? golden : arithmetic.sum(output.golden, golden);
    output.faulty = is_first ? faulty : arithmetic.sum(output.faulty, faulty);
  }
  return output;
}

std::vector<AccumulatorDelta> accumulator_deltas(const BoundLayer& layer,
                                                 std::span<const sim::OutputChange> changes) {
  struct Found {
    std::int64_t index;
    sim::OutputChange change;
  };
  std::vector<Found> found;
  found.reserve(changes.size());
  Tile tile;
  int tile_of = -1;
  for (const sim::OutputChange& change : changes) {
    if (change.pass != tile_of) {
      tile_of = change.pass;
      tile = layer.tiling().tile(change.pass);
    }
    found.push_back({layer.tiling().gemm().output_index(tile.group, tile.row + change.row,
                                                        tile.column + change.column),
                     change});
  }
  std::sort(found.begin(), found.end(), [](const Found& x, const Found& y) {
    return std::pair(x.index, x.change.pass) < std::pair(y.index, y.change.pass);
  });
  std::vector<AccumulatorDelta> deltas;
  std::vector<sim::OutputChange> of_output;
  for (auto at = found.begin(); at != found.end();) {
    const std::int64_t index = at->index;
    of_output.clear();
    for (; at != found.end() && at->index == index; ++at) {
      of_output.push_back(at->change);
    }
    const auto [golden, faulty] = folded(layer, of_output);
    if (faulty != golden) {
      deltas.push_back({index, sim::wrapped(std::int64_t{faulty} - golden)});
    }
  }
  return deltas;
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
