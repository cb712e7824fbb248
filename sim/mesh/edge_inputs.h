// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What enters the mesh at its edges, window by window: the operands of the pass that streams and
// the rows of the pass that is loaded. What was not fetched reads as zero.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mesh/engine.h"

namespace tilestrike::sim {

class EdgeInputs {
 public:
  EdgeInputs(const MeshRun& run, const Operands& operands) : run_(run), operands_(operands) {}

  /// Turns to a window. Forgets what was fetched for another one.
  void enter(const Window& window);
  /// Fetches all load rows of the window.
  void fetch_load();
  /// Fetches what streams in steps [first, first + count) of the window.
  void fetch_stream(std::int64_t first, std::int64_t count);
  /// The same without what enters from above.
  void fetch_activations(std::int64_t first, std::int64_t count);

  /// Whether what streams in a step was fetched.
  bool has_stream(std::int64_t step) const { return first_ <= step && step < end_; }
  /// a[rows] of a step; zero beyond the pass. Steps that were fetched together lie one after
  /// another.
  const std::int8_t* activations(std::int64_t step) const;
  /// b[columns] of a step: partial sums (WS) or weights (OS); zero beyond the pass.
  const std::int32_t* vertical(std::int64_t step) const;
  /// From one step to the next in vertical(); 0 where it was not fetched.
  int vertical_pitch() const { return has_vertical_ ? run_.config().columns : 0; }
  /// d[columns] of any step of the window: row `length - 1 - step` of the pass that is loaded.
  const std::int32_t* load(std::int64_t step) const;

 private:
  const MeshRun& run_;
  const Operands& operands_;
  Window window_;
  std::int64_t first_ = 0, end_ = 0;  // steps whose stream was fetched
  bool has_load_ = false;
  bool has_vertical_ = false;
  std::vector<std::int8_t> activations_;
  std::vector<std::int32_t> vertical_;
  std::vector<std::int32_t> load_;
  std::vector<std::int8_t> narrow_;  // int8 operands on their way to the 32-bit lanes
};

}  // namespace tilestrike::sim
