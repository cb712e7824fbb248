// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/golden_words.h"

#include <algorithm>

#include "sim/mesh/arithmetic.h"

namespace tilestrike::sim {
namespace {

constexpr int kChunk = 256;  // elements of a dot product that are fetched at once

std::uint32_t dot(const std::int8_t* x, const std::int8_t* y, int count) {
  std::int32_t sum = 0;
  for (int k = 0; k < count; ++k) {
    sum += x[k] * y[k];
  }
  return static_cast<std::uint32_t>(sum);
}

}  // namespace

WavefrontPlace place_of(const MeshRun& run, std::int64_t wavefront) {
  WavefrontPlace place{run.window(run.window_of(wavefront))};
  place.step = wavefront - place.window.start;
  return place;
}

std::int32_t GoldenWords::activation(int pass, std::int64_t row, std::int64_t depth) const {
  if (pass < 0 || row >= shape(pass).rows || depth >= shape(pass).depth) {
    return 0;
  }
  std::int8_t element = 0;
  operands_.activation_lane(config_, pass, static_cast<int>(ws() ? depth : row),
                            static_cast<int>(ws() ? row : depth), 1, &element);
  return element;
}

std::int32_t GoldenWords::weight(int pass, std::int64_t depth, int column) const {
  if (pass < 0 || depth >= shape(pass).depth || column >= shape(pass).columns) {
    return 0;
  }
  std::int8_t element = 0;
  operands_.weight_column(config_, pass, column, static_cast<int>(depth), 1, &element);
  return element;
}

std::int32_t GoldenWords::start_of_sum(int pass, std::int64_t row, int column) const {
  if (pass < 0 || row >= shape(pass).rows || column >= shape(pass).columns) {
    return 0;
  }
  return operands_.accumulator(config_, pass, static_cast<int>(row), column);
}

std::int32_t GoldenWords::sum(int pass, std::int64_t row, int column, std::int64_t depth) const {
  if (pass < 0 || row >= shape(pass).rows || column >= shape(pass).columns) {
    return 0;
  }
  auto total = static_cast<std::uint32_t>(start_of_sum(pass, row, column));
  const int products = static_cast<int>(std::min<std::int64_t>(depth, shape(pass).depth));
  std::int8_t weights[kChunk];
  std::int8_t activations[kChunk];
  if (ws() && products > 0) {
    std::fill_n(activations, config_.rows, std::int8_t{0});
    operands_.activations(pass, static_cast<int>(row), 1, activations);
    operands_.weight_column(config_, pass, column, 0, products, weights);
    return static_cast<std::int32_t>(total + dot(activations, weights, products));
  }
  for (int first = 0; first < products; first += kChunk) {
    const int count = std::min(kChunk, products - first);
    operands_.activation_lane(config_, pass, static_cast<int>(row), first, count, activations);
    operands_.weight_column(config_, pass, column, first, count, weights);
    total += dot(activations, weights, count);
  }
  return static_cast<std::int32_t>(total);
}

std::int32_t GoldenWords::at_start(bool which, std::int64_t row, int column) const {
  if (start_ == nullptr || start_->stationary[which].empty()) {
    return 0;
  }
  return start_->stationary[which][static_cast<std::size_t>(row * config_.columns + column)];
}

// What the stationary registers of a row are loaded with for a pass.
std::int32_t GoldenWords::stationary_operand(int pass, std::int64_t row, int column) const {
  return ws() ? weight(pass, row, column) : start_of_sum(pass, row, column);
}

std::int32_t GoldenWords::load(const WavefrontPlace& at, int column) const {
  const std::int64_t row = at.window.length - 1 - at.step;
  return row < config_.rows ? stationary_operand(at.window.loads, row, column) : 0;
}

std::int32_t GoldenWords::active(const WavefrontPlace& at, int row, int column) const {
  const Window& window = at.window;
  if (window.index <= 0) {
    return at_start(window.propagate, row, column);
  }
  if (window.streams >= 0) {
    return ws() ? weight(window.streams, row, column) : sum(window.streams, row, column, at.step);
  }
  const Window before = run_.window(window.index - 1);  // in which it was the shadow
  return shadow({before, before.length}, row, column);
}

// Back along the chain: to the load row that has come so far, or to the window in which the value
// was made or left.
std::int32_t GoldenWords::shadow(const WavefrontPlace& at, int row, int column) const {
  const bool which = !at.window.propagate;
  const bool is_never_loaded = ws() && config_.preload == Preload::kSerial && !which;
  Window window = at.window;
  std::int64_t step = at.step;
  std::int64_t r = row;
  while (window.index >= 0 && !is_never_loaded) {
    if (window.valid) {
      if (step > r) {
        const std::int64_t loaded = r + window.length - step;
        return loaded < config_.rows ? stationary_operand(window.loads, loaded, column) : 0;
      }
      r -= step;
    }
    if (window.index == 0) {
      break;
    }
    const Window before = run_.window(window.index - 1);  // in which it was active
    if (!ws() && before.streams >= 0) {
      return sum(before.streams, r, column, shape(before.streams).depth);
    }
    window = run_.window(window.index - 2);
    step = window.length;
  }
  return at_start(which, r, column);
}

std::int32_t GoldenWords::word(const MeshSite& site, const WavefrontPlace& at) const {
  const Window& window = at.window;
  const int row = std::max(site.row, 0);
  const int column = std::max(site.column, 0);
  switch (site.kind) {
    case Register::kActivation:
    case Register::kSkewActivation:
      return activation(window.streams, ws() ? at.step : row, ws() ? row : at.step);
    case Register::kVertical:
    case Register::kSkewVertical:
      return ws() ? sum(window.streams, at.step, column, row)
                  : weight(window.streams, at.step, column);
    case Register::kLoad:
    case Register::kSkewLoad:
      return row > 0 ? shadow(at, row - 1, column) : load(at, column);
    case Register::kValid:
    case Register::kSkewValid:
      return window.valid;
    case Register::kPropagate:
    case Register::kSkewPropagate:
      return window.propagate;
    case Register::kStationary0:
    case Register::kStationary1:
      return (site.kind == Register::kStationary1) == window.propagate ? active(at, row, column)
                                                                       : shadow(at, row, column);
    case Register::kOutput:
    case Register::kDeskew:
      if (ws()) {
        return sum(window.streams, at.step, column, config_.rows);
      }
      // After reset the output register is empty, whatever the mesh starts with.
      return at.wavefront() + config_.rows + column < 0 ? 0 : shadow(at, config_.rows - 1, column);
  }
  return 0;
}

}  // namespace tilestrike::sim
