// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A job on a machine, from the tick of the first fault on, and what the engines make of its end;
// shared by the engines that step.
#pragma once

#include <vector>

#include "sim/core/core_drive.h"
#include "sim/core/core_engine.h"

namespace tilestrike::sim {

/// What leaves in ticks `first` to `last` against golden, sorted.
std::vector<CoreOutputChange> changes_of(const CoreRun& run, std::int32_t first, std::int32_t last,
                                         std::span<const CoreDeparture> departures);

/// The engines of this room; for use inside of it.
std::unique_ptr<CoreEngine> make_stepped_core_engine();
std::unique_ptr<CoreEngine> make_systemc_core_engine();
std::unique_ptr<CoreEngine> make_closed_form_core_engine();

class StruckCore {
 public:
  enum class Extent {
    kWhole,  // the inference from its first edge to its last
    kShort,  // from the tick of the first fault on, until all that is live is golden
  };
  /// All must outlive this object.
  StruckCore(const CoreJob& job, CoreMachine& machine, Extent extent);

  bool is_done() const { return is_done_; }
  /// Of the edges that advance() is at.
  std::int32_t tick() const { return tick_; }
  /// So many edges as the machine takes at once, up to the one behind which a fault acts; 0: the
  /// core has hung.
  Cycle advance();
  /// Whether a fault acts behind the edge that was last.
  bool is_strike_due() const { return is_strike_due_; }
  void strike();
  /// After strikes, if any.
  void settle();

  void run() {
    while (!is_done()) {
      advance();
      if (is_strike_due()) {
        strike();
      }
      settle();
    }
  }
  CoreResult finish();

 private:
  bool is_golden_again();
  bool has_struck_boot();

  const CoreGolden& golden_;
  const CoreRun& run_;
  CoreMachine& machine_;
  const Extent extent_;
  const CoreFaults faults_;
  CoreDrive drive_;
  CoreState state_;
  std::int32_t first_tick_ = -1;
  std::int32_t tick_ = -1;  // of the edge that was last
  bool is_strike_due_ = false;
  bool is_done_ = false;
  bool is_golden_ = false;
};

}  // namespace tilestrike::sim
