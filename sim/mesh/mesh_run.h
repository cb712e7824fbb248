// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A run of the mesh: the passes of one layer, one after another, as windows of wavefronts
// (docs/mesh.md, "Time"). Wavefront u enters at clock edge u + 1; state t is just after edge t.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {

/// One GEMM tile: (rows x depth) activations times (depth x columns) weights.
/// WS: depth <= mesh rows, columns <= mesh columns. OS: rows <= mesh rows, columns <= mesh columns.
struct PassShape {
  std::int32_t rows = 0;
  std::int32_t depth = 0;
  std::int32_t columns = 0;
  friend bool operator==(const PassShape&, const PassShape&) = default;
};

/// Consecutive wavefronts with one value of `propagate`. -1: no pass in that role.
struct Window {
  int index = -1;
  std::int64_t start = 0;  // first wavefront
  std::int64_t length = 0;
  int streams = -1;
  int loads = -1;   // its rows enter in the last `mesh rows` wavefronts, last row first
  int drains = -1;  // OS: its results leave in the first `mesh rows` wavefronts, last row first
  bool valid = false;
  bool propagate = false;
  std::int64_t end() const { return start + length; }
};

/// Asked for each window, in order, before the next is placed: the wavefronts that it takes, at
/// least its length. A longer one waits: for operands of the pass that it loads or that `next`
/// streams, or for room for the results that `next` gives. Of `next` only the roles are set.
using WindowHold = std::function<std::int64_t(const Window& window, const Window& next)>;

class MeshRun {
 public:
  /// Throws Failure when a pass does not fit the mesh or there is none. `hold` may be empty.
  MeshRun(const MeshConfig& config, std::vector<PassShape> passes, const WindowHold& hold = {});

  const MeshConfig& config() const { return config_; }
  const std::vector<PassShape>& passes() const { return passes_; }

  int windows() const { return static_cast<int>(starts_.size()) - 1; }
  /// Window `index`; before 0 lies the idle mesh (no pass, not valid).
  Window window(int index) const;
  /// The window that holds a wavefront; -1 before the first.
  int window_of(std::int64_t wavefront) const;

  /// Wavefronts that the pass streams: rows (WS) or depth (OS).
  int steps(int pass) const;
  /// Clock edges from the first edge input to the last collected row (docs/mesh.md, "Cycles"). It
  /// is also the number of wavefronts, the idle ones that flush the pipes included.
  Cycle cycles() const { return starts_.back(); }
  /// Largest delay of any register (MeshSites::delay).
  int largest_delay() const { return config_.rows + config_.columns; }

 private:
  MeshConfig config_;
  std::vector<PassShape> passes_;
  std::vector<std::int64_t> starts_;  // of each window; the last entry is the end
};

/// Cycles of SCALE-Sim 3.0.0 for a whole GEMM, stall-free (its published fold formulas, less 1):
/// WS ceil(K/R) ceil(N/C) (2R + C + M - 2) - 1, OS ceil(M/R) ceil(N/C) (R + C + K - 2) - 1.
Cycle scale_sim_cycles(const MeshConfig& config, std::int64_t rows, std::int64_t depth,
                       std::int64_t columns);

}  // namespace tilestrike::sim
