// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/struck_chip.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/chip/chip_lockstep.h"
#include "sim/chip/engine_core.h"
#include "sim/chip/fed_core.h"

namespace tilestrike::sim {
namespace {

// Tick by tick: what struck cores send is known from their engines, what clean cores read in a tick
// from the ticks before. A struck core that is fed otherwise is computed anew; as it reads events
// in later ticks alone, what it has sent so far stays.
class Sweep {
 public:
  Sweep(const ChipRun& run, const ChipJob& job, CoreEngine* engine, CoreEngine& other)
      : run_(run),
        chip_(run.chip()),
        engine_(engine),
        other_(other),
        clean_(cores()),
        read_(cores()) {
    for (const std::int32_t core : struck_cores(chip_, job)) {
      struck_.emplace_back(run, core, faults_of(chip_, job, core), cells_of(job, core));
    }
  }

  // False: only the lockstep of all cores can tell.
  bool compute() {
    for (EngineCore& core : struck_) {
      core.compute(engine_, other_);
    }
    if (std::ranges::any_of(struck_, &Sweep::has_hung)) {
      return is_hang_final();
    }
    if (!is_known()) {
      return false;
    }
    for (std::int32_t tick = first_tick(); tick < run_.ticks() && !is_over(tick); ++tick) {
      if (!compute(tick)) {
        return false;
      }
    }
    return true;
  }

  ChipResult finish() {
    ChipResult result;
    for (const EngineCore& core : struck_) {
      const CoreResult& of_core = core.result();
      result.hung = result.hung || of_core.hung;
      result.errors |= of_core.errors;
      result.activated = result.activated || core.is_activated();
      if (result.before == result.after) {
        result.before = of_core.before;
        result.after = of_core.after;
      }
    }
    if (!result.hung) {
      add_answer(result);
    }
    return result;
  }

 private:
  static bool has_hung(const EngineCore& core) { return core.result().hung; }
  std::size_t cores() const { return static_cast<std::size_t>(run_.cores()); }
  EngineCore* struck(std::int32_t core) {
    const auto found = std::ranges::find(struck_, core, &EngineCore::core);
    return found == struck_.end() ? nullptr : &*found;
  }

  // What it is fed until it hangs is golden.
  bool is_hang_final() const {
    const EngineCore& core = struck_.front();
    bool is_fed = false;
    for (std::int32_t from = 0; from < run_.cores(); ++from) {
      is_fed = is_fed || chip_.sends(from, core.core());
    }
    return struck_.size() == 1 && (!is_fed || core.result().hung_in <= core.first_tick());
  }

  // Whether the engines know all that other cores must be told. They do not tell edges: of what
  // leaves in the lead-in, of what meets the fault of another struck core; nor how long a tick is.
  bool is_known() const {
    return std::ranges::all_of(struck_, [&](const EngineCore& core) {
      const bool is_late = core.changes().empty() || core.changes().front().tick >= 0;
      return is_late && std::ranges::all_of(struck_, [&](const EngineCore& other) {
               const bool meets = chip_.sends(other.core(), core.core()) &&
                                  other.first_tick() <= core.meets_events_until();
               return &other == &core || (!meets && !core.meets_waiting());
             });
    });
  }

  std::int32_t first_tick() const {
    std::int32_t first = run_.ticks();
    for (const EngineCore& core : struck_) {
      first = core.changes().empty() ? first : std::min(first, core.changes().front().tick);
    }
    return first;
  }

  // Nothing differs from this tick on.
  bool is_over(std::int32_t tick) const {
    return std::ranges::all_of(struck_,
                               [&](const EngineCore& core) {
                                 return core.changes().empty() || core.changes().back().tick < tick;
                               }) &&
           std::ranges::all_of(read_, [](const auto& ticks) { return ticks.empty(); }) &&
           std::ranges::none_of(clean_, [](const std::unique_ptr<FedCore>& core) {
             return core != nullptr && core->has_changed_state();
           });
  }

