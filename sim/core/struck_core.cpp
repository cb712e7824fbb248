// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/struck_core.h"

#include <algorithm>
#include <limits>
#include <map>

#include "sim/core/core_liveness.h"

namespace tilestrike::sim {
namespace {

// The edge decides where the slot is that of the tick, and its word may not be latched yet.
Cycle early_edge(const CoreRun& run, std::int32_t tick, Cycle edge, const CoreEvent& event) {
  const bool is_own_slot = tick >= 0 && event.slot == tick % kRingSlots;
  return is_own_slot && edge <= run.config().ring_words() ? edge : 0;
}

}  // namespace

std::vector<CoreOutputChange> changes_of(const CoreRun& run, std::int32_t first, std::int32_t last,
                                         std::span<const CoreDeparture> departures) {
  using Key = std::tuple<std::int32_t, CoreEvent, Cycle>;
  std::map<Key, std::pair<std::int32_t, std::int32_t>> counts;  // golden, faulty
  for (std::int32_t tick = std::max(first, 0); tick <= std::min(last, run.ticks() - 1); ++tick) {
    for (const CoreOutput& output : run.tick(tick).outputs) {
      ++counts[{tick, output.event, early_edge(run, tick, output.cycle, output.event)}].first;
    }
  }
  for (const CoreDeparture& departure : departures) {
    ++counts[{departure.tick, departure.event,
              early_edge(run, departure.tick, departure.edge, departure.event)}]
          .second;
  }
  std::vector<CoreOutputChange> changes;
  for (const auto& [key, count] : counts) {
    if (count.first != count.second) {
      changes.push_back(
          {std::get<0>(key), std::get<1>(key), std::get<2>(key), count.first, count.second});
    }
  }
  return changes;
}

StruckCore::StruckCore(const CoreJob& job, CoreMachine& machine, Extent extent)
    : golden_(*job.golden),
      run_(job.golden->run()),
      machine_(machine),
      extent_(extent),
      faults_(machine.sites(), job.faults, job.cells),
      drive_(run_, machine, job.faults, job.cells),
      state_(machine.sites()) {
  const Cycle first = faults_.first();
  if (extent == Extent::kShort && first > run_.cycles()) {
    is_done_ = is_golden_ = true;  // nothing strikes
    return;
  }
  first_tick_ =
      extent == Extent::kWhole ? -1 : std::min(run_.moment_of(first).tick, run_.ticks() - 1);
  golden_.get(first_tick_, state_);
  machine_.set_state(state_);
  drive_.resume(first_tick_);
  tick_ = first_tick_;
}

Cycle StruckCore::advance() {
  const Cycle to_strike = drive_.edges_to_strike();
  const Cycle most = to_strike > 0 ? to_strike : std::numeric_limits<Cycle>::max();
  tick_ = drive_.next().tick;
  const Cycle edges = drive_.advance(most);
  is_strike_due_ = edges > 0 && edges == to_strike;
  return edges;
}

void StruckCore::strike() {
  drive_.strike();
  is_strike_due_ = false;
}

void StruckCore::settle() {
  is_done_ = drive_.is_over();
  const CoreMoment& next = drive_.next();
  if (!is_done_ && extent_ == Extent::kShort && next.edge == 1 && next.tick != tick_ &&
      next.tick < run_.ticks() && faults_.is_over(run_.cycle_of(next) - 1)) {
    is_done_ = is_golden_ = is_golden_again();
  }
}

bool StruckCore::is_golden_again() {
  machine_.get_state(state_);
  return golden_.is_golden(drive_.next().tick, state_) && !has_struck_boot();
}

// Whether a struck bit of the arrays of boot is still to be read by the golden run.
bool StruckCore::has_struck_boot() {
  const CoreState& booted = run_.core().state();
  const Cycle now = run_.cycle_of(drive_.next()) - 1;
  return std::ranges::any_of(faults_.all(), [&](const CoreFaults::Acting& fault) {
    return machine_.sites().block(fault.site.storage).is_boot_array() &&
           (fault.check || state_.bit(fault.site) != booted.bit(fault.site)) &&
           is_live(run_, machine_.sites(), fault.site, now);
  });
}

CoreResult StruckCore::finish() {
  CoreResult result;
  result.hung = drive_.is_hung();
  result.hung_in = result.hung ? drive_.next().tick : 0;
  result.errors = drive_.errors();
  result.before = drive_.before();
  result.after = drive_.after();
  if (!result.hung) {
    const std::int32_t last = is_golden_ ? drive_.next().tick - 1 : run_.ticks();
    result.changes = changes_of(run_, first_tick_, last, drive_.departures());
    result.readout = is_golden_ ? run_.readout() : drive_.readout();
  }
  for (const CoreDrive::Change& change : drive_.changes()) {
    result.activated =
        result.activated || is_live(run_, machine_.sites(), change.site, change.cycle);
  }
  result.ticks_simulated = std::min(drive_.next().tick, run_.ticks()) - first_tick_;
  return result;
}

}  // namespace tilestrike::sim
