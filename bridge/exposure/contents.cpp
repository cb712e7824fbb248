// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/contents.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

class Collector {
 public:
  Collector(const Schedule& schedule, InferenceContents& contents)
      : schedule_(schedule),
        memory_(*schedule.memory()),
        placement_(memory_.placement()),
        contents_(contents) {}

  void add_weights() {
    for (std::size_t layer = 0; layer < schedule_.layers().size(); ++layer) {
      if (schedule_.layers()[layer].tiling != nullptr) {
        add_tiles(layer);
      }
    }
  }

  void add_activations() {
    const Region& region = placement_.activations();
    for (std::size_t i = 0; i < memory_.blocks().size(); ++i) {
      const ActivationBlock& block = memory_.blocks()[i];
      if (block.bytes > 0) {
        add(region.memory,
            {region.base + block.half * region.bytes, block.bytes,
             memory_.written(region.memory, block.load, 0, block.bytes), block.last_read,
             sim::MemoryContent::kActivations, block.layer, "block " + std::to_string(i)});
      }
    }
  }

  void add_sums() {
    const Region& region = placement_.accumulators();
    for (std::size_t index = 0; index < schedule_.layers().size(); ++index) {
      const ScheduledLayer& layer = schedule_.layers()[index];
      const LayerMemory& here = memory_.layers()[index];
      for (std::size_t i = 0; i < here.result_reads.size(); ++i) {
        const auto block = static_cast<std::int64_t>(i);
        const auto pass = static_cast<int>(block * layer.tiling->depth_folds());
        const sim::PassShape shape = layer.tiling->tile(pass).shape;
        const std::int64_t half = (here.first_sum_block + block) % region.parts;
        const Cycle first =
            std::min(MemorySchedule::sum_read(*layer.run, layer.start, pass, 0),
                     MemorySchedule::sum_read(*layer.run, layer.start, pass, shape.rows - 1));
        const Cycle last =
            here.result_reads[i] +
            (shape.rows - 1) * memory_.result_pitch(shape.columns, element_bytes(index));
        add(region.memory,
            {region.base + half * region.bytes,
             shape.rows * placement_.accelerator().mesh.columns * kSumBytes, first + 1, last,
             sim::MemoryContent::kAccumulators, index, "block " + std::to_string(i)});
      }
    }
  }

  void add_tensors(int answer) {
    const auto backing = placement_.memory_of(sim::MemoryContent::kBacking);
    if (!backing) {
      return;
    }
    const std::vector<StoredTensor>& tensors = placement_.tensors();
    std::vector<ContentSpan> spans(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      spans[i] = {placement_.tensor_base(static_cast<int>(i)),
                  tensors[i].bytes(),
                  0,
                  0,
                  sim::MemoryContent::kBacking,
                  0,
                  tensors[i].name};
      // Constants stay for the inferences to come.
      spans[i].until = tensors[i].is_constant ? contents_.period : 0;
      spans[i].is_fetched = !tensors[i].is_constant;
    }
    if (answer >= 0) {
      spans[static_cast<std::size_t>(answer)].until = memory_.answer_read();
    }
    for (std::size_t layer = 0; layer < memory_.work().size(); ++layer) {
      for (const int output : memory_.work()[layer].outputs) {
        spans[static_cast<std::size_t>(output)].from = first_result(layer);
        spans[static_cast<std::size_t>(output)].layer = layer;
      }
      extend_to_loads(layer, spans);
    }
    for (ContentSpan& span : spans) {
      add(*backing, std::move(span));
    }
  }

 private:
  void add(std::size_t memory, ContentSpan span) {
    if (span.from < span.until) {  // else nobody reads it
      contents_.memories[memory].spans.push_back(std::move(span));
    }
  }

  int element_bytes(std::size_t layer) const {
    const std::vector<int>& outputs = memory_.work()[layer].outputs;
    return outputs.empty()
               ? 1
               : placement_.tensors()[static_cast<std::size_t>(outputs[0])].element_bytes;
  }

  /// The last cycle in which a pass reads its weights.
  Cycle weights_read(std::size_t index, int pass) const {
    const ScheduledLayer& layer = schedule_.layers()[index];
    const std::int64_t depth = layer.tiling->tile(pass).shape.depth;
    return std::max(MemorySchedule::weight_read(*layer.run, layer.start, pass, 0),
                    MemorySchedule::weight_read(*layer.run, layer.start, pass, depth - 1));
  }

