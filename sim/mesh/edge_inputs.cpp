// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/edge_inputs.h"

#include <algorithm>

namespace tilestrike::sim {
namespace {

constexpr std::int8_t kNoActivations[kLargestMesh] = {};
constexpr std::int32_t kNoValues[kLargestMesh] = {};

}  // namespace

void EdgeInputs::enter(const Window& window) {
  if (window.start == window_.start && window.index == window_.index) {
    return;
  }
  window_ = window;
  has_load_ = false;
  first_ = 0;
  end_ = 0;
  has_vertical_ = false;
}

void EdgeInputs::fetch_load() {
  if (has_load_ || window_.loads < 0) {
    return;
  }
  has_load_ = true;
  const auto cells = static_cast<std::size_t>(run_.config().rows * run_.config().columns);
  const PassShape& pass = run_.passes()[static_cast<std::size_t>(window_.loads)];
  load_.assign(cells, 0);
  if (!run_.config().is_weight_stationary()) {
    operands_.accumulators(window_.loads, 0, pass.rows, load_.data());
    return;
  }
  narrow_.assign(cells, 0);
  operands_.weights(window_.loads, 0, pass.depth, narrow_.data());
  std::copy(narrow_.begin(), narrow_.end(), load_.begin());
}

void EdgeInputs::fetch_activations(std::int64_t first, std::int64_t count) {
  if (window_.streams < 0) {
    return;
  }
  first_ = first;
  end_ = first + count;
  has_vertical_ = false;
  activations_.assign(static_cast<std::size_t>(count * run_.config().rows), 0);
  const std::int64_t in_pass =
      std::min<std::int64_t>(first + count, run_.steps(window_.streams)) - first;
  if (in_pass > 0) {
    operands_.activations(window_.streams, static_cast<int>(first), static_cast<int>(in_pass),
                          activations_.data());
  }
}

void EdgeInputs::fetch_stream(std::int64_t first, std::int64_t count) {
  if (window_.streams < 0) {
    return;
  }
  fetch_activations(first, count);
  has_vertical_ = true;
  const auto cells = static_cast<std::size_t>(count * run_.config().columns);
  vertical_.assign(cells, 0);
  const std::int64_t in_pass =
      std::min<std::int64_t>(first + count, run_.steps(window_.streams)) - first;
  if (in_pass <= 0) {
    return;
  }
  const int from = static_cast<int>(first);
  const int lines = static_cast<int>(in_pass);
  if (run_.config().is_weight_stationary()) {
    operands_.accumulators(window_.streams, from, lines, vertical_.data());
    return;
  }
  narrow_.assign(cells, 0);
  operands_.weights(window_.streams, from, lines, narrow_.data());
  std::copy(narrow_.begin(), narrow_.end(), vertical_.begin());
}

const std::int8_t* EdgeInputs::activations(std::int64_t step) const {
  return has_stream(step)
             ? &activations_[static_cast<std::size_t>((step - first_) * run_.config().rows)]
             : kNoActivations;
}

const std::int32_t* EdgeInputs::vertical(std::int64_t step) const {
  return has_vertical_ && has_stream(step)
             ? &vertical_[static_cast<std::size_t>((step - first_) * run_.config().columns)]
             : kNoValues;
}

const std::int32_t* EdgeInputs::load(std::int64_t step) const {
  const std::int64_t row = window_.length - 1 - step;
  return has_load_ && row >= 0 && row < run_.config().rows
             ? &load_[static_cast<std::size_t>(row * run_.config().columns)]
             : kNoValues;
}

}  // namespace tilestrike::sim
