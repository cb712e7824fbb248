// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What any register of the fault-free mesh holds at any wavefront, by formula: no state is carried
// (docs/mesh.md, "Time" and "Windows").
#pragma once

#include <cstdint>

#include "sim/mesh/engine.h"

namespace tilestrike::sim {

/// A wavefront in its window. Before the run: the idle window -1, and a negative step.
struct WavefrontPlace {
  Window window;
  std::int64_t step = 0;
  std::int64_t wavefront() const { return window.start + step; }
};
WavefrontPlace place_of(const MeshRun& run, std::int64_t wavefront);

class GoldenWords {
 public:
  /// `start`: c0 and c1 before the first wavefront; nullptr: zero. All must outlive this object.
  /// Only for sums that wrap.
  GoldenWords(const MeshRun& run, const Operands& operands, const MeshState* start)
      : run_(run), config_(run.config()), operands_(operands), start_(start) {}

  /// What the register of `site` holds for a wavefront; of c0 and c1: just before it.
  std::int32_t word(const MeshSite& site, const WavefrontPlace& at) const;

  // Elements of a pass; zero beyond it, and of pass -1.
  std::int32_t activation(int pass, std::int64_t row, std::int64_t depth) const;
  std::int32_t weight(int pass, std::int64_t depth, int column) const;
  std::int32_t start_of_sum(int pass, std::int64_t row, int column) const;
  /// start_of_sum + the first `depth` products.
  std::int32_t sum(int pass, std::int64_t row, int column, std::int64_t depth) const;

  /// Active and shadow register of a PE just before a wavefront.
  std::int32_t active(const WavefrontPlace& at, int row, int column) const;
  std::int32_t shadow(const WavefrontPlace& at, int row, int column) const;
  /// What enters the load pipe above row 0.
  std::int32_t load(const WavefrontPlace& at, int column) const;

 private:
  bool ws() const { return config_.is_weight_stationary(); }
  const PassShape& shape(int pass) const { return run_.passes()[static_cast<std::size_t>(pass)]; }
  std::int32_t at_start(bool which, std::int64_t row, int column) const;
  std::int32_t stationary_operand(int pass, std::int64_t row, int column) const;

  const MeshRun& run_;
  const MeshConfig& config_;
  const Operands& operands_;
  const MeshState* start_;
};

}  // namespace tilestrike::sim
