// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_drive.h"

#include <algorithm>
#include <limits>

namespace tilestrike::sim {

CoreFaults::CoreFaults(const CoreSites& sites, std::span<const RegisterFault> faults) {
  for (const RegisterFault& fault : faults) {
    faults_.push_back({sites.describe(fault.site), fault.kind, fault.when});
    last_ =
        std::max(last_, fault.kind == FaultKind::kFlip ? fault.when.from : fault.when.until - 1);
  }
  std::ranges::stable_sort(faults_, [](const Acting& x, const Acting& y) {
    const bool x_holds = x.kind != FaultKind::kFlip, y_holds = y.kind != FaultKind::kFlip;
    return x_holds != y_holds ? y_holds : x.when.from < y.when.from;
  });
}

Cycle CoreFaults::next(Cycle cycle) const {
  Cycle first = std::numeric_limits<Cycle>::max();
  for (const Acting& fault : faults_) {
    const Cycle from = std::max(fault.when.from, cycle);
    if (fault.kind == FaultKind::kFlip ? fault.when.from >= cycle : from < fault.when.until) {
      first = std::min(first, from);
    }
  }
  return first;
}

CoreDrive::CoreDrive(const CoreRun& run, CoreMachine& machine,
                     std::span<const RegisterFault> faults)
    : run_(run), machine_(machine), faults_(machine.sites(), faults) {
  begin(-1);
}

void CoreDrive::resume(std::int32_t tick) { begin(tick); }

void CoreDrive::begin(std::int32_t tick) {
  next_ = {tick, 1};
  arrived_ = 0;
  rested_ = 0;
  length_ = tick < run_.ticks() ? run_.tick(tick).length : 0;
}

Cycle CoreDrive::golden_cycle() const {
  const bool is_readout = next_.tick == run_.ticks();
  return run_.cycle_of({next_.tick, is_readout ? next_.edge : std::min(next_.edge, length_)});
}

// With a barrier the chip waits until the core has rested for that long.
bool CoreDrive::ends_tick() const {
  return next_.edge >= length_ &&
         (rested_ > run_.feed().barrier || (run_.feed().fixed_tick > 0 && next_.tick >= 0));
}

void CoreDrive::gather_arrivals() {
  arriving_.clear();
  if (next_.tick < run_.ticks()) {
    const std::vector<CoreArrival>& all = run_.arrivals(next_.tick);
    while (arrived_ < all.size() && all[arrived_].cycle == next_.edge) {
      arriving_.push_back(all[arrived_++]);
    }
  }
  if (const std::optional<CoreEvent> event = machine_.outgoing()) {
    departures_.push_back({next_.tick, next_.edge, *event});
    if (event->core == run_.feed().core_number) {
      arriving_.push_back({next_.edge, event->axon, event->slot});
    }
  }
}

void CoreDrive::step() {
  rested_ = machine_.is_busy() ? 0 : rested_ + 1;
  const bool is_readout = next_.tick == run_.ticks();
  if (is_readout && run_.feed().readout > 0) {
    readout_.push_back(machine_.membrane(static_cast<std::int32_t>(next_.edge) - 1));
  }
  const bool ends = is_readout ? next_.edge >= run_.feed().readout : ends_tick();
  const Cycle cycle = golden_cycle();
  const bool is_golden = is_readout || next_.edge <= length_;
  gather_arrivals();
  machine_.step({.is_reset = next_.tick == -1 && next_.edge == 1,
                 .is_start = ends && next_.tick + 1 < run_.ticks(),
                 .arrivals = arriving_});
  ++edges_;
  strike(cycle, is_golden);
  errors_ |= machine_.errors();
  // Two watchdogs more than planned: a core that is never done and never given up.
  is_hung_ = (errors_ & kErrorHung) != 0 ||
             next_.edge > length_ + 2 * run_.config().watchdog_cycles() + run_.feed().readout;
  if (ends) {
    begin(next_.tick + 1);
    if (next_.tick == run_.ticks() && run_.feed().readout == 0) {
      ++next_.tick;
    }
  } else {
    ++next_.edge;
  }
}

void CoreDrive::strike(Cycle cycle, bool is_golden) {
  if (faults_.is_over(cycle)) {
    return;
  }
  for (const CoreFaults::Acting& fault : faults_.all()) {
    if (!fault.acts(cycle, is_golden)) {
      continue;
    }
    const std::uint64_t before = machine_.field(fault.site);
    if (machine_.strike(fault.site, fault.kind)) {
      changes_.push_back({cycle, fault.site});
      if (before_ == after_) {
        before_ = before;
        after_ = machine_.field(fault.site);
      }
    }
  }
}

}  // namespace tilestrike::sim
