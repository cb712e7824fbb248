// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/mesh_run.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

// Which pass a window streams, loads and drains, without its place in time.
Window roles(const MeshConfig& config, int passes, int index) {
  Window window;
  window.index = index;
  if (index < 0) {
    return window;
  }
  const bool ws = config.is_weight_stationary();
  window.propagate = index % 2 == 1;
  const auto pass_or_none = [&](int pass) { return pass >= 0 && pass < passes ? pass : -1; };
  if (config.preload == Preload::kOverlapped) {
    window.streams = pass_or_none(index - 1);
    window.loads = pass_or_none(index);
    window.drains = ws ? -1 : pass_or_none(index - 2);
  } else if (index % 2 == 0) {
    window.loads = pass_or_none(index / 2);
    window.drains = ws ? -1 : pass_or_none(index / 2 - 1);
  } else {
    window.streams = pass_or_none(index / 2);
  }
  window.valid = window.loads >= 0 || (!ws && (window.streams >= 0 || window.drains >= 0));
  return window;
}

}  // namespace

MeshRun::MeshRun(const MeshConfig& config, std::vector<PassShape> passes, const WindowHold& hold)
    : config_(config), passes_(std::move(passes)) {
  const bool ws = config_.is_weight_stationary();
  for (const PassShape& pass : passes_) {
    const int across = ws ? pass.depth : pass.rows;
    if (pass.rows < 1 || pass.depth < 1 || pass.columns < 1 || across > config_.rows ||
        pass.columns > config_.columns) {
      fail(ErrorCode::kInvalidInput,
           "a pass of " + std::to_string(pass.rows) + " x " + std::to_string(pass.depth) + " x " +
               std::to_string(pass.columns) + " does not fit the mesh",
           "", "cut the layer into tiles of the mesh's size");
    }
  }
  if (passes_.empty()) {
    fail(ErrorCode::kInvalidInput, "a run of the mesh needs at least one pass");
  }
  const int count = static_cast<int>(passes_.size());
  const bool overlapped = config_.preload == Preload::kOverlapped;
  const int working = overlapped ? (ws ? count + 1 : count + 2) : (ws ? 2 * count : 2 * count + 1);
  starts_.reserve(static_cast<std::size_t>(working) + 2);
  starts_.push_back(0);
  for (int index = 0; index < working; ++index) {
    Window window = roles(config_, count, index);
    std::int64_t length = window.streams >= 0 ? steps(window.streams) : 0;
    if (window.loads >= 0 || window.drains >= 0 || (!ws && overlapped)) {
      length = std::max<std::int64_t>(length, config_.rows);
    }
    if (hold) {
      window.start = starts_.back();
      window.length = length;
      length = std::max(length, hold(window, roles(config_, count, index + 1)));
    }
    starts_.push_back(starts_.back() + length);
  }
  starts_.push_back(starts_.back() + config_.rows + config_.columns - 1);  // flush the pipes
}

Window MeshRun::window(int index) const {
  Window window = roles(config_, static_cast<int>(passes_.size()), index);
  if (index >= 0) {
    const auto i = static_cast<std::size_t>(index);
    window.start = starts_[i];
    window.length = starts_[i + 1] - starts_[i];
  }
  return window;
}

int MeshRun::window_of(std::int64_t wavefront) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, wavefront);
  return static_cast<int>(after - starts_.begin()) - 1;
}

int MeshRun::steps(int pass) const {
  const PassShape& shape = passes_[static_cast<std::size_t>(pass)];
  return config_.is_weight_stationary() ? shape.rows : shape.depth;
}

Cycle scale_sim_cycles(const MeshConfig& config, std::int64_t rows, std::int64_t depth,
                       std::int64_t columns) {
  const auto folds = [](std::int64_t size, int by) { return (size + by - 1) / by; };
  const std::int64_t r = config.rows;
  const std::int64_t c = config.columns;
  if (config.is_weight_stationary()) {
    return folds(depth, config.rows) * folds(columns, config.columns) * (2 * r + c + rows - 2) - 1;
  }
  return folds(rows, config.rows) * folds(columns, config.columns) * (r + c + depth - 2) - 1;
}

}  // namespace tilestrike::sim
