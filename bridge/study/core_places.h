// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a spiking network holds in the arrays of its cores, for `tilestrike locate`. No LibTorch in
// this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fault.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/words/network_source.h"

namespace tilestrike::bridge {

/// What a bit of a core's array is for, the same in every inference.
struct HeldInCore {
  std::int64_t core = 0;
  std::string place;         // in the core: "parameters[3] lane 5 threshold bit 12"
  std::string field;         // "threshold"; of a check bit: the array
  bool is_check = false;     // of the codeword that `place` begins
  std::string layer;         // whose neurons the core has
  bool is_used = false;      // by the network: no axon or neuron that it leaves empty
  std::int64_t neuron = -1;  // of the layer; -1: of none
  std::int64_t input = -1;   // of the layer; -1: of none
  /// What the boot writes into the field, or the check bit; nothing where inferences write.
  std::optional<std::uint64_t> value;
};

class CorePlaces {
 public:
  /// Throws Failure where the model is no spiking network, or does not fit the cores.
  static std::unique_ptr<CorePlaces> open(const NetworkSource& source,
                                          const AcceleratorConfig& accelerator);
  virtual ~CorePlaces() = default;

  /// The arrays of all cores together, a bank for each.
  virtual const NamedParts<sim::MemoryConfig>& memories() const = 0;
  /// `memory`: a number of memories().
  virtual HeldInCore held_in(std::size_t memory, CodewordBit bit) const = 0;
};

}  // namespace tilestrike::bridge
