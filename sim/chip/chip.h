// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A chip: equal neuromorphic cores, an ideal network between them, and a host that writes events
// and reads the answer (docs/core.md, "The chip").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {

struct ChipConfig {
  CoreConfig core;       // of each
  Cycle barrier = 1;     // cycles between the slowest core of a tick and the next tick
  Cycle fixed_tick = 0;  // cycles of each tick but the lead-in; 0: by the barrier
};

/// Where an event is to go.
struct CorePlace {
  std::int32_t core = 0;
  std::int32_t axon = 0;
  friend auto operator<=>(const CorePlace&, const CorePlace&) = default;
};

/// The first `membranes` membranes of a core, which the host reads after the last tick.
struct CoreReadout {
  std::int32_t core = 0;
  std::int32_t membranes = 0;
};

/// What is written at boot, and what the host does. Destinations name cores by their places in
/// `cores`, and the host by kHostCore; an event to any other core is lost.
struct ChipContents {
  std::vector<CoreContents> cores;
  /// By input of the chip: all places that it goes to, one copy per core that needs it. A spike of
  /// local tick t is read in chip tick t + first_tick of the core.
  std::vector<std::vector<CorePlace>> inputs;
  /// The answer in membranes, one core after another. They are read side by side: at edge i of the
  /// readout the host reads membrane i - 1 of each of these cores. Each core at most once.
  std::vector<CoreReadout> readout;
  /// The answer in spikes: an event for kHostCore is a spike of the output that its axon names, in
  /// the chip tick in which it leaves its core. Of an axon from here on it is lost.
  std::int32_t outputs = 0;
  std::int32_t ticks = 1;  // chip ticks of an inference: T + levels - 1
};

/// A chip after boot: what all of its inferences share.
class BootedChip {
 public:
  /// Throws Failure, which names the core, where contents do not fit.
  BootedChip(const ChipConfig& config, ChipContents contents);

  const ChipConfig& config() const { return config_; }
  std::int32_t cores() const { return static_cast<std::int32_t>(cores_.size()); }
  const BootedCore& core(std::int32_t core) const {
    return *cores_[static_cast<std::size_t>(core)];
  }
  const std::shared_ptr<const BootedCore>& shared_core(std::int32_t core) const {
    return cores_[static_cast<std::size_t>(core)];
  }
  /// What the chip was made of, but for the contents of its cores, which core() has.
  const std::vector<std::vector<CorePlace>>& inputs() const { return contents_.inputs; }
  const std::vector<CoreReadout>& readout() const { return contents_.readout; }
  std::int32_t outputs() const { return contents_.outputs; }
  std::int32_t ticks() const { return contents_.ticks; }
  /// Membranes that the host reads of a core.
  std::int32_t readout_of(std::int32_t core) const;

  /// Sites of the chip: those of core 0, then those of core 1, and so on.
  const CoreSites& core_sites() const { return cores_.front()->sites(); }
  std::uint64_t sites_per_core() const { return core_sites().total_bits(); }
  std::uint64_t total_bits() const { return sites_per_core() * cores_.size(); }
  std::int32_t core_of(SiteId site) const {
    return static_cast<std::int32_t>(site.value / sites_per_core());
  }
  /// The number of the site within its core.
  SiteId within_core(SiteId site) const { return SiteId(site.value % sites_per_core()); }
  SiteId id_of(std::int32_t core, const CoreSite& site) const {
    return SiteId(static_cast<std::uint64_t>(core) * sites_per_core() +
                  core_sites().id_of(site).value);
  }
  /// "core 3 parameters[3] lane 5 threshold bit 12".
  std::string text(SiteId site) const;

  /// Whether a neuron of the first core has a route to the second, loops of a core left out.
  bool sends(std::int32_t from, std::int32_t to) const {
    return sends_[static_cast<std::size_t>(from) * cores_.size() + static_cast<std::size_t>(to)];
  }
  /// The neuron of a core whose routes name where an event goes and, with its delay from `tick`,
  /// the slot; the first of several, else the first that names the place alone. -1: none does.
  std::int32_t sender_of(std::int32_t core, std::int32_t tick, const CoreEvent& event) const;
  /// The cores, each behind all that send to it. On loops no such order is: who is on one, or
  /// behind one, comes from place ordered() on.
  const std::vector<std::int32_t>& order() const { return order_; }
  std::size_t ordered() const { return ordered_; }
  /// Whether some spikes could make a tick of the core as long as its watchdog.
  bool can_trip(std::int32_t core) const { return can_trip_[static_cast<std::size_t>(core)]; }

 private:
  struct Route {
    CorePlace to;
    std::int32_t neuron, delay;
  };
  void check() const;
  void boot_cores();
  void look_at_routes(std::int32_t core);
  void sort();

  ChipConfig config_;
  ChipContents contents_;  // its cores moved into cores_
  std::vector<std::shared_ptr<const BootedCore>> cores_;
  std::vector<bool> sends_, can_trip_;
  std::vector<std::vector<Route>> routes_;  // by core, by place and neuron
  std::vector<std::int32_t> order_;
  std::size_t ordered_ = 0;
};

/// The errors of a failure, each with the core that it is of.
void add_named(const Failure& failure, std::int32_t core, ErrorList& errors);

}  // namespace tilestrike::sim
