// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of one trial: its rows.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/judged.h"

namespace tilestrike::campaigns {

/// One value of a results file.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, std::vector<float>>;

struct Column {
  const char* name;
  const char* type;  // of SQLite
  const char* help;
};

/// One row each; cells stand in the order of the columns.
using Row = std::vector<Cell>;

const std::vector<Column>& trial_columns();    // one row per trial
const std::vector<Column>& outcome_columns();  // per trial of a lasting fault and image not masked
const std::vector<Column>& fault_columns();    // per fault: the first kMostFaultRows of a trial

inline constexpr std::size_t kMostFaultRows = 64;

struct TrialRecord {
  Row trial;
  std::vector<Row> outcomes;
  std::vector<Row> faults;
};

/// The index of a column of `trials`.
std::size_t trial_column(const std::string& name);

/// The rows of a judged trial, without those of its images.
TrialRecord record_of(std::int64_t scenario, TrialId trial, const DrawnTrial& drawn,
                      const bridge::StudyFacts& study, const Plan& plan, const Judged& judged,
                      const std::string& engine);

/// The row of one image on which a lasting fault was not masked.
Row outcome_row(std::int64_t scenario, TrialId trial, ImageId image,
                const bridge::TrialResult& result);

/// Whether cells of memories are struck.
bool is_in_memory(const DrawnTrial& drawn);

/// The column `structure` of a drawn trial: the mesh, a memory's name, or a tensor's role.
std::string structure_of(const DrawnTrial& drawn, const bridge::StudyFacts& study);

/// "register[3][5] bit 2: flip at cycle 17" for each fault of a drawn trial.
std::vector<std::string> describe(const DrawnTrial& drawn, const bridge::StudyFacts& study);

/// Text of a cell, for messages: "nothing" for an empty one.
std::string text_of(const Cell& cell);

}  // namespace tilestrike::campaigns
