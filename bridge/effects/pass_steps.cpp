// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/pass_steps.h"

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

using sim::AccessKind;

/// Where the elements of some rows and depths of a product lie in a slice of its input.
class SlicePlaces {
 public:
  SlicePlaces(const GemmShape& gemm, const InputSlice& slice, const Tile& tile, std::int64_t rows,
              std::int64_t depths)
      : gemm_(gemm), slice_(slice), tile_(tile) {
    if (!gemm.is_convolution) {
      return;
    }
    for (std::int64_t m = tile.row; m < tile.row + rows; ++m) {
      rows_.push_back({m / gemm.out_width * gemm.stride[0] - gemm.padding[0],
                       m % gemm.out_width * gemm.stride[1] - gemm.padding[1], 0});
    }
    for (std::int64_t k = tile.depth; k < tile.depth + depths; ++k) {
      depths_.push_back({k / gemm.kernel[1] % gemm.kernel[0] * gemm.dilation[0],
                         k % gemm.kernel[1] * gemm.dilation[1],
                         k / (gemm.kernel[0] * gemm.kernel[1])});
    }
  }

  /// Of A[tile.row + m][tile.depth + k]; -1: padding.
  std::int64_t operator()(std::int64_t m, std::int64_t k) const {
    if (!gemm_.is_convolution) {
      return (tile_.row + m - slice_.first_row) * gemm_.depth + tile_.depth + k;
    }
    const Place& corner = rows_[static_cast<std::size_t>(m)];
    const Place& offset = depths_[static_cast<std::size_t>(k)];
    const std::int64_t y = corner.y + offset.y;
    const std::int64_t x = corner.x + offset.x;
    if (y < 0 || y >= gemm_.in_height || x < 0 || x >= gemm_.in_width) {
      return -1;
    }
    TS_CHECK(y >= slice_.first_y && y < slice_.last_y, "an element of the slice");
    return (offset.channel * (slice_.last_y - slice_.first_y) + y - slice_.first_y) *
               gemm_.in_width +
           x;
  }

 private:
  struct Place {
    std::int64_t y, x, channel;
  };
  const GemmShape& gemm_;
  const InputSlice& slice_;
  const Tile& tile_;
  std::vector<Place> rows_, depths_;  // of a convolution
};

}  // namespace

PassSteps::PassSteps(const Schedule& schedule, std::size_t layer,
                     std::vector<sim::PlatformStep>& steps)
    : layer_(layer),
      scheduled_(schedule.layers()[layer]),
      memory_(*schedule.memory()),
      steps_(steps) {}

void PassSteps::step(Cycle cycle, AccessKind kind, std::size_t memory, std::int64_t address,
                     std::int64_t bytes, void* data) const {
  sim::PlatformStep step;
  step.cycle = cycle;
  step.kind = kind;
  step.memory = static_cast<std::int32_t>(memory);
  step.address = static_cast<std::uint64_t>(address);
  step.bytes = static_cast<std::uint64_t>(bytes);
  step.data = static_cast<std::uint8_t*>(data);
  steps_.push_back(step);
}

void PassSteps::read_activations(int pass, sim::StreamedMesh& mesh, int number,
                                 std::vector<std::int8_t*>& padding) const {
  const sim::MeshRun& run = *scheduled_.run;
  const Tiling& tiling = *scheduled_.tiling;
  const Tile tile = tiling.tile(pass);
  const bool ws = run.config().is_weight_stationary();
  const Region& region = placement().activations();
  const ActivationBlock& block = memory_.block_of_pass(layer_, pass);
  const SlicePlaces places(tiling.gemm(), block.slice, tile, tile.shape.rows, tile.shape.depth);
  const std::int64_t base = region.base + block.half * region.bytes;
  const std::int64_t lanes = ws ? tile.shape.depth : tile.shape.rows;
  for (std::int64_t n = 0; n < run.steps(pass); ++n) {
    const Cycle cycle = MemorySchedule::activation_read(run, scheduled_.start, pass, n);
    std::int8_t* const row = mesh.activations(number, n);
    std::int64_t next = -1;  // the place that would continue the last access
    for (std::int64_t r = 0; r < lanes; ++r) {
      const std::int64_t place = places(ws ? n : r, ws ? r : n);
      if (place < 0) {
        padding.push_back(row + r);
        next = -1;
      } else if (place == next) {
        ++steps_.back().bytes;
        ++next;
      } else {
        step(cycle, AccessKind::kRead, region.memory, base + place, 1, row + r);
        next = place + 1;
      }
    }
  }
}

