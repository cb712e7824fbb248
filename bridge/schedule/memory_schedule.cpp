// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/schedule/memory_schedule.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

bool is_overlapped(const sim::MeshRun& run) {
  return run.config().preload == sim::Preload::kOverlapped;
}

}  // namespace

MemorySchedule::MemorySchedule(const AcceleratorConfig& accelerator,
                               const std::vector<LayerWork>& work,
                               const std::vector<StoredTensor>& tensors)
    : placement_(accelerator, work, tensors),
      work_(work),
      dma_bytes_(accelerator.schedule.dma_bytes),
      latency_(accelerator.schedule.dma_latency),
      lanes_(accelerator.schedule.vector_lanes),
      layers_(work.size()),
      slot_read_(static_cast<std::size_t>(placement_.slots()), 0),
      half_read_(static_cast<std::size_t>(placement_.activations().parts), 0),
      sum_half_read_(static_cast<std::size_t>(placement_.accumulators().parts), 0) {}

int MemorySchedule::loading_window(const sim::MeshRun& run, int pass) {
  return is_overlapped(run) ? pass : 2 * pass;
}
int MemorySchedule::streaming_window(const sim::MeshRun& run, int pass) {
  return loading_window(run, pass) + 1;
}
int MemorySchedule::draining_window(const sim::MeshRun& run, int pass) {
  return loading_window(run, pass) + 2;
}

Cycle MemorySchedule::weight_read(const sim::MeshRun& run, Cycle start, int pass,
                                  std::int64_t row) {
  return run.config().is_weight_stationary()
             ? start + run.window(loading_window(run, pass)).end() - 1 - row
             : start + run.window(streaming_window(run, pass)).start + row;
}

Cycle MemorySchedule::activation_read(const sim::MeshRun& run, Cycle start, int pass,
                                      std::int64_t step) {
  return start + run.window(streaming_window(run, pass)).start + step;
}

Cycle MemorySchedule::sum_read(const sim::MeshRun& run, Cycle start, int pass, std::int64_t row) {
  const sim::MeshConfig& mesh = run.config();
  const std::int64_t wavefront =
      mesh.is_weight_stationary()
          ? run.window(streaming_window(run, pass)).start + row
          : run.window(draining_window(run, pass)).start + mesh.rows - 1 - row;
  return start + wavefront + mesh.rows + mesh.columns - 1;
}

Cycle MemorySchedule::fetched(std::size_t memory, Cycle load, std::int64_t offset,
                              std::int64_t bytes) const {
  const std::int64_t word = placement_.codeword_bytes(memory);
  return load + (std::min((offset / word + 1) * word, bytes) - 1) / dma_bytes_;
}

std::int64_t MemorySchedule::tile_of_pass(std::size_t layer, const Tiling& tiling, int pass) const {
  if (placement_.weight_place(layer).is_in_turn) {
    return pass;
  }
  const std::int64_t depth_fold = pass % tiling.depth_folds();
  const std::int64_t block_of_columns = pass / tiling.depth_folds() / tiling.row_folds();
  return block_of_columns * tiling.depth_folds() + depth_fold;
}

int MemorySchedule::first_pass_of_tile(std::size_t layer, const Tiling& tiling,
                                       std::int64_t tile) const {
  const std::int64_t folds = tiling.depth_folds();
  return static_cast<int>(placement_.weight_place(layer).is_in_turn
                              ? tile
                              : tile / folds * tiling.row_folds() * folds + tile % folds);
}

std::int64_t MemorySchedule::tile_address(std::size_t layer, std::int64_t tile) const {
  const WeightPlace& place = placement_.weight_place(layer);
  const std::int64_t number =
      place.is_in_turn ? (layers_[layer].first_slot + tile) % placement_.slots() : tile;
  return place.base + number * place.pitch;
}

std::int64_t MemorySchedule::tile_bytes(const Tiling& tiling, int pass) const {
  return placement_.tile_layout().bytes(tiling.tile(pass).shape.depth);
}

