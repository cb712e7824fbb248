// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/copies.h"

namespace tilestrike::bridge {
namespace {

const MemorySchedule& memory_of(const Schedule& schedule) { return *schedule.memory(); }

}  // namespace

CopyByte weight_byte(const Schedule& schedule, std::size_t layer, std::int64_t tile_index,
                     std::int64_t offset) {
  const Tiling& tiling = *schedule.layers()[layer].tiling;
  const std::int64_t width = memory_of(schedule).placement().accelerator().mesh.columns;
  const Tile tile = tiling.tile(memory_of(schedule).first_pass_of_tile(layer, tiling, tile_index));
  CopyByte found;
  found.operand = 1;
  found.row = offset / width;
  const std::int64_t lane = offset % width;
  if (found.row < tile.shape.depth && lane < tile.shape.columns) {
    const GemmShape& gemm = tiling.gemm();
    found.element =
        (tile.group * gemm.columns + tile.column + lane) * gemm.depth + tile.depth + found.row;
  }
  return found;
}

CopyByte activation_byte(const Schedule& schedule, std::size_t layer, std::int64_t block_index,
                         std::int64_t offset) {
  const MemorySchedule& memory = memory_of(schedule);
  const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(block_index)];
  CopyByte found;
  if (offset >= block.bytes) {
    return found;
  }
  const Tiling* tiling = schedule.layers()[layer].tiling.get();
  if (tiling != nullptr) {
    found.element = block.slice.element_at(tiling->gemm(), offset);
    return found;
  }
  const std::vector<StoredOperand>& operands = memory.work()[layer].operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].tensor < 0) {
      continue;
    }
    const ChunkPart part = memory.part(block, i);
    const int size = memory_of(schedule)
                         .placement()
                         .tensors()[static_cast<std::size_t>(operands[i].tensor)]
                         .element_bytes;
    const std::int64_t place = offset - part.offset;
    if (place >= 0 && place < (part.last - part.first) * size) {
      found.operand = i;
      found.element = part.first + place / size;
      found.byte = static_cast<int>(place % size);
    }
  }
  return found;
}

SumsOfWord sums_of_word(const Schedule& schedule, std::size_t layer, std::int64_t block,
                        std::int64_t offset) {
  const Placement& placement = schedule.memory()->placement();
  const std::int64_t columns = placement.accelerator().mesh.columns;
  SumsOfWord sums;
  sums.row = offset / (columns * kSumBytes);
  sums.first_column = offset % (columns * kSumBytes) / kSumBytes;
  sums.lanes =
      static_cast<int>(placement.codeword_bytes(placement.accumulators().memory) / kSumBytes);
  sums.first_pass = static_cast<int>(block * schedule.layers()[layer].tiling->depth_folds());
  return sums;
}

void for_each_tile_of(const Schedule& schedule, std::size_t layer, std::int64_t element,
                      const VisitCopy& visit) {
  const MemorySchedule& memory = memory_of(schedule);
  const Tiling& tiling = *schedule.layers()[layer].tiling;
  const GemmShape& gemm = tiling.gemm();
  const std::int64_t depth = element % gemm.depth;
  const std::int64_t column = element / gemm.depth % gemm.columns;
  const std::int64_t group = element / gemm.depth / gemm.columns;
  const std::int64_t block_of_columns =
      group * tiling.column_folds() + column / tiling.column_step();
  const bool is_in_turn = memory_of(schedule).placement().weight_place(layer).is_in_turn;
  for (std::int64_t fold = 0; fold < (is_in_turn ? tiling.row_folds() : 1); ++fold) {
    const auto pass =
        static_cast<int>((block_of_columns * tiling.row_folds() + fold) * tiling.depth_folds() +
                         depth / tiling.depth_step());
    const Tile tile = tiling.tile(pass);
    visit(memory.tile_of_pass(layer, tiling, pass),
          (depth - tile.depth) * memory_of(schedule).placement().accelerator().mesh.columns +
              column - tile.column,
          memory.tile_bytes(tiling, pass));
  }
}

void for_each_block_of(const Schedule& schedule, std::size_t layer, std::size_t operand,
                       std::int64_t element, const VisitCopy& visit) {
  const MemorySchedule& memory = memory_of(schedule);
  const LayerMemory& here = memory.layers()[layer];
  const LayerWork& work = memory.work()[layer];
  for (std::size_t index = here.first_block; index < here.last_block; ++index) {
    const ActivationBlock& block = memory.blocks()[index];
    std::int64_t offset = -1;
    if (work.gemm) {
      offset = block.slice.place_of(*work.gemm, element);
    } else {
      const ChunkPart part = memory.part(block, operand);
      if (part.first <= element && element < part.last) {
        const auto tensor = static_cast<std::size_t>(work.operands[operand].tensor);
        offset = part.offset +
                 (element - part.first) * memory.placement().tensors()[tensor].element_bytes;
      }
    }
    if (offset >= 0) {
      visit(static_cast<std::int64_t>(index), offset, block.bytes);
    }
  }
}

}  // namespace tilestrike::bridge
