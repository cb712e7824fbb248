// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a results file keeps of one trial, and how it comes about: the drawn faults, struck and
// judged.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "bridge/study/study.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/statistics/rates.h"

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

/// Who looks on while a trial is struck: at its only image or, of a lasting fault, at one of them.
struct Watch {
  bridge::RunObserver* observer = nullptr;
  ImageId image;
};
/// Strikes and judges one trial; nothing when `is_interrupted` said so in between.
std::optional<TrialRecord> strike_and_judge(bridge::Study& study, const Plan& plan,
                                            std::int64_t scenario, TrialId trial,
                                            const std::string& engine,
                                            const std::function<bool()>& is_interrupted,
                                            const Watch& watch = {});

/// Several trials that strike activations, judged together: one record each, in order.
std::vector<TrialRecord> strike_and_judge_activations(bridge::Study& study, const Plan& plan,
                                                      std::int64_t scenario,
                                                      std::span<const TrialId> trials);

/// The column `structure` of a drawn trial: the mesh, a memory's name, or a tensor's role.
std::string structure_of(const DrawnTrial& drawn, const bridge::Study& study);

/// "register[3][5] bit 2: flip at cycle 17" for each fault of a drawn trial.
std::vector<std::string> describe(const DrawnTrial& drawn, const bridge::Study& study);

/// Text of a cell, for messages: "nothing" for an empty one.
std::string text_of(const Cell& cell);

}  // namespace tilestrike::campaigns
