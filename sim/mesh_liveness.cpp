// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which register values a later collected output depends on (sim/engine.h, is_live). The reasoning
// per register is in docs/mesh.md, "Live and dead".
#include "sim/engine.h"

namespace tilestrike::sim {
namespace {

// A wavefront in its window: everything that liveness is decided on.
struct Moment {
  const MeshRun& run;
  Window window;
  std::int64_t step;

  const PassShape& pass(int index) const { return run.passes()[static_cast<std::size_t>(index)]; }
  bool ws() const { return run.config().is_weight_stationary(); }
  std::int64_t mesh_rows() const { return run.config().rows; }
  bool streams_now() const { return window.streams >= 0 && step < run.steps(window.streams); }

  // Does a product of this wavefront in column c (OS: and row >= r) reach a collected result?
  bool product_is_live(int row, int column) const {
    if (!streams_now() || column >= pass(window.streams).columns) {
      return false;
    }
    return ws() || row < pass(window.streams).rows;
  }

  // Content of the shadow chain that sits at `row` just before `at_step`.
  bool chain_is_live(std::int64_t row, int column, std::int64_t at_step) const {
    if (row >= at_step) {  // an older value: OS drains it, WS drops it
      return window.drains >= 0 && column < pass(window.drains).columns &&
             row - at_step < pass(window.drains).rows && window.valid;
    }
    if (window.loads < 0 || column >= pass(window.loads).columns) {
      return false;
    }
    const std::int64_t end_row = row + window.length - at_step;
    return end_row < mesh_rows() && (ws() || end_row < pass(window.loads).rows);
  }

  // Would a slip of the chain at and below `row` change anything live?
  bool any_chain_is_live(int row, int column) const {
    for (std::int64_t r = row; r < mesh_rows(); ++r) {
      if (chain_is_live(r, column, step) || chain_is_live(r, column, step + 1)) {
        return true;
      }
    }
    return false;
  }

  bool active_is_live(int row, int column) const {
    if (window.streams < 0 || column >= pass(window.streams).columns) {
      return false;
    }
    // WS: rows are still to pass. OS: the sum is drained in the next window, however late it is
    // hit.
    return ws() ? streams_now() : row < pass(window.streams).rows;
  }
};

}  // namespace

bool is_live(const MeshRun& run, const MeshSite& site, std::int64_t wavefront) {
  if (wavefront < 0 || wavefront >= run.cycles()) {
    return false;
  }
  const Window window = run.window(run.window_of(wavefront));
  const Moment now{run, window, wavefront - window.start};
  const int row = site.row < 0 ? 0 : site.row;
  const int column = site.column < 0 ? 0 : site.column;
  const auto result_is_live = [&] {
    if (now.ws()) {
      return now.product_is_live(0, column);
    }
    return now.step < now.mesh_rows() && now.chain_is_live(now.mesh_rows() - 1, column, now.step);
  };
  switch (site.kind) {
    case Register::kActivation:
    case Register::kSkewActivation:
      return now.product_is_live(row, column);
    case Register::kVertical:
    case Register::kSkewVertical:
      return now.product_is_live(row, column);
    case Register::kLoad:
    case Register::kSkewLoad:
      // It enters the chain at `row` in this wavefront, if valid lets it.
      return window.valid && now.chain_is_live(row, column, now.step + 1);
    case Register::kValid:
    case Register::kSkewValid:
      return (!now.ws() && now.product_is_live(row, column)) || now.any_chain_is_live(row, column);
    case Register::kPropagate:
    case Register::kSkewPropagate: {
      for (int r = row; r < run.config().rows; ++r) {
        if (now.active_is_live(r, column)) {
          return true;
        }
      }
      return now.any_chain_is_live(row, column);
    }
    case Register::kStationary0:
    case Register::kStationary1: {
      const bool is_active = (site.kind == Register::kStationary1) == window.propagate;
      return is_active ? now.active_is_live(row, column) : now.chain_is_live(row, column, now.step);
    }
    case Register::kOutput:
    case Register::kDeskew:
      return result_is_live();
  }
  return false;
}

}  // namespace tilestrike::sim
