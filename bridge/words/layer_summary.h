// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A layer of a network as people see it.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace tilestrike::bridge {

/// One layer as `inspect` prints it. Cycles are of one inference.
struct LayerSummary {
  std::string name, target, note;
  std::string shape;  // of its output, without the batch
  bool is_integer = false;
  bool is_on_mesh = false;
  std::int64_t groups = 0, gemm_rows = 0, gemm_depth = 0, gemm_columns = 0;  // per group
  std::int64_t passes = 0;
  Cycle first_cycle = 0, mesh_cycles = 0, vector_cycles = 0;
  std::int64_t scale_sim_cycles = 0;
  double utilisation = 0.0;  // multiply-accumulates / (PEs * mesh cycles)
  /// Multiply-accumulates that the accelerator's guard takes, over the layer's own.
  double guard_overhead = 0.0;

  double multiply_accumulates() const {
    return static_cast<double>(groups * gemm_rows * gemm_depth * gemm_columns);
  }
};

}  // namespace tilestrike::bridge
