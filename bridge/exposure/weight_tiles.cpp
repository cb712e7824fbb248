// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/weight_tiles.h"

#include <algorithm>

#include "bridge/exposure/memory_contents.h"

namespace tilestrike::bridge {

WeightTiles::WeightTiles(const Schedule& schedule)
    : OperandCopies(schedule, sim::MemoryContent::kWeights,
                    schedule.memory()->placement().weights()) {
  for (std::size_t i = 0; i < schedule.layers().size(); ++i) {
    if (schedule.layers()[i].tiling == nullptr) {
      continue;
    }
    if (are_in_turn(i)) {
      turn_layers_.push_back(i);
    } else {
      own_bases_.push_back(placement().weight_place(i).base);
      own_layers_.push_back(i);
    }
  }
}

std::optional<Occupant> WeightTiles::part_of(std::size_t layer, std::int64_t tile,
                                             std::int64_t offset) const {
  const std::int64_t bytes = bytes_of(layer, tile);
  if (offset >= bytes) {
    return std::nullopt;
  }
  Occupant found{this, true, layer, tile, offset, kBoot};
  const std::vector<Cycle>& loads = memory().layers()[layer].weight_loads;
  if (!loads.empty()) {
    found.written =
        memory().written(region().memory, loads[static_cast<std::size_t>(tile)], offset, bytes);
  }
  return found;
}

// The last load that was requested by then, then back to this slot's.
Occupant WeightTiles::last_in_slot(std::int64_t slot, Cycle cycle) const {
  const auto after = std::partition_point(
      turn_layers_.begin(), turn_layers_.end(),
      [&](std::size_t layer) { return memory().layers()[layer].weight_loads.front() <= cycle; });
  if (after == turn_layers_.begin()) {
    return left_over();
  }
  auto layer = after - 1;
  const std::vector<Cycle>* loads = &memory().layers()[*layer].weight_loads;
  std::int64_t tile = (std::ranges::upper_bound(*loads, cycle) - loads->begin()) - 1;
  for (std::int64_t back = 0; back < placement().slots(); ++back) {
    if ((memory().layers()[*layer].first_slot + tile) % placement().slots() == slot) {
      break;
    }
    if (--tile < 0) {
      if (layer == turn_layers_.begin()) {
        return left_over();
      }
      --layer;
      tile = static_cast<std::int64_t>(memory().layers()[*layer].weight_loads.size()) - 1;
    }
  }
  return {this, true, *layer, tile, 0, kBoot};
}

Occupant WeightTiles::at(std::int64_t address, Cycle cycle) const {
  const Placement& all = placement();
  if (address < all.slots_base()) {
    const auto after = std::ranges::upper_bound(own_bases_, address);
    const std::size_t layer = own_layers_[static_cast<std::size_t>(after - own_bases_.begin()) - 1];
    const WeightPlace& place = all.weight_place(layer);
    const std::optional<Occupant> tile =
        part_of(layer, (address - place.base) / place.pitch, (address - place.base) % place.pitch);
    return !tile ? Occupant() : tile->written <= cycle ? *tile : left_over();
  }
  const std::int64_t place = address - all.slots_base();
  const Occupant last = last_in_slot(place / all.slot_pitch(), cycle);
  if (last.is_nothing()) {
    return last;
  }
  const std::optional<Occupant> tile = part_of(last.layer, last.index, place % all.slot_pitch());
  return tile && tile->written <= cycle ? *tile : left_over();
}

std::vector<Occupant> WeightTiles::all_in(std::int64_t address) const {
  const Placement& all = placement();
  std::vector<Occupant> found;
  if (address < all.slots_base()) {  // written once in an inference, or at boot
    if (const Occupant tile = at(address, schedule().cycles_per_inference()); !tile.is_nothing()) {
      found.push_back(tile);
    }
    return found;
  }
  const std::int64_t slot = (address - all.slots_base()) / all.slot_pitch();
  for (const std::size_t layer : turn_layers_) {
    const LayerMemory& here = memory().layers()[layer];
    const auto tiles = static_cast<std::int64_t>(here.weight_loads.size());
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      if ((here.first_slot + tile) % all.slots() != slot) {
        continue;
      }
      if (const auto part = part_of(layer, tile, (address - all.slots_base()) % all.slot_pitch())) {
        found.push_back(*part);
      }
    }
  }
  return found;
}