const ActivationBlock& MemorySchedule::block_of_pass(std::size_t layer, int pass) const {
  const LayerMemory& here = layers_[layer];
  const auto first = blocks_.begin() + static_cast<std::ptrdiff_t>(here.first_block);
  const auto last = blocks_.begin() + static_cast<std::ptrdiff_t>(here.last_block);
  const auto found = std::upper_bound(
      first, last, pass, [](int at, const ActivationBlock& block) { return at < block.last_pass; });
  TS_CHECK(found != last && found->first_pass <= pass, "a pass's activations are loaded");
  return *found;
}

Cycle MemorySchedule::result_pitch(std::int64_t columns, int element_bytes) const {
  return std::max<Cycle>(1, ceiling(columns * element_bytes, dma_bytes_));
}

int MemorySchedule::element_bytes(std::size_t layer) const {
  const std::vector<int>& outputs = work_[layer].outputs;
  return outputs.empty() ? 1
                         : placement_.tensors()[static_cast<std::size_t>(outputs[0])].element_bytes;
}

Cycle MemorySchedule::load_block(ActivationBlock& block, Cycle from) {
  block.half = static_cast<int>(block_count_ % halves());
  ++block_count_;
  block.load =
      std::max({activations_free_, half_read_[static_cast<std::size_t>(block.half)], from});
  activations_free_ = block.load + ceiling(block.bytes, dma_bytes_);
  block.loaded = block.bytes == 0 ? block.load
                                  : written(placement_.activations().memory, block.load,
                                            block.bytes - 1, block.bytes);
  return block.loaded;
}

// The walk through the windows of one layer: which pass belongs to which block, and when what it
// needs is there.
struct MemorySchedule::Walk {
  MemorySchedule& all;
  std::size_t layer;
  const Tiling& tiling;
  const sim::MeshConfig& mesh;
  Cycle start;

  LayerMemory& memory() const { return all.layers_[layer]; }
  bool is_ws() const { return mesh.is_weight_stationary(); }
  int sum_block(int pass) const { return pass / tiling.depth_folds(); }
  std::size_t sum_half(int pass) const {
    return static_cast<std::size_t>((memory().first_sum_block + sum_block(pass)) %
                                    all.placement_.accumulators().parts);
  }

  /// The cycle in which the pass's weights are all there; loads them.
  Cycle load_weights(int pass) const {
    LayerMemory& here = memory();
    const Placement& placement = all.placement_;
    const WeightPlace& place = placement.weight_place(layer);
    const std::int64_t tile = all.tile_of_pass(layer, tiling, pass);
    const std::int64_t bytes = all.tile_bytes(tiling, pass);
    if (!place.is_in_turn && placement.accelerator().schedule.weights == WeightReload::kAtBoot) {
      return -1;
    }
    if (tile == static_cast<std::int64_t>(here.weight_loads.size())) {
      Cycle load = all.weights_free_;
      if (place.is_in_turn) {
        load = std::max(load, all.slot_read_[slot(tile)]);
        ++all.slot_count_;
      }
      if (tiling.gemm().is_product) {
        load = std::max(load, start);
      }
      all.weights_free_ = load + ceiling(bytes, all.dma_bytes_);
      here.weight_loads.push_back(load);
    }
    const Cycle load = here.weight_loads[static_cast<std::size_t>(tile)];
    return all.written(placement.weights().memory, load, bytes - 1, bytes);
  }
  std::size_t slot(std::int64_t tile) const {
    return static_cast<std::size_t>((memory().first_slot + tile) % all.placement_.slots());
  }
  void weights_read(int pass, Cycle last) const {
    if (all.placement_.weight_place(layer).is_in_turn) {
      all.slot_read_[slot(pass)] = last;
    }
  }

