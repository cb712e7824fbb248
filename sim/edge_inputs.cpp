// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/edge_inputs.h"

#include <algorithm>

namespace tilestrike::sim {

void EdgeInputs::fetch(const Window& window, std::int64_t first, std::int64_t count,
                       bool with_stream) {
  fetch_load(window);
  first_ = first;
  if (!with_stream) {
    return;
  }
  const bool ws = run_.config().is_weight_stationary();
  const auto rows = static_cast<std::size_t>(run_.config().rows);
  const auto columns = static_cast<std::size_t>(run_.config().columns);
  const auto lines = static_cast<std::size_t>(count);
  activations_.assign(lines * rows, 0);
  vertical_.assign(lines * columns, 0);
  if (window.streams < 0) {
    return;
  }
  const std::int64_t last = std::min<std::int64_t>(first + count, run_.steps(window.streams));
  if (last <= first) {
    return;
  }
  const int from = static_cast<int>(first);
  const int n = static_cast<int>(last - first);
  operands_.activations(window.streams, from, n, activations_.data());
  if (ws) {
    operands_.accumulators(window.streams, from, n, vertical_.data());
    return;
  }
  narrow_.assign(static_cast<std::size_t>(n) * columns, 0);
  operands_.weights(window.streams, from, n, narrow_.data());
  std::copy(narrow_.begin(), narrow_.end(), vertical_.begin());
}

void EdgeInputs::fetch_load(const Window& window) {
  if (loaded_window_ == window.index) {
    return;
  }
  loaded_window_ = window.index;
  length_ = window.length;
  has_load_ = window.loads >= 0;
  const auto rows = static_cast<std::size_t>(run_.config().rows);
  const auto columns = static_cast<std::size_t>(run_.config().columns);
  zeros_.resize(columns);
  if (!has_load_) {
    return;
  }
  load_.assign(rows * columns, 0);
  const PassShape& pass = run_.passes()[static_cast<std::size_t>(window.loads)];
  if (!run_.config().is_weight_stationary()) {
    operands_.accumulators(window.loads, 0, pass.rows, load_.data());
    return;
  }
  narrow_.assign(rows * columns, 0);
  operands_.weights(window.loads, 0, pass.depth, narrow_.data());
  std::copy(narrow_.begin(), narrow_.end(), load_.begin());
}

}  // namespace tilestrike::sim
