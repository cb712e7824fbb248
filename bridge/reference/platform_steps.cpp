// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/reference/platform_steps.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "bridge/effects/pass_steps.h"

namespace tilestrike::bridge {
namespace {

using sim::AccessKind;
using sim::PlatformStep;

constexpr std::size_t kMostSteps = std::size_t{1} << 26;

const at::Tensor& tensor_of(const dnn::Values& values, dnn::ValueId id) {
  return values[static_cast<std::size_t>(id.value)].toTensor();
}

std::vector<sim::MemoryConfig> memories_of(const Mapping& mapping) {
  std::vector<sim::MemoryConfig> memories;
  for (const auto& [name, config] : mapping.accelerator().memory) {
    memories.push_back(config);
  }
  const Placement& placement = mapping.schedule().memory()->placement();
  if (!placement.memory_of(sim::MemoryContent::kBacking)) {
    sim::MemoryConfig backing;
    backing.row_bytes = 128;
    backing.data_bits = 8;
    for (std::size_t i = 0; i < placement.tensors().size(); ++i) {
      backing.capacity_bytes =
          std::max(backing.capacity_bytes,
                   placement.tensor_base(static_cast<int>(i)) + placement.tensors()[i].bytes());
    }
    backing.capacity_bytes = rounded_up(backing.capacity_bytes, backing.row_bytes);
    memories.push_back(backing);
  }
  return memories;
}

}  // namespace

PlatformSteps::PlatformSteps(const dnn::Network& network, const Mapping& mapping,
                             const dnn::Tape& shapes)
    : network_(network),
      mapping_(mapping),
      work_(mapping.work()),
      memory_(*mapping.schedule().memory()),
      memories_(memories_of(mapping)),
      layers_(network.layers.size()) {
  const auto memory = placement().memory_of(sim::MemoryContent::kBacking);
  backing_ = static_cast<std::int32_t>(memory ? *memory : mapping.accelerator().memory.size());
  check(shapes);
  add_inputs();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (scheduled(i).tiling != nullptr) {
      add_mesh_layer(i);
    } else if (work_.layers[i].vector_elements > 0) {
      add_vector_layer(i);
    }
    if (steps_.size() > kMostSteps) {
      fail(ErrorCode::kUnsupported,
           "an inference of " + std::to_string(steps_.size()) + " accesses by layer " +
               network.layers[i].name,
           network.name, "the slow reference is for small networks and images");
    }
  }
  add_answer();
  std::stable_sort(steps_.begin(), steps_.end(), [](const auto& x, const auto& y) {
    return std::tuple(x.cycle, x.is_write()) < std::tuple(y.cycle, y.is_write());
  });
  std::stable_sort(actions_.begin(), actions_.end(),
                   [](const HostAction& x, const HostAction& y) { return x.cycle < y.cycle; });
}

void PlatformSteps::check(const dnn::Tape& shapes) const {
  const auto no = [&](const std::string& what, dnn::ValueId id) {
    fail(ErrorCode::kUnsupported, what + ": " + network_.info(id).name, network_.name,
         "the simulation of whole inferences does not do this");
  };
  for (std::size_t v = 0; v < work_.tensor_of.size(); ++v) {
    const int stored = work_.tensor_of[v];
    if (stored < 0) {
      continue;
    }
    const dnn::ValueId id(static_cast<std::int32_t>(v));
    const at::Tensor& tensor = tensor_of(shapes.values, id);
    const StoredTensor& all = placement().tensors()[static_cast<std::size_t>(stored)];
    if (tensor.numel() != all.elements || tensor.element_size() != all.element_bytes) {
      no("a view that leaves out elements", id);
    }
  }
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    for (const dnn::ValueId id : network_.layers[i].outputs) {
      const bool is_stored =
          id.value >= 0 && work_.tensor_of[static_cast<std::size_t>(id.value)] >= 0;
      if (is_stored && !work_.layers[i].outputs.empty() &&
          !tensor_of(shapes.values, id).is_contiguous()) {
        no("a result that is not contiguous", id);
      }
    }
    if (scheduled(i).tiling != nullptr && scheduled(i).tiling->gemm().is_product) {
      no("a product of two activations", network_.layers[i].outputs.front());
    }
  }
}

std::uint8_t* PlatformSteps::new_buffer(std::int64_t bytes) {
  buffers_.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(bytes)));
  return buffers_.back().get();
}

