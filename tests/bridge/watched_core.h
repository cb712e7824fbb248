// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A core that tells all its membranes whenever a tick begins, whatever machine computes it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sim/core/core_machine.h"

namespace tilestrike::bridge {

/// Membranes of all neurons of a machine, as its host reads them.
inline std::vector<std::int32_t> membranes_of(const sim::CoreMachine& machine) {
  std::vector<std::int32_t> all;
  for (std::int32_t neuron = 0; neuron < machine.sites().config().neurons; ++neuron) {
    all.push_back(machine.membrane(neuron));
  }
  return all;
}

/// What one core has held.
struct CoreHistory {
  std::shared_ptr<sim::CoreMachine> machine;         // as the inference has left it
  std::vector<std::vector<std::int32_t>> membranes;  // at the begin of each tick, from 0 on
};

class WatchedCore final : public sim::CoreMachine {
 public:
  /// `history` must outlive the core.
  explicit WatchedCore(CoreHistory& history) : inner_(history.machine), history_(history) {}

  void step(const sim::CoreEdge& edge) override {
    if (edge.is_start) {
      history_.membranes.push_back(membranes_of(*inner_));
    }
    inner_->step(edge);
  }

  // All else is the machine's.
  const sim::CoreSites& sites() const override { return inner_->sites(); }
  void set_state(const sim::CoreState& state) override { inner_->set_state(state); }
  void get_state(sim::CoreState& state) const override { inner_->get_state(state); }
  void write_events(std::span<const sim::CoreArrival> arrivals) override {
    inner_->write_events(arrivals);
  }
  std::optional<sim::CoreEvent> outgoing() const override { return inner_->outgoing(); }
  bool is_busy() const override { return inner_->is_busy(); }
  std::uint64_t errors() const override { return inner_->errors(); }
  std::int32_t membrane(std::int32_t neuron) const override { return inner_->membrane(neuron); }
  bool strike(const sim::CoreSite& site, FaultKind kind) override {
    return inner_->strike(site, kind);
  }
  std::uint64_t field(const sim::CoreSite& site) const override { return inner_->field(site); }

 private:
  const std::shared_ptr<sim::CoreMachine> inner_;
  CoreHistory& history_;
};

}  // namespace tilestrike::bridge
