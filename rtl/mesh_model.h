// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh in RTL, Verilated: every register can be read and written between two clock edges, by
// the same sites as sim::SteppedMesh, which it must equal edge by edge.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fault.h"
#include "rtl/verilated_mesh.h"
#include "sim/mesh/mesh_machine.h"

namespace tilestrike::rtl {

class MeshModel final : public sim::MeshMachine {
 public:
  /// Whether the RTL was Verilated in this size, dataflow and overflow.
  static bool is_built(const sim::MeshConfig& config);
  /// "4x4, 8x8": for messages.
  static std::string built_sizes();

  /// As after reset: all registers zero. `sites` must outlive the model. Throws Failure where
  /// !is_built(config).
  MeshModel(const sim::MeshConfig& config, const sim::MeshSites& sites);

  void reset();
  void set_state(const sim::MeshState& state) override;
  sim::MeshState state() const override;

  /// One clock edge. What is combinational has settled before it and after it.
  void step(const sim::EdgeValues& edge) override;
  /// Applies a fault to its register now, after the edge, and lets everything settle. A stuck-at is
  /// held by striking again after every edge: between two edges no register changes.
  Words strike(const RegisterFault& fault) override;
  /// What the collector sees below a column, at the port result_o.
  std::int32_t collected(int column) const override;

  /// The words of the registers, in the order of their sites.
  std::int32_t read(sim::Register kind, std::uint64_t cell) const;
  void write(sim::Register kind, std::uint64_t cell, std::int32_t value);
  void read_all(sim::Register kind, std::vector<std::int32_t>& words) const override;
  void write_all(sim::Register kind, const std::vector<std::int32_t>& words) override;

  bool has_registers_of(const MeshModel& other) const;
  /// Every array of registers that the design lets be struck, by its name.
  void visit_registers(
      const std::function<void(const std::string&, const RegisterArray&)>& visit) const {
    model_->visit(visit);
  }

 private:
  const RegisterArray& cells(sim::Register kind) const {
    return cells_[static_cast<std::size_t>(kind)];
  }
  void put(sim::Register kind, std::uint64_t cell, std::int32_t value);

  const sim::MeshConfig config_;
  const sim::MeshSites& sites_;
  std::unique_ptr<VerilatedMesh> model_;
  VerilatedMesh::Ports ports_;
  std::vector<RegisterArray> cells_;  // by sim::Register
};

}  // namespace tilestrike::rtl
