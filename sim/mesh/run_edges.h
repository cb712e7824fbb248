// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What stands at the edges of the mesh at each clock edge of a run: for machines that move every
// register at every edge.
#pragma once

#include <optional>
#include <vector>

#include "sim/mesh/edge_inputs.h"
#include "sim/mesh/mesh_machine.h"

namespace tilestrike::sim {

class RunEdges {
 public:
  /// Both must outlive this object.
  RunEdges(const MeshRun& run, const Operands& operands);
  /// What a wavefront is fed with; nothing beyond the run. Good until the next call.
  EdgeValues of(std::int64_t wavefront);

 private:
  const MeshRun& run_;
  EdgeInputs inputs_;
  const std::vector<std::int8_t> idle_activations_;
  const std::vector<std::int32_t> idle_columns_;
};

/// The row of a pass's result that the collector takes at a state, whatever `valid` says.
struct ResultRow {
  int pass = 0;
  int row = 0;
  int columns = 0;
};
std::optional<ResultRow> row_due(const MeshRun& run, Cycle state);

}  // namespace tilestrike::sim