// Neighbours that are read in one cycle are read together.
void PlatformSteps::step(Cycle cycle, AccessKind kind, std::size_t memory, std::int64_t address,
                         std::int64_t bytes, void* data) {
  std::vector<PlatformStep>& steps = *building_;
  const auto at = static_cast<std::uint64_t>(address);
  auto* const place = static_cast<std::uint8_t*>(data);
  if (kind == AccessKind::kRead && !steps.empty()) {
    PlatformStep& last = steps.back();
    if (last.kind == kind && last.cycle == cycle &&
        static_cast<std::size_t>(last.memory) == memory && last.address + last.bytes == at &&
        last.data + last.bytes == place) {
      last.bytes += static_cast<std::uint64_t>(bytes);
      return;
    }
  }
  PlatformStep made;
  made.cycle = cycle;
  made.kind = kind;
  made.memory = static_cast<std::int32_t>(memory);
  made.address = at;
  made.bytes = static_cast<std::uint64_t>(bytes);
  made.data = place;
  steps.push_back(made);
}

template <class Fetch>
void PlatformSteps::load(std::size_t memory, Cycle requested, std::int64_t address,
                         std::int64_t bytes, std::uint8_t* buffer, const Fetch& fetch) {
  const std::int64_t word = word_of(memory);
  for (std::int64_t offset = 0; offset < bytes; offset += word) {
    const Cycle read = memory_.fetched(memory, requested, offset, bytes);
    fetch(read, offset, std::min(offset + word, bytes));
    step(memory_.written(memory, requested, offset, bytes), AccessKind::kWrite, memory,
         address + offset, word, buffer + offset);
  }
}

// Whole codewords into the backing memory, each when its last byte has arrived.
void PlatformSteps::store(int tensor, std::uint8_t* bytes,
                          const std::function<Cycle(std::int64_t)>& arrival) {
  const std::int64_t word = word_of(static_cast<std::size_t>(backing_));
  const std::int64_t size = stored(tensor).bytes();
  for (std::int64_t offset = 0; offset < size; offset += word) {
    Cycle last = 0;
    for (std::int64_t byte = offset; byte < std::min(offset + word, size); ++byte) {
      last = std::max(last, arrival(byte));
    }
    step(last, AccessKind::kWrite, static_cast<std::size_t>(backing_),
         backing_address(tensor) + offset, word, bytes + offset);
  }
}

void PlatformSteps::add_inputs() {
  for (const dnn::ValueId id : network_.inputs) {
    const int tensor = work_.tensor_of[static_cast<std::size_t>(id.value)];
    inputs_.push_back(nullptr);
    if (tensor >= 0) {
      const std::int64_t bytes =
          rounded_up(stored(tensor).bytes(), word_of(static_cast<std::size_t>(backing_)));
      inputs_.back() = new_buffer(bytes);
      step(0, AccessKind::kWrite, static_cast<std::size_t>(backing_), backing_address(tensor),
           bytes, inputs_.back());
    }
  }
}

void PlatformSteps::add_answer() {
  const int tensor = work_.tensor_of[static_cast<std::size_t>(network_.output.value)];
  TS_CHECK(tensor >= 0, "the answer lies in a memory");
  const std::int64_t bytes = stored(tensor).bytes();
  answer_ = new_buffer(bytes);
  step(memory_.answer_read(), AccessKind::kRead, static_cast<std::size_t>(backing_),
       backing_address(tensor), bytes, answer_);
}

void PlatformSteps::add_mesh_layer(std::size_t layer) {
  const sim::MeshRun& run = *scheduled(layer).run;
  const Cycle start = scheduled(layer).start;
  LayerTraffic& traffic = layers_[layer];
  traffic.mesh = std::make_unique<sim::StreamedMesh>(run);
  act(start, HostAction::Kind::kRestart, layer);
  std::int64_t wavefront = 0;
  for (int index = 0; index < run.windows(); ++index) {
    while (wavefront < run.window(index).end()) {
      wavefront = sim::StreamedMesh::stop_after(run, index, wavefront);
      act(start + wavefront, HostAction::Kind::kAdvance, layer);
    }
  }
  load_weights(layer);
  load_input(layer);
  std::int64_t rows = 0;
  for (const sim::PassShape& shape : run.passes()) {
    rows += shape.rows;
  }
  traffic.sums.resize(static_cast<std::size_t>(rows * run.config().columns));
  traffic.padding.resize(run.passes().size());
  rows = 0;
  const PassSteps passes(mapping_.schedule(), layer, steps_);
  for (int pass = 0; pass < scheduled(layer).tiling->passes(); ++pass) {
    act(start + run.window(MemorySchedule::loading_window(run, pass)).start,
        HostAction::Kind::kBegin, layer, pass);
    passes.read_activations(pass, *traffic.mesh, pass,
                            traffic.padding[static_cast<std::size_t>(pass)]);
    passes.read_weights(pass, *traffic.mesh, pass);
    passes.add_up(pass, *traffic.mesh, pass,
                  &traffic.sums[static_cast<std::size_t>(rows * run.config().columns)]);
    rows += run.passes()[static_cast<std::size_t>(pass)].rows;
  }
  add_results(layer);
}

