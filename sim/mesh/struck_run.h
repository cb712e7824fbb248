// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A job on two machines that move every register at every clock edge, golden and faulty side by
// side; shared by the engines `stepped` and `rtl`. Until something parts them, the golden one
// stands for both.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sim/mesh/arithmetic.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/run_edges.h"
#include "sim/mesh/stepped_mesh.h"

namespace tilestrike::sim {

/// Machine: SteppedMesh, or what moves every register at every clock edge as it does.
template <class Machine>
class StruckRun {
 public:
  /// `golden` and `faulty` are as after reset.
  StruckRun(const MeshJob& job, const MeshSites& sites, Machine& golden, Machine& faulty)
      : job_(job),
        run_(*job.run),
        sites_(sites),
        faults_(in_order_of_effect(job.faults)),
        edges_(*job.run, *job.operands),
        golden_(golden),
        faulty_(faulty) {
    const MeshState* golden_start = job.golden_start;
    const MeshState* faulty_start = job.faulty_start != nullptr ? job.faulty_start : golden_start;
    if (golden_start != nullptr) {
      golden_.set_state(*golden_start);
    }
    if (faulty_start != golden_start) {
      are_apart_ = true;
      faulty_.set_state(*faulty_start);
    }
    if (job.wants_outputs) {
      for (const PassShape& pass : run_.passes()) {
        result_.outputs.emplace_back(static_cast<std::size_t>(pass.rows) *
                                     static_cast<std::size_t>(pass.columns));
      }
    }
  }

  /// Ends the run as soon as no fault is left to act and all registers agree, instead of at its
  /// last cycle.
  void end_early(Cycle last_fault) {
    ends_early_ = true;
    last_fault_ = last_fault;
  }

  /// The whole run, from a wavefront on: 0, or one from which what the machines start with is right
  /// by the time the first fault acts. `start`: what golden c0 and c1 hold just before that
  /// wavefront, instead of the job's; not where the faulty ones differ at the start.
  MeshResult run(std::int64_t first_wavefront = 0, const MeshState* start = nullptr) {
    if (start != nullptr) {
      TS_CHECK(!are_apart_, "one state for both machines");
      golden_.set_state(*start);
    }
    // After the last cycle the pipes run empty, without faults.
    const Cycle emptied = run_.cycles() + run_.largest_delay();
    Cycle state = first_wavefront + 1;
    for (; state <= emptied; ++state) {
      const EdgeValues edge = edges_.of(state - 1);
      golden_.step(edge);
      if (are_apart_) {
        faulty_.step(edge);
      }
      if (state <= run_.cycles()) {
        strike(state);
        collect(state);
      }
      if (ends_early_ && state > last_fault_ && (state - last_fault_) % kLookEvery == 0 &&
          (!are_apart_ || golden_.has_registers_of(faulty_))) {
        has_ended_early_ = true;
        break;
      }
    }
    result_.cycles = run_.cycles();
    result_.windows_simulated = run_.window_of(std::min<Cycle>(state, run_.cycles()) - 1) -
                                run_.window_of(first_wavefront) + 1;
    result_.end = has_ended_early_ && job_.wants_end
                      ? golden_end(run_, *job_.operands, job_.golden_start)
                      : faulty().state();
    std::ranges::sort(result_.changes, {}, &OutputChange::place);
    return std::move(result_);
  }

 private:
  static constexpr Cycle kLookEvery = 8;

  void strike(Cycle state) {
    for (const RegisterFault& fault : faults_) {
      const bool acts =
          fault.kind == FaultKind::kFlip ? fault.when.from == state : fault.when.contains(state);
      if (!acts) {
        continue;
      }
      part();
      const auto [before, after] = faulty_.strike(fault);
      if (before == after) {
        continue;
      }
      const MeshSite site = sites_.describe(fault.site);
      if (result_.before == result_.after) {
        const std::uint64_t mask = (std::uint64_t{1} << sites_.block(site.kind).bits) - 1;
        result_.before = static_cast<std::uint32_t>(before) & mask;
        result_.after = static_cast<std::uint32_t>(after) & mask;
      }
      result_.activated = result_.activated || is_live(run_, site, state - 1 - sites_.delay(site));
    }
  }

  // From here on the faulty machine goes its own way.
  void part() {
    if (are_apart_) {
      return;
    }
    are_apart_ = true;
    std::vector<std::int32_t> words;
    for (const RegisterBlock& block : sites_.blocks()) {
      golden_.read_all(block.kind, words);
      faulty_.write_all(block.kind, words);
    }
  }
  Machine& faulty() { return are_apart_ ? faulty_ : golden_; }

  void collect(Cycle state) {
    const std::optional<ResultRow> due = row_due(run_, state);
    if (!due) {
      return;
    }
    for (int c = 0; c < due->columns; ++c) {
      const std::int32_t value = faulty().collected(c);
      if (job_.wants_outputs) {
        result_.outputs[static_cast<std::size_t>(due->pass)]
                       [static_cast<std::size_t>(due->row * due->columns + c)] = value;
      } else if (value != golden_.collected(c)) {
        result_.changes.push_back({due->pass, due->row, c, golden_.collected(c), value});
      }
    }
  }

  const MeshJob& job_;
  const MeshRun& run_;
  const MeshSites& sites_;
  const std::vector<RegisterFault> faults_;
  RunEdges edges_;
  Machine &golden_, &faulty_;
  MeshResult result_;
  bool are_apart_ = false;
  bool ends_early_ = false;
  bool has_ended_early_ = false;
  Cycle last_fault_ = 0;
};

}  // namespace tilestrike::sim