  void add_tiles(std::size_t index) {
    const ScheduledLayer& layer = schedule_.layers()[index];
    const Tiling& tiling = *layer.tiling;
    const std::vector<Cycle>& loads = memory_.layers()[index].weight_loads;
    const bool is_in_turn = placement_.weight_place(index).is_in_turn;
    const std::size_t memory = placement_.weights().memory;
    const int folds = tiling.depth_folds();
    const int tiles = is_in_turn ? tiling.passes() : tiling.passes() / tiling.row_folds();
    for (int tile = 0; tile < tiles; ++tile) {
      // A tile with a place of its own is read by a pass of each row fold.
      const int first = memory_.first_pass_of_tile(index, tiling, tile);
      const int last = is_in_turn ? tile : first + (tiling.row_folds() - 1) * folds;
      const std::int64_t bytes = memory_.tile_bytes(tiling, first);
      ContentSpan span{memory_.tile_address(index, tile),
                       bytes,
                       0,
                       contents_.period,
                       sim::MemoryContent::kWeights,
                       index,
                       "tile " + std::to_string(tile)};
      if (!loads.empty()) {  // else it was loaded at boot, and stays
        span.from = memory_.written(memory, loads[static_cast<std::size_t>(tile)], 0, bytes);
        span.until = weights_read(index, last);
      }
      add(memory, std::move(span));
    }
  }

  Cycle first_result(std::size_t layer) const {
    return schedule_.layers()[layer].tiling == nullptr ? memory_.vector_result(layer, 0)
                                                       : memory_.mesh_result(layer, 0, 0, 1);
  }

  /// What a layer reads must lie in the backing memory until its last byte was fetched.
  void extend_to_loads(std::size_t index, std::vector<ContentSpan>& spans) const {
    const LayerMemory& here = memory_.layers()[index];
    const LayerWork& work = memory_.work()[index];
    const auto extend = [&](std::size_t operand, Cycle fetched) {
      const int tensor = operand < work.operands.size() ? work.operands[operand].tensor : -1;
      if (tensor >= 0) {
        Cycle& until = spans[static_cast<std::size_t>(tensor)].until;
        until = std::max(until, fetched);
        spans[static_cast<std::size_t>(tensor)].is_fetched = true;
      }
    };
    const std::size_t memory = placement_.activations().memory;
    for (std::size_t i = here.first_block; i < here.last_block; ++i) {
      const ActivationBlock& block = memory_.blocks()[i];
      if (block.bytes == 0) {
        continue;
      }
      const Cycle fetched = memory_.fetched(memory, block.load, block.bytes - 1, block.bytes);
      if (work.gemm) {
        extend(0, fetched);
      } else {
        for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
          extend(operand, fetched);
        }
      }
    }
    if (work.gemm && !here.weight_loads.empty()) {
      const Tiling& tiling = *schedule_.layers()[index].tiling;
      const std::int64_t bytes = memory_.tile_bytes(tiling, tiling.passes() - 1);
      extend(1, memory_.fetched(placement_.weights().memory, here.weight_loads.back(), bytes - 1,
                                bytes));
    }
  }

  const Schedule& schedule_;
  const MemorySchedule& memory_;
  const Placement& placement_;
  InferenceContents& contents_;
};

}  // namespace

CodewordsInUse codewords_in_use(const MemoryContents& contents, Cycle period,
                                std::int64_t codeword_bytes) {
  std::vector<std::pair<std::int64_t, std::int64_t>> resident, all;  // first, one past the last
  for (const ContentSpan& span : contents.spans) {
    if (!span.is_fetched) {
      continue;
    }
    const std::pair codewords{span.address / codeword_bytes,
                              (span.address + span.bytes - 1) / codeword_bytes + 1};
    all.push_back(codewords);
    if (span.from == 0 && span.until == period) {
      resident.push_back(codewords);
    }
  }
  const auto count = [](std::vector<std::pair<std::int64_t, std::int64_t>>& spans) {
    std::ranges::sort(spans);
    std::int64_t end = 0, sum = 0;
    for (const auto& [first, last] : spans) {
      sum += std::max<std::int64_t>(0, last - std::max(first, end));
      end = std::max(end, last);
    }
    return static_cast<std::uint64_t>(sum);
  };
  const std::uint64_t stays = count(resident);
  return {stays, count(all) - stays};
}

InferenceContents contents_of(const Schedule& schedule, std::vector<std::string> layer_names,
                              int answer) {
  TS_CHECK(schedule.memory() != nullptr, "a schedule with memories");
  InferenceContents contents;
  for (const auto& [name, memory] : schedule.memory()->placement().accelerator().memory) {
    contents.memories.push_back({name, memory.capacity_bytes, {}});
  }
  contents.layers = std::move(layer_names);
  contents.period = schedule.cycles_per_inference();
  Collector collector(schedule, contents);
  collector.add_weights();
  collector.add_activations();
  collector.add_sums();
  collector.add_tensors(answer);
  return contents;
}

}  // namespace tilestrike::bridge
