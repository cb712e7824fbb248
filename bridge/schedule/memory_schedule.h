// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When the memories of an accelerator are written and read in one inference
// (docs/memory_schedule.md). What is held is a few integers per load; reads of single elements are
// worked out when they are asked for. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "bridge/layout/input_slice.h"
#include "bridge/layout/placement.h"
#include "sim/mesh/mesh_run.h"

namespace tilestrike::bridge {

/// A load of activations into one half of their memory.
struct ActivationBlock {
  std::uint32_t layer = 0;
  int half = 0;
  Cycle load = 0;    // requested
  Cycle loaded = 0;  // last codeword written
  Cycle last_read = 0;
  std::int64_t bytes = 0;
  // On the mesh: passes [first_pass, last_pass) read it.
  InputSlice slice;
  int first_pass = 0, last_pass = 0;
  // Else: chunk `chunk` of `chunks`; its elements are read from cycle `read` on.
  std::int64_t chunk = 0, chunks = 1;
  Cycle read = 0;
};

/// Elements [first, last) of one operand in a block, which begin `offset` bytes into it.
struct ChunkPart {
  std::int64_t first = 0, last = 0;
  std::int64_t offset = 0;
};

/// Memory events of one layer, beside its activation blocks.
struct LayerMemory {
  // On the mesh:
  std::vector<Cycle> weight_loads;   // requested, by tile; empty: nothing is loaded (at boot)
  std::int64_t first_slot = 0;       // running number of tile 0 among those that take slots
  std::vector<Cycle> result_reads;   // of the first row, by block of accumulators
  std::int64_t first_sum_block = 0;  // running number of block 0
  // Else:
  Cycle vector_start = 0;  // first element read
  Cycle results = 0;       // all read: the results begin to leave
  // Both: [first_block, last_block) of MemorySchedule::blocks().
  std::size_t first_block = 0, last_block = 0;
};

class MemorySchedule {
 public:
  MemorySchedule(const AcceleratorConfig& accelerator, const std::vector<LayerWork>& work,
                 const std::vector<StoredTensor>& tensors);

  const Placement& placement() const { return placement_; }
  const std::vector<LayerWork>& work() const { return work_; }
  const std::vector<ActivationBlock>& blocks() const { return blocks_; }
  const std::vector<LayerMemory>& layers() const { return layers_; }

  // How Schedule places layers one after another. `now`: the cycle in which the layer before has
  // ended. Each gives the cycle in which this layer has ended, its results in the backing memory.
  /// The hold of the mesh's windows; `start` is the cycle of the run's first wavefront.
  sim::WindowHold hold(std::size_t layer, const Tiling& tiling, Cycle start);
  Cycle end_mesh_layer(std::size_t layer, const sim::MeshRun& run, Cycle start);
  Cycle add_vector_layer(std::size_t layer, Cycle now);
  void finish(Cycle end) { answer_read_ = end; }

  // Times.
  Cycle answer_read() const { return answer_read_; }
  /// Of the codeword that holds byte `offset` of a load to `memory` that was requested at `load`,
  /// of `bytes` in all: when it is read from the backing memory, and when it is written.
  Cycle fetched(std::size_t memory, Cycle load, std::int64_t offset, std::int64_t bytes) const;
  Cycle written(std::size_t memory, Cycle load, std::int64_t offset, std::int64_t bytes) const {
    return fetched(memory, load, offset, bytes) + latency_ + 1;
  }
  /// The tile of weights that a pass reads.
  std::int64_t tile_of_pass(std::size_t layer, const Tiling& tiling, int pass) const;
  int first_pass_of_tile(std::size_t layer, const Tiling& tiling, std::int64_t tile) const;
  std::int64_t tile_address(std::size_t layer, std::int64_t tile) const;
  std::int64_t tile_bytes(const Tiling& tiling, int pass) const;
  /// The block that holds the activations of a pass.
  const ActivationBlock& block_of_pass(std::size_t layer, int pass) const;
  /// Cycles between two rows of results on their way out.
  Cycle result_pitch(std::int64_t columns, int element_bytes) const;
  /// When row `row` of a pass's results meets the accumulator memory: it is read in that cycle and
  /// written in the next.
  static Cycle sum_read(const sim::MeshRun& run, Cycle start, int pass, std::int64_t row);
  /// The cycle in which a pass reads row `row` of its weights, and step `step` of its activations.
  static Cycle weight_read(const sim::MeshRun& run, Cycle start, int pass, std::int64_t row);
  static Cycle activation_read(const sim::MeshRun& run, Cycle start, int pass, std::int64_t step);
  /// The window in which a pass streams, is loaded, or drains.
  static int streaming_window(const sim::MeshRun& run, int pass);
  static int loading_window(const sim::MeshRun& run, int pass);
  static int draining_window(const sim::MeshRun& run, int pass);

  /// The parts of an operator's block, by operand, without those that no memory holds.
  ChunkPart part(const ActivationBlock& block, std::size_t operand) const;
  /// When an element of an operand of an operator that is not on the mesh is read.
  Cycle vector_read(const ActivationBlock& block, const ChunkPart& part,
                    std::int64_t element) const {
    return block.read + (element - part.first) / lanes_;
  }
  /// When a byte of a layer's result arrives at the backing memory; a codeword is written when its
  /// last byte has arrived. Not on the mesh:
  Cycle vector_result(std::size_t layer, std::int64_t byte) const;
  /// On the mesh: of row `row` of a block of accumulators.
  Cycle mesh_result(std::size_t layer, std::int64_t block, std::int64_t row, Cycle pitch) const;

 private:
  struct Walk;  // through one layer's windows
  Cycle load_block(ActivationBlock& block, Cycle from);
  std::int64_t halves() const { return placement_.activations().parts; }
  int element_bytes(std::size_t layer) const;  // of a layer's first output

  Placement placement_;
  std::vector<LayerWork> work_;
  std::int64_t dma_bytes_, latency_, lanes_;
  std::vector<ActivationBlock> blocks_;
  std::vector<LayerMemory> layers_;
  Cycle answer_read_ = 0;
  // The state of the walk through an inference.
  Cycle weights_free_ = 0, activations_free_ = 0;  // the channels
  std::vector<Cycle> slot_read_;                   // last read of each slot
  std::vector<Cycle> half_read_;                   // last read of each half of the activations
  std::vector<Cycle> sum_half_read_;               // last read of each half of the accumulators
  std::int64_t slot_count_ = 0, block_count_ = 0, sum_block_count_ = 0;
  Cycle results_free_ = 0;
};

}  // namespace tilestrike::bridge
