// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What moves every register of a mesh at every clock edge, and lets each be read, written and
// struck in between (docs/mesh.md, "Registers").
#pragma once

#include <cstdint>
#include <vector>

#include "base/fault.h"
#include "sim/mesh/engine.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::sim {

/// What the edges of the mesh are fed at one clock edge.
struct EdgeValues {
  const std::int8_t* activations;  // one per row
  const std::int32_t* vertical;    // one per column: partial sums (WS) or weights (OS)
  const std::int32_t* load;        // one per column
  bool valid;
  bool propagate;
};

class MeshMachine {
 public:
  /// The register's word before a strike and after it.
  struct Words {
    std::int32_t before, after;
  };

  virtual ~MeshMachine() = default;
  /// c0 and c1 of every PE; empty: zero. The other registers stay as they are.
  virtual void set_state(const MeshState& state) = 0;
  virtual MeshState state() const = 0;
  /// One clock edge: all registers sample, then all of them change.
  virtual void step(const EdgeValues& edge) = 0;
  /// Applies a fault to its register now. A stuck-at is held by striking again after every edge.
  virtual Words strike(const RegisterFault& fault) = 0;
  /// What the collector sees below a column.
  virtual std::int32_t collected(int column) const = 0;
  /// The words of all registers of one kind, in the order of their sites.
  virtual void read_all(Register kind, std::vector<std::int32_t>& words) const = 0;
  virtual void write_all(Register kind, const std::vector<std::int32_t>& words) = 0;
};

}  // namespace tilestrike::sim
