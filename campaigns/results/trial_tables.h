// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tables of a results file.
#pragma once

#include <optional>
#include <string>

#include "campaigns/results/table.h"
#include "campaigns/results/trial_record.h"

namespace tilestrike::campaigns {

const Table<TrialRecord>& trial_table();
const Table<OutcomeRecord>& outcome_table();

/// Visits the table of each part that a trial may have, and where the record holds it.
template <class Visit>
void for_each_part(const Visit& visit) {
  visit(mesh_table(), &TrialRecord::mesh);
  visit(memory_table(), &TrialRecord::memory);
  visit(tensor_table(), &TrialRecord::tensor);
  visit(core_table(), &TrialRecord::core);
}

/// A trial in one row: a column that several parts have is the one of the part that there is. To
/// look at, and not to be read: `set` is empty.
const Table<TrialRecord>& wide_table();

/// What makes wide_table() of the others in SQL.
std::string wide_view();

/// All faults that are kept, in SQL: those of a table of their own, and of trials whose row says
/// all.
std::string faults_view();

/// " LEFT JOIN mesh_trials ON ...": a trial's row of a part, after FROM trials.
std::string joined_to_trials(const std::string& part);

/// What a results file keeps of one scenario of the sweep.
struct ScenarioRecord {
  std::int64_t scenario = 0;
  std::string label, expanded;
  std::string model_hash, images_hash, calibrate_hash, faults_hash;
  std::int64_t sites = 0, cycles = 0, images = 0;
  std::string population;
  std::optional<double> accuracy;
  std::string warnings;
  std::optional<std::string> metric;
  std::optional<double> golden_score;
  std::string judge_hash, labels_hash, spiking_hash;
};
const Table<ScenarioRecord>& scenario_table();

struct MetaRecord {
  std::string key, value;
};
const Table<MetaRecord>& meta_table();

/// Visits every table of a results file.
template <class Visit>
void for_each_table(const Visit& visit) {
  visit(trial_table());
  for_each_part([&](const auto& table, auto) { visit(table); });
  visit(outcome_table());
  visit(fault_table());
  visit(scenario_table());
  visit(meta_table());
}

}  // namespace tilestrike::campaigns
