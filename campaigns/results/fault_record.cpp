// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/fault_record.h"

namespace tilestrike::campaigns {

void FaultRecord::set_when(const CycleWindow& when) {
  cycle = when.from;
  until = when.is_permanent() ? std::nullopt : std::optional<std::int64_t>(when.until);
}

const Table<FaultRecord>& fault_table() {
  using R = FaultRecord;
  static const Table<R> table = table_of_trials<R>(
      "more_faults",
      "a fault of a trial, of the first 64, where the trial's own row does not say it",
      {
          column("number", &R::number, "within the trial, from 0"),
          column("structure", &R::structure,
                 "one memory, the mesh, a field of a core, or a role of tensors"),
          column("register", &R::register_name,
                 "of the mesh; of a core its array or register; of a tensor its name"),
          column("core", &R::core, "of a chip of neuromorphic cores"),
          column("lane", &R::lane, "of a core's word; null where it has none"),
          column("word", &R::word, "element of a tensor, codeword of a memory, word of a core"),
          column("bank", &R::bank, "of a memory"),
          column("row", &R::row, "of the mesh or of a memory's bank"),
          column("column", &R::column, "of the mesh or of a memory's bank"),
          column("position", &R::position, "along a skew or deskew chain of the mesh"),
          column("bit", &R::bit, "0 is the least significant; null: several of a tensor's word"),
          column("fault", &R::fault, "flip, stuck_at_0, stuck_at_1 or random"),
          column("cycle", &R::cycle, "of the inference; null: of a tensor"),
          column("until", &R::until, "first cycle after the fault; null: for ever, or of a tensor"),
          column("acts", &R::acts, "0: a random value that the bit already had"),
      },
      ", number");
  return table;
}

std::string when_text(const CycleWindow& when) {
  if (when.is_permanent()) {
    return " from cycle " + std::to_string(when.from) + " on, for ever";
  }
  if (when.until == when.from + 1) {
    return " at cycle " + std::to_string(when.from);
  }
  return " in cycles " + std::to_string(when.from) + " to " + std::to_string(when.until - 1);
}

}  // namespace tilestrike::campaigns
