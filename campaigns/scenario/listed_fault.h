// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A fault that a scenario lists by its place, and the keys that name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/fault.h"
#include "base/field_table.h"

namespace tilestrike::campaigns {

/// One fault of a `faults` list; what is not set is not named there.
struct ListedFault {
  std::string tensor;  // empty: the fault is on the mesh
  std::int64_t word = -1;
  std::string register_name;  // of the mesh; empty: the fault is on a tensor
  int row = -1, column = -1, position = 0, bit = -1;
  Cycle cycle = -1;  // a transient's cycle, or where a window starts
  Cycle until = -1;
  std::int64_t image = -1;
  std::optional<FaultKind> kind;  // by default that of the strike
  Place place;
};

/// The faults of one trial.
using ListedTrial = std::vector<ListedFault>;

/// The keys of one entry of `faults`, and the columns of a CSV file of them.
FieldTable<ListedFault> listed_fault_fields();

}  // namespace tilestrike::campaigns
