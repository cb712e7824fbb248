// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of one fault of a trial, whatever it struck.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fault.h"
#include "campaigns/results/table.h"

namespace tilestrike::campaigns {

/// Of the faults of a trial the first so many are kept.
inline constexpr std::size_t kMostFaultRecords = 64;

struct FaultRecord : TrialKey {
  std::int64_t number = 0;
  std::string structure;
  std::string register_name;
  std::optional<std::int64_t> core, lane;
  std::optional<std::int64_t> word, bank, row, column, position, bit;
  FaultKind fault = FaultKind::kFlip;
  std::optional<std::int64_t> cycle, until;
  bool acts = true;

  /// Fills in `cycle` and `until`.
  void set_when(const CycleWindow& when);
  friend bool operator==(const FaultRecord&, const FaultRecord&) = default;
};

/// Of the faults that their trial's row does not say (says_its_fault). The view `faults` has all.
const Table<FaultRecord>& fault_table();

/// A number that is negative where there is none.
inline std::optional<std::int64_t> known(std::int64_t number) {
  return number < 0 ? std::nullopt : std::optional(number);
}

/// " at cycle 17", " in cycles 3 to 5", " from cycle 3 on, for ever".
std::string when_text(const CycleWindow& when);

}  // namespace tilestrike::campaigns
