// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/sum_blocks.h"

#include <algorithm>

#include "bridge/exposure/memory_contents.h"
#include "bridge/exposure/pass_result.h"
#include "bridge/exposure/run_values.h"
#include "bridge/exposure/struck_contents.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {

SumBlocks::SumBlocks(const Schedule& schedule)
    : Copies(schedule, sim::MemoryContent::kAccumulators,
             schedule.memory()->placement().accumulators()) {
  for (std::size_t i = 0; i < schedule.layers().size(); ++i) {
    if (schedule.layers()[i].tiling != nullptr) {
      layers_.push_back(i);
    }
  }
}

SumBlocks::Word SumBlocks::word(const Occupant& occupant) const {
  return {occupant.offset / row_bytes(), occupant.offset % row_bytes() / kSumBytes,
          static_cast<int>(placement().codeword_bytes(region().memory) / kSumBytes),
          first_pass(occupant.layer, occupant.index)};
}

Cycle SumBlocks::result_read(std::size_t layer, std::int64_t block, std::int64_t row) const {
  const std::vector<int>& outputs = memory().work()[layer].outputs;
  const int element_bytes =
      outputs.empty()
          ? 1
          : placement().tensors()[static_cast<std::size_t>(outputs.front())].element_bytes;
  const Cycle pitch = memory().result_pitch(
      tiling(layer).tile(first_pass(layer, block)).shape.columns, element_bytes);
  return memory().layers()[layer].result_reads[static_cast<std::size_t>(block)] + row * pitch;
}

std::optional<Occupant> SumBlocks::part_of(std::size_t layer, std::int64_t block,
                                           std::int64_t offset) const {
  const std::int64_t row = offset / row_bytes();
  const int pass = first_pass(layer, block);
  if (row >= tiling(layer).tile(pass).shape.rows) {
    return std::nullopt;
  }
  return Occupant{this, true, layer, block, offset, added(layer, pass, row) + 1};
}

