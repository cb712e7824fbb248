// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh in wavefront order, in plain C++: since only c0 and c1 carry anything from one wavefront
// to the next, a wavefront can be pushed through all PEs at once, and a stretch of fault-free
// wavefronts is one small matrix product. Works on a range of columns, since a fault stays in its
// column unless it is in an activation.
#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "sim/mesh/edge_inputs.h"
#include "sim/mesh/engine.h"

namespace tilestrike::sim {

/// A fault as the wavefronts meet it: it acts on wavefronts [from, until).
struct WavefrontFault {
  MeshSite site;
  int bits = 1;   // width of its register
  int delay = 0;  // of its register: it meets wavefront u at state u + 1 + delay
  FaultKind kind = FaultKind::kFlip;
  Cycle since = 0;  // when it arrived
  int order = 0;    // among those that arrived together
  std::int64_t from = 0;
  std::int64_t until = 0;

  bool holds() const { return kind != FaultKind::kFlip; }
  /// Order of effect on one register in one cycle: flips first, since a stuck-at holds its bit
  /// after them, then stuck-ats as they arrived.
  auto effect_order() const { return std::tuple(holds(), since, order); }
  bool meets(std::int64_t wavefront) const { return from <= wavefront && wavefront < until; }
};

/// Order of faults along the way of a wavefront: positions of a chain, columns of a row, effects on
/// one register.
bool is_met_before(const WavefrontFault& x, const WavefrontFault& y);

/// Told of every register word that a fault changes.
class StrikeObserver {
 public:
  virtual ~StrikeObserver() = default;
  virtual void on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                         std::int32_t after) = 0;
};

/// Columns [first, first + count) of a mesh: c0 and c1, and what moves them. `run` must outlive it.
class WavefrontMesh {
 public:
  WavefrontMesh(const MeshRun& run, int first_column, int columns);

  int first_column() const { return first_column_; }
  int columns() const { return columns_; }

  /// From a full R x C state; nullptr: zero.
  void set_state(const MeshState* state);
  /// Writes this range into a full state (resized to R x C if empty).
  void store_state(MeshState& state) const;

  /// Fault-free steps [first, first + count) of a window, from what `inputs` has. `results`, if not
  /// null, gets one row of `columns()` values per step: what leaves the bottom row (OS: of the
  /// window's first R steps only, in which a pass can drain).
  void advance(const Window& window, const EdgeInputs& inputs, std::int64_t first,
               std::int64_t count, std::int32_t* results);

  /// One wavefront, register by register, with its faults in the order in which it meets them
  /// (is_met_before). `result` gets columns() values.
  void step(const Window& window, const EdgeInputs& inputs, std::int64_t step,
            std::span<const WavefrontFault* const> faults, StrikeObserver& observer,
            std::int32_t* result);

  /// Makes this mesh the difference to `other` (same range), modulo 2^32. While sums wrap and no
  /// fault acts, a difference moves as the values do, from zero load rows and zero vertical inputs.
  void subtract(const WavefrontMesh& other);
  bool is_zero(bool which) const;  // c0 or c1

  /// Whether this mesh agrees with `other` (same range; nullptr: zero) before `wavefront`, in every
  /// register that a later collected result depends on, or in all of them.
  bool agrees_where_live(const WavefrontMesh* other, std::int64_t wavefront) const;
  bool agrees(const WavefrontMesh& other) const;

 private:
  std::int32_t* row(bool which, int r) {
    return &stationary_[which][static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_)];
  }
  const std::int32_t* row(bool which, int r) const {
    return &stationary_[which][static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_)];
  }
  void shift_shadow(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                    std::int64_t count);
  void pass_row(int r, bool is_valid, bool propagate);
  void pass_row_by_column(int r);

  const MeshRun* run_;
  int first_column_;
  int columns_;
  std::vector<std::int32_t> stationary_[2];  // R rows of columns() values
  // The wavefront on its way down, per column.
  std::vector<std::int32_t> a_, b_, d_;
  std::vector<std::int32_t> v_, s_;
};

}  // namespace tilestrike::sim
