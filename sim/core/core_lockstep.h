// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Two machines of one core, edge by edge: after every clock edge, and every strike, all storage and
// every event that leaves must be the same. Says at which edge and in which bit they part first.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "sim/core/core_drive.h"
#include "sim/core/core_machine.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

/// Where two machines part first. Of several bits at one edge, the first in the order of the sites;
/// none where only what leaves, or what the core says of itself, differs.
struct CoreDisagreement {
  CoreMoment moment;  // the edge
  std::optional<CoreSite> site;
  std::uint64_t first = 0, second = 0;  // fields of the site
  /// "membranes[1] lane 3 bit 5 at edge 12 of tick 0: 17 against 49".
  std::string text(const CoreSites& sites) const;
};

struct CoreLockstepResult {
  std::optional<CoreDisagreement> disagreement;
  bool has_changed_word = false;     // a fault changed its bit
  bool has_changed_outputs = false;  // events that leave, their edges included, or the readout
  bool is_hung = false;
  Cycle edges = 0;  // that were compared
};

class CoreLockstep {
 public:
  /// All must outlive this object.
  CoreLockstep(const CoreRun& run, CoreMachine& first, CoreMachine& second);

  /// The whole fault-free run, once, before any strike. What the machines begin with: all storage
  /// zero but the arrays of boot.
  std::optional<CoreDisagreement> record();

  /// From the tick of the first fault on, until all storage is golden at the begin of a tick, or to
  /// the end.
  CoreLockstepResult strike(std::span<const RegisterFault> faults);

 private:
  struct TickStart {
    CoreState state;
    std::size_t departures, readouts;  // before it
  };
  std::optional<CoreDisagreement> compare(const CoreMoment& moment);

  const CoreRun& run_;
  const CoreSites& sites_;
  CoreMachine &first_, &second_;
  CoreState now_, other_;          // of the first and the second machine
  std::vector<TickStart> golden_;  // by tick + 1
  std::vector<CoreDeparture> departures_;
  std::vector<std::int32_t> readout_;
};

}  // namespace tilestrike::sim
