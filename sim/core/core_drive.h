// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One inference on a machine, edge by edge: what the chip around a core does. It begins ticks,
// brings events, takes those that leave, lets faults act and reads the answer (docs/core.md,
// "Time").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "sim/core/core_machine.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

/// An event that left the core, or came back to it.
struct CoreDeparture {
  std::int32_t tick = 0;
  Cycle edge = 0;
  CoreEvent event;
  friend bool operator==(const CoreDeparture&, const CoreDeparture&) = default;
};

/// When a fault acts, and on what.
class CoreFaults {
 public:
  /// In any order. On one cycle flips act first, for a stuck-at holds its bit; of two stuck-ats on
  /// a bit the later one wins.
  CoreFaults(const CoreSites& sites, std::span<const RegisterFault> faults,
             std::span<const CellFault> cells = {});

  struct Acting {
    CoreSite site;
    FaultKind kind;
    CycleWindow when;
    /// Once, at the begin of its window: a flip, or a stuck-at on a bit that nothing writes.
    bool is_once = true;
    /// A check bit; `site` is then the first data bit of its codeword.
    std::optional<CodewordBit> check = {};
    /// `is_golden`: not a cycle by which a tick has grown.
    bool acts(Cycle cycle, bool is_golden) const {
      return is_once ? is_golden && when.from == cycle : when.contains(cycle);
    }
  };
  std::span<const Acting> all() const { return faults_; }
  /// Whether one acts at this cycle or later.
  bool is_over(Cycle cycle) const { return cycle > last_; }
  /// The first cycle from `cycle` on at which one acts; none: the largest cycle there is.
  Cycle next(Cycle cycle) const;
  /// The first cycle at which one acts.
  Cycle first() const { return next(1); }

 private:
  std::vector<Acting> faults_;
  Cycle last_ = 0;
};

class CoreDrive {
 public:
  /// The machine holds what is left of earlier inferences, and the contents of boot. All must
  /// outlive the drive.
  CoreDrive(const CoreRun& run, CoreMachine& machine, std::span<const RegisterFault> faults = {},
            std::span<const CellFault> cells = {});

  /// Goes on as if the edges before that moment had been: the machine has the state after them.
  /// The moment is the first edge of a tick.
  void resume(std::int32_t tick);

  /// The moment of the next edge.
  const CoreMoment& next() const { return next_; }
  bool is_over() const { return is_hung_ || next_.tick == run_.ticks() + 1; }
  /// The next edge, and then what strikes. The host reads `error` at every edge; where it says that
  /// the core has hung, there is none.
  void step();

  // The same in parts, for who owns time.
  /// One edge, or so many as the machine takes at once, up to `at_most`; how many: 0 if the core
  /// has hung. The faults do not act.
  Cycle advance(Cycle at_most);
  /// Edges until the next fault acts, behind the last of them; 0: none does in this tick. At least
  /// 1 else.
  Cycle edges_to_strike() const;
  /// What acts behind the edge that was last.
  void strike();
  void run() {
    while (!is_over()) {
      step();
    }
  }

  /// Golden time of the next edge: cycles by which a tick grows count as its golden end.
  Cycle golden_cycle() const;

  const std::vector<CoreDeparture>& departures() const { return departures_; }
  const std::vector<std::int32_t>& readout() const { return readout_; }
  /// The watchdog ran out, or the chip waited for the core in vain: there is no answer.
  bool is_hung() const { return is_hung_; }
  /// All that the host has read of the register `error`.
  std::uint64_t errors() const { return errors_; }
  Cycle edges() const { return edges_; }

  /// The first strike that changed its field; equal: none did.
  std::uint64_t before() const { return before_; }
  std::uint64_t after() const { return after_; }
  /// Strikes that changed a bit, in time order: the golden cycle and the place in the job's faults.
  struct Change {
    Cycle cycle;
    CoreSite site;  // of a check bit: the first data bit of its codeword
  };
  const std::vector<Change>& changes() const { return changes_; }

 private:
  bool has_hung();
  Cycle burst(Cycle at_most);
  void edge();
  bool ends_tick() const;
  Cycle quiet_edges() const;
  void gather_arrivals(Cycle edges);
  void take_departure();
  void begin(std::int32_t tick);
  std::uint64_t field(const CoreFaults::Acting& fault) const;

  const CoreRun& run_;
  CoreMachine& machine_;
  const CoreFaults faults_;
  CoreMoment next_;
  Cycle struck_cycle_ = 0;  // golden cycle of the last edge
  bool is_struck_golden_ = true;
  std::size_t arrived_ = 0;  // of this tick's arrivals
  Cycle rested_ = 0;         // edges before which the core was not busy, without a break
  Cycle length_ = 0;         // golden, of this tick
  Cycle lasts_ = 0;          // that it lasts at least
  Cycle longest_ = 0;        // that the chip waits for it
  const std::vector<CoreArrival>* arrivals_ = nullptr;  // of this tick; nullptr: the readout
  std::vector<CoreArrival> arriving_;
  std::vector<CoreDeparture> departures_;
  std::vector<std::int32_t> readout_;
  std::vector<Change> changes_;
  std::uint64_t errors_ = 0, before_ = 0, after_ = 0;
  Cycle edges_ = 0;
  bool is_hung_ = false;
};

}  // namespace tilestrike::sim
