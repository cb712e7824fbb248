// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What enters the mesh at its edges, window by window: the operands of the pass that streams and
// the rows of the pass that is loaded.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine.h"

namespace tilestrike::sim {

/// Edge inputs of wavefronts first .. first + count - 1 of one window (steps within the window).
/// R, C: mesh rows and columns.
class EdgeInputs {
 public:
  EdgeInputs(const MeshRun& run, const Operands& operands) : run_(run), operands_(operands) {}

  /// Fetches the streamed operands of steps [first, first + count) and the window's load rows.
  /// `with_stream` false: only the load rows (enough to know c0 and c1 in WS).
  void fetch(const Window& window, std::int64_t first, std::int64_t count, bool with_stream = true);

  /// a[R] of a fetched step; zero beyond the pass.
  const std::int8_t* activations(std::int64_t step) const {
    return &activations_[static_cast<std::size_t>((step - first_) * run_.config().rows)];
  }
  /// b[C] of a fetched step: partial sums (WS) or weights (OS); zero beyond the pass.
  const std::int32_t* vertical(std::int64_t step) const {
    return &vertical_[static_cast<std::size_t>((step - first_) * run_.config().columns)];
  }
  /// d[C] of any step of the window: row `length - 1 - step` of the pass that is loaded, or zeros.
  const std::int32_t* load(std::int64_t step) const {
    const std::int64_t row = length_ - 1 - step;
    const auto columns = static_cast<std::size_t>(run_.config().columns);
    return has_load_ && row >= 0 && row < run_.config().rows
               ? &load_[static_cast<std::size_t>(row) * columns]
               : zeros_.data();
  }

 private:
  void fetch_load(const Window& window);

  const MeshRun& run_;
  const Operands& operands_;
  std::int64_t first_ = 0;
  std::int64_t length_ = 0;
  int loaded_window_ = -2;
  bool has_load_ = false;
  std::vector<std::int8_t> activations_;
  std::vector<std::int32_t> vertical_;
  std::vector<std::int32_t> load_;
  std::vector<std::int32_t> zeros_;
  std::vector<std::int8_t> narrow_;  // int8 operands on their way to the 32-bit lanes
};

}  // namespace tilestrike::sim
