// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a core is fed in one inference, and the fault-free run that follows from it: its spikes and
// the time of every tick (docs/core.md, "Time").
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "sim/core/core_config.h"
#include "sim/core/core_sites.h"
#include "sim/core/core_state.h"

namespace tilestrike::sim {

/// A part of the table of destinations; indices go round at its end.
struct NeuronRoute {
  std::int32_t first = 0;
  std::int32_t count = 0;
};

/// Where a spike goes.
struct SpikeDestination {
  bool is_valid = false;
  std::int32_t core = 0;
  std::int32_t axon = 0;
  std::int32_t delay = 1;  // ticks until it is read; 0: 16
};

/// What is written at boot. Missing entries at the end are zero.
struct CoreContents {
  std::vector<std::int8_t> synapses;  // axon x neurons + neuron
  std::vector<NeuronParameters> neurons;
  std::vector<NeuronRoute> routes;  // by neuron
  std::vector<SpikeDestination> destinations;
  std::int32_t first_tick = 0;  // chip ticks in which the core works
  std::int32_t ticks = 1;
};

/// Adds an error for each number that does not fit its field.
void check_contents(const CoreContents& contents, const CoreConfig& config, ErrorList& errors);
/// Writes the arrays of boot and the two registers of the core's window.
void boot(const CoreContents& contents, CoreState& state);

/// A core after boot: what all of its inferences share.
class BootedCore {
 public:
  /// Throws Failure where there is no such core, or the contents do not fit it.
  BootedCore(const CoreConfig& config, CoreContents contents);
  BootedCore(const BootedCore&) = delete;
  BootedCore& operator=(const BootedCore&) = delete;

  const CoreConfig& config() const { return sites_.config(); }
  const CoreContents& contents() const { return contents_; }
  const CoreSites& sites() const { return sites_; }
  /// What is not written at boot is zero.
  const CoreState& state() const { return state_; }

 private:
  CoreSites sites_;
  CoreContents contents_;
  CoreState state_;
};

/// An event as it travels: the axon of a core, and the slot of its ring.
struct CoreEvent {
  std::int32_t core = 0;
  std::int32_t axon = 0;
  std::int32_t slot = 0;
  friend auto operator<=>(const CoreEvent&, const CoreEvent&) = default;
};

/// An event that is written into the ring at a clock edge. Axons go round at the core's.
struct CoreArrival {
  Cycle cycle = 1;  // edge of the tick, from 1
  std::int32_t axon = 0;
  std::int32_t slot = 0;
};

/// What a core is fed, and how long its chip's ticks are. Tick -1 is the lead-in: the reset, then
/// the time in which the host writes what tick 0 is to read. A list by tick begins with it.
struct CoreFeed {
  std::int32_t ticks = 1;                          // chip ticks of the inference
  std::vector<std::vector<CoreArrival>> arrivals;  // by tick, in time order; may end early
  std::vector<Cycle> least;                        // cycles of the slowest other core, by tick
  Cycle barrier = 1;     // cycles between the slowest core and the next tick
  Cycle fixed_tick = 0;  // each tick but the lead-in; 0: by the barrier
  /// Golden cycles of each tick, where this is not what the core is fed in the golden run, so that
  /// faults keep their time. Empty: it is. Not with a fixed tick.
  std::vector<Cycle> golden_lengths;
  std::int32_t readout = 0;  // membranes that the host reads in the end
  std::int32_t core_number = 0;
};

/// Arrivals as the host writes them: the spikes of tick t (axons, in their order) from cycle 1 of
/// tick t - 1 on, one per cycle; those of tick 0 after the reset.
std::vector<std::vector<CoreArrival>> host_arrivals(
    const CoreConfig& config, const std::vector<std::vector<std::int32_t>>& spikes);

/// An event that leaves the core.
struct CoreOutput {
  Cycle cycle = 0;  // edge of the tick at which it leaves the queue
  CoreEvent event;
};

/// One tick of the fault-free core.
struct GoldenTick {
  Cycle start = 0;   // cycles of the inference before its first edge
  Cycle length = 0;  // in golden time
  Cycle lasts = 0;   // edges until the next tick: `length`, or more where the feed is not golden
  Cycle own = 0;     // of them, what the core is busy; 0: outside of its window
  std::vector<std::int32_t> pending;  // axons that have an event, ascending
  std::vector<std::int32_t> fired;    // neurons, ascending
  std::vector<Cycle> updates;         // edge at which each group is read to be updated
  std::vector<Cycle> choices;         // edge at which the lane of each fired neuron is chosen
  std::vector<CoreOutput> outputs;    // in time order
  std::vector<NeuronState> before;    // of all neurons; empty: outside of the window
};

/// A cycle of the inference as a tick and an edge of it.
struct CoreMoment {
  std::int32_t tick = -1;  // feed.ticks: the readout
  Cycle edge = 1;
  friend bool operator==(const CoreMoment&, const CoreMoment&) = default;
};

class CoreRun {
 public:
  /// Throws Failure where the feed does not fit the core, or ticks do not fit the watchdog or the
  /// fixed tick.
  CoreRun(std::shared_ptr<const BootedCore> core, CoreFeed feed);
  /// Of a core of its own. Throws Failure where contents do not fit it, too.
  CoreRun(const CoreConfig& config, CoreContents contents, CoreFeed feed);

