// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// When the passes of a layer on the mesh read an element of its operands (docs/memory_schedule.md).
// No LibTorch in this header.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bridge/exposure/layer_reads.h"
#include "bridge/schedule/schedule.h"

namespace tilestrike::bridge {

/// One read of A[row][depth] of a group's product by a pass, or of the weight B[depth][..].
struct MeshRead {
  int pass = 0;
  std::int64_t row = 0;    // of activations
  std::int64_t depth = 0;  // of the group's product
  Cycle cycle = 0;
};

class MeshReads {
 public:
  /// Of a layer on the mesh; the schedule has memories.
  MeshReads(const Schedule& schedule, std::size_t layer)
      : memory_(*schedule.memory()),
        index_(layer),
        layer_(schedule.layers()[layer]),
        tiling_(*layer_.tiling),
        gemm_(tiling_.gemm()),
        is_ws_(layer_.run->config().is_weight_stationary()) {}

  /// Calls visit(MeshRead) for every read of an element of a copy on the chip.
  template <class Visit>
  void of(const CopiedElement& copied, const Visit& visit) const {
    if (copied.operand == 0) {
      of_activation(memory_.blocks()[static_cast<std::size_t>(copied.copy)], copied.element, visit);
      return;
    }
    const int first = memory_.first_pass_of_tile(index_, tiling_, copied.copy);
    of_weight(first, memory_.placement().weight_place(index_).is_in_turn,
              copied.element % gemm_.depth - tiling_.tile(first).depth, visit);
  }

  /// The same for an element of the input, by its index there, and a block that holds it.
  template <class Visit>
  void of_activation(const ActivationBlock& block, std::int64_t element, const Visit& visit) const {
    if (!gemm_.is_convolution) {
      const std::int64_t row =
          element / gemm_.depth - (gemm_.is_product ? block.slice.group * gemm_.rows : 0);
      of_position(block, row, element % gemm_.depth, visit);
      return;
    }
    const std::int64_t area = gemm_.in_height * gemm_.in_width;
    const std::int64_t channels = gemm_.depth / (gemm_.kernel[0] * gemm_.kernel[1]);
    const std::int64_t channel = element / area % channels;
    const std::int64_t y = element % area / gemm_.in_width + gemm_.padding[0];
    const std::int64_t x = element % gemm_.in_width + gemm_.padding[1];
    const std::int64_t out_height = gemm_.rows / gemm_.out_width;
    for (std::int64_t ky = 0; ky < gemm_.kernel[0]; ++ky) {
      const std::int64_t top = y - ky * gemm_.dilation[0];
      if (top < 0 || top % gemm_.stride[0] != 0 || top / gemm_.stride[0] >= out_height) {
        continue;
      }
      for (std::int64_t kx = 0; kx < gemm_.kernel[1]; ++kx) {
        const std::int64_t left = x - kx * gemm_.dilation[1];
        if (left < 0 || left % gemm_.stride[1] != 0 || left / gemm_.stride[1] >= gemm_.out_width) {
          continue;
        }
        of_position(block, top / gemm_.stride[0] * gemm_.out_width + left / gemm_.stride[1],
                    (channel * gemm_.kernel[0] + ky) * gemm_.kernel[1] + kx, visit);
      }
    }
  }

  /// Every read of row `row` of a tile whose first reader is `first_pass`; in turn: the only one.
  template <class Visit>
  void of_weight(int first_pass, bool is_in_turn, std::int64_t row, const Visit& visit) const {
    const int folds = is_in_turn ? 1 : tiling_.row_folds();
    for (int fold = 0; fold < folds; ++fold) {
      const int pass = first_pass + fold * tiling_.depth_folds();
      visit(MeshRead{pass, -1, tiling_.tile(pass).depth + row,
                     MemorySchedule::weight_read(*layer_.run, layer_.start, pass, row)});
    }
  }

 private:
  template <class Visit>
  void of_position(const ActivationBlock& block, std::int64_t row, std::int64_t depth,
                   const Visit& visit) const {
    if (row < block.slice.first_row || row >= block.slice.last_row) {
      return;
    }
    const std::int64_t depth_fold = depth / tiling_.depth_step();
    const std::int64_t row_fold = row / tiling_.row_step();
    const std::int64_t step =
        is_ws_ ? row - row_fold * tiling_.row_step() : depth - depth_fold * tiling_.depth_step();
    for (std::int64_t column = 0; column < tiling_.column_folds(); ++column) {
      const auto pass = static_cast<int>(
          ((block.slice.group * tiling_.column_folds() + column) * tiling_.row_folds() + row_fold) *
              tiling_.depth_folds() +
          depth_fold);
      if (pass >= block.first_pass && pass < block.last_pass) {
        visit(MeshRead{pass, row, depth,
                       MemorySchedule::activation_read(*layer_.run, layer_.start, pass, step)});
      }
    }
  }

  const MemorySchedule& memory_;
  std::size_t index_;
  const ScheduledLayer& layer_;
  const Tiling& tiling_;
  const GemmShape& gemm_;
  bool is_ws_;
};

}  // namespace tilestrike::bridge
