// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh in wavefront order, in plain C++: since only c0 and c1 carry anything from one wavefront
// to the next, a wavefront can be pushed through all PEs at once, and a stretch of fault-free
// wavefronts is one small matrix product. Works on a range of columns, since a fault stays in its
// column unless it is in an activation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/edge_inputs.h"
#include "sim/engine.h"

namespace tilestrike::sim {

/// A fault as the wavefronts meet it: it acts on wavefronts [from, until).
struct WavefrontFault {
  MeshSite site;
  int bits = 1;  // width of its register
  FaultKind kind = FaultKind::kFlip;
  std::int64_t from = 0;
  std::int64_t until = 0;
  bool meets(std::int64_t wavefront) const { return from <= wavefront && wavefront < until; }
};

/// Told of every register word that a fault changes.
class StrikeObserver {
 public:
  virtual ~StrikeObserver() = default;
  virtual void on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                         std::int32_t after) = 0;
};

/// Columns [first, first + count) of a mesh: c0 and c1, and what moves them.
class WavefrontMesh {
 public:
  WavefrontMesh(const MeshRun& run, int first_column, int columns);

  int first_column() const { return first_column_; }
  int columns() const { return columns_; }

  /// From a full R x C state; nullptr: zero.
  void set_state(const MeshState* state);
  /// Writes this range into a full state (resized to R x C if empty).
  void store_state(MeshState& state) const;

  /// Fault-free steps [first, first + count) of a window. `inputs` must hold them. `results`, if
  /// not null, gets one row of `columns()` values per step: what leaves the bottom row.
  void advance(const Window& window, const EdgeInputs& inputs, std::int64_t first,
               std::int64_t count, std::int32_t* results);

  /// One wavefront, register by register, with its faults. `result` gets columns() values.
  void step(const Window& window, const EdgeInputs* inputs, std::int64_t step,
            std::span<const WavefrontFault* const> faults, StrikeObserver* observer,
            std::int32_t* result);

  /// Whether this mesh and `other` (same range) agree in every register that a later collected
  /// result depends on, before `step` of `window`.
  bool agrees_where_live(const WavefrontMesh& other, const Window& window, std::int64_t step) const;

 private:
  std::int32_t* row(bool which, int r) {
    return &stationary_[which][static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_)];
  }
  const std::int32_t* row(bool which, int r) const {
    return const_cast<WavefrontMesh*>(this)->row(which, r);
  }
  void shift_shadow(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                    std::int64_t count);

  const MeshRun& run_;
  int first_column_;
  int columns_;
  std::vector<std::int32_t> stationary_[2];  // R rows of columns() values
  std::vector<std::int32_t> b_, d_;          // the wavefront on its way down, per column
  std::vector<std::uint8_t> v_, s_;
};

}  // namespace tilestrike::sim