Cycle WeightTiles::last_read(std::size_t index, int pass) const {
  const ScheduledLayer& layer = schedule().layers()[index];
  const std::int64_t depth = layer.tiling->tile(pass).shape.depth;
  return std::max(MemorySchedule::weight_read(*layer.run, layer.start, pass, 0),
                  MemorySchedule::weight_read(*layer.run, layer.start, pass, depth - 1));
}

void WeightTiles::add_spans(int /*answer*/, std::vector<ContentSpan>& spans) const {
  for (std::size_t layer = 0; layer < schedule().layers().size(); ++layer) {
    if (schedule().layers()[layer].tiling == nullptr) {
      continue;
    }
    const Tiling& tiles = tiling(layer);
    const std::vector<Cycle>& loads = memory().layers()[layer].weight_loads;
    const int count = are_in_turn(layer) ? tiles.passes() : tiles.passes() / tiles.row_folds();
    for (int tile = 0; tile < count; ++tile) {
      // A tile with a place of its own is read by a pass of each row fold.
      const int first = memory().first_pass_of_tile(layer, tiles, tile);
      const int last =
          are_in_turn(layer) ? tile : first + (tiles.row_folds() - 1) * tiles.depth_folds();
      const std::int64_t bytes = memory().tile_bytes(tiles, first);
      ContentSpan span{
          address(layer, tile),          bytes, 0, schedule().cycles_per_inference(), role(), layer,
          "tile " + std::to_string(tile)};
      if (!loads.empty()) {  // else it was loaded at boot, and stays
        span.from =
            memory().written(region().memory, loads[static_cast<std::size_t>(tile)], 0, bytes);
        span.until = last_read(layer, last);
      }
      spans.push_back(std::move(span));
    }
  }
}

CopyByte WeightTiles::byte(std::size_t layer, std::int64_t index, std::int64_t offset) const {
  const Tiling& tiles = tiling(layer);
  const Tile tile = tiles.tile(memory().first_pass_of_tile(layer, tiles, index));
  CopyByte found{1, -1, 0};
  if (const auto place = placement().tile_layout().decode(tile.shape, offset)) {
    const GemmShape& gemm = tiles.gemm();
    found.element = (tile.group * gemm.columns + tile.column + place->lane) * gemm.depth +
                    tile.depth + place->row;
  }
  return found;
}

void WeightTiles::for_each_with(std::size_t layer, std::size_t /*operand*/, std::int64_t element,
                                const VisitCopy& visit) const {
  const Tiling& tiles = tiling(layer);
  const GemmShape& gemm = tiles.gemm();
  const std::int64_t depth = element % gemm.depth;
  const std::int64_t column = element / gemm.depth % gemm.columns;
  const std::int64_t group = element / gemm.depth / gemm.columns;
  const std::int64_t block_of_columns = group * tiles.column_folds() + column / tiles.column_step();
  for (std::int64_t fold = 0; fold < (are_in_turn(layer) ? tiles.row_folds() : 1); ++fold) {
    const auto pass =
        static_cast<int>((block_of_columns * tiles.row_folds() + fold) * tiles.depth_folds() +
                         depth / tiles.depth_step());
    const Tile tile = tiles.tile(pass);
    visit(memory().tile_of_pass(layer, tiles, pass),
          placement().tile_layout().encode({depth - tile.depth, column - tile.column}));
  }
}

std::optional<Cycle> WeightTiles::fetched(std::size_t layer, std::int64_t tile,
                                          std::int64_t offset) const {
  const std::vector<Cycle>& loads = memory().layers()[layer].weight_loads;
  if (loads.empty()) {
    return std::nullopt;
  }
  return memory().fetched(region().memory, loads[static_cast<std::size_t>(tile)], offset,
                          bytes_of(layer, tile));
}

std::optional<Cycle> WeightTiles::last_fetched(std::size_t layer) const {
  const auto tiles = static_cast<std::int64_t>(memory().layers()[layer].weight_loads.size());
  return tiles == 0 ? std::nullopt : fetched(layer, tiles - 1, bytes_of(layer, tiles - 1) - 1);
}

}  // namespace tilestrike::bridge
