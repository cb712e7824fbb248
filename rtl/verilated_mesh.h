// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a Verilated mesh shows of itself, whatever its size: one generated file per model implements
// it (verilated_mesh.cpp.in); MeshModel is what everybody else uses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "rtl/storage.h"
#include "sim/mesh_config.h"

namespace tilestrike::rtl {

class VerilatedMesh {
 public:
  struct Ports {
    std::uint8_t *clock, *reset;  // reset: active low
    void *activation, *vertical, *load;
    std::uint8_t *valid, *propagate;
    const void* result;
  };

  virtual ~VerilatedMesh() = default;
  virtual const Ports& ports() const = 0;
  /// Evaluates the design for the values that its ports and registers have now.
  virtual void eval() = 0;
  /// A register of the design that lint/ts_mesh_registers.vlt lists, by the path of its scope below
  /// the top module and its name. Null data: there is none.
  virtual Storage find(const std::string& scope, const std::string& name) const = 0;
  /// Visits all of them, by their full names below the top module.
  virtual void visit(const std::function<void(const std::string&, int bits)>& visit) const = 0;
};

/// A model that was built: rows, columns, dataflow and overflow of its mesh; any preload.
struct BuiltMesh {
  int rows, columns;
  sim::Dataflow dataflow;
  sim::Overflow overflow;
  std::unique_ptr<VerilatedMesh> (*make)();
};
/// All of them, from the list in CMakeLists.txt.
std::span<const BuiltMesh> built_meshes();

}  // namespace tilestrike::rtl
