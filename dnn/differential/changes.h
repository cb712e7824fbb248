// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What differs from the golden run, element by element (docs/differential.md).
#pragma once

#include <cstdint>
#include <vector>

namespace tilestrike::dnn {

/// An element of an int8, int32 or float32 value that is not what it is in the golden run.
struct Change {
  std::uint32_t index = 0;  // row-major, whatever the value's strides
  std::int32_t now = 0;     // the integer, or the bits of the float
  friend bool operator==(const Change&, const Change&) = default;
};

/// Each element at most once, in no order; but kernels of lists are faster where those of one pixel
/// lie together.
using Changes = std::vector<Change>;

/// How much one accumulator of a layer changes, modulo 2^32.
struct AccumulatorDelta {
  std::int64_t index = 0;  // into the layer's output tensor
  std::int32_t delta = 0;
  friend bool operator==(const AccumulatorDelta&, const AccumulatorDelta&) = default;
};

}  // namespace tilestrike::dnn
