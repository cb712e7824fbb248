// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The interface of a mesh engine: something that computes struck tile passes. A job goes in,
// changes of the outputs come back (docs/mesh.md, "How a struck pass is computed"). Engines by name
// are in sim/mesh/engine_set.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "base/fault.h"
#include "sim/mesh/mesh_run.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::sim {

/// Operands of a run's passes, cut on demand. R, C: mesh rows and columns. The destination is
/// zeroed by the caller: write only what the pass has, so that padding lanes stay zero.
class Operands {
 public:
  virtual ~Operands() = default;
  /// Steps first .. first + count - 1 of what enters from the left; out[(step - first) * R + r].
  /// WS: A[step][r], OS: A[r][step].
  virtual void activations(int pass, int first, int count, std::int8_t* out) const = 0;
  /// Rows first .. of the (depth x columns) weight tile; out[(row - first) * C + c].
  virtual void weights(int pass, int first, int count, std::int8_t* out) const = 0;
  /// Rows first .. of what the sums start from; out[(row - first) * C + c]. WS: the top edge of the
  /// mesh, OS: the preloaded accumulators.
  virtual void accumulators(int pass, int first, int count, std::int32_t* out) const = 0;

  // One lane of the above, within what the pass has: for who needs no more. Written without these,
  // they are cut from whole steps and rows of a mesh of that size.
  /// Steps first .. of row `lane` of the mesh; out[step - first].
  virtual void activation_lane(const MeshConfig& mesh, int pass, int lane, int first, int count,
                               std::int8_t* out) const;
  /// Rows first .. of one column of the weight tile; out[row - first].
  virtual void weight_column(const MeshConfig& mesh, int pass, int column, int first, int count,
                             std::int8_t* out) const;
  /// What one sum starts from.
  virtual std::int32_t accumulator(const MeshConfig& mesh, int pass, int row, int column) const;
};

/// The only registers that carry anything from one wavefront to the next: c0 and c1 of every PE,
/// row-major (R x C each). Empty: all zero, as after reset.
struct MeshState {
  std::vector<std::int32_t> stationary[2];
  friend bool operator==(const MeshState&, const MeshState&) = default;
};

struct MeshJob {
  const MeshRun* run = nullptr;
  const Operands* operands = nullptr;
  /// In time order. Cycles are states of the run, 1 .. run->cycles(); what lies outside has no
  /// effect. On one register and cycle, flips act first, since a stuck-at holds its bit.
  std::span<const RegisterFault> faults;
  /// c0 and c1 before the first wavefront; nullptr: zero.
  const MeshState* golden_start = nullptr;
  const MeshState* faulty_start = nullptr;  // nullptr: as golden_start
  /// Simulate every pass and return all outputs, instead of only what the faults touch.
  bool wants_outputs = false;
  /// Follow the faulty mesh until c0 and c1 equal golden's in every PE, or to the end of the run:
  /// needed where later runs are struck, too.
  bool wants_end = false;
};

/// A result of a pass that is not as it should be. The arithmetic says what its 32 bits mean; where
/// that is linear (sim/mesh/arithmetic.h) only the difference counts, and `golden` may be left 0.
struct OutputChange {
  std::int32_t pass = 0;
  std::int32_t row = 0;  // of the pass's result
  std::int32_t column = 0;
  std::int32_t golden = 0;
  std::int32_t faulty = 0;

  /// Faulty minus golden, modulo 2^32.
  std::int32_t delta() const {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(faulty) -
                                     static_cast<std::uint32_t>(golden));
  }
  auto place() const { return std::tie(pass, row, column); }
  friend bool operator==(const OutputChange& x, const OutputChange& y) {
    return x.place() == y.place() && x.delta() == y.delta();
  }
};

struct MeshResult {
  /// Sorted by place; only what differs. Empty with wants_outputs.
  std::vector<OutputChange> changes;
  /// Of the faulty mesh, per pass rows x columns; only with wants_outputs.
  std::vector<std::vector<std::int32_t>> outputs;
  /// Faulty c0 and c1 once every wavefront of the run has passed; only with wants_end and
  /// wants_outputs.
  MeshState end;
  Cycle cycles = 0;        // of the run
  bool activated = false;  // a live value differed
  bool hung = false;       // never: nothing in the mesh waits for anything
  /// From the first window that the struck word depends on to the one after whose end nothing live
  /// differs. `stepped`: all.
  int windows_simulated = 0;
  /// Word of the register that a fault changed first, and what the fault made of it. Equal: none.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

class MeshMachine;

class MeshEngine {
 public:
  virtual ~MeshEngine() = default;
  /// Whether this engine can compute the job; the caller falls back to one that does.
  virtual bool covers(const MeshJob& job) const = 0;
  virtual MeshResult run(const MeshJob& job) = 0;

  /// Of a job that it covers: whether it computes it by the means that it is there for, rather than
  /// by those of another engine.
  virtual bool has_own_way(const MeshJob&) { return true; }
  /// Its mesh, all registers zero, where it has one that moves at every clock edge; else nullptr.
  /// Requires that it covers jobs of `config`; `sites` must outlive the machine.
  virtual std::unique_ptr<MeshMachine> machine(const MeshConfig& config, const MeshSites& sites);
};

/// Whether a later collected output depends on what the register holds for `wavefront` (of
/// kStationary0/1: just before it). Structural: a value that will be multiplied by, or added to,
/// the zeros that pad an edge tile is live. So any set of dead values may change at once without
/// effect.
bool is_live(const MeshRun& run, const MeshSite& site, std::int64_t wavefront);
/// The same for a wavefront of the run whose window is known.
bool is_live(const MeshRun& run, const MeshSite& site, const Window& window, std::int64_t step);

/// c0 and c1 after a fault-free run that starts from `start` (nullptr: zero).
MeshState golden_end(const MeshRun& run, const Operands& operands, const MeshState* start);

}  // namespace tilestrike::sim
