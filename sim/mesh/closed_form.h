// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The change that faults make to the results of a run, by formula: nothing is stepped but, for a
// flip of `valid` or `propagate`, the struck column over one wavefront (docs/mesh.md, "Closed
// form").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/mesh/engine.h"
#include "sim/mesh/golden_words.h"
#include "sim/mesh/mesh_replay.h"
#include "sim/mesh/wavefront_mesh.h"

namespace tilestrike::sim {

class ClosedForm {
 public:
  /// Whether there is a formula for all of the job. Proved where there is: the faults do not meet,
  /// so that the change is the sum of theirs. Remembers the job for compute().
  bool has_formula(const MeshJob& job, const MeshSites& sites);
  /// The job that has_formula() has accepted last. Overwrites `result`, but keeps its memory.
  void compute(MeshResult& result);

 private:
  struct Strike {  // on one wavefront
    const WavefrontFault* fault;
    const WavefrontPlace& at;
    int row, column;  // 0 in front of the mesh
    std::int32_t delta;
  };

  bool ws() const { return run_->config().is_weight_stationary(); }
  int mesh_rows() const { return run_->config().rows; }
  const PassShape& shape(int pass) const { return run_->passes()[static_cast<std::size_t>(pass)]; }

  bool is_edge_value(Register kind) const;
  bool may_meet(const WavefrontFault& x, const WavefrontFault& y) const;

  void strike_all();
  void strike(const WavefrontFault& fault, const WavefrontPlace& at);
  void change(const Strike& strike);
  void change_activation(const Strike& strike);
  void change_weight_operand(const Strike& strike);
  void change_shadow(const Strike& strike, std::int64_t row);
  void change_control(const Strike& strike);
  void follow_weights(const Strike& strike, const std::int32_t* active_is_off,
                      const std::int32_t* shadow_is_off);
  /// The weights of `column` are off by off_[k - first], k from `first` on, in rows `from` and
  /// later of a pass.
  void change_weights(int pass, std::int64_t from, int column, int first);
  void add(int pass, std::int64_t row, int column, std::int32_t delta);
  void append(int pass, std::int64_t row, int column, std::int32_t delta);

  int windows_touched(const WavefrontPlace& first, std::int64_t last,
                      const StrikeReads& reads) const;
  void merge_changes();

  const MeshJob* job_ = nullptr;
  const MeshRun* run_ = nullptr;
  std::vector<WavefrontFault> faults_;  // that act within the run
  std::optional<GoldenWords> golden_;   // words of the faulty mesh before it is struck
  MeshResult* result_ = nullptr;
  int last_window_ = -1;                         // in which something live differs
  const WavefrontFault* first_fault_ = nullptr;  // that changed a word, first in time
  Cycle first_change_ = 0;                       // of the first fault that changed a word
  std::vector<std::int32_t> off_;
  std::vector<std::int8_t> lanes_;
};

}  // namespace tilestrike::sim
