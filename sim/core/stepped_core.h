// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The core with all storage at every clock edge: the reference that says what the other machines
// must compute. docs/core.md, "One clock edge", is this file as a table.
#pragma once

#include "sim/core/core_machine.h"

namespace tilestrike::sim {

/// One clock edge of a core. `reader`: what synapses and parameters are read through; nullptr: they
/// are read in the state.
void step_core(CoreState& state, const CoreEdge& edge, CoreReader* reader = nullptr);

/// Sets the bits of the ring that events name.
void write_events(CoreState& state, std::span<const CoreArrival> arrivals);
/// What leaves at the next edge.
std::optional<CoreEvent> outgoing_of(const CoreState& state);
/// Whether the next edge cannot begin a tick.
bool is_busy(const CoreState& state);

class SteppedCore : public CoreMachine {
 public:
  /// All zero. `sites` must outlive the core.
  explicit SteppedCore(const CoreSites& sites) : state_(sites) {}

  const CoreSites& sites() const override { return state_.sites(); }
  void set_state(const CoreState& state) override { state_.take(state); }
  void get_state(CoreState& state) const override { state.take(state_); }
  void step(const CoreEdge& edge) override { step_core(state_, edge); }
  void write_events(std::span<const CoreArrival> arrivals) override {
    sim::write_events(state_, arrivals);
  }
  std::optional<CoreEvent> outgoing() const override { return outgoing_of(state_); }
  bool is_busy() const override { return sim::is_busy(state_); }
  std::uint64_t errors() const override { return state_.value(CoreStorage::kError); }
  std::int32_t membrane(std::int32_t neuron) const override;
  bool strike(const CoreSite& site, FaultKind kind) override;
  std::uint64_t field(const CoreSite& site) const override { return state_.field(site); }

  const CoreState& state() const { return state_; }
  CoreState& state() { return state_; }

 private:
  CoreState state_;
};

}  // namespace tilestrike::sim
