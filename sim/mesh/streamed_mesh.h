// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The fault-free mesh fed step by step: operands are put in as they are read from the memories, and
// results are there by the cycle in which they leave. The machine is that of the engines
// (wavefront_mesh.h), in stretches of wavefronts short enough that none is computed too late.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mesh/edge_inputs.h"
#include "sim/mesh/wavefront_mesh.h"

namespace tilestrike::sim {

class StreamedMesh final : private Operands {
 public:
  /// `run` must outlive it. `start`: c0 and c1 before the first wavefront; nullptr: zero.
  explicit StreamedMesh(const MeshRun& run, const MeshState* start = nullptr);

  /// Makes room for a pass: its operands are zeros from now on, until its results have left and
  /// others need the room. In order, before or in the window that loads it.
  void begin_pass(int pass);
  // Where a pass's operands go: lanes of the mesh's rows, lanes of its columns. Places are known
  // before a pass begins, and stay.
  std::int8_t* activations(int pass, std::int64_t step);
  std::int8_t* weights(int pass, std::int64_t row);
  std::int32_t* accumulators(int pass, std::int64_t row);  // what its sums start from
  /// What has left the mesh of a pass, lanes of its columns; zeros before.
  std::int32_t* results(int pass, std::int64_t row);

  /// What has been put in, of passes that still have their room.
  const Operands& operands() const { return *this; }

  /// All wavefronts below it are done.
  std::int64_t wavefront() const { return wavefront_; }
  /// The end of the next stretch: once the operands of all wavefronts below have been read.
  std::int64_t next_stop() const { return stop_after(run_, window_, wavefront_); }
  void advance();
  /// The end of the stretch that begins with a wavefront of a window.
  static std::int64_t stop_after(const MeshRun& run, int window, std::int64_t wavefront);
  bool is_done() const { return wavefront_ >= run_.cycles(); }
  void store_state(MeshState& state) const { mesh_.store_state(state); }
  /// Back to the first wavefront.
  void restart(const MeshState* start = nullptr);

 private:
  struct Slot {
    int pass = -1;
    std::vector<std::int8_t> activations, weights;
    std::vector<std::int32_t> accumulators, results;
  };
  Slot& slot(int pass) { return slots_[static_cast<std::size_t>(pass) % slots_.size()]; }
  const Slot& begun(int pass) const;

  void activations(int pass, int first, int count, std::int8_t* out) const override;
  void weights(int pass, int first, int count, std::int8_t* out) const override;
  void accumulators(int pass, int first, int count, std::int32_t* out) const override;

  const MeshRun& run_;
  EdgeInputs inputs_;
  WavefrontMesh mesh_;
  std::vector<Slot> slots_;  // that passes take in turn
  std::vector<std::int32_t> leaving_;
  std::int64_t wavefront_ = 0;
  int window_ = 0;  // that holds it
};

}  // namespace tilestrike::sim
