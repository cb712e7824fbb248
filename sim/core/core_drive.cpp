// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_drive.h"

#include <algorithm>
#include <limits>

namespace tilestrike::sim {

namespace {

// Of an array that nothing writes: it acts once.
CoreFaults::Acting of_cell(const CoreSites& sites, const CellFault& cell) {
  const CoreBlock& block = sites.block(static_cast<CoreStorage>(cell.memory));
  const auto limbs = static_cast<std::uint64_t>(block.limbs);
  CoreFaults::Acting acting;
  acting.kind = cell.kind;
  acting.when = cell.when;
  acting.when.from = std::max<Cycle>(acting.when.from, cell.kind == FaultKind::kFlip ? 0 : 1);
  acting.site = {block.storage, static_cast<std::uint32_t>(cell.bit.codeword.value / limbs),
                 static_cast<int>(cell.bit.codeword.value % limbs) * kCodewordBits};
  if (cell.bit.bit < kCodewordBits) {
    acting.site.bit += cell.bit.bit;
  } else {
    acting.check = cell.bit;
  }
  return acting;
}

}  // namespace

CoreFaults::CoreFaults(const CoreSites& sites, std::span<const RegisterFault> faults,
                       std::span<const CellFault> cells) {
  for (const RegisterFault& fault : faults) {
    Acting acting{sites.describe(fault.site), fault.kind, fault.when};
    acting.when.from = std::max<Cycle>(acting.when.from, fault.kind == FaultKind::kFlip ? 0 : 1);
    if (fault.kind != FaultKind::kFlip) {
      const bool is_alone = std::ranges::count(faults, fault.site, &RegisterFault::site) == 1;
      acting.is_once = is_alone && sites.block(acting.site.storage).is_boot_array();
      if (acting.when.from >= acting.when.until) {
        continue;
      }
    }
    faults_.push_back(acting);
    last_ = std::max(last_, acting.is_once ? acting.when.from : acting.when.until - 1);
  }
  for (const CellFault& cell : cells) {
    const Acting acting = of_cell(sites, cell);
    faults_.push_back(acting);
    last_ = std::max(last_, acting.when.from);
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
    if (fault.is_once ? fault.when.from >= cycle : from < fault.when.until) {
      first = std::min(first, from);
    }
  }
  return first;
}

CoreDrive::CoreDrive(const CoreRun& run, CoreMachine& machine,
                     std::span<const RegisterFault> faults, std::span<const CellFault> cells)
    : run_(run), machine_(machine), faults_(machine.sites(), faults, cells) {
  begin(-1);
}

void CoreDrive::resume(std::int32_t tick) { begin(tick); }

void CoreDrive::begin(std::int32_t tick) {
  next_ = {tick, 1};
  arrived_ = 0;
  rested_ = 0;
  length_ = tick < run_.ticks() ? run_.tick(tick).length : 0;
  lasts_ = tick < run_.ticks() ? run_.tick(tick).lasts : 0;
  longest_ = lasts_ + 2 * machine_.sites().watchdog() + run_.feed().readout;
  arrivals_ = tick < run_.ticks() ? &run_.arrivals(tick) : nullptr;
}

Cycle CoreDrive::golden_cycle() const {
  const bool is_readout = next_.tick == run_.ticks();
  return run_.cycle_of({next_.tick, is_readout ? next_.edge : std::min(next_.edge, length_)});
}

// With a barrier the chip waits until the core has rested for that long.
bool CoreDrive::ends_tick() const {
  return next_.edge >= lasts_ &&
         (rested_ > run_.feed().barrier || (run_.feed().fixed_tick > 0 && next_.tick >= 0));
}

// Of so many edges from the next one on.
void CoreDrive::gather_arrivals(Cycle edges) {
  arriving_.clear();
  while (arrivals_ != nullptr && arrived_ < arrivals_->size() &&
         (*arrivals_)[arrived_].cycle < next_.edge + edges) {
    arriving_.push_back((*arrivals_)[arrived_++]);
  }
}

void CoreDrive::take_departure() {
  if (const std::optional<CoreEvent> event = machine_.outgoing()) {
    departures_.push_back({next_.tick, next_.edge, *event});
    if (event->core == run_.feed().core_number) {
      arriving_.push_back({next_.edge, event->axon, event->slot});
    }
  }
}

bool CoreDrive::has_hung() {
  errors_ |= machine_.errors();
  // Two watchdogs more than planned: a core that is never done and never given up.
  is_hung_ = (errors_ & kErrorHung) != 0 || next_.edge > longest_;
  return is_hung_;
}

// From the next edge on, before a tick can end.
Cycle CoreDrive::quiet_edges() const {
  const bool is_reset = next_.tick == -1 && next_.edge == 1;
  if (is_reset || next_.tick == run_.ticks()) {
    return 0;
  }
  if (run_.feed().fixed_tick > 0 && next_.tick >= 0) {
    return lasts_ - next_.edge;
  }
  return machine_.is_busy() ? std::numeric_limits<Cycle>::max()
                            : std::max(lasts_ - next_.edge, run_.feed().barrier - rested_);
}

Cycle CoreDrive::edges_to_strike() const {
  const bool is_readout = next_.tick == run_.ticks();
  if (!is_readout && next_.edge > length_) {
    const Cycle end = golden_cycle();
    return std::ranges::any_of(faults_.all(),
                               [&](const auto& fault) { return fault.acts(end, false); })
               ? 1
               : 0;
  }
  const Cycle now = golden_cycle();
  const Cycle next = faults_.next(now);
  const Cycle last = is_readout ? run_.cycles() : run_.cycle_of({next_.tick, length_});
  return next <= last ? next - now + 1 : 0;
}

void CoreDrive::step() {
  if (advance(1) > 0) {
    strike();
  }
}

Cycle CoreDrive::advance(Cycle at_most) {
  if (has_hung()) {
    return 0;
  }
  if (const Cycle edges = burst(at_most); edges > 0) {
    return edges;
  }
  edge();
  return 1;
}

// As many edges as the machine takes at once; 0: none.
Cycle CoreDrive::burst(Cycle at_most) {
  const Cycle quiet = at_most > 1 ? std::min(at_most, quiet_edges()) : 0;
  if (quiet <= 0 || machine_.outgoing()) {
    return 0;
  }
  const bool was_busy = machine_.is_busy();
  const Cycle edges = machine_.burst(quiet);
  if (edges > 0) {
    gather_arrivals(edges);
    machine_.write_events(arriving_);
    rested_ = was_busy ? 0 : rested_ + edges;
    edges_ += edges;
    next_.edge += edges - 1;
    struck_cycle_ = golden_cycle();
    is_struck_golden_ = next_.edge <= length_;
    ++next_.edge;
  }
  return edges;
}

void CoreDrive::edge() {
  rested_ = machine_.is_busy() ? 0 : rested_ + 1;
  const bool is_readout = next_.tick == run_.ticks();
  if (is_readout && run_.feed().readout > 0) {
    readout_.push_back(machine_.membrane(static_cast<std::int32_t>(next_.edge) - 1));
  }
  const bool ends = is_readout ? next_.edge >= run_.feed().readout : ends_tick();
  struck_cycle_ = golden_cycle();
  is_struck_golden_ = is_readout || next_.edge <= length_;
  gather_arrivals(1);
  take_departure();
  machine_.step({.is_reset = next_.tick == -1 && next_.edge == 1,
                 .is_start = ends && next_.tick + 1 < run_.ticks(),
                 .arrivals = arriving_});
  ++edges_;
  if (ends) {
    begin(next_.tick + 1);
    if (next_.tick == run_.ticks() && run_.feed().readout == 0) {
      ++next_.tick;
    }
  } else {
    ++next_.edge;
  }
}

void CoreDrive::strike() {
  if (faults_.is_over(struck_cycle_)) {
    return;
  }
  for (const CoreFaults::Acting& fault : faults_.all()) {
    if (!fault.acts(struck_cycle_, is_struck_golden_)) {
      continue;
    }
    const std::uint64_t before = field(fault);
    const bool is_changed =
        fault.check ? machine_.strike_check(fault.site.storage, *fault.check, fault.kind)
                    : machine_.strike(fault.site, fault.kind);
    if (is_changed) {
      changes_.push_back({struck_cycle_, fault.site});
      if (before_ == after_) {
        before_ = before;
        after_ = field(fault);
      }
    }
  }
}

std::uint64_t CoreDrive::field(const CoreFaults::Acting& fault) const {
  return fault.check ? machine_.check_bits(fault.site.storage, fault.check->codeword)
                     : machine_.field(fault.site);
}

}  // namespace tilestrike::sim
