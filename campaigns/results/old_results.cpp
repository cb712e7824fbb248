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

/// A view that hides the file's own table of that name, for this connection.
template <class Record>
void show(SQLite::Database& database, const Table<Record>& table,
          const std::set<std::string>& present, const std::string& which) {
  std::vector<std::string> chosen;
  for (const Column<Record>& column : table.columns) {
    chosen.push_back((present.contains(column.name) ? quoted(column.name) : "NULL") + " AS " +
                     quoted(column.name));
  }
  database.exec("CREATE TEMP VIEW " + table.name + " AS SELECT " + join(chosen, ", ") +
                " FROM main.trials" + (which.empty() ? "" : " WHERE " + which));
}

}  // namespace

void show_old_trials(SQLite::Database& database) {
  std::set<std::string> present;
  SQLite::Statement columns(database, "SELECT name FROM pragma_table_info('trials')");
  while (columns.executeStep()) {
    present.insert(columns.getColumn(0).getString());
  }
  show(database, trial_table(), present, "");
  for_each_part(
      [&](const auto& table, auto part) { show(database, table, present, rows_with(part)); });
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
