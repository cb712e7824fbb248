// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of a trial that strikes cells of memories, besides what all trials
// have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/fault_record.h"
#include "campaigns/results/storage_trial.h"

namespace tilestrike::campaigns {

struct MemoryTrial : StorageTrial {
  std::optional<std::int64_t> word, bank, row, column, cycle, until;  // of the struck cell
  std::int64_t bits = 0;
  std::int64_t codewords = 0;
  std::optional<bool> stored;
  friend bool operator==(const MemoryTrial&, const MemoryTrial&) = default;
};

const Table<MemoryTrial>& memory_table();

MemoryTrial memory_trial(const FaultRecord& first, const DrawnStrike& strike, const Judged& judged,
                         AfterDetection after_detection);

FaultRecord fault_record(const DrawnCell& cell, const bridge::StudyFacts& study);

/// The struck cell with the fault that acts on it.
FaultRecord first_fault_record(const DrawnStrike& strike, const bridge::StudyFacts& study);

/// The strike, then its first cells, then where scrubbers were.
std::vector<std::string> describe_memories(const DrawnTrial& drawn,
                                           const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns
