// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The smallest program of the platform: one tile pass. Its operands are written into the memories,
// read through ECC row by row as they enter the mesh, and its results are added to what the
// accumulator memory holds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/mesh/streamed_mesh.h"
#include "sim/platform/platform.h"

namespace tilestrike::sim {

struct TilePlace {
  std::int32_t memory = 0;
  std::uint64_t address = 0;
};

struct TileOperands {
  std::span<const std::int8_t> activations;    // steps x mesh rows, as they enter
  std::span<const std::int8_t> weights;        // depth x mesh columns
  std::span<const std::int32_t> accumulators;  // rows x mesh columns: what the memory holds before
};

class TileProgram final : public PlatformProgram {
 public:
  /// `run` has one pass; it and the operands must outlive the program. Rows of operands lie one
  /// after another from each place on.
  TileProgram(const MeshRun& run, const TileOperands& operands, TilePlace activations,
              TilePlace weights, TilePlace accumulators);

  std::span<const PlatformStep> next() override;
  /// To be executed again.
  void restart();

  const std::vector<PlatformStep>& steps() const { return steps_; }
  Cycle mesh_start() const { return mesh_start_; }  // of the first wavefront
  Cycle cycles() const { return mesh_start_ + run_.cycles() + 1; }

 private:
  void add(PlatformStep step);
  void write_operands(const TileOperands& operands, TilePlace activations, TilePlace weights,
                      TilePlace accumulators);
  void read_operands(TilePlace activations, TilePlace weights);
  void add_results(TilePlace accumulators);

  const MeshRun& run_;
  StreamedMesh mesh_;
  std::vector<std::int32_t> sums_;  // rows of the accumulator memory on their way
  std::vector<PlatformStep> steps_;
  std::vector<Cycle> stops_;  // ends of the mesh's stretches
  std::size_t done_ = 0;
  bool has_begun_ = false;
  Cycle mesh_start_ = 0;
};

}  // namespace tilestrike::sim
