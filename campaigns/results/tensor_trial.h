// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of a trial that strikes words of tensors, besides what all trials have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/fault_record.h"
#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {

struct TensorTrial : TrialKey {
  std::optional<std::int64_t> word;  // of the first fault
  std::int64_t before = 0, after = 0;
  friend bool operator==(const TensorTrial&, const TensorTrial&) = default;
};

const Table<TensorTrial>& tensor_table();

TensorTrial tensor_trial(const FaultRecord& first, const Judged& judged);

FaultRecord fault_record(const DrawnBit& bit, const bridge::StudyFacts& study);

/// "conv1.weight word 17 bit 2: flip" for each of the first faults.
std::vector<std::string> describe_words(const DrawnWords& words, const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns
