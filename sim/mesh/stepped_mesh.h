// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh with every register at every clock edge: the slow reference that says what the faster
// machines must compute (docs/mesh.md, "Registers").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/fault.h"
#include "sim/mesh/mesh_machine.h"

namespace tilestrike::sim {

class SteppedMesh : public MeshMachine {
 public:
  /// As after reset: all registers zero. `sites` must outlive the mesh.
  SteppedMesh(const MeshConfig& config, const MeshSites& sites);

  void set_state(const MeshState& state) override;
  MeshState state() const override;
  void step(const EdgeValues& edge) override;
  Words strike(const RegisterFault& fault) override;
  std::int32_t collected(int column) const override;

  bool has_registers_of(const SteppedMesh& other) const { return now_ == other.now_; }
  void read_all(Register kind, std::vector<std::int32_t>& words) const override {
    words = now(kind);
  }
  void write_all(Register kind, const std::vector<std::int32_t>& words) override {
    now_[static_cast<std::size_t>(kind)] = words;
  }

 private:
  /// The words of all registers of one kind, in the order of their sites.
  using Cells = std::vector<std::int32_t>;
  struct Pe {  // what a PE hands to the one below, and keeps
    std::int32_t vertical, load, stationary[2];
  };
  Pe compute(int row, int column) const;
  std::size_t pe_cell(int row, int column) const;
  const Cells& now(Register kind) const { return now_[static_cast<std::size_t>(kind)]; }
  Cells& next(Register kind) { return next_[static_cast<std::size_t>(kind)]; }
  /// Moves a column's skew chain on by `entering` and returns what leaves it (before the edge).
  std::int32_t shift_chain(Register kind, int length, std::int32_t entering);

  const MeshConfig config_;
  const MeshSites& sites_;
  std::vector<Cells> now_, next_;  // by Register
};

}  // namespace tilestrike::sim
