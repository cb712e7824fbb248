// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/engine.h"

#include <algorithm>

#include "sim/mesh/engines.h"
#include "sim/mesh/mesh_machine.h"

namespace tilestrike::sim {

void Operands::activation_lane(const MeshConfig& mesh, int pass, int lane, int first, int count,
                               std::int8_t* out) const {
  std::int8_t lanes[kLargestMesh];
  for (int n = 0; n < count; ++n) {
    std::fill_n(lanes, mesh.rows, std::int8_t{0});
    activations(pass, first + n, 1, lanes);
    out[n] = lanes[lane];
  }
}

void Operands::weight_column(const MeshConfig& mesh, int pass, int column, int first, int count,
                             std::int8_t* out) const {
  std::int8_t lanes[kLargestMesh];
  for (int n = 0; n < count; ++n) {
    std::fill_n(lanes, mesh.columns, std::int8_t{0});
    weights(pass, first + n, 1, lanes);
    out[n] = lanes[column];
  }
}

std::int32_t Operands::accumulator(const MeshConfig& mesh, int pass, int row, int column) const {
  std::int32_t lanes[kLargestMesh];
  std::fill_n(lanes, mesh.columns, 0);
  accumulators(pass, row, 1, lanes);
  return lanes[column];
}

std::unique_ptr<MeshMachine> MeshEngine::machine(const MeshConfig&, const MeshSites&) { return {}; }

std::vector<RegisterFault> in_order_of_effect(std::span<const RegisterFault> faults) {
  std::vector<RegisterFault> ordered(faults.begin(), faults.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& x, const auto& y) {
    const bool x_holds = x.kind != FaultKind::kFlip;
    const bool y_holds = y.kind != FaultKind::kFlip;
    return x_holds != y_holds ? y_holds : x.when.from < y.when.from;
  });
  return ordered;
}

}  // namespace tilestrike::sim