  bool compute(std::int32_t tick) {
    for (const EngineCore& core : struck_) {
      for (const CoreOutputChange& change : core.changes()) {
        if (change.tick == tick && !send(core.core(), change)) {
          return false;
        }
      }
    }
    for (std::int32_t core = 0; core < run_.cores(); ++core) {
      if (!compute_clean(core, tick)) {
        return false;
      }
    }
    return std::ranges::all_of(
        struck_, [&](EngineCore& core) { return !core.is_stale() || compute_anew(core, tick); });
  }

  // Fed otherwise in this tick, it reads that in later ones.
  bool compute_anew(EngineCore& core, std::int32_t tick) {
    if (tick <= core.meets_events_until() || chip_.can_trip(core.core())) {
      return false;
    }
    const std::vector<CoreOutputChange> before = core.changes();
    core.compute(engine_, other_);
    const auto sent = [&](const std::vector<CoreOutputChange>& changes) {
      const auto end = std::ranges::upper_bound(changes, tick, {}, &CoreOutputChange::tick);
      return std::span(changes.begin(), end);
    };
    return !core.result().hung && std::ranges::equal(sent(before), sent(core.changes()));
  }

  // What a core sends more or less often than golden.
  bool send(std::int32_t from, const CoreOutputChange& change) {
    const CoreEvent& event = change.event;
    const std::int32_t more = change.faulty - change.golden;
    EngineCore* const to = struck(event.core);
    if (event.core >= run_.cores() || (to != nullptr && from == event.core)) {
      return true;  // of the host, or lost; or the engine has seen to it
    }
    if (to != nullptr) {
      to->feed(change.tick, event, more);
      return change.early == 0;
    }
    const std::int32_t axon = event.axon % chip_.config().core.axons;
    const std::int32_t tick =
        tick_read(run_.core(event.core), change.tick, event.slot, axon, change.early);
    if (tick < run_.ticks()) {
      read_[static_cast<std::size_t>(event.core)][tick][axon] += more;
    }
    return true;
  }

  // Axons that pend in a tick where they do not, or the other way round.
  std::vector<std::int32_t> take_changed_axons(std::int32_t core, std::int32_t tick) {
    std::vector<std::int32_t> axons;
    auto& ticks = read_[static_cast<std::size_t>(core)];
    if (const auto found = ticks.find(tick); found != ticks.end()) {
      for (const auto& [axon, more] : found->second) {
        const std::int32_t golden = run_.events(core, tick, axon);
        TS_CHECK(golden + more >= 0, "no event is missed that does not come");
        if ((golden > 0) != (golden + more > 0)) {
          axons.push_back(axon);
        }
      }
      ticks.erase(found);
    }
    return axons;
  }

  bool compute_clean(std::int32_t number, std::int32_t tick) {
    std::unique_ptr<FedCore>& core = clean_[static_cast<std::size_t>(number)];
    const std::vector<std::int32_t> axons = take_changed_axons(number, tick);
    const bool differs = !axons.empty() || (core != nullptr && core->has_changed_state());
    if (!differs || !run_.core(number).works_in(tick)) {
      return true;
    }
    if (core == nullptr) {
      core = std::make_unique<FedCore>(run_, number);
    }
    const FedTick fed = core->compute(tick, axons);
    for (const std::int32_t neuron : fed.changed) {
      count_events(number, tick, neuron);
    }
    for (auto change = sent_.lower_bound({number, tick, {}});
         change != sent_.end() && change->first <= Sent{number, tick, kLastEvent}; ++change) {
      send(number, change_of(*change));
    }
    return fits(number, tick, fed);
  }