  /// The block that a pass reads, loaded if it is new.
  ActivationBlock& block_of(int pass) const {
    std::vector<ActivationBlock>& blocks = all.blocks_;
    for (std::size_t i = blocks.size(); i > memory().first_block;) {
      ActivationBlock& block = blocks[--i];
      if (block.first_pass <= pass && pass < block.last_pass) {
        return block;
      }
    }
    ActivationBlock block;
    block.layer = static_cast<std::uint32_t>(layer);
    block.first_pass = pass;
    const GemmShape& gemm = tiling.gemm();
    const Tile tile = tiling.tile(pass);
    const std::int64_t folds = tiling.row_folds();
    const std::int64_t first = pass / tiling.depth_folds() % folds;
    std::int64_t count = 1;
    const auto slice = [&](std::int64_t with) {
      return InputSlice::of(gemm, tile.group, tile.row,
                            std::min(tile.row + with * tiling.row_step(), gemm.rows));
    };
    while (first + count < folds &&
           slice(count + 1).elements(gemm) <= all.placement_.activations().bytes) {
      ++count;
    }
    block.slice = slice(count);
    block.last_pass = pass + static_cast<int>(count) * tiling.depth_folds();
    if (blocks.size() > memory().first_block && blocks.back().slice == block.slice) {
      blocks.back().last_pass = block.last_pass;  // it lies there already
      return blocks.back();
    }
    block.bytes = block.slice.elements(gemm);
    all.load_block(block, start);
    blocks.push_back(block);
    return blocks.back();
  }

  void results_complete(int pass, Cycle last_written) const {
    if (pass % tiling.depth_folds() != tiling.depth_folds() - 1) {
      return;
    }
    const Tile tile = tiling.tile(pass);
    const Cycle pitch = all.result_pitch(tile.shape.columns, all.element_bytes(layer));
    const Cycle first = std::max(last_written + 1, all.results_free_);
    memory().result_reads.push_back(first);
    all.results_free_ = first + tile.shape.rows * pitch;
    all.sum_half_read_[sum_half(pass)] = first + (tile.shape.rows - 1) * pitch;
  }

  std::int64_t operator()(const sim::Window& window, const sim::Window& next) const {
    const Cycle at = start + window.start;
    const std::int64_t depth_of_mesh = mesh.rows + mesh.columns;
    Cycle end = at + std::max<std::int64_t>(window.length, 2);
    if (window.streams >= 0) {
      const sim::PassShape shape = tiling.tile(window.streams).shape;
      const std::int64_t steps = is_ws() ? shape.rows : shape.depth;
      ActivationBlock& block = block_of(window.streams);
      block.last_read = at + steps - 1;
      Cycle& half = all.half_read_[static_cast<std::size_t>(block.half)];
      half = std::max(half, block.last_read);
      if (is_ws()) {
        results_complete(window.streams, at + shape.rows - 1 + depth_of_mesh);
      } else {
        weights_read(window.streams, at + steps - 1);
      }
    }
    if (window.drains >= 0) {
      results_complete(window.drains, at + mesh.rows - 1 + depth_of_mesh);
    }
    if (window.loads >= 0 && is_ws()) {
      const int depth = tiling.tile(window.loads).shape.depth;
      end = std::max(end, load_weights(window.loads) + 1 + depth);
    }
    if (next.streams >= 0) {
      end = std::max(end, block_of(next.streams).loaded + 1);
      if (!is_ws()) {
        end = std::max(end, load_weights(next.streams) + 1);
      } else if (next.streams % tiling.depth_folds() == 0) {
        end = std::max(end, all.sum_half_read_[sum_half(next.streams)] - depth_of_mesh);
      }
    }
    if (next.drains >= 0 && next.drains % tiling.depth_folds() == 0) {
      const int skipped = mesh.rows - tiling.tile(next.drains).shape.rows;
      end = std::max(end, all.sum_half_read_[sum_half(next.drains)] - depth_of_mesh - skipped);
    }
    if (window.loads >= 0 && is_ws()) {
      weights_read(window.loads, end - 1);
    }
    return end - at;
  }
};

sim::WindowHold MemorySchedule::hold(std::size_t layer, const Tiling& tiling, Cycle start) {
  layers_[layer].first_slot = slot_count_;
  layers_[layer].first_sum_block = sum_block_count_;
  layers_[layer].first_block = blocks_.size();
  return Walk{*this, layer, tiling, placement_.accelerator().mesh, start};
}

