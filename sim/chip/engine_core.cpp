// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/engine_core.h"

#include <algorithm>

#include "base/error.h"
#include "sim/core/core_drive.h"

namespace tilestrike::sim {
namespace {

// What is read by latches and sums alone: whatever comes from other cores is in the ring by then.
bool meets_events(const CoreFaults::Acting& fault) {
  switch (fault.site.storage) {
    case CoreStorage::kSynapses:
    case CoreStorage::kParameters:
    case CoreStorage::kNeuronRoutes:
    case CoreStorage::kDestinations:
    case CoreStorage::kAccumulators:
    case CoreStorage::kMembranes:
    case CoreStorage::kRefractory:
      return !fault.is_once;
    default:
      return true;
  }
}

bool meets_waiting_of(const CoreFaults::Acting& fault, const CoreSites& sites) {
  const CoreStorage storage = fault.site.storage;
  return storage == CoreStorage::kQueueWrite || storage == CoreStorage::kQueueRead ||
         (!fault.is_once && !sites.block(storage).is_array());
}

bool is_of(const CoreArrival& arrival, std::int32_t axon, std::int32_t slot, int axons) {
  return arrival.axon % axons == axon && arrival.slot == slot;
}

}  // namespace

EngineCore::EngineCore(const ChipRun& run, std::int32_t core, std::vector<RegisterFault> faults,
                       std::vector<CellFault> cells)
    : run_(run),
      core_(core),
      faults_(std::move(faults)),
      cells_(std::move(cells)),
      first_tick_(run.ticks()) {
  const CoreSites& sites = run.chip().core(core).sites();
  const CoreFaults all(sites, faults_, cells_);
  const Cycle cycles = run.core(core).cycles();
  if (all.first() <= cycles) {
    first_tick_ = run.moment_of(all.first()).tick;
  }
  for (const CoreFaults::Acting& fault : all.all()) {
    const Cycle last = fault.is_once ? fault.when.from : std::min(fault.when.until - 1, cycles);
    if (fault.when.from > cycles || last < 1) {
      continue;
    }
    // Behind the last edge of a tick the next one has begun.
    const std::int32_t until = run.moment_of(std::min(last + 1, cycles)).tick;
    if (meets_events(fault)) {
      meets_events_until_ = std::max(meets_events_until_, until);
    }
    meets_waiting_ = meets_waiting_ || meets_waiting_of(fault, sites);
  }
  if (run.chip().config().fixed_tick > 0) {
    meets_events_until_ = run.ticks();  // a tick may begin while the core is busy
  }
}

void EngineCore::feed(std::int32_t tick, const CoreEvent& event, std::int32_t more) {
  more_[{tick, event.axon % run_.chip().config().core.axons, event.slot}] += more;
  is_stale_ = true;
}

// Which edges the new events come at does not matter, as long as no word of the ring is latched
// then.
CoreFeed EngineCore::changed_feed() const {
  const CoreConfig& config = run_.chip().config().core;
  CoreFeed feed = run_.core(core_).feed();
  for (const auto& [place, more] : more_) {
    const auto [tick, axon, slot] = place;
    std::vector<CoreArrival>& arrivals = feed.arrivals[static_cast<std::size_t>(tick) + 1];
    const auto is_here = [&, axon = axon, slot = slot](const CoreArrival& arrival) {
      return is_of(arrival, axon, slot, config.axons);
    };
    const auto golden = static_cast<std::int32_t>(std::ranges::count_if(arrivals, is_here));
    TS_CHECK(golden + more >= 0, "no event is missed that does not come");
    if (golden > 0 && golden + more == 0) {
      std::erase_if(arrivals, is_here);
    } else if (golden == 0 && more > 0) {
      const Cycle edge = config.ring_words() + 1;
      arrivals.insert(std::ranges::upper_bound(arrivals, edge, {}, &CoreArrival::cycle),
                      {edge, axon, slot});
    }
  }
  feed.least.clear();
  for (std::int32_t tick = -1; tick < run_.ticks(); ++tick) {
    feed.golden_lengths.push_back(run_.length(tick));
  }
  return feed;
}

void EngineCore::compute(CoreEngine* engine, CoreEngine& other) {
  const auto strike = [&](const CoreGolden& golden) {
    const CoreJob job{&golden, faults_, false, cells_};
    result_ = (engine != nullptr && engine->covers(job) ? *engine : other).run(job);
  };
  is_stale_ = false;
  if (more_.empty()) {
    strike(run_.golden(core_));
    is_activated_ = result_.activated;
    compare(run_.core(core_));
    return;
  }
  const CoreRun fed(run_.chip().shared_core(core_), changed_feed());
  strike(CoreGolden(fed));
  compare(fed);
}

// The engine tells what differs from the fault-free core that is fed the same.
void EngineCore::compare(const CoreRun& fed) {
  const CoreRun& golden = run_.core(core_);
  std::map<std::tuple<std::int32_t, CoreEvent, Cycle>, CoreOutputChange> all;
  if (&fed != &golden) {
    for (std::int32_t tick = 0; tick < run_.ticks(); ++tick) {
      const auto of = [&](const CoreOutput& output) -> CoreOutputChange& {
        return all.try_emplace({tick, output.event, 0}, CoreOutputChange{tick, output.event})
            .first->second;
      };
      for (const CoreOutput& output : golden.tick(tick).outputs) {
        ++of(output).golden;
      }
      for (const CoreOutput& output : fed.tick(tick).outputs) {
        ++of(output).faulty;
      }
    }
  }
  for (const CoreOutputChange& change : result_.changes) {
    if (change.tick < run_.ticks()) {
      CoreOutputChange& sum =
          all.insert({{change.tick, change.event, change.early}, change}).first->second;
      sum.faulty = change.faulty;
    }
  }
  changes_.clear();
  for (const auto& [place, change] : all) {
    if (change.golden != change.faulty) {
      changes_.push_back(change);
    }
  }
}

}  // namespace tilestrike::sim
