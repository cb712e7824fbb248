// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Two machines of one mesh, edge by edge: after every clock edge every register and every result
// must be the same. Says at which cycle and in which register they part first.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "sim/run_edges.h"
#include "sim/stepped_mesh.h"

namespace tilestrike::rtl {

/// Where two machines part first. Of several registers at one cycle, the first in the order of the
/// sites; none where only what is collected differs.
struct Disagreement {
  Cycle state = 0;
  std::optional<sim::MeshSite> site;
  int column = 0;  // of a result that differs
  std::int32_t first = 0, second = 0;
  /// "partial_sum[1][2] at cycle 9: 5 against 7".
  std::string text(const sim::MeshSites& sites) const;
};

struct LockstepResult {
  std::optional<Disagreement> disagreement;
  bool changed_word = false;  // a fault changed its register
  int changed_results = 0;    // collected results that differ from golden
  Cycle agrees_from = 0;      // with golden, in every register; 0: not before the run's end
};

/// First, Second: SteppedMesh, MeshModel or what has their functions.
template <class First, class Second>
class Lockstep {
 public:
  /// Both as after reset. All must outlive this object.
  Lockstep(const sim::MeshRun& run, const sim::Operands& operands, const sim::MeshSites& sites,
           First& first, Second& second)
      : run_(run), sites_(sites), first_(first), second_(second) {
    sim::RunEdges edges(run, operands);
    const auto rows = static_cast<std::size_t>(run.config().rows);
    const auto columns = static_cast<std::size_t>(run.config().columns);
    for (std::int64_t wavefront = 0; wavefront < run.cycles(); ++wavefront) {
      const sim::EdgeValues edge = edges.of(wavefront);
      edges_.push_back({{edge.activations, edge.activations + rows},
                        {edge.vertical, edge.vertical + columns},
                        {edge.load, edge.load + columns},
                        edge.valid,
                        edge.propagate});
    }
  }

  /// The fault-free run, which strike() starts from and compares with.
  std::optional<Disagreement> record() {
    golden_.assign(1, look(first_));
    for (Cycle state = 1; state <= run_.cycles(); ++state) {
      step(state);
      if (const auto found = compare(state)) {
        return found;
      }
      golden_.push_back(now_);
    }
    return {};
  }

  /// Faults in time order. Requires record().
  LockstepResult strike(std::span<const RegisterFault> faults) {
    LockstepResult result;
    Cycle start = run_.cycles();
    Cycle last = 0;
    for (const RegisterFault& fault : faults) {
      start = std::min(start, fault.when.from);
      last =
          std::max(last, fault.kind == FaultKind::kFlip ? fault.when.from : fault.when.until - 1);
    }
    put(first_, golden_[static_cast<std::size_t>(start)]);
    put(second_, golden_[static_cast<std::size_t>(start)]);
    for (Cycle state = start; state <= run_.cycles(); ++state) {
      if (state > start) {
        step(state);
      }
      for (const RegisterFault& fault : faults) {
        if (fault.kind == FaultKind::kFlip ? fault.when.from == state
                                           : fault.when.contains(state)) {
          const auto [before, after] = first_.strike(fault);
          second_.strike(fault);
          result.changed_word = result.changed_word || before != after;
        }
      }
      result.disagreement = compare(state);
      if (result.disagreement) {
        return result;
      }
      const Snapshot& golden = golden_[static_cast<std::size_t>(state)];
      if (const auto due = sim::row_due(run_, state)) {
        for (int c = 0; c < due->columns; ++c) {
          const auto column = static_cast<std::size_t>(c);
          result.changed_results += now_.results[column] != golden.results[column] ? 1 : 0;
        }
      }
      if (state >= last && now_.registers == golden.registers) {
        result.agrees_from = state;
        return result;
      }
    }
    return result;
  }

 private:
  struct Edge {
    std::vector<std::int8_t> activations;
    std::vector<std::int32_t> vertical, load;
    bool valid, propagate;
  };
  struct Snapshot {
    std::vector<std::vector<std::int32_t>> registers;  // by Register
    std::vector<std::int32_t> results;                 // by column
  };

  void step(Cycle state) {
    const Edge& edge = edges_[static_cast<std::size_t>(state - 1)];
    const sim::EdgeValues values = {edge.activations.data(), edge.vertical.data(), edge.load.data(),
                                    edge.valid, edge.propagate};
    first_.step(values);
    second_.step(values);
  }

  template <class Machine>
  void look(const Machine& machine, Snapshot& into) const {
    into.registers.resize(sites_.blocks().size());
    for (const sim::RegisterBlock& block : sites_.blocks()) {
      machine.read_all(block.kind, into.registers[static_cast<std::size_t>(block.kind)]);
    }
    into.results.resize(static_cast<std::size_t>(run_.config().columns));
    for (std::size_t column = 0; column < into.results.size(); ++column) {
      into.results[column] = machine.collected(static_cast<int>(column));
    }
  }
  template <class Machine>
  Snapshot look(const Machine& machine) const {
    Snapshot snapshot;
    look(machine, snapshot);
    return snapshot;
  }

  template <class Machine>
  void put(Machine& machine, const Snapshot& snapshot) const {
    for (const sim::RegisterBlock& block : sites_.blocks()) {
      machine.write_all(block.kind, snapshot.registers[static_cast<std::size_t>(block.kind)]);
    }
  }

  std::optional<Disagreement> compare(Cycle state) {
    look(first_, now_);
    look(second_, other_);
    if (now_.registers == other_.registers && now_.results == other_.results) {
      return {};
    }
    Disagreement found;
    found.state = state;
    for (const sim::RegisterBlock& block : sites_.blocks()) {
      const auto& first = now_.registers[static_cast<std::size_t>(block.kind)];
      const auto& second = other_.registers[static_cast<std::size_t>(block.kind)];
      const auto parts = std::mismatch(first.begin(), first.end(), second.begin());
      if (parts.first != first.end()) {
        const auto cell = static_cast<std::uint64_t>(parts.first - first.begin());
        found.site =
            sites_.describe(SiteId(block.first + cell * static_cast<std::uint64_t>(block.bits)));
        found.first = *parts.first;
        found.second = *parts.second;
        return found;
      }
    }
    const auto parts =
        std::mismatch(now_.results.begin(), now_.results.end(), other_.results.begin());
    found.column = static_cast<int>(parts.first - now_.results.begin());
    found.first = *parts.first;
    found.second = *parts.second;
    return found;
  }

  const sim::MeshRun& run_;
  const sim::MeshSites& sites_;
  First& first_;
  Second& second_;
  std::vector<Edge> edges_;       // by wavefront
  std::vector<Snapshot> golden_;  // by state
  Snapshot now_, other_;          // of the first and the second machine
};

}  // namespace tilestrike::rtl
