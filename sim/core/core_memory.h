// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The core whose synapses and parameters lie in memory arrays with ECC, and are read through
// whatever stands between it and them.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "sim/core/burst_core.h"
#include "sim/memory/memory_array.h"

namespace tilestrike::sim {

inline constexpr int kCoreMemories = 2;  // kSynapses and kParameters, by their numbers

class MemoryCore final : public BurstCore {
 public:
  /// All zero. `sites` must outlive the core. It reads its arrays through `reader`, which is to
  /// read array().
  MemoryCore(const CoreSites& sites, CoreReader& reader);

  /// The array of a storage, kSynapses or kParameters: its words one after another, each in
  /// codewords of kCodewordBits data bits.
  MemoryArray& array(CoreStorage storage) { return arrays_[static_cast<std::size_t>(storage)]; }
  const MemoryArray& array(CoreStorage storage) const {
    return arrays_[static_cast<std::size_t>(storage)];
  }

  void set_state(const CoreState& state) override;
  /// Of a struck cell the state has its data bits as the cells hold them.
  bool strike(const CoreSite& site, FaultKind kind) override;
  bool strike_check(CoreStorage storage, CodewordBit bit, FaultKind kind) override;
  std::uint64_t check_bits(CoreStorage storage, CodewordId codeword) const override;

 private:
  /// What was struck becomes as the state to come has it.
  void restore(const CoreState& next);

  std::vector<MemoryArray> arrays_;                      // by CoreStorage
  std::set<std::pair<std::size_t, CodewordId>> struck_;  // codewords that are not as booted
};

}  // namespace tilestrike::sim
