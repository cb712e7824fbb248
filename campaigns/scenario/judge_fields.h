// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The key `judge` of scenarios, and `infer --judge` (docs/judges.md).
#pragma once

#include <string>

#include "base/field_table.h"
#include "bridge/words/judge_config.h"
#include "campaigns/statistics/rates.h"

namespace tilestrike::campaigns {

/// Reads a kind, or a map of `kind` and its keys; problems go to `errors`. Paths start from the
/// folder of the file that has them.
bridge::JudgeConfig read_judge(const Value& value, const std::string& path, ErrorList& errors);
/// The expanded form: the kind, or a map where other keys are no defaults.
Value judge_value(const bridge::JudgeConfig& judge);

/// Of `judge` and of each key below it.
FieldHelp judge_help();
std::vector<FieldHelp> judge_key_help();

/// What a rate means, judged so; empty: such answers have none.
std::string meaning_of(Rate rate, const bridge::JudgeConfig& judge);

}  // namespace tilestrike::campaigns
