// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/layout/placement.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bridge/layout/input_slice.h"

namespace tilestrike::bridge {
namespace {

using sim::MemoryContent;

[[noreturn]] void does_not_fit(const std::string& what, const std::string& cure) {
  fail(ErrorCode::kUnsupported, what, "accelerator.memory", cure);
}

std::string bytes_text(std::int64_t bytes) { return std::to_string(bytes) + " bytes"; }

}  // namespace

Placement::Placement(const AcceleratorConfig& accelerator, const std::vector<LayerWork>& work,
                     const std::vector<StoredTensor>& tensors)
    : accelerator_(accelerator), tensors_(tensors) {
  find_roles();
  check_words();
  limits_.resize(work.size());
  weight_places_.resize(work.size());
  place_weights(work);
  place_activations(work);
  place_tensors();
}

void Placement::find_roles() {
  for (const MemoryContent role : {MemoryContent::kWeights, MemoryContent::kActivations,
                                   MemoryContent::kAccumulators, MemoryContent::kBacking}) {
    std::vector<std::string> holders;
    auto& found = roles_[static_cast<std::size_t>(role)];
    for (std::size_t i = 0; i < accelerator_.memory.size(); ++i) {
      const auto& [name, memory] = accelerator_.memory[i];
      if (std::ranges::find(memory.holds, role) != memory.holds.end()) {
        holders.push_back(name);
        found = i;
      }
    }
    if (holders.size() > 1) {
      fail(ErrorCode::kInvalidInput,
           std::string(name_of(role)) + " lie in two memories: " + join(holders, ", "),
           "accelerator.memory", "let one memory hold them");
    }
    if (holders.empty() && role != MemoryContent::kBacking) {
      fail(ErrorCode::kInvalidInput, "no memory holds the " + std::string(name_of(role)),
           "accelerator.memory",
           "add '" + std::string(name_of(role)) + "' to `holds` of a memory, or drop all memories");
    }
  }
  for (const MemoryContent role : {MemoryContent::kAccumulators, MemoryContent::kBacking}) {
    const auto memory = memory_of(role);
    if (memory && accelerator_.memory[*memory].second.holds.size() > 1) {
      fail(ErrorCode::kUnsupported,
           "memory " + accelerator_.memory[*memory].first + " holds " + std::string(name_of(role)) +
               " and something else",
           "accelerator.memory", "give " + std::string(name_of(role)) + " a memory of their own");
    }
  }
}

std::int64_t Placement::codeword_bytes(std::size_t memory) const {
  return accelerator_.memory[memory].second.data_bits / 8;
}

std::uint64_t Placement::used_codewords(std::size_t memory) const {
  std::int64_t end = 0;
  for (const Region& region : {weights_, activations_, accumulators_}) {
    end = std::max(end, region.memory == memory ? region.base + region.bytes * region.parts : 0);
  }
  if (memory_of(MemoryContent::kBacking) == memory && !tensors_.empty()) {
    end = tensor_bases_.back() + tensors_.back().bytes();
  }
  const std::int64_t word = codeword_bytes(memory);
  return static_cast<std::uint64_t>((end + word - 1) / word);
}

void Placement::check_words() const {
  for (const auto& [name, memory] : accelerator_.memory) {
    if (memory.data_bits % 8 != 0) {
      does_not_fit("memory " + name + ": a codeword of " + std::to_string(memory.data_bits) +
                       " bits holds no whole bytes",
                   "let `codeword` be a multiple of 8");
    }
  }
  const std::size_t memory = *memory_of(MemoryContent::kAccumulators);
  const std::int64_t row = accelerator_.mesh.columns * kSumBytes;
  if (codeword_bytes(memory) % kSumBytes != 0) {
    does_not_fit("memory " + accelerator_.memory[memory].first + ": a codeword of " +
                     bytes_text(codeword_bytes(memory)) + " holds no whole accumulator",
                 "let `codeword` be 32, 64, 96 or 128");
  }
  if (row % codeword_bytes(memory) != 0) {
    does_not_fit("memory " + accelerator_.memory[memory].first + ": a codeword of " +
                     bytes_text(codeword_bytes(memory)) + " holds words of two rows of results",
                 "let `codeword` divide a row of mesh.columns words of 32 bits: " +
                     std::to_string(8 * row) + " bits");
  }
}

void Placement::place_weights(const std::vector<LayerWork>& work) {
  const std::size_t memory = *memory_of(MemoryContent::kWeights);
  const auto& [name, config] = accelerator_.memory[memory];
  const std::int64_t word = codeword_bytes(memory);
  const bool is_shared = memory == *memory_of(MemoryContent::kActivations);
  const bool is_ws = accelerator_.mesh.is_weight_stationary();
  const WeightReload rule = accelerator_.schedule.weights;
  const std::int64_t share = is_shared ? config.capacity_bytes / 2 : config.capacity_bytes;
  const std::int64_t most_depth = tile_layout().rows_in(share / slots() / word * word);
  if (most_depth < (is_ws ? accelerator_.mesh.rows : 1)) {
    does_not_fit("memory " + name + ": " + std::to_string(slots()) + " tiles of weights do not fit",
                 "raise `capacity`, or lower schedule.weight_slots or the mesh's size");
  }
  std::int64_t end = 0;  // of the tiles with a place of their own
  std::int64_t slot = 0;
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (!work[i].gemm) {
      continue;
    }
    const GemmShape& gemm = *work[i].gemm;
    WeightPlace& place = weight_places_[i];
    place.is_in_turn = rule == WeightReload::kPerPass || gemm.is_product;
    if (!is_ws && place.is_in_turn) {
      limits_[i].depth = most_depth;
    }
    const Tiling tiling(gemm, accelerator_, limits_[i]);
    const std::int64_t rows = std::min(tiling.depth_step(), gemm.depth);
    place.pitch = rounded_up(tile_layout().bytes(rows), word);
    if (place.is_in_turn) {
      slot = std::max(slot, place.pitch);
    } else {
      place.base = end;
      end += gemm.groups * tiling.column_folds() * tiling.depth_folds() * place.pitch;
    }
  }
  slots_base_ = end;
  slot_pitch_ = slot;
  weights_ = {memory, 0, end + slot * slots(), 1};
  for (WeightPlace& place : weight_places_) {
    if (place.is_in_turn) {
      place.base = slots_base_;
      place.pitch = slot_pitch_;
    }
  }
  if (weights_.bytes > config.capacity_bytes ||
      (is_shared && weights_.bytes + 2 * word > share * 2)) {
    does_not_fit("memory " + name + ": the network's weights take " + bytes_text(weights_.bytes) +
                     " as tiles, the memory has " + bytes_text(config.capacity_bytes),
                 "raise `capacity`, or fetch them for each pass: schedule.weights: per_pass");
  }
}