void PassSteps::read_weights(int pass, sim::StreamedMesh& mesh, int number) const {
  const Tiling& tiling = *scheduled_.tiling;
  const Tile tile = tiling.tile(pass);
  const TileLayout layout = placement().tile_layout();
  const std::int64_t address =
      memory_.tile_address(layer_, memory_.tile_of_pass(layer_, tiling, pass));
  const bool ws = scheduled_.run->config().is_weight_stationary();
  for (std::int64_t n = 0; n < tile.shape.depth; ++n) {
    const std::int64_t d = ws ? tile.shape.depth - 1 - n : n;  // WS: the last row enters first
    const TileLayout::Span row = layout.row(tile.shape, d);
    step(MemorySchedule::weight_read(*scheduled_.run, scheduled_.start, pass, d), AccessKind::kRead,
         placement().weights().memory, address + row.offset, row.bytes, mesh.weights(number, d));
  }
}

std::int64_t PassSteps::sums_address(std::int64_t block, std::int64_t row) const {
  const Region& region = placement().accumulators();
  const std::int64_t half = (memory_.layers()[layer_].first_sum_block + block) % region.parts;
  return region.base + half * region.bytes + row * scheduled_.run->config().columns * kSumBytes;
}

void PassSteps::add_up(int pass, sim::StreamedMesh& mesh, int number, std::int32_t* sums) const {
  const sim::MeshRun& run = *scheduled_.run;
  const sim::MeshConfig& config = run.config();
  const Tile tile = scheduled_.tiling->tile(pass);
  const std::size_t memory = placement().accumulators().memory;
  const std::int64_t block = pass / scheduled_.tiling->depth_folds();
  const std::int64_t bytes = config.columns * kSumBytes;
  const bool ws = config.is_weight_stationary();
  const auto read = [&](std::int64_t row) {
    step(MemorySchedule::sum_read(run, scheduled_.start, pass, row), AccessKind::kReadForUpdate,
         memory, sums_address(block, row), bytes, sums + row * config.columns);
  };
  // In order of time: rows follow each other cycle by cycle, and in a cycle reads come first.
  for (std::int64_t n = 0; n < tile.shape.rows; ++n) {
    const std::int64_t row = ws ? n : tile.shape.rows - 1 - n;  // OS: the last one leaves first
    const bool is_first_fold = tile.depth == 0;
    if (!is_first_fold && n == 0) {
      read(row);
    }
    if (!is_first_fold && n + 1 < tile.shape.rows) {
      read(ws ? row + 1 : row - 1);
    }
    const Cycle cycle = MemorySchedule::sum_read(run, scheduled_.start, pass, row) + 1;
    if (is_first_fold) {
      step(cycle, AccessKind::kWrite, memory, sums_address(block, row), bytes,
           mesh.results(number, row));
    } else {
      step(cycle, AccessKind::kWriteBack, memory, sums_address(block, row), bytes,
           sums + row * config.columns);
      steps_.back().addend = mesh.results(number, row);
      steps_.back().overflow = config.overflow;
    }
  }
}

Cycle PassSteps::result_pitch(std::int64_t block) const {
  const Tiling& tiling = *scheduled_.tiling;
  const Tile tile = tiling.tile(static_cast<int>(block) * tiling.depth_folds());
  const auto output = static_cast<std::size_t>(memory_.work()[layer_].outputs.front());
  return memory_.result_pitch(tile.shape.columns, placement().tensors()[output].element_bytes);
}

Cycle PassSteps::read_result(std::int64_t block, std::int64_t row, std::int32_t* to) const {
  const std::vector<Cycle>& reads = memory_.layers()[layer_].result_reads;
  const Cycle cycle = reads[static_cast<std::size_t>(block)] + row * result_pitch(block);
  step(cycle, AccessKind::kRead, placement().accumulators().memory, sums_address(block, row),
       scheduled_.run->config().columns * kSumBytes, to);
  return cycle;
}

}  // namespace tilestrike::bridge
