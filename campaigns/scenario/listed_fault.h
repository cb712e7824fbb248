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
  std::string tensor;         // a word of it,
  std::string memory;         // a cell of it,
  std::string register_name;  // or a register of the mesh: one of the three
  std::int64_t word = -1;     // of the tensor
  // A cell is a codeword's bit, or has a bank, a row and a column.
  std::int64_t codeword = -1;
  int bank = -1;
  int row = -1, column = -1, position = 0, bit = -1;
  Cycle cycle = -1;  // a transient's cycle, or where a window starts
  Cycle until = -1;
  std::int64_t image = -1;
  std::optional<FaultKind> kind;  // by default that of the strike
  Place place;
};

/// The faults of one trial.
using ListedTrial = std::vector<ListedFault>;

/// What a listed fault is on.
enum class ListedPlace { kRegister, kCell, kWord };
ListedPlace place_of(const ListedFault& fault);

/// The image that a trial names, in one of its faults or in all; -1: none.
std::int64_t named_image(const ListedTrial& trial);

/// When a fault acts. `otherwise`: of a fault that names no cycle, and of one that lasts where it
/// names no end.
CycleWindow window_of(const ListedFault& fault, bool is_persistent, CycleWindow otherwise);

/// The keys of one entry of `faults`, and the columns of a CSV file of them.
FieldTable<ListedFault> listed_fault_fields();

}  // namespace tilestrike::campaigns
