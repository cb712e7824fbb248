// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_lockstep.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tilestrike::sim {

std::string CoreDisagreement::text(const CoreSites& sites) const {
  return (site ? sites.text(sites.id_of(*site)) : "what the core says") + " at edge " +
         std::to_string(moment.edge) + " of tick " + std::to_string(moment.tick) + ": " +
         std::to_string(first) + " against " + std::to_string(second);
}

CoreLockstep::CoreLockstep(const CoreRun& run, CoreMachine& first, CoreMachine& second)
    : run_(run),
      sites_(first.sites()),
      first_(first),
      second_(second),
      now_(first.sites()),
      other_(first.sites()) {}

std::optional<CoreDisagreement> CoreLockstep::compare(const CoreMoment& moment) {
  first_.get_state(now_);
  second_.get_state(other_);
  if (!(now_ == other_)) {
    for (std::uint64_t id = 0; id < sites_.total_bits(); ++id) {
      const CoreSite site = sites_.describe(SiteId(id));
      if (now_.bit(site) != other_.bit(site)) {
        return CoreDisagreement{moment, site, now_.field(site), other_.field(site)};
      }
    }
  }
  if (first_.outgoing() != second_.outgoing() || first_.is_busy() != second_.is_busy() ||
      first_.errors() != second_.errors()) {
    return CoreDisagreement{moment, std::nullopt, first_.is_busy(), second_.is_busy()};
  }
  return std::nullopt;
}

std::optional<CoreDisagreement> CoreLockstep::record() {
  TS_CHECK(golden_.empty(), "recorded once");
  CoreState start(sites_);
  boot(run_.contents(), start);
  first_.set_state(start);
  second_.set_state(start);
  CoreDrive first(run_, first_), second(run_, second_);
  while (!first.is_over()) {
    const CoreMoment moment = first.next();
    if (moment.edge == 1 && moment.tick < run_.ticks()) {
      first_.get_state(now_);
      golden_.push_back({now_, first.departures().size(), first.readout().size()});
    }
    first.step();
    second.step();
    if (const auto found = compare(moment)) {
      return found;
    }
  }
  departures_ = first.departures();
  readout_ = first.readout();
  TS_CHECK(second.is_over() && second.departures() == departures_ && second.readout() == readout_,
           "machines that agree answer alike");
  return std::nullopt;
}

CoreLockstepResult CoreLockstep::strike(std::span<const RegisterFault> faults) {
  CoreLockstepResult result;
  Cycle from = std::numeric_limits<Cycle>::max();
  for (const RegisterFault& fault : faults) {
    from = std::min(from, std::max<Cycle>(fault.when.from, 1));
  }
  const std::int32_t tick = std::min(run_.moment_of(from).tick, run_.ticks() - 1);
  const TickStart& start = golden_[static_cast<std::size_t>(tick + 1)];
  first_.set_state(start.state);
  second_.set_state(start.state);
  CoreDrive first(run_, first_, faults), second(run_, second_, faults);
  first.resume(tick);
  second.resume(tick);
  const CoreFaults acting(sites_, faults);
  bool is_golden = false;
  while (!first.is_over() && !second.is_over() && !is_golden && !result.disagreement) {
    const CoreMoment moment = first.next();
    first.step();
    second.step();
    ++result.edges;
    result.disagreement = compare(moment);
    const CoreMoment next = first.next();
    is_golden = next.edge == 1 && next.tick < run_.ticks() &&
                acting.is_over(run_.cycle_of(next) - 1) && !first.is_over() &&
                now_ == golden_[static_cast<std::size_t>(next.tick + 1)].state;
  }
  result.has_changed_word = !first.changes().empty();
  result.is_hung = first.is_hung();
  // Up to where it stopped, where all is golden.
  const std::size_t stop = static_cast<std::size_t>(first.next().tick + 1);
  const std::size_t departures = is_golden ? golden_[stop].departures : departures_.size();
  const std::size_t readouts = is_golden ? golden_[stop].readouts : readout_.size();
  result.has_changed_outputs =
      !std::ranges::equal(
          first.departures(),
          std::span(departures_).subspan(start.departures, departures - start.departures)) ||
      !std::ranges::equal(first.readout(),
                          std::span(readout_).subspan(start.readouts, readouts - start.readouts));
  if (!result.disagreement &&
      (second.departures() != first.departures() || second.readout() != first.readout() ||
       second.is_over() != first.is_over() || second.before() != first.before() ||
       second.after() != first.after())) {
    result.disagreement = CoreDisagreement{first.next(), std::nullopt, 0, 0};
  }
  return result;
}

}  // namespace tilestrike::sim
