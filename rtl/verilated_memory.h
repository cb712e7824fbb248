// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a Verilated memory shows of itself, whatever its configuration: one generated file per model
// implements it (verilated_memory.cpp.in); MemoryModel is what everybody else uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "sim/ecc/ecc_code.h"
#include "sim/memory/array_geometry.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::rtl {

class VerilatedMemory {
 public:
  /// Little-endian; unused bits are zero.
  struct Port {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  struct Ports {
    std::uint8_t *clock, *reset;  // reset: active low
    std::uint8_t *request, *ready, *operation;
    Port address, data, mask;
    std::uint8_t *found, *corrected, *detected, *poisoned;
    Port found_address, found_data, flipped;
  };
  /// Words of so many bits, each little-endian in so many bytes; a register is one word.
  struct Storage {
    unsigned char* data = nullptr;
    int bits = 0;
    int words = 0;
    std::size_t bytes = 0;
  };

  virtual ~VerilatedMemory() = default;
  virtual const Ports& ports() const = 0;
  /// Evaluates the design for the values that its ports and storage have now.
  virtual void eval() = 0;
  /// Visits what lint/ts_memory_storage.vlt lists, by full names below the top module.
  virtual void visit(
      const std::function<void(const std::string&, const Storage&)>& visit) const = 0;
};

/// A model that was built.
struct BuiltMemory {
  sim::ArrayConfig array;
  sim::EccKind ecc;
  sim::Overflow overflow;  // of sums
  std::unique_ptr<VerilatedMemory> (*make)();
};
/// All of them, from the list in CMakeLists.txt.
std::span<const BuiltMemory> built_memories();

}  // namespace tilestrike::rtl
