// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a Verilated core shows of itself, whatever its size: one generated file per model implements
// it (verilated_core.cpp.in); CoreModel is what everybody else uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/spiking_neuron.h"

namespace tilestrike::rtl {

class VerilatedCore {
 public:
  /// Little-endian.
  struct Port {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  struct Ports {
    std::uint8_t *clock, *reset;  // reset: active low
    std::uint8_t *start, *busy, *error;
    std::uint8_t* event_in_valid;
    std::uint16_t* event_in_axon;
    std::uint8_t* event_in_slot;
    std::uint8_t *event_out_valid, *event_out_core;
    std::uint16_t* event_out_axon;
    std::uint8_t* event_out_slot;
    std::uint8_t *boot_valid, *boot_array;
    std::uint32_t* boot_address;
    std::uint8_t* boot_part;
    std::uint64_t* boot_data;
    std::uint8_t* readout;
    Port readout_neuron, readout_membrane;
  };
  /// Words of so many bits, each little-endian in so many bytes; a register is one word.
  struct Storage {
    unsigned char* data = nullptr;
    int bits = 0;
    std::uint64_t words = 0;
    std::size_t bytes = 0;
  };

  virtual ~VerilatedCore() = default;
  virtual const Ports& ports() const = 0;
  /// Evaluates the design for the values that its ports and storage have now.
  virtual void eval() = 0;
  /// Visits what lint/ts_core_storage.vlt lists, by name.
  virtual void visit(
      const std::function<void(const std::string&, const Storage&)>& visit) const = 0;
};

/// A model that was built; its watchdog is the default.
struct BuiltCore {
  int axons, neurons, membrane_bits, destinations, queue;
  NeuronOverflow overflow;
  std::int64_t watchdog;
  std::unique_ptr<VerilatedCore> (*make)();
};
/// All of them, from the list in CMakeLists.txt.
std::span<const BuiltCore> built_cores();

}  // namespace tilestrike::rtl
