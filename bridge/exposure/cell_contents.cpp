// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/cell_contents.h"

#include <limits>

#include "bridge/exposure/copies.h"
#include "bridge/exposure/pass_result.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {

sim::BitString CellContents::cells(const dnn::Tape& golden, std::size_t memory,
                                   sim::CodewordId codeword, Cycle cycle) {
  const std::vector<Occupant> all = residency_.all_in(memory, codeword);
  if (all.empty()) {
    return {};
  }
  // What is not written yet holds the last that the inference before has written.
  const Occupant* held = nullptr;
  for (const Occupant& occupant : all) {
    held = occupant.written <= cycle ? &occupant : held;
  }
  const bool is_before = held == nullptr;
  held = is_before ? &all.back() : held;
  const sim::BitString data =
      held->kind == Occupant::Kind::kSums
          ? sums(*held, golden, is_before ? std::numeric_limits<Cycle>::max() : cycle)
          : reader_.data_of(*held, memory, dnn::Divergence(network_, golden), golden);
  return mapping_.accelerator().memory[memory].second.code().encode(data);
}

// As they are added up, fold by fold.
sim::BitString CellContents::sums(const Occupant& occupant, const dnn::Tape& golden, Cycle cycle) {
  const MeshLayer& layer = *mapping_.mesh_layer(occupant.layer);
  const auto value = [&](dnn::ValueId id) {
    return golden.values[static_cast<std::size_t>(id.value)].toTensor();
  };
  const BoundLayer bound(layer, value(layer.input),
                         layer.weights.value >= 0 ? value(layer.weights) : at::Tensor());
  const auto [row, first_column, lanes, first_pass] =
      sums_of_word(residency_.schedule(), occupant.layer, occupant.index, occupant.offset);
  const Tile tile = layer.tiling->tile(first_pass);
  const Cycle start = residency_.schedule().layers()[occupant.layer].start;
  sim::BitString data;
  for (int lane = 0; lane < lanes && first_column + lane < tile.shape.columns; ++lane) {
    std::int32_t sum = 0;
    for (int pass = first_pass; pass < first_pass + layer.tiling->depth_folds(); ++pass) {
      if (MemorySchedule::sum_read(*layer.run, start, pass, row) + 1 > cycle) {
        break;
      }
      sum = sim::sum_of(sum, result_of_pass(bound, pass, row, first_column + lane),
                        layer.run->config().overflow);
    }
    data.set_field(32 * lane, 32, static_cast<std::uint32_t>(sum));
  }
  return data;
}

}  // namespace tilestrike::bridge
