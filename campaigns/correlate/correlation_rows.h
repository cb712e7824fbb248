// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is kept of one correlated fault: a row, and one for each pair of engines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/compare/correlation.h"

namespace tilestrike::campaigns {

/// Where two engines part on a fault; all empty or -1 where they agree.
struct CorrelatedPair {
  std::size_t pair = 0;  // of PointCorrelation::pairs
  sim::Verdict verdict = sim::Verdict::kNotCovered;
  bool has_end = false, has_states = false;
  std::string layer;       // whose run differs first
  std::string differs_in;  // a name of EngineDifference::What, or "registers"
  std::int32_t pass = -1, row = -1, column = -1;  // first output that differs
  std::string answer;                             // what the second engine says, in words
  std::string state_register;                     // place of the first register that differs
  Cycle state = -1;                               // when it first differs: cycle of the layer's run
  std::string states;                             // both words of it then
};

struct CorrelatedFault {
  std::int64_t trial = 0;
  std::int64_t image = -1;
  // The first fault:
  sim::MeshSite site;
  std::string register_name;
  std::string kind;  // flip, stuck_at_0, stuck_at_1 or random
  Cycle cycle = 0;   // of the inference
  std::int64_t faults = 1;
  std::string text;   // of all faults
  std::string layer;  // the first layer struck; empty: nothing was on the mesh
  sim::Phase phase = sim::Phase::kIdle;
  bool changed_word = false, activated = false, corrupted = false;
  std::vector<CorrelatedPair> pairs;

  /// A pair that differs, of several one that names a register, then one that names an output;
  /// nullptr: none.
  const CorrelatedPair* differing() const;
};

}  // namespace tilestrike::campaigns
