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

#include "sim/mesh/mesh_config.h"

namespace tilestrike::rtl {

/// An array of registers: words of so many bits, each little-endian in 1 byte or 4.
struct RegisterArray {
  void* data = nullptr;
  int bits = 0;
  std::uint64_t words = 0;
};

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
  /// Visits the arrays of registers that lint/ts_mesh_registers.vlt lists, by name.
  virtual void visit(
      const std::function<void(const std::string&, const RegisterArray&)>& visit) const = 0;
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
