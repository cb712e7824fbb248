// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tilestrike::dnn {

/// A window's line or column, and the output's that reads through it.
struct Tap {
  std::int32_t window, output;
};

/// Which outputs read each line (or column) of an input, and through which of their window's,
/// whatever the stride, padding and dilation.
class Taps {
 public:
  Taps(std::int64_t inputs, std::int64_t outputs, std::int64_t window, std::int64_t stride,
       std::int64_t padding, std::int64_t dilation)
      : first_(static_cast<std::size_t>(inputs) + 1, 0) {
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t k = 0; k < window; ++k) {
        const std::int64_t start = i + padding - k * dilation;
        if (start >= 0 && start % stride == 0 && start / stride < outputs) {
          taps_.push_back(
              {static_cast<std::int32_t>(k), static_cast<std::int32_t>(start / stride)});
        }
      }
      first_[static_cast<std::size_t>(i) + 1] = taps_.size();
    }
  }
  std::span<const Tap> of(std::int64_t input) const {
    const auto i = static_cast<std::size_t>(input);
    return std::span(taps_).subspan(first_[i], first_[i + 1] - first_[i]);
  }
  /// By input.
  double mean() const {
    return static_cast<double>(taps_.size()) / static_cast<double>(first_.size() - 1);
  }

 private:
  std::vector<Tap> taps_;
  std::vector<std::size_t> first_;
};

}  // namespace tilestrike::dnn
