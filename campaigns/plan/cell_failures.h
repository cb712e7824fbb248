// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Cells that fail without a particle: those of a chip whose supply is low, and parts of DRAM
// devices (docs/strike_processes.md). Trial k of a seed fails the same way each time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bridge/study/study.h"
#include "sim/strikes/dram_modes.h"
#include "sim/strikes/low_voltage.h"

namespace tilestrike::campaigns {

/// What fails in one trial.
struct CellFailures {
  /// Sorted by memory, then bit. Cells of codewords that never hold anything are left out.
  std::vector<CellFault> faults;
  std::uint64_t cells = 0;  // that fail, those left out, too
  std::size_t memory = 0;   // struck first, as is ...
  sim::Cell struck;         // ... this cell; where none fails, the memory's first
  std::string about;        // "row of device 3"
};

/// The cells of chip `trial` that are stuck at this supply, for ever. `selected`: of `memories`.
CellFailures fail_at_low_voltage(std::span<const bridge::StudyMemory> memories,
                                 std::span<const std::size_t> selected,
                                 const sim::LowVoltageConfig& config, std::uint64_t seed,
                                 std::uint64_t trial);

/// One failure of a device of one of the memories, all of whose devices fail alike often. A
/// transient one flips cells just after the edge of `when.from`; a permanent one holds them over
/// `when`.
CellFailures fail_in_dram(std::span<const bridge::StudyMemory> memories,
                          std::span<const std::size_t> selected, const sim::DramConfig& config,
                          const sim::DramEventLaw& law, CycleWindow when, std::uint64_t seed,
                          std::uint64_t trial);

}  // namespace tilestrike::campaigns