// A tile's row d holds the weights of depth d for each of its columns.
void PlatformSteps::load_weights(std::size_t layer) {
  const Tiling& tiling = *scheduled(layer).tiling;
  const GemmShape& gemm = tiling.gemm();
  const std::size_t memory = placement().weights().memory;
  const std::int64_t lanes = mapping_.accelerator().mesh.columns;
  const std::vector<Cycle>& loads = memory_.layers()[layer].weight_loads;
  const bool at_boot = loads.empty();
  const std::int64_t tensor = backing_address(work_.weights_of[layer]);
  std::int64_t tiles = 0;
  for (int pass = 0; pass < tiling.passes(); ++pass) {
    if (memory_.tile_of_pass(layer, tiling, pass) != tiles) {
      continue;
    }
    const Tile tile = tiling.tile(pass);
    const std::int64_t bytes = memory_.tile_bytes(tiling, pass);
    std::uint8_t* const buffer = new_buffer(rounded_up(bytes, word_of(memory)));
    building_ = at_boot ? &boot_steps_ : &steps_;
    load(memory, at_boot ? 0 : loads[static_cast<std::size_t>(tiles)],
         memory_.tile_address(layer, tiles), bytes, buffer,
         [&](Cycle cycle, std::int64_t from, std::int64_t to) {
           for (std::int64_t o = from; o < to; ++o) {
             const std::int64_t column = o % lanes;
             if (column < tile.shape.columns) {
               const std::int64_t row = tile.group * gemm.columns + tile.column + column;
               step(cycle, AccessKind::kRead, static_cast<std::size_t>(backing_),
                    tensor + row * gemm.depth + tile.depth + o / lanes, 1, buffer + o);
             }
           }
         });
    building_ = &steps_;
    ++tiles;
  }
}

void PlatformSteps::load_input(std::size_t layer) {
  const GemmShape& gemm = scheduled(layer).tiling->gemm();
  const Region& region = placement().activations();
  const LayerMemory& events = memory_.layers()[layer];
  const int tensor = work_.layers[layer].operands[0].tensor;
  for (std::size_t b = events.first_block; b < events.last_block; ++b) {
    const ActivationBlock& block = memory_.blocks()[b];
    std::uint8_t* const buffer = new_buffer(rounded_up(block.bytes, word_of(region.memory)));
    load(region.memory, block.load, region.base + block.half * region.bytes, block.bytes, buffer,
         [&](Cycle cycle, std::int64_t from, std::int64_t to) {
           for (std::int64_t place = from; place < to; ++place) {
             step(cycle, AccessKind::kRead, static_cast<std::size_t>(backing_),
                  backing_address(tensor) + block.slice.element_at(gemm, place), 1, buffer + place);
           }
         });
  }
}

