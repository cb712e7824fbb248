// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/run_edges.h"

namespace tilestrike::sim {

RunEdges::RunEdges(const MeshRun& run, const Operands& operands)
    : run_(run),
      inputs_(run, operands),
      idle_activations_(static_cast<std::size_t>(run.config().rows), 0),
      idle_columns_(static_cast<std::size_t>(run.config().columns), 0) {}

EdgeValues RunEdges::of(std::int64_t wavefront) {
  if (wavefront >= run_.cycles()) {
    return {idle_activations_.data(), idle_columns_.data(), idle_columns_.data(), false, false};
  }
  const Window window = run_.window(run_.window_of(wavefront));
  const std::int64_t step = wavefront - window.start;
  inputs_.enter(window);
  inputs_.fetch_load();
  inputs_.fetch_stream(step, 1);
  return {inputs_.activations(step), inputs_.vertical(step), inputs_.load(step), window.valid,
          window.propagate};
}

std::optional<ResultRow> row_due(const MeshRun& run, Cycle state) {
  const MeshConfig& config = run.config();
  const std::int64_t wavefront = state - config.rows - config.columns;
  if (wavefront < 0) {
    return {};
  }
  const Window window = run.window(run.window_of(wavefront));
  const std::int64_t step = wavefront - window.start;
  const bool ws = config.is_weight_stationary();
  const int pass = ws ? window.streams : window.drains;
  const std::int64_t row = ws ? step : config.rows - 1 - step;
  if (pass < 0 || row < 0) {
    return {};
  }
  const PassShape& shape = run.passes()[static_cast<std::size_t>(pass)];
  if (row >= shape.rows) {
    return {};
  }
  return ResultRow{pass, static_cast<int>(row), shape.columns};
}

}  // namespace tilestrike::sim
