// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The part of a matrix layer's input that some rows of its product need, as it lies in a memory
// (docs/memory_schedule.md, "Activations"). No LibTorch in this header.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bridge/layout/tiling.h"

namespace tilestrike::bridge {

/// Of a convolution: the channels of one group and the rows [first_y, last_y) of the image, in the
/// order (channel, y, x). Else: rows [first_row, last_row) of the group's left operand, in order.
struct InputSlice {
  std::int64_t group = 0;
  std::int64_t first_row = 0, last_row = 0;  // of the product
  std::int64_t first_y = 0, last_y = 0;      // of a convolution's input

  /// What rows [first, last) of the product need.
  static InputSlice of(const GemmShape& gemm, std::int64_t group, std::int64_t first,
                       std::int64_t last) {
    InputSlice slice{group, first, last, 0, 0};
    if (gemm.is_convolution) {
      const std::int64_t reach = (gemm.kernel[0] - 1) * gemm.dilation[0] + 1;
      const auto top = [&](std::int64_t row) {
        return row / gemm.out_width * gemm.stride[0] - gemm.padding[0];
      };
      slice.first_y = std::clamp<std::int64_t>(top(first), 0, gemm.in_height);
      slice.last_y = std::clamp<std::int64_t>(top(last - 1) + reach, slice.first_y, gemm.in_height);
    }
    return slice;
  }

  std::int64_t elements(const GemmShape& gemm) const {
    return gemm.is_convolution ? channels(gemm) * (last_y - first_y) * gemm.in_width
                               : (last_row - first_row) * gemm.depth;
  }
  /// The place in the slice of an element of the layer's input, by its index there; -1: outside.
  std::int64_t place_of(const GemmShape& gemm, std::int64_t element) const {
    if (!gemm.is_convolution) {
      const std::int64_t row = element / gemm.depth - (gemm.is_product ? group * gemm.rows : 0);
      return row < first_row || row >= last_row
                 ? -1
                 : (row - first_row) * gemm.depth + element % gemm.depth;
    }
    const std::int64_t area = gemm.in_height * gemm.in_width;
    const std::int64_t channel = element / area - group * channels(gemm);
    const std::int64_t y = element % area / gemm.in_width;
    if (channel < 0 || channel >= channels(gemm) || y < first_y || y >= last_y) {
      return -1;
    }
    return (channel * (last_y - first_y) + y - first_y) * gemm.in_width + element % gemm.in_width;
  }
  /// The other way round; `place` must be one of the slice.
  std::int64_t element_at(const GemmShape& gemm, std::int64_t place) const {
    if (!gemm.is_convolution) {
      return ((gemm.is_product ? group * gemm.rows : 0) + first_row) * gemm.depth + place;
    }
    const std::int64_t x = place % gemm.in_width;
    const std::int64_t y = first_y + place / gemm.in_width % (last_y - first_y);
    const std::int64_t channel =
        group * channels(gemm) + place / (gemm.in_width * (last_y - first_y));
    return (channel * gemm.in_height + y) * gemm.in_width + x;
  }

  friend bool operator==(const InputSlice&, const InputSlice&) = default;

 private:
  static std::int64_t channels(const GemmShape& gemm) {  // of a group
    return gemm.depth / (gemm.kernel[0] * gemm.kernel[1]);
  }
};

}  // namespace tilestrike::bridge
