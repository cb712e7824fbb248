// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Two machines of one mesh, edge by edge: after every clock edge every register and every result
// must be the same. Says at which cycle and in which register they part first.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "sim/mesh/mesh_machine.h"
#include "sim/mesh/run_edges.h"

namespace tilestrike::sim {

/// Where two machines part first. Of several registers at one cycle, the first in the order of the
/// sites; none where only what is collected differs.
struct Disagreement {
  Cycle state = 0;
  std::optional<MeshSite> site;
  int column = 0;  // of a result that differs
  std::int32_t first = 0, second = 0;
  /// "partial_sum[1][2]", or "result of column 3".
  std::string place(const MeshSites& sites) const;
  /// "partial_sum[1][2] at cycle 9: 5 against 7".
  std::string text(const MeshSites& sites) const;
};

struct LockstepResult {
  std::optional<Disagreement> disagreement;
  bool changed_word = false;  // a fault changed its register
  int changed_results = 0;    // collected results that differ from golden
  Cycle departs = 0;          // first state in which a register differs from golden; 0: none
  Cycle agrees_from = 0;      // with golden, in every register; 0: not before the run's end
};

/// What two machines begin with.
struct LockstepStart {
  const MeshState* state = nullptr;  // c0 and c1; nullptr: zero. The other registers are zero
  int window = 0;                    // before which this is so
};

class Lockstep {
 public:
  /// What is kept of the fault-free run.
  enum class Golden {
    kKept,       // all of it, for many strikes
    kForgotten,  // what lies ahead of the one strike: of any run, however long
  };

  /// All must outlive this object.
  Lockstep(const MeshRun& run, const Operands& operands, const MeshSites& sites, MeshMachine& first,
           MeshMachine& second, const LockstepStart& start = {}, Golden golden = Golden::kKept);

  /// The whole fault-free run, which is otherwise stepped as far as strike() needs it.
  std::optional<Disagreement> record();

  /// Faults in time order. `faulty_start`: c0 and c1 at the start, where they are not golden's.
  LockstepResult strike(std::span<const RegisterFault> faults,
                        const MeshState* faulty_start = nullptr);

 private:
  struct Edge {
    std::vector<std::int8_t> activations;
    std::vector<std::int32_t> vertical, load;
    bool valid = false, propagate = false;
  };
  struct Snapshot {
    std::vector<std::vector<std::int32_t>> registers;  // by Register
    std::vector<std::int32_t> results;                 // by column
  };

  const Snapshot& golden(Cycle state) const {
    return golden_[static_cast<std::size_t>(state - base_)];
  }
  Cycle recorded() const { return base_ + static_cast<Cycle>(golden_.size()) - 1; }
  std::optional<Disagreement> record_until(Cycle state);
  void add_edge(std::int64_t wavefront);
  void step(Cycle state);
  void look(const MeshMachine& machine, Snapshot& into) const;
  void put(const Snapshot& snapshot);
  std::optional<Disagreement> compare(Cycle state);

  const MeshRun& run_;
  const MeshSites& sites_;
  MeshMachine& first_;
  MeshMachine& second_;
  RunEdges inputs_;
  const Golden keeps_;
  Cycle base_ = 0;                // state of golden_.front()
  std::vector<Snapshot> golden_;  // by state - base_
  std::vector<Edge> edges_;       // to the states behind that of the same place in golden_
  Snapshot now_, other_;          // of the first and the second machine
};

}  // namespace tilestrike::sim