  /// Times of all ticks anew: the feed's `least` and `fixed_tick` become these. So a chip asks its
  /// cores first what they take, and then tells them what the slowest does. Throws Failure where a
  /// tick does not fit.
  void retime(std::vector<Cycle> least, Cycle fixed_tick);

  const BootedCore& core() const { return *core_; }
  const std::shared_ptr<const BootedCore>& shared_core() const { return core_; }
  const CoreConfig& config() const { return core_->config(); }
  const CoreContents& contents() const { return core_->contents(); }
  const CoreFeed& feed() const { return feed_; }
  std::int32_t ticks() const { return feed_.ticks; }
  /// -1 to ticks() - 1.
  const GoldenTick& tick(std::int32_t tick) const {
    return golden_[static_cast<std::size_t>(tick + 1)];
  }
  const std::vector<CoreArrival>& arrivals(std::int32_t tick) const;
  bool works_in(std::int32_t tick) const;
  /// Membranes and counters of all neurons after the last tick.
  const std::vector<NeuronState>& end() const { return end_; }
  /// Membranes of the first feed().readout neurons after the last tick.
  std::vector<std::int32_t> readout() const;

  /// Edges of the inference, the reset first, the readout last: cycles 1 to cycles().
  Cycle cycles() const { return cycles_; }
  /// Of a cycle of 1 to cycles().
  CoreMoment moment_of(Cycle cycle) const;
  Cycle cycle_of(const CoreMoment& moment) const;
  // Edges of a tick in which the core works:
  /// at which the accumulators and weights of a group are read for the k-th pending axon; they are
  /// written at the next. One before the first group's the axon is looked for.
  Cycle sum_edge(std::size_t k, std::int32_t group) const {
    return config().ring_words() + static_cast<Cycle>(k) * (1 + 2 * config().groups()) + 2 +
           2 * group;
  }
  /// at which the last sum is written, or the last word latched where no axon pends.
  Cycle summed_edge(const GoldenTick& tick) const { return tick.updates.front() - 1; }

  /// Edges of a reset: the one that begins it, and one per word of the longest array.
  Cycle reset_edges() const { return 1 + config().reset_words(); }
  /// What the contents leave out is zero.
  const NeuronParameters& neuron(std::int32_t index) const;
  std::int32_t weight(std::int32_t axon, std::int32_t neuron) const;
  /// The sums of all neurons, of the weights of these axons, in kCurrentBits.
  std::vector<std::int32_t> currents_of(const std::vector<std::int32_t>& axons) const;
  NeuronRoute route(std::int32_t neuron) const;
  /// Index modulo the size of the table.
  SpikeDestination destination(std::int64_t index) const;

 private:
  class Golden;
  void check() const;
  void check_arrivals(ErrorList& errors) const;
  void add_times();

  std::shared_ptr<const BootedCore> core_;
  CoreFeed feed_;
  std::vector<GoldenTick> golden_;  // by tick + 1
  std::vector<NeuronState> end_;
  Cycle cycles_ = 0;
};

}  // namespace tilestrike::sim