void PlatformSteps::add_results(std::size_t layer) {
  LayerTraffic& state = layers_[layer];
  const Tiling& tiling = *scheduled(layer).tiling;
  const GemmShape& gemm = tiling.gemm();
  const LayerMemory& events = memory_.layers()[layer];
  const PassSteps passes(mapping_.schedule(), layer, steps_);
  const std::int64_t lanes = mapping_.accelerator().mesh.columns;
  const int tensor = work_.layers[layer].outputs.front();
  const StoredTensor& output = stored(tensor);
  std::vector<Cycle> arrival(static_cast<std::size_t>(output.elements));
  state.blocks.resize(events.result_reads.size() *
                      static_cast<std::size_t>(std::min(tiling.row_step(), gemm.rows) * lanes));
  std::int64_t row_number = 0;
  for (std::size_t b = 0; b < events.result_reads.size(); ++b) {
    const Tile tile = tiling.tile(static_cast<int>(b) * tiling.depth_folds());
    const auto block = static_cast<std::int64_t>(b);
    for (std::int64_t row = 0; row < tile.shape.rows; ++row, ++row_number) {
      std::int32_t* const words = &state.blocks[static_cast<std::size_t>(row_number * lanes)];
      ResultRow result;
      result.read = passes.read_result(block, row, words);
      result.group = tile.group;
      result.row = tile.row + row;
      result.column = tile.column;
      result.columns = tile.shape.columns;
      result.sums = words;
      state.rows.push_back(result);
      const Cycle there = memory_.mesh_result(layer, block, row, passes.result_pitch(block));
      for (std::int64_t c = 0; c < tile.shape.columns; ++c) {
        arrival[static_cast<std::size_t>(
            gemm.output_index(tile.group, tile.row + row, tile.column + c))] = there;
      }
    }
  }
  state.outputs.emplace_back(static_cast<std::size_t>(
      rounded_up(output.bytes(), word_of(static_cast<std::size_t>(backing_)))));
  const std::size_t first = steps_.size();
  store(tensor, state.outputs[0].data(), [&](std::int64_t byte) {
    return arrival[static_cast<std::size_t>(byte / output.element_bytes)];
  });
  std::vector<Cycle> writes;
  for (std::size_t i = first; i < steps_.size(); ++i) {
    writes.push_back(steps_[i].cycle);
  }
  std::sort(writes.begin(), writes.end());
  writes.erase(std::unique(writes.begin(), writes.end()), writes.end());
  for (const Cycle cycle : writes) {
    act(cycle, HostAction::Kind::kRequantise, layer);
  }
}

void PlatformSteps::add_vector_layer(std::size_t layer) {
  LayerTraffic& state = layers_[layer];
  const LayerWork& work = work_.layers[layer];
  const LayerMemory& events = memory_.layers()[layer];
  const Region& region = placement().activations();
  for (const StoredOperand& operand : work.operands) {
    state.operands.emplace_back(
        operand.tensor < 0 ? 0 : static_cast<std::size_t>(stored(operand.tensor).bytes()));
  }
  for (std::size_t b = events.first_block; b < events.last_block; ++b) {
    const ActivationBlock& block = memory_.blocks()[b];
    const std::int64_t address = region.base + block.half * region.bytes;
    std::uint8_t* const buffer = new_buffer(rounded_up(block.bytes, word_of(region.memory)));
    const auto for_parts = [&](std::int64_t from, std::int64_t to, const auto& visit) {
      for (std::size_t k = 0; k < work.operands.size(); ++k) {
        if (work.operands[k].tensor < 0) {
          continue;
        }
        const ChunkPart part = memory_.part(block, k);
        const std::int64_t size = stored(work.operands[k].tensor).element_bytes;
        const std::int64_t first = std::max(from, part.offset);
        const std::int64_t last = std::min(to, part.offset + (part.last - part.first) * size);
        if (first < last) {
          visit(k, part, size, first, last);
        }
      }
    };
    load(region.memory, block.load, address, block.bytes, buffer,
         [&](Cycle cycle, std::int64_t from, std::int64_t to) {
           for_parts(from, to,
                     [&](std::size_t k, const ChunkPart& part, std::int64_t size,
                         std::int64_t first, std::int64_t last) {
                       step(cycle, AccessKind::kRead, static_cast<std::size_t>(backing_),
                            backing_address(work.operands[k].tensor) + part.first * size + first -
                                part.offset,
                            last - first, buffer + first);
                     });
         });
    for_parts(
        0, block.bytes,
        [&](std::size_t k, const ChunkPart& part, std::int64_t size, std::int64_t, std::int64_t) {
          for (std::int64_t e = part.first; e < part.last; ++e) {
            step(memory_.vector_read(block, part, e), AccessKind::kRead, region.memory,
                 address + part.offset + (e - part.first) * size, size,
                 &state.operands[k][static_cast<std::size_t>(e * size)]);
          }
        });
  }
  act(events.results, HostAction::Kind::kCompute, layer);
  for (const int tensor : work.outputs) {
    state.outputs.emplace_back(static_cast<std::size_t>(
        rounded_up(stored(tensor).bytes(), word_of(static_cast<std::size_t>(backing_)))));
    store(tensor, state.outputs.back().data(),
          [&](std::int64_t byte) { return memory_.vector_result(layer, byte); });
  }
}

}  // namespace tilestrike::bridge
