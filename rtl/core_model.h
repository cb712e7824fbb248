// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The neuromorphic core in RTL, Verilated: all storage can be read, written and struck between two
// clock edges, by the same sites as sim::SteppedCore, which it must equal edge by edge.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rtl/verilated_core.h"
#include "sim/core/core_machine.h"

namespace tilestrike::rtl {

class CoreModel final : public sim::CoreMachine {
 public:
  /// Whether the RTL was Verilated in these sizes, overflow and watchdog.
  static bool is_built(const sim::CoreConfig& config);
  /// "16:16:24:64:16:wrap, ...", as the list in CMakeLists.txt has them: for messages.
  static std::string built_sizes();

  /// All storage is zero. `sites` must outlive the model. Throws Failure where !is_built().
  explicit CoreModel(const sim::CoreSites& sites);

  const sim::CoreSites& sites() const override { return sites_; }
  void set_state(const sim::CoreState& state) override;
  void get_state(sim::CoreState& state) const override;
  /// One clock edge. Of several events at one edge the first comes through the port, the others are
  /// written into the ring after it: the network is ideal.
  void step(const sim::CoreEdge& edge) override;
  void write_events(std::span<const sim::CoreArrival> arrivals) override;
  std::optional<sim::CoreEvent> outgoing() const override;
  bool is_busy() const override { return *ports_.busy != 0; }
  std::uint64_t errors() const override { return *ports_.error; }
  /// At the port readout_o.
  std::int32_t membrane(std::int32_t neuron) const override;
  /// After the edge; everything settles.
  bool strike(const sim::CoreSite& site, FaultKind kind) override;
  std::uint64_t field(const sim::CoreSite& site) const override;

  /// Writes 64 bits of a word of an array of boot, or the window (CoreStorage::kTicks: the ticks
  /// above the first tick), through the port, by one clock edge at which nothing else happens.
  void boot(sim::CoreStorage storage, std::uint32_t word, int part, std::uint64_t data);

  /// Every storage element that the design lets be struck, by its name.
  void visit_storage(
      const std::function<void(const std::string&, std::uint64_t words, int bits)>& visit) const;

 private:
  using Storage = VerilatedCore::Storage;
  const Storage& storage(sim::CoreStorage storage) const {
    return storage_[static_cast<std::size_t>(storage)];
  }
  void edge();

  const sim::CoreSites& sites_;
  std::unique_ptr<VerilatedCore> model_;
  VerilatedCore::Ports ports_;
  std::vector<Storage> storage_;  // by sim::CoreStorage
};

}  // namespace tilestrike::rtl