Cycle MemorySchedule::end_mesh_layer(std::size_t layer, const sim::MeshRun& run, Cycle start) {
  LayerMemory& here = layers_[layer];
  here.last_block = blocks_.size();
  sum_block_count_ += static_cast<std::int64_t>(here.result_reads.size());
  return std::max(start + run.cycles(), results_free_ + latency_) + 1;
}

ChunkPart MemorySchedule::part(const ActivationBlock& block, std::size_t operand) const {
  const std::int64_t word = placement_.codeword_bytes(placement_.activations().memory);
  ChunkPart found;
  for (std::size_t i = 0;; ++i) {
    const StoredOperand& stored = work_[block.layer].operands[i];
    if (stored.tensor < 0) {
      found.first = found.last = 0;
    } else {
      found.first = stored.elements * block.chunk / block.chunks;
      found.last = stored.elements * (block.chunk + 1) / block.chunks;
    }
    if (i == operand) {
      return found;
    }
    if (stored.tensor >= 0) {
      const int bytes = placement_.tensors()[static_cast<std::size_t>(stored.tensor)].element_bytes;
      found.offset += rounded_up((found.last - found.first) * bytes, word);
    }
  }
}

Cycle MemorySchedule::add_vector_layer(std::size_t layer, Cycle now) {
  LayerMemory& here = layers_[layer];
  const LayerWork& work = work_[layer];
  here.first_block = blocks_.size();
  here.last_block = blocks_.size();
  if (work.vector_elements == 0) {
    return now;
  }
  const auto bytes_of = [&](const ActivationBlock& block) {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < work.operands.size(); ++i) {
      const int tensor = work.operands[i].tensor;
      if (tensor >= 0) {
        const ChunkPart chunk = part(block, i);
        bytes =
            chunk.offset + (chunk.last - chunk.first) *
                               placement_.tensors()[static_cast<std::size_t>(tensor)].element_bytes;
      }
    }
    return bytes;
  };
  ActivationBlock block;
  block.layer = static_cast<std::uint32_t>(layer);
  // The last chunk has the largest shares.
  const auto fits = [&] {
    block.chunk = block.chunks - 1;
    return bytes_of(block) <= placement_.activations().bytes;
  };
  for (block.chunks = std::max<std::int64_t>(1, bytes_of(block) / placement_.activations().bytes);
       !fits(); ++block.chunks) {
  }
  Cycle end = now;  // of reading
  bool is_any = false;
  for (block.chunk = 0; block.chunk < block.chunks; ++block.chunk) {
    block.bytes = bytes_of(block);
    if (block.bytes == 0) {
      continue;
    }
    load_block(block, now);
    block.read = std::max(block.loaded + 1, end);
    std::int64_t longest = 1;
    for (std::size_t i = 0; i < work.operands.size(); ++i) {
      const ChunkPart chunk = part(block, i);
      longest = std::max(longest, chunk.last - chunk.first);
    }
    block.last_read = block.read + ceiling(longest, lanes_) - 1;
    half_read_[static_cast<std::size_t>(block.half)] = block.last_read;
    end = block.last_read + 1;
    here.vector_start = is_any ? here.vector_start : block.read;
    is_any = true;
    blocks_.push_back(block);
  }
  if (!is_any) {
    here.vector_start = now;
    end = now + ceiling(work.vector_elements, lanes_);
  }
  here.last_block = blocks_.size();
  here.results = end;
  std::int64_t bytes = 0;
  for (const int output : work.outputs) {
    bytes = std::max(bytes, placement_.tensors()[static_cast<std::size_t>(output)].bytes());
  }
  return end + latency_ + ceiling(bytes, dma_bytes_) + 1;
}

Cycle MemorySchedule::vector_result(std::size_t layer, std::int64_t byte) const {
  return layers_[layer].results + latency_ + byte / dma_bytes_;
}

Cycle MemorySchedule::mesh_result(std::size_t layer, std::int64_t block, std::int64_t row,
                                  Cycle pitch) const {
  return layers_[layer].result_reads[static_cast<std::size_t>(block)] + row * pitch + 1 + latency_;
}

}  // namespace tilestrike::bridge
