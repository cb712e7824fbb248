// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Cells that fail without a particle (docs/strike_processes.md): what low voltage and DRAM have in
// common. Trial k of a seed fails the same way each time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/plan/memory_population.h"

namespace tilestrike::campaigns {

/// What fails in one trial.
struct CellFailures {
  /// Sorted by memory, then bit. Cells of codewords that never hold anything are left out.
  std::vector<CellFault> faults;
  std::uint64_t cells = 0;  // that fail, those left out, too
  std::size_t memory = 0;   // of the cell that is struck first
  sim::Cell struck;         // that cell; where none fails, the memory's first
  std::string about;        // "row of device 3"
};

/// Of a cell that fails for ever.
inline FaultKind stuck_at(bool value) {
  return value ? FaultKind::kStuckAt1 : FaultKind::kStuckAt0;
}

class FailurePopulation : public MemoryPopulation {
 public:
  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const final;

 protected:
  using MemoryPopulation::MemoryPopulation;
  /// Trial `trial` of a seed. `selected`: memories of the study.
  virtual CellFailures failures_of(const std::vector<std::size_t>& selected, CycleWindow when,
                                   const TrialStreams& streams) const = 0;
};

}  // namespace tilestrike::campaigns