std::int64_t Placement::rows_that_fit(const GemmShape& gemm, std::size_t layer) const {
  // The largest row fold whose results fit the accumulators and whose input fits the activations.
  const std::int64_t wanted = Tiling(gemm, accelerator_, limits_[layer]).row_step();
  std::int64_t rows =
      std::min(wanted, accumulators_.bytes / (accelerator_.mesh.columns * kSumBytes));
  if (!accelerator_.mesh.is_weight_stationary()) {
    rows = std::min<std::int64_t>(accelerator_.mesh.rows, gemm.rows);
  }
  const auto fits = [&](std::int64_t step) {
    for (std::int64_t first = 0; first < gemm.rows; first += step) {
      const std::int64_t last = std::min(first + step, gemm.rows);
      if (InputSlice::of(gemm, 0, first, last).elements(gemm) > activations_.bytes) {
        return false;
      }
    }
    return true;
  };
  const auto whole_lines = [&](std::int64_t step) {  // of a convolution's output
    return gemm.is_convolution && step >= gemm.out_width && step < gemm.rows
               ? step / gemm.out_width * gemm.out_width
               : step;
  };
  if (accelerator_.mesh.is_weight_stationary()) {  // else a fold has the rows of the mesh
    rows = whole_lines(rows);
    while (rows > 1 && !fits(rows)) {
      rows = whole_lines(rows / 2);
    }
  }
  if (rows < 1 || !fits(rows)) {
    const auto& [name, config] = accelerator_.memory[activations_.memory];
    does_not_fit("a layer of " + std::to_string(gemm.rows) + " x " + std::to_string(gemm.depth) +
                     " x " + std::to_string(gemm.columns) +
                     ": the input of one pass does not fit " + bytes_text(activations_.bytes) +
                     " of memory " + name,
                 "raise its `capacity`, or set double_buffered: false");
  }
  return rows;
}

void Placement::place_activations(const std::vector<LayerWork>& work) {
  const std::size_t memory = *memory_of(MemoryContent::kActivations);
  const auto parts = [&](std::size_t index) {
    return accelerator_.memory[index].second.buffering == sim::Buffering::kDouble ? 2 : 1;
  };
  const std::int64_t word = codeword_bytes(memory);
  const std::int64_t base =
      memory == weights_.memory ? rounded_up(weights_.bytes, word) : std::int64_t{0};
  const std::int64_t rest = accelerator_.memory[memory].second.capacity_bytes - base;
  activations_ = {memory, base, rest / parts(memory) / word * word, parts(memory)};
  const std::size_t sums = *memory_of(MemoryContent::kAccumulators);
  const std::int64_t row = accelerator_.mesh.columns * kSumBytes;
  accumulators_ = {sums, 0,
                   accelerator_.memory[sums].second.capacity_bytes / parts(sums) / row * row,
                   parts(sums)};
  const std::int64_t least =
      accelerator_.mesh.is_weight_stationary() ? row : row * accelerator_.mesh.rows;
  if (accumulators_.bytes < least) {
    does_not_fit("memory " + accelerator_.memory[sums].first +
                     ": not even the results of one pass fit a half of it",
                 "raise its `capacity`, or set double_buffered: false");
  }
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (work[i].gemm) {
      limits_[i].rows = rows_that_fit(*work[i].gemm, i);
    }
  }
}

void Placement::place_tensors() {
  const auto memory = memory_of(MemoryContent::kBacking);
  const std::int64_t word = memory ? codeword_bytes(*memory) : 1;
  std::int64_t end = 0;
  for (const StoredTensor& tensor : tensors_) {
    tensor_bases_.push_back(end);
    end = rounded_up(end + tensor.bytes(), word);
  }
  if (memory && end > accelerator_.memory[*memory].second.capacity_bytes) {
    does_not_fit("memory " + accelerator_.memory[*memory].first + ": the network's tensors take " +
                     bytes_text(end),
                 "raise its `capacity`");
  }
}

}  // namespace tilestrike::bridge
