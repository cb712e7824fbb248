// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes within one trial, whatever it strikes.
#pragma once

#include <vector>

#include "base/fault.h"

namespace tilestrike {

/// Faults that act together; cycles count from the start of the struck inference. None is of kind
/// kRandom: who draws it knows whether it comes to a flip or to nothing.
struct Strike {
  std::vector<RegisterFault> registers;  // of the mesh, or any storage of a chip of cores
  std::vector<CellFault> cells;          // sorted by memory, then bit, no cell twice
  std::vector<WordFault> words;          // normalised (base/fault.h), each word once

  bool is_empty() const { return registers.empty() && cells.empty() && words.empty(); }
};

}  // namespace tilestrike
