// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "dnn/differential/list_kernel.h"
#include "dnn/differential/taps.h"
#include "dnn/integer/integer_operators.h"

namespace tilestrike::dnn {

/// Which elements of its input each output of a pooling layer sees, and the other way round.
class PoolWindows {
 public:
  /// Row-major, lines and columns last.
  PoolWindows(const PoolWindow& window, const at::Tensor& input, const at::Tensor& output)
      : window_(window),
        size_{input.size(-2), input.size(-1)},
        out_{output.size(-2), output.size(-1)},
        lines_(size_[0], out_[0], window.kernel[0], window.stride[0], window.padding[0],
               window.dilation[0]),
        columns_(size_[1], out_[1], window.kernel[1], window.stride[1], window.padding[1],
                 window.dilation[1]) {}

  /// The outputs whose windows see an input.
  template <class Visit>
  void each_output(std::int64_t input, const Visit& visit) const {
    const std::int64_t pixel = input % (size_[0] * size_[1]);
    const std::int64_t plane = input / (size_[0] * size_[1]) * out_[0] * out_[1];
    for (const Tap& line : lines_.of(pixel / size_[1])) {
      for (const Tap& column : columns_.of(pixel % size_[1])) {
        visit(plane + line.output * out_[1] + column.output);
      }
    }
  }

  /// The elements that an output's window sees, line by line; padding is none.
  template <class Visit>
  void each_input(std::int64_t output, const Visit& visit) const {
    const std::int64_t pixel = output % (out_[0] * out_[1]);
    const std::int64_t plane = output / (out_[0] * out_[1]) * size_[0] * size_[1];
    const std::int64_t top = pixel / out_[1] * window_.stride[0] - window_.padding[0];
    const std::int64_t left = pixel % out_[1] * window_.stride[1] - window_.padding[1];
    for (std::int64_t ky = 0; ky < window_.kernel[0]; ++ky) {
      const std::int64_t y = top + ky * window_.dilation[0];
      if (y < 0 || y >= size_[0]) {
        continue;
      }
      for (std::int64_t kx = 0; kx < window_.kernel[1]; ++kx) {
        const std::int64_t x = left + kx * window_.dilation[1];
        if (x >= 0 && x < size_[1]) {
          visit(plane + y * size_[1] + x);
        }
      }
    }
  }

 private:
  PoolWindow window_;
  std::array<std::int64_t, 2> size_, out_;
  Taps lines_, columns_;
};

/// The outputs that see a change, each once, into scratch.touched. `Windows` has each_output().
template <class Windows>
void find_touched(const Windows& windows, const Changes& changes, std::int64_t outputs,
                  Scratch& scratch) {
  std::vector<std::uint32_t>& touched = scratch.touched;
  std::int32_t* marks = scratch.output_marks(static_cast<std::size_t>(outputs));
  touched.clear();
  for (const Change& change : changes) {
    windows.each_output(change.index, [&](std::int64_t output) {
      if (marks[output] < 0) {
        marks[output] = 0;
        touched.push_back(static_cast<std::uint32_t>(output));
      }
    });
  }
  for (const std::uint32_t output : touched) {
    marks[output] = -1;
  }
}

}  // namespace tilestrike::dnn
