// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/lockstep.h"

#include <algorithm>

namespace tilestrike::sim {
namespace {

constexpr Cycle kRecordedAtOnce = 64;  // states

bool acts(const RegisterFault& fault, Cycle state) {
  return fault.kind == FaultKind::kFlip ? fault.when.from == state : fault.when.contains(state);
}

}  // namespace

std::string Disagreement::place(const MeshSites& sites) const {
  if (!site) {
    return "result of column " + std::to_string(column);
  }
  const std::string bit = sites.text(sites.id_of(*site));
  return bit.substr(0, bit.rfind(" bit "));
}

std::string Disagreement::text(const MeshSites& sites) const {
  return place(sites) + " at cycle " + std::to_string(state) + ": " + std::to_string(first) +
         " against " + std::to_string(second);
}

Lockstep::Lockstep(const MeshRun& run, const Operands& operands, const MeshSites& sites,
                   MeshMachine& first, MeshMachine& second, const LockstepStart& start,
                   Golden golden)
    : run_(run),
      sites_(sites),
      first_(first),
      second_(second),
      inputs_(run, operands),
      keeps_(golden),
      base_(run.window(start.window).start) {
  Snapshot empty;
  for (const RegisterBlock& block : sites.blocks()) {
    empty.registers.emplace_back(block.cells, 0);
  }
  put(empty);
  if (start.state != nullptr) {
    first_.set_state(*start.state);
    second_.set_state(*start.state);
  }
  look(first_, golden_.emplace_back());
}

std::optional<Disagreement> Lockstep::record() { return record_until(run_.cycles()); }

// Leaves the machines in the last state that is recorded.
std::optional<Disagreement> Lockstep::record_until(Cycle state) {
  if (state <= recorded()) {
    return {};
  }
  put(golden_.back());
  while (recorded() < state) {
    if (keeps_ == Golden::kForgotten) {
      base_ = recorded();
      golden_.erase(golden_.begin(), golden_.end() - 1);
      edges_.clear();
    }
    const Cycle last = std::min<Cycle>(recorded() + kRecordedAtOnce, run_.cycles());
    for (Cycle next = recorded() + 1; next <= last; ++next) {
      add_edge(next - 1);
      step(next);
      if (const auto found = compare(next)) {
        return found;
      }
      golden_.push_back(now_);
    }
  }
  return {};
}

LockstepResult Lockstep::strike(std::span<const RegisterFault> faults,
                                const MeshState* faulty_start) {
  LockstepResult result;
  Cycle start = run_.cycles();
  Cycle last = 0;
  for (const RegisterFault& fault : faults) {
    start = std::min(start, std::max(fault.when.from, base_));
    last = std::max(last, fault.kind == FaultKind::kFlip ? fault.when.from : fault.when.until - 1);
  }
  start = faulty_start != nullptr ? base_ : start;
  result.disagreement = record_until(start);
  if (result.disagreement) {
    return result;
  }
  put(golden(start));
  if (faulty_start != nullptr) {
    first_.set_state(*faulty_start);
    second_.set_state(*faulty_start);
  }
  for (Cycle state = start; state <= run_.cycles(); ++state) {
    if (state > start) {
      if (state > recorded()) {
        const Snapshot faulty = now_;
        result.disagreement = record_until(state);
        if (result.disagreement) {
          return result;
        }
        put(faulty);
      }
      step(state);
    }
    for (const RegisterFault& fault : faults) {
      if (state > 0 && acts(fault, state)) {
        const auto [before, after] = first_.strike(fault);
        second_.strike(fault);
        result.changed_word = result.changed_word || before != after;
      }
    }
    result.disagreement = compare(state);
    if (result.disagreement) {
      return result;
    }
    const Snapshot& golden_now = golden(state);
    if (const auto due = row_due(run_, state)) {
      for (int c = 0; c < due->columns; ++c) {
        const auto column = static_cast<std::size_t>(c);
        result.changed_results += now_.results[column] != golden_now.results[column] ? 1 : 0;
      }
    }
    const bool is_golden = now_.registers == golden_now.registers;
    result.departs = result.departs == 0 && !is_golden ? state : result.departs;
    if (state >= last && is_golden) {
      result.agrees_from = state;
      return result;
    }
  }
  return result;
}

void Lockstep::add_edge(std::int64_t wavefront) {
  const auto rows = static_cast<std::size_t>(run_.config().rows);
  const auto columns = static_cast<std::size_t>(run_.config().columns);
  const EdgeValues edge = inputs_.of(wavefront);
  edges_.push_back({{edge.activations, edge.activations + rows},
                    {edge.vertical, edge.vertical + columns},
                    {edge.load, edge.load + columns},
                    edge.valid,
                    edge.propagate});
}

void Lockstep::step(Cycle state) {
  const Edge& edge = edges_[static_cast<std::size_t>(state - 1 - base_)];
  const EdgeValues values = {edge.activations.data(), edge.vertical.data(), edge.load.data(),
                             edge.valid, edge.propagate};
  first_.step(values);
  second_.step(values);
}

void Lockstep::look(const MeshMachine& machine, Snapshot& into) const {
  into.registers.resize(sites_.blocks().size());
  for (const RegisterBlock& block : sites_.blocks()) {
    machine.read_all(block.kind, into.registers[static_cast<std::size_t>(block.kind)]);
  }
  into.results.resize(static_cast<std::size_t>(run_.config().columns));
  for (std::size_t column = 0; column < into.results.size(); ++column) {
    into.results[column] = machine.collected(static_cast<int>(column));
  }
}

void Lockstep::put(const Snapshot& snapshot) {
  for (const RegisterBlock& block : sites_.blocks()) {
    const auto& words = snapshot.registers[static_cast<std::size_t>(block.kind)];
    first_.write_all(block.kind, words);
    second_.write_all(block.kind, words);
  }
}

std::optional<Disagreement> Lockstep::compare(Cycle state) {
  look(first_, now_);
  look(second_, other_);
  if (now_.registers == other_.registers && now_.results == other_.results) {
    return {};
  }
  Disagreement found;
  found.state = state;
  for (const RegisterBlock& block : sites_.blocks()) {
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

}  // namespace tilestrike::sim
