// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The slow reference of a chip: all cores as machines, edge by edge, with the network between them.
// It knows nothing of what a strike can reach.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/chip/chip_result.h"
#include "sim/core/core_drive.h"
#include "sim/core/core_machine.h"

namespace tilestrike::sim {

using CoreMachineMaker = std::function<std::unique_ptr<CoreMachine>(const CoreSites&)>;

/// One inference.
struct LockstepRun {
  bool hung = false;
  std::uint64_t errors = 0;
  std::vector<Cycle> lengths;                          // of the lead-in and the ticks
  std::vector<std::vector<CoreDeparture>> departures;  // by core
  std::vector<std::vector<std::int32_t>> readouts;     // by core
  struct Change {
    CoreSite site;
    Cycle cycle;
  };
  std::vector<std::vector<Change>> changes;  // by core: strikes that changed a bit
  std::vector<std::pair<std::uint64_t, std::uint64_t>> fields;  // by core: the first, before, after
  std::vector<CoreEccReport> ecc;                               // by core
};

/// An inference edge by edge. An event is written into the ring of its core at the edge at which it
/// leaves; a tick ends at the first edge, not before `lengths` say, that follows `barrier` edges
/// before each of which no core was busy, and not before the host has written and waited as long;
/// or as the fixed tick says. `lengths`: of the golden lead-in and ticks, by which faults keep
/// their time; empty: none strikes. Struck arrays with ECC are in MemoryCores, else `maker` makes
/// the cores.
LockstepRun run_lockstep(const BootedChip& chip, const InputSpikes& spikes,
                         const std::vector<Cycle>& lengths, const ChipJob& job,
                         const CoreMachineMaker& maker);

/// A job so computed and told as StruckChip does.
ChipResult chip_lockstep(const ChipRun& run, const ChipJob& job, const CoreMachineMaker& maker);

/// The faults and cells of one core, with its own numbers.
std::vector<RegisterFault> faults_of(const BootedChip& chip, const ChipJob& job, std::int32_t core);
std::vector<CellFault> cells_of(const ChipJob& job, std::int32_t core);
/// The cores that are struck, ascending. Throws Failure where a fault is of no core.
std::vector<std::int32_t> struck_cores(const BootedChip& chip, const ChipJob& job);

}  // namespace tilestrike::sim
