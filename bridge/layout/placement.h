// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where a network lies in an accelerator's memories: which memory holds what, and how large the
// parts of it are (docs/memory_schedule.md). No time in here. No LibTorch in this header.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/accelerator/accelerator.h"
#include "bridge/layout/tile_layout.h"
#include "bridge/layout/tiling.h"

namespace tilestrike::bridge {

/// Of one accumulator.
inline constexpr std::int64_t kSumBytes = 4;

inline std::int64_t rounded_up(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// A tensor with cells of its own in the backing memory: the weights of a layer on the mesh, an
/// input, or what a layer computes (views have none).
struct StoredTensor {
  std::string name;
  std::int64_t elements = 0;
  int element_bytes = 1;
  bool is_constant = false;
  std::int64_t bytes() const { return elements * element_bytes; }
};

/// What a layer reads: all elements of a tensor, or of a view of it.
struct StoredOperand {
  int tensor = -1;  // among the stored tensors; -1: no memory holds it
  std::int64_t elements = 0;
};

/// What is known of a layer before its place in time is.
struct LayerWork {
  std::optional<GemmShape> gemm{};   // of layers on the mesh
  std::int64_t vector_elements = 0;  // of the others; 0: a view, which costs nothing
  // On the mesh: the activations, then the weights. Else all computed operands.
  std::vector<StoredOperand> operands{};
  std::vector<int> outputs{};  // stored tensors
};

/// Bytes of data of one memory.
struct Region {
  std::size_t memory = 0;
  std::int64_t base = 0;
  std::int64_t bytes = 0;  // of one half, where it is used in turn
  int parts = 1;           // halves
  bool contains(std::int64_t address) const {
    return address >= base && address < base + bytes * parts;
  }
};

/// Where a layer's weights lie, tile by tile.
struct WeightPlace {
  bool is_in_turn = true;  // tiles take the slots in turn; else each tile has a place of its own
  std::int64_t base = 0;   // of tile 0's place
  std::int64_t pitch = 0;  // bytes
};

class Placement {
 public:
  /// Throws Failure where a role has no memory or two, a layer does not fit, or codewords do not
  /// fit the mesh's rows. `work` and `names` (of its layers) are those of a whole network.
  Placement(const AcceleratorConfig& accelerator, const std::vector<LayerWork>& work,
            const std::vector<StoredTensor>& tensors);

  /// Whether the accelerator has memories at all.
  static bool has_memories(const AcceleratorConfig& accelerator) {
    return !accelerator.memory.empty();
  }

  const AcceleratorConfig& accelerator() const { return accelerator_; }
  /// Index into accelerator().memory of the memory in a role; nullopt: none (backing alone).
  std::optional<std::size_t> memory_of(sim::MemoryContent role) const {
    return roles_[static_cast<std::size_t>(role)];
  }
  std::int64_t codeword_bytes(std::size_t memory) const;

  const Region& weights() const { return weights_; }  // tiles of their own, then the slots
  const Region& activations() const { return activations_; }
  const Region& accumulators() const { return accumulators_; }
  std::int64_t slots_base() const { return slots_base_; }
  std::int64_t slot_pitch() const { return slot_pitch_; }
  std::int64_t slots() const { return accelerator_.schedule.weight_slots; }

  /// Of a layer on the mesh.
  TileLimits limits(std::size_t layer) const { return limits_[layer]; }
  const WeightPlace& weight_place(std::size_t layer) const { return weight_places_[layer]; }
  TileLayout tile_layout() const { return TileLayout(accelerator_.mesh.columns); }
  /// The place of a tensor's first byte in the backing memory.
  std::int64_t tensor_base(int tensor) const {
    return tensor_bases_[static_cast<std::size_t>(tensor)];
  }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  /// Codewords of a memory up to the last one that holds anything in an inference.
  std::uint64_t used_codewords(std::size_t memory) const;

 private:
  void find_roles();
  void check_words() const;
  void place_weights(const std::vector<LayerWork>& work);
  void place_activations(const std::vector<LayerWork>& work);
  void place_tensors();
  std::int64_t rows_that_fit(const GemmShape& gemm, std::size_t layer) const;

  AcceleratorConfig accelerator_;
  std::vector<StoredTensor> tensors_;
  std::array<std::optional<std::size_t>, 4> roles_;
  Region weights_, activations_, accumulators_;
  std::int64_t slots_base_ = 0, slot_pitch_ = 0;
  std::vector<TileLimits> limits_;          // by layer
  std::vector<WeightPlace> weight_places_;  // by layer
  std::vector<std::int64_t> tensor_bases_;
};

}  // namespace tilestrike::bridge
