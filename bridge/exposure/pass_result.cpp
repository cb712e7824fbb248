// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/pass_result.h"

#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {

std::int32_t result_of_pass(const BoundLayer& layer, int pass, std::int64_t row,
                            std::int64_t column) {
  const Tile tile = layer.tiling().tile(pass);
  std::int64_t sum = tile.depth == 0 ? layer.operands().bias(tile.group, tile.column + column) : 0;
  for (std::int64_t k = tile.depth; k < tile.depth + tile.shape.depth; ++k) {
    sum += std::int64_t{layer.operands().activation(tile.group, tile.row + row, k)} *
           layer.operands().weight(tile.group, k, tile.column + column);
  }
  return sim::wrapped(sum);
}

}  // namespace tilestrike::bridge