  // Of a neuron that fires otherwise than golden.
  void count_events(std::int32_t core, std::int32_t tick, std::int32_t neuron) {
    const CoreRun& run = run_.core(core);
    const bool was = std::ranges::binary_search(run.tick(tick).fired, neuron);
    const NeuronRoute route = run.route(neuron);
    for (std::int32_t i = 0; i < route.count; ++i) {
      const SpikeDestination to = run.destination(std::int64_t{route.first} + i);
      if (to.is_valid) {
        sent_[{core, tick, {to.core, to.axon, (tick + to.delay) % kRingSlots}}] += was ? -1 : 1;
      }
    }
  }

  // Whether a clean core that is fed otherwise keeps the chip's time, and meets no fault by it.
  bool fits(std::int32_t number, std::int32_t tick, const FedTick& fed) const {
    const ChipConfig& config = chip_.config();
    const bool is_longer =
        fed.own + (config.fixed_tick > 0 ? 0 : config.barrier) > run_.length(tick);
    const bool meets = std::ranges::any_of(struck_, [&](const EngineCore& core) {
      return (is_longer && core.meets_waiting()) ||
             (fed.is_retimed && chip_.sends(number, core.core()) &&
              tick <= core.meets_events_until());
    });
    return !meets && !chip_.can_trip(number) && !(is_longer && config.fixed_tick > 0);
  }

  using Sent = std::tuple<std::int32_t, std::int32_t, CoreEvent>;  // core, tick, event
  static constexpr CoreEvent kLastEvent{kHostCore + 1, 0, 0};

  CoreOutputChange change_of(const std::pair<const Sent, std::int32_t>& sent) const {
    const auto& [core, tick, event] = sent.first;
    const auto golden = static_cast<std::int32_t>(
        std::ranges::count(run_.core(core).tick(tick).outputs, event, &CoreOutput::event));
    return {tick, event, 0, golden, golden + sent.second};
  }

  void add_answer(ChipResult& result) {
    for (const EngineCore& core : struck_) {
      add_report(core.result().ecc, core.core(), result);
      result.cores.push_back({core.core(), true, false, core.changes()});
    }
    for (const auto& sent : sent_) {
      const std::int32_t core = std::get<0>(sent.first);
      if (sent.second != 0) {
        if (result.cores.empty() || result.cores.back().core != core) {
          result.cores.push_back({core, false, false, {}});
        }
        result.cores.back().changes.push_back(change_of(sent));
      }
    }
    for (const CoreReadout& part : chip_.readout()) {
      const EngineCore* const core = struck(part.core);
      const std::unique_ptr<FedCore>& clean = clean_[static_cast<std::size_t>(part.core)];
      const std::vector<std::int32_t> read = core != nullptr    ? core->result().readout
                                             : clean != nullptr ? clean->readout()
                                                                : run_.core(part.core).readout();
      result.readout.insert(result.readout.end(), read.begin(), read.end());
    }
    complete(run_, result);
  }

  const ChipRun& run_;
  const BootedChip& chip_;
  CoreEngine* const engine_;
  CoreEngine& other_;
  std::vector<EngineCore> struck_;               // by core
  std::vector<std::unique_ptr<FedCore>> clean_;  // by core; nullptr: as golden so far
  // By core, tick in which they are read, and axon: events more than golden.
  std::vector<std::map<std::int32_t, std::map<std::int32_t, std::int32_t>>> read_;
  std::map<Sent, std::int32_t> sent_;  // by clean cores: how often more than golden
};

}  // namespace

StruckChip::StruckChip(std::unique_ptr<CoreEngine> engine)
    : engine_(std::move(engine)), systemc_(make_core_engine("systemc")) {}

ChipResult StruckChip::strike(const ChipRun& run, const ChipJob& job) {
  Sweep sweep(run, job, engine_.get(), *systemc_);
  if (sweep.compute()) {
    return sweep.finish();
  }
  return chip_lockstep(run, job, [&](const CoreSites& sites) { return systemc_->machine(sites); });
}

}  // namespace tilestrike::sim
