// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The accesses of single passes of a layer on the mesh to the memories: operands row by row as they
// enter, sums as results leave, and what the vector unit reads of a block of sums. Times and places
// follow from the schedule alone (docs/memory_schedule.md). No LibTorch in this header.
#pragma once

#include <cstdint>
#include <vector>

#include "bridge/schedule/schedule.h"
#include "sim/mesh/streamed_mesh.h"
#include "sim/platform/platform.h"

namespace tilestrike::bridge {

class PassSteps {
 public:
  /// Of a layer on the mesh; the schedule has memories, and must outlive this object. Accesses are
  /// appended to `steps`, memories by their place in the accelerator's file.
  PassSteps(const Schedule& schedule, std::size_t layer, std::vector<sim::PlatformStep>& steps);

  // `number`: which pass of the mesh's run it is. Each adds its steps in order of time.
  /// Reads the activations of a pass into a mesh. What lies side by side in a row of the mesh and
  /// in the memory is one access. `padding`: the lanes that padding enters, which no memory holds.
  void read_activations(int pass, sim::StreamedMesh& mesh, int number,
                        std::vector<std::int8_t*>& padding) const;
  void read_weights(int pass, sim::StreamedMesh& mesh, int number) const;
  /// Adds the results of the pass to its block of sums. The first depth fold overwrites, later ones
  /// are added to what was read; whole rows, lanes beyond the tile included. `sums`: rows x mesh
  /// columns words of room, between the two halves.
  void add_up(int pass, sim::StreamedMesh& mesh, int number, std::int32_t* sums) const;
  /// The vector unit reads a row of a finished block: mesh columns words. Gives the cycle.
  Cycle read_result(std::int64_t block, std::int64_t row, std::int32_t* to) const;
  /// Cycles between two rows of a block on their way out.
  Cycle result_pitch(std::int64_t block) const;

 private:
  void step(Cycle cycle, sim::AccessKind kind, std::size_t memory, std::int64_t address,
            std::int64_t bytes, void* data) const;
  std::int64_t sums_address(std::int64_t block, std::int64_t row) const;
  const Placement& placement() const { return memory_.placement(); }

  std::size_t layer_;
  const ScheduledLayer& scheduled_;
  const MemorySchedule& memory_;
  std::vector<sim::PlatformStep>& steps_;
};

}  // namespace tilestrike::bridge
