// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The interface of a core engine: something that computes a struck core. A job goes in, what leaves
// the core otherwise comes back (docs/core.md, "Engines").
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/fault.h"
#include "sim/core/core_golden.h"
#include "sim/core/core_machine.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

struct CoreJob {
  /// What the core is fed, and its golden run.
  const CoreGolden* golden = nullptr;
  /// In any order. Cycles are those of the inference, 1 .. run().cycles(); what lies outside has no
  /// effect. Never kRandom.
  std::span<const RegisterFault> faults = {};
  /// Compute every edge from the first to the last, instead of what the faults touch.
  bool wants_whole = false;
  /// The same of the cells of arrays with ECC, check bits among them: `memory` is the number of the
  /// array, kSynapses or kParameters, a codeword 64 bits of its words. A stuck-at holds to the end:
  /// nothing writes these arrays.
  std::span<const CellFault> cells = {};
};

/// Whether ECC can meet a fault of the job: a cell, or a bit of an array with ECC.
bool meets_ecc(const CoreJob& job);

/// What reads through ECC have found, counted each time that a codeword is read.
struct CoreEccReport {
  std::int64_t corrected = 0;
  std::int64_t detected = 0;  // uncorrectable; the core has gone on with what the cells hold
  /// Of the first that was detected.
  CoreStorage array = CoreStorage::kSynapses;
  CodewordId codeword;
  std::int32_t tick = 0;
  friend bool operator==(const CoreEccReport&, const CoreEccReport&) = default;
};

/// An event that leaves the core in a tick more often, or less often, than golden.
struct CoreOutputChange {
  std::int32_t tick = 0;  // -1: in the lead-in; ticks(): while the host reads
  CoreEvent event;
  /// Where a core that it goes to may still latch its slot: the edge at which it leaves, which then
  /// decides when it is read. Else 0: it does not matter.
  Cycle early = 0;
  std::int32_t golden = 0;  // how often
  std::int32_t faulty = 0;

  auto place() const { return std::tie(tick, event, early); }
  friend bool operator==(const CoreOutputChange&, const CoreOutputChange&) = default;
};

struct CoreResult {
  /// Sorted by place; only what differs. Meaningless where the core has hung.
  std::vector<CoreOutputChange> changes;
  /// The membranes that the host reads; empty where the core has hung.
  std::vector<std::int32_t> readout;
  bool activated = false;    // a live bit was changed
  bool hung = false;         // there is no answer
  std::int32_t hung_in = 0;  // tick in which it has hung
  std::uint64_t errors = 0;  // what the host has read of the register `error`
  /// Field that a fault changed first, and what it made of it. Equal: none.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  CoreEccReport ecc;
  /// Ticks that were computed, the lead-in among them; an engine's own affair.
  std::int32_t ticks_simulated = 0;
};

class CoreEngine {
 public:
  virtual ~CoreEngine() = default;
  /// Whether this engine can compute the job; the caller falls back to one that does.
  virtual bool covers(const CoreJob& job) = 0;
  virtual CoreResult run(const CoreJob& job) = 0;
  /// Its core, where it has one that moves at every clock edge; else nullptr. `sites` must outlive
  /// the machine.
  virtual std::unique_ptr<CoreMachine> machine(const CoreSites& sites) {
    (void)sites;
    return nullptr;
  }
};

/// The engines of this room by name.
struct CoreEngineEntry {
  std::string name;
  std::unique_ptr<CoreEngine> (*make)() = nullptr;
};

/// `systemc`: a SystemC module owns time and the arrival of strikes. `closed_form`: the integer
/// neuron itself, for the structures that it has a formula for. `stepped`: all storage at every
/// edge, the slow reference.
std::vector<CoreEngineEntry> builtin_core_engines();

/// Throws Failure where none of the engines has this name.
std::unique_ptr<CoreEngine> make_core_engine(
    const std::string& name, const std::vector<CoreEngineEntry>& engines = builtin_core_engines());

}  // namespace tilestrike::sim
