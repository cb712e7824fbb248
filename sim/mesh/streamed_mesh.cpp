// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/streamed_mesh.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

std::size_t product(std::int64_t x, std::int64_t y) {
  return static_cast<std::size_t>(x) * static_cast<std::size_t>(y);
}

// A stretch is over before its first result leaves, R + C wavefronts after it entered.
std::int64_t longest_stretch(const MeshConfig& config) {
  return std::min<std::int64_t>(config.rows + config.columns, 64);
}

}  // namespace

StreamedMesh::StreamedMesh(const MeshRun& run, const MeshState* start)
    : run_(run), inputs_(run, *this), mesh_(run, 0, run.config().columns) {
  // One loads, one streams, one drains, and results on their way out for R + C cycles, through
  // windows of R and more.
  const MeshConfig& config = run.config();
  slots_.resize(std::min(run.passes().size(),
                         5 + static_cast<std::size_t>((config.columns - 1) / config.rows + 2)));
  std::size_t activations = 0, weights = 0, sums = 0;
  for (std::size_t i = 0; i < run.passes().size(); ++i) {
    const PassShape& shape = run.passes()[i];
    activations = std::max(activations, product(run.steps(static_cast<int>(i)), config.rows));
    weights = std::max(weights, product(shape.depth, config.columns));
    sums = std::max(sums, product(shape.rows, config.columns));
  }
  for (Slot& slot : slots_) {
    slot.activations.resize(activations);
    slot.weights.resize(weights);
    slot.accumulators.resize(sums);
    slot.results.resize(sums);
  }
  leaving_.resize(product(std::max<std::int64_t>(longest_stretch(run.config()), run.config().rows),
                          run.config().columns));
  restart(start);
}

void StreamedMesh::restart(const MeshState* start) {
  mesh_.set_state(start);
  inputs_.enter(run_.window(-1));  // forgets what it has fetched
  wavefront_ = 0;
  window_ = 0;
  for (Slot& slot : slots_) {
    slot.pass = -1;
  }
}

void StreamedMesh::begin_pass(int pass) {
  const MeshConfig& config = run_.config();
  const PassShape& shape = run_.passes()[static_cast<std::size_t>(pass)];
  Slot& slot = this->slot(pass);
  TS_CHECK(slot.pass < pass, "passes begin in order");
  slot.pass = pass;
  std::fill_n(slot.activations.begin(), product(run_.steps(pass), config.rows), std::int8_t{0});
  std::fill_n(slot.weights.begin(), product(shape.depth, config.columns), std::int8_t{0});
  std::fill_n(slot.accumulators.begin(), product(shape.rows, config.columns), 0);
  std::fill_n(slot.results.begin(), product(shape.rows, config.columns), 0);
}

const StreamedMesh::Slot& StreamedMesh::begun(int pass) const {
  const Slot& slot = slots_[static_cast<std::size_t>(pass) % slots_.size()];
  TS_CHECK(slot.pass == pass, "a pass that has begun");
  return slot;
}

std::int8_t* StreamedMesh::activations(int pass, std::int64_t step) {
  return slot(pass).activations.data() + step * run_.config().rows;
}

std::int8_t* StreamedMesh::weights(int pass, std::int64_t row) {
  return slot(pass).weights.data() + row * run_.config().columns;
}

std::int32_t* StreamedMesh::accumulators(int pass, std::int64_t row) {
  return slot(pass).accumulators.data() + row * run_.config().columns;
}

std::int32_t* StreamedMesh::results(int pass, std::int64_t row) {
  return slot(pass).results.data() + row * run_.config().columns;
}

void StreamedMesh::activations(int pass, int first, int count, std::int8_t* out) const {
  const auto lanes = static_cast<std::size_t>(run_.config().rows);
  std::memcpy(out, begun(pass).activations.data() + product(first, run_.config().rows),
              static_cast<std::size_t>(count) * lanes);
}

void StreamedMesh::weights(int pass, int first, int count, std::int8_t* out) const {
  const auto lanes = static_cast<std::size_t>(run_.config().columns);
  std::memcpy(out, begun(pass).weights.data() + product(first, run_.config().columns),
              static_cast<std::size_t>(count) * lanes);
}

void StreamedMesh::accumulators(int pass, int first, int count, std::int32_t* out) const {
  const auto lanes = static_cast<std::size_t>(run_.config().columns);
  std::memcpy(out, begun(pass).accumulators.data() + product(first, run_.config().columns),
              static_cast<std::size_t>(count) * lanes * sizeof(std::int32_t));
}

std::int64_t StreamedMesh::stop_after(const MeshRun& run, int index, std::int64_t wavefront) {
  const Window window = run.window(index);
  const std::int64_t step = wavefront - window.start;
  const std::int64_t loading = window.length - run.config().rows;  // its rows enter from here on
  if (window.loads >= 0 && step >= loading) {
    return window.end();
  }
  const std::int64_t end = window.loads >= 0 ? loading : window.length;
  return window.start + std::min(step + longest_stretch(run.config()), end);
}

void StreamedMesh::advance() {
  TS_CHECK(!is_done(), "a run that goes on");
  const bool ws = run_.config().is_weight_stationary();
  const Window window = run_.window(window_);
  const std::int64_t first = wavefront_ - window.start;
  const std::int64_t count = next_stop() - wavefront_;
  inputs_.enter(window);
  if (window.loads >= 0 && first >= window.length - run_.config().rows) {
    inputs_.fetch_load();
  }
  if (window.streams >= 0) {
    inputs_.fetch_stream(first, count);
  }
  const int pass = ws ? window.streams : window.drains;
  if (pass < 0) {
    mesh_.advance(window, inputs_, first, count, nullptr);
  } else {
    mesh_.advance(window, inputs_, first, count, leaving_.data());
    const std::int64_t rows = run_.passes()[static_cast<std::size_t>(pass)].rows;
    const auto lanes = static_cast<std::size_t>(run_.config().columns);
    for (std::int64_t n = 0; n < count; ++n) {
      const std::int64_t row = ws ? first + n : run_.config().rows - 1 - (first + n);
      if (row >= 0 && row < rows) {
        std::copy_n(&leaving_[static_cast<std::size_t>(n) * lanes], lanes, results(pass, row));
      }
    }
  }
  wavefront_ += count;
  while (window_ + 1 < run_.windows() && wavefront_ >= run_.window(window_).end()) {
    ++window_;
  }
}

}  // namespace tilestrike::sim
