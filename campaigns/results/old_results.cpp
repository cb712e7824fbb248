// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/old_results.h"

#include <algorithm>
#include <set>

#include "campaigns/results/rows.h"
#include "campaigns/results/trial_tables.h"

namespace tilestrike::campaigns {
namespace {

/// Which rows have a part: by what they strike.
std::string rows_with(std::optional<MeshTrial> TrialRecord::*) { return "structure = 'mesh'"; }
std::string rows_with(std::optional<MemoryTrial> TrialRecord::*) { return "bits IS NOT NULL"; }
std::string rows_with(std::optional<TensorTrial> TrialRecord::*) {
  return "structure <> 'mesh' AND bits IS NULL";
}
std::string rows_with(std::optional<CoreTrial> TrialRecord::*) { return "0"; }

/// What stands for a column that the file lacks.
std::string missing(const std::string& name, const std::set<std::string>& present) {
  const std::string counted = name == "score"          ? "images_correct"
                              : name == "golden_score" ? "images_golden_correct"
                                                       : "";
  return present.contains(counted) ? counted + " * 1.0 / images" : "NULL";
}

/// A view that hides the file's own table of that name, for this connection.
template <class Record>
void show(SQLite::Database& database, const Table<Record>& table, const std::string& source,
          const std::string& which = "") {
  std::set<std::string> present;
  SQLite::Statement columns(database,
                            "SELECT name FROM pragma_table_info('" + source + "', 'main')");
  while (columns.executeStep()) {
    present.insert(columns.getColumn(0).getString());
  }
  std::vector<std::string> chosen;
  for (const Column<Record>& column : table.columns) {
    chosen.push_back(
        (present.contains(column.name) ? quoted(column.name) : missing(column.name, present)) +
        " AS " + quoted(column.name));
  }
  database.exec("CREATE TEMP VIEW " + table.name + " AS SELECT " + join(chosen, ", ") +
                " FROM main." + source + (which.empty() ? "" : " WHERE " + which));
}

}  // namespace

void show_old_trials(SQLite::Database& database, std::int64_t version) {
  const bool is_one_table = version < 7;
  for_each_part([&](const auto& table, auto part) {
    const bool is_missing = version < 10 && table.name == core_table().name;
    show(database, table, is_one_table || is_missing ? "trials" : table.name,
         is_one_table || is_missing ? rows_with(part) : "");
  });
  show(database, outcome_table(), "outcomes");
  show(database, fault_table(), version < 9 ? "faults" : "more_faults");
  show(database, scenario_table(), "scenarios");
  show(database, trial_table(), "trials");
}

bool has_column(std::int64_t version, const std::string& name) {
  static const std::set<std::string> since_8 = {
      "score",          "golden_score", "share_differing", "first_differing",
      "changed_answer", "differences",  "answer_digest"};
  static const std::set<std::string> since_10 = {
      "core",           "lane",           "neuron",        "input",     "tick",
      "changed_spikes", "changed_behind", "first_changed", "misrouted", "cores_simulated"};
  static const std::set<std::string> since_11 = {"labels_hash", "spiking_hash"};
  return (version >= 8 || !since_8.contains(name)) && (version >= 10 || !since_10.contains(name)) &&
         (version >= 11 || !since_11.contains(name));
}

std::string other_drawing(std::int64_t version, const Scenario& scenario) {
  if (version >= 6) {
    return "";
  }
  if (strikes_tensors(scenario.strike)) {
    return "draws single faults in tensors by the class of their bit";
  }
  if (is_particle(scenario.strike)) {
    return "draws particles by the reach of their clusters";
  }
  const auto is_scrubbed = [](const auto& memory) { return memory.second.scrub_cycles > 0; };
  if (std::ranges::any_of(scenario.accelerator.memory, is_scrubbed)) {
    return "starts scrubbers at a phase of their own";
  }
  return "";
}

}  // namespace tilestrike::campaigns
