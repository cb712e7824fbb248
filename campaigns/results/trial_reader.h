// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Trials read back from their tables.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "campaigns/results/rows.h"
#include "campaigns/results/trial_tables.h"

namespace tilestrike::campaigns {

/// Trials with their parts, as they are selected.
class TrialReader {
 public:
  /// Without `fields` all that the tables have.
  explicit TrialReader(const Fields* fields = nullptr)
      : trials_(selection(trial_table(), fields)), names_(trials_.names()), from_("trials") {
    int first = trials_.size();
    for_each_part([&](const auto& table, auto part) {
      const auto chosen = selection(table, fields);
      if (!chosen.has_fields()) {
        return;
      }
      names_ += ", " + chosen.names();
      from_ += joined_to_trials(table.name);
      parts_.push_back([chosen, part, first](SQLite::Statement& row, TrialRecord& record) {
        auto& held = record.*part;
        if (row.isColumnNull(first)) {  // its key
          held.reset();
        } else {
          chosen.read(row, first, held ? *held : held.emplace());
        }
      });
      first += chosen.size();
    });
  }

  std::string query() const { return "SELECT " + names_ + " FROM " + from_; }

  void read(SQLite::Statement& row, TrialRecord& record) const {
    trials_.read(row, 0, record);
    for (const auto& read_part : parts_) {
      read_part(row, record);
    }
  }

 private:
  template <class Record>
  static Selection<Record> selection(const Table<Record>& table, const Fields* fields) {
    return fields == nullptr ? Selection<Record>(table) : Selection<Record>(table, *fields);
  }

  Selection<TrialRecord> trials_;
  std::string names_, from_;
  std::vector<std::function<void(SQLite::Statement&, TrialRecord&)>> parts_;
};

}  // namespace tilestrike::campaigns
