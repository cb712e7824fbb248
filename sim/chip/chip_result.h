// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes a chip, and what becomes of it (docs/core.md, "The chip").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "sim/chip/chip_run.h"
#include "sim/core/core_engine.h"

namespace tilestrike::sim {

/// The cycle at which acts what a bit that is written at boot alone has had since an earlier
/// inference: just after the edge of the reset, before anything is read.
inline constexpr Cycle kSinceBoot = 1;

struct ChipJob {
  /// In any order; sites are the chip's. Cycles are those of the inference, 1 .. run.cycles(); what
  /// lies outside has no effect. Never kRandom. A core's last cycle is that at which its last
  /// membrane is read, or the last of the last tick: what strikes it later finds it switched off.
  std::span<const RegisterFault> faults = {};
  /// Of cells of arrays with ECC: `memory` is kCoreMemories times the core and the number of the
  /// array.
  std::span<const CellFault> cells = {};
};

/// One core of which something differs.
struct ChipCoreResult {
  std::int32_t core = 0;
  bool is_struck = false;
  bool is_fed_otherwise = false;  // another core sends to it otherwise
  /// What leaves it otherwise in ticks 0 to ticks() - 1, sorted by place.
  std::vector<CoreOutputChange> changes;
  friend bool operator==(const ChipCoreResult&, const ChipCoreResult&) = default;
};

/// Spikes of an output in a chip tick.
struct ChipOutputChange {
  std::int32_t tick = 0;
  std::int32_t output = 0;
  std::int32_t golden = 0;  // events
  std::int32_t faulty = 0;
  friend bool operator==(const ChipOutputChange&, const ChipOutputChange&) = default;
};

/// All but `hung`, `errors`, `activated` and the struck field is empty where the chip has hung.
struct ChipResult {
  bool hung = false;         // a core has: there is no answer
  std::uint64_t errors = 0;  // what the host has read of the registers `error` of all cores
  std::vector<std::int32_t> readout;      // as ChipRun::readout()
  std::vector<ChipOutputChange> outputs;  // by tick and output
  bool activated = false;                 // a live bit was changed
  /// Field that a fault changed first, of the first core that has one; equal: none.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  CoreEccReport ecc;          // of all cores
  std::int32_t ecc_core = 0;  // of the codeword that was detected first
  /// Cores that send or are fed otherwise, or were struck; by number.
  std::vector<ChipCoreResult> cores;
  /// Spikes as the network sees them: neurons of which, in a tick, events leave more or less often
  /// than golden. An event that several neurons send is of the first of them.
  std::int64_t changed_struck = 0;  // of struck cores
  std::int64_t changed_spikes = 0;  // of all cores
  std::int32_t first_tick = -1;     // in which events differ; -1: in none
  /// Events for places that no route of their core names.
  std::int64_t misrouted = 0;
  bool was_lockstep = false;  // computed edge by edge, all cores together: feeds met faults
};

/// Whether the answer is golden: membranes and outputs.
bool has_golden_answer(const ChipRun& run, const ChipResult& result);
/// What has happened, a sentence each, for people.
std::vector<std::string> story_of(const ChipRun& run, const ChipJob& job, const ChipResult& result);

/// Adds what ECC has found in one core.
void add_report(const CoreEccReport& report, std::int32_t core, ChipResult& result);
/// Enters what follows from `cores`, of which the struck ones and all with changes are there: who
/// is fed otherwise, outputs, spikes, misrouted events.
void complete(const ChipRun& run, ChipResult& result);

}  // namespace tilestrike::sim
