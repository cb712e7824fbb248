// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which register values a later collected output depends on (sim/mesh/engine.h, is_live). The
// reasoning per register is in docs/mesh.md, "Live and dead".
#include "sim/mesh/engine.h"

namespace tilestrike::sim {
namespace {

// A wavefront in its window: everything that liveness is decided on.
struct Moment {
  const MeshRun& run;
  Window window;
  std::int64_t step;

  const PassShape& pass(int index) const { return run.passes()[static_cast<std::size_t>(index)]; }
  bool ws() const { return run.config().is_weight_stationary(); }
  int mesh_rows() const { return run.config().rows; }

  // Is a product that PE (row, column) forms of this wavefront part of a collected result? In OS so
  // are those of the wavefronts behind the operands: their zeros are added.
  bool product_is_live(int row, int column) const {
    if (window.streams < 0 || column >= pass(window.streams).columns) {
      return false;
    }
    return ws() ? step < run.steps(window.streams) : row < pass(window.streams).rows;
  }

  // What the shadow register at `row` holds just before `at_step`.
  bool shadow_is_live(std::int64_t row, int column, std::int64_t at_step) const {
    if (row >= at_step) {  // older than the window: OS drains it, WS drops it
      return window.drains >= 0 && column < pass(window.drains).columns &&
             row - at_step < pass(window.drains).rows;
    }
    if (window.loads < 0 || column >= pass(window.loads).columns) {
      return false;
    }
    const std::int64_t end_row = row + window.length - at_step;
    return end_row < mesh_rows() && (ws() || end_row < pass(window.loads).rows);
  }

  // What the shadow registers from `row` downwards take from this wavefront.
  bool shift_is_live(int row, int column) const {
    for (int r = row; r < mesh_rows(); ++r) {
      if (shadow_is_live(r, column, step + 1)) {
        return true;
      }
    }
    return false;
  }

  // What leaves the bottom row.
  bool result_is_live(int column) const {
    return ws() ? product_is_live(0, column)
                : step < mesh_rows() && shadow_is_live(mesh_rows() - 1, column, step);
  }
};

}  // namespace

bool is_live(const MeshRun& run, const MeshSite& site, std::int64_t wavefront) {
  if (wavefront < 0 || wavefront >= run.cycles()) {
    return false;
  }
  const Window window = run.window(run.window_of(wavefront));
  return is_live(run, site, window, wavefront - window.start);
}

bool is_live(const MeshRun& run, const MeshSite& site, const Window& window, std::int64_t step) {
  const Moment now{run, window, step};
  const int row = site.row < 0 ? 0 : site.row;
  const int column = site.column < 0 ? 0 : site.column;
  switch (site.kind) {
    case Register::kActivation:
    case Register::kSkewActivation:
    case Register::kVertical:
    case Register::kSkewVertical:
      return now.product_is_live(row, column);
    case Register::kLoad:
    case Register::kSkewLoad:
      return window.valid && now.shadow_is_live(row, column, now.step + 1);
    case Register::kValid:
    case Register::kSkewValid:
      return (!now.ws() && now.product_is_live(row, column)) || now.shift_is_live(row, column);
    case Register::kPropagate:
    case Register::kSkewPropagate:
      return now.product_is_live(row, column) || now.shift_is_live(row, column) ||
             (!now.ws() && now.result_is_live(column));
    case Register::kStationary0:
    case Register::kStationary1: {
      const bool is_active = (site.kind == Register::kStationary1) == window.propagate;
      return is_active ? now.product_is_live(row, column)
                       : now.shadow_is_live(row, column, now.step);
    }
    case Register::kOutput:
    case Register::kDeskew:
      return now.result_is_live(column);
  }
  return false;
}

}  // namespace tilestrike::sim