Occupant SumBlocks::at(std::int64_t address, Cycle cycle) const {
  const std::int64_t half = (address - region().base) / region().bytes;
  const std::int64_t offset = (address - region().base) % region().bytes;
  const std::int64_t row = offset / row_bytes();
  const auto after = std::partition_point(layers_.begin(), layers_.end(), [&](std::size_t layer) {
    return schedule().layers()[layer].start <= cycle;
  });
  if (after == layers_.begin()) {
    return left_over();
  }
  const std::size_t layer = *(after - 1);
  // The last block whose first row's place was written by then: their first passes are in order.
  const auto is_written = [&](std::int64_t block) {
    const int pass = first_pass(layer, block);
    const std::int64_t in_block =
        std::min<std::int64_t>(row, tiling(layer).tile(pass).shape.rows - 1);
    return added(layer, pass, in_block) + 1 <= cycle;
  };
  std::int64_t low = 0;
  auto high = static_cast<std::int64_t>(memory().layers()[layer].result_reads.size());
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (is_written(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (std::int64_t block = low; block-- > 0;) {
    if (half_of(layer, block) == half) {
      return part_of(layer, block, offset).value_or(left_over());
    }
  }
  return left_over();
}

std::vector<Occupant> SumBlocks::all_in(std::int64_t address) const {
  std::vector<Occupant> found;
  for (const std::size_t layer : layers_) {
    const auto blocks = static_cast<std::int64_t>(memory().layers()[layer].result_reads.size());
    for (std::int64_t block = 0; block < blocks; ++block) {
      if (half_of(layer, block) != (address - region().base) / region().bytes) {
        continue;
      }
      if (const auto part = part_of(layer, block, (address - region().base) % region().bytes)) {
        found.push_back(*part);
      }
    }
  }
  return found;
}

int SumBlocks::bits_of(int tensor) const {
  const bool becomes_it = std::ranges::any_of(layers_, [&](std::size_t layer) {
    const std::vector<int>& outputs = memory().work()[layer].outputs;
    return std::ranges::find(outputs, tensor) != outputs.end();
  });
  return becomes_it ? 8 * static_cast<int>(kSumBytes) : 0;
}

void SumBlocks::for_each_place(const StoredElement& element, const LoadOrder& /*order*/,
                               const VisitPlace& visit) const {
  for (const std::size_t layer : layers_) {
    const LayerWork& work = memory().work()[layer];
    if (std::ranges::find(work.outputs, element.tensor) == work.outputs.end()) {
      continue;
    }
    const Tiling& tiles = tiling(layer);
    const GemmShape::OutputPlace place = work.gemm->output_place(element.element);
    const std::int64_t block =
        (place.group * tiles.column_folds() + place.column / tiles.column_step()) *
            tiles.row_folds() +
        place.row / tiles.row_step();
    const Tile tile = tiles.tile(first_pass(layer, block));
    visit(region().base + half_of(layer, block) * region().bytes +
              (place.row - tile.row) * row_bytes() + (place.column - tile.column) * kSumBytes,
          layer, block);
  }
}

void SumBlocks::add_spans(int /*answer*/, std::vector<ContentSpan>& spans) const {
  for (const std::size_t layer : layers_) {
    const auto blocks = static_cast<std::int64_t>(memory().layers()[layer].result_reads.size());
    for (std::int64_t block = 0; block < blocks; ++block) {
      const int pass = first_pass(layer, block);
      const std::int64_t rows = tiling(layer).tile(pass).shape.rows;
      const Cycle first = std::min(added(layer, pass, 0), added(layer, pass, rows - 1));
      spans.push_back({region().base + half_of(layer, block) * region().bytes, rows * row_bytes(),
                       first + 1, result_read(layer, block, rows - 1), role(), layer,
                       "block " + std::to_string(block)});
    }
  }
}

CopyByte SumBlocks::byte(std::size_t layer, std::int64_t block, std::int64_t offset) const {
  const Tile tile = tiling(layer).tile(first_pass(layer, block));
  const std::int64_t row = offset / row_bytes();
  const std::int64_t column = offset % row_bytes() / kSumBytes;
  if (row >= tile.shape.rows || column >= tile.shape.columns ||
      memory().work()[layer].outputs.empty()) {
    return {};
  }
  return {0, tiling(layer).gemm().output_index(tile.group, tile.row + row, tile.column + column),
          static_cast<int>(offset % kSumBytes)};
}

StoredElement SumBlocks::stored(const Occupant& occupant, const CopyByte& byte,
                                const LoadOrder& /*order*/) const {
  return {memory().work()[occupant.layer].outputs.front(), byte.element};
}

sim::BitString SumBlocks::data(const Occupant& occupant, const RunValues& values,
                               Cycle cycle) const {
  const BoundLayer layer = values.bound(occupant.layer);
  const auto [row, first_column, lanes, first_pass] = word(occupant);
  const Tile tile = layer.tiling().tile(first_pass);
  sim::BitString data;
  for (int lane = 0; lane < lanes && first_column + lane < tile.shape.columns; ++lane) {
    std::int32_t sum = 0;
    for (int pass = first_pass; pass < first_pass + layer.tiling().depth_folds(); ++pass) {
      if (added(occupant.layer, pass, row) + 1 > cycle) {
        break;
      }
      sum = sim::sum_of(sum, result_of_pass(layer, pass, row, first_column + lane),
                        placement().accelerator().mesh.overflow);
    }
    data.set_field(32 * lane, 32, static_cast<std::uint32_t>(sum));
  }
  return data;
}

void SumBlocks::add_reads(const Occupant& occupant, const CopyByte& /*byte*/,
                          const LoadOrder& /*order*/, std::vector<Cycle>& cycles) const {
  const std::vector<Cycle> all = updates(occupant);
  cycles.insert(cycles.end(), all.begin(), all.end());
  cycles.push_back(result_read(occupant.layer, occupant.index, word(occupant).row));
}

// The first fold overwrites; every other reads and writes back.
std::vector<Cycle> SumBlocks::updates(const Occupant& occupant) const {
  const Word sums = word(occupant);
  std::vector<Cycle> cycles;
  for (int fold = 1; fold < tiling(occupant.layer).depth_folds(); ++fold) {
    cycles.push_back(added(occupant.layer, sums.first_pass + fold, sums.row));
  }
  return cycles;
}

void SumBlocks::add_to(StruckContents& contents, StruckContent content) const {
  const std::size_t layer = content.occupant.layer;
  contents.on_chip[layer].sums.push_back(std::move(content));
  contents.last_layer = std::max(contents.last_layer, layer);
}

}  // namespace tilestrike::bridge
