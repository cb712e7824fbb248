// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The schema of a table by the fields of its records: a column is a field with a name and a help
// text, and knows how it is kept.
#pragma once

#include <algorithm>
#include <any>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "campaigns/results/datum.h"

namespace tilestrike::campaigns {

template <class Record>
struct Column {
  std::string name;
  std::string type;  // of SQLite
  std::string help;
  std::function<Datum(const Record&)> get;
  std::function<void(Record&, const Datum&)> set;
  std::any member;  // a pointer to the member that it keeps, or keeps a part of

  bool is_blob() const { return type == "BLOB"; }
};

template <class Record>
struct Table {
  std::string name;
  std::string key;  // "scenario, trial"
  std::string about;
  std::vector<Column<Record>> columns;
};

/// The column of what `field` makes of a record: a reference to `member`, or to a part of it.
template <class Record, class Field>
Column<Record> column_of(std::string name, Field field, std::string help, std::any member) {
  using Kept = AsDatum<std::decay_t<std::invoke_result_t<Field, Record&>>>;
  return {std::move(name),
          Kept::kType,
          std::move(help),
          [field](const Record& record) { return Kept::to(std::invoke(field, record)); },
          [field](Record& record, const Datum& datum) {
            Kept::from(datum, std::invoke(field, record));
          },
          std::move(member)};
}

/// The column of a member.
template <class Record, class Field>
Column<Record> column(std::string name, Field Record::*member, std::string help) {
  return column_of<Record>(std::move(name), member, std::move(help), member);
}

/// Fields that are asked for, by pointers to members of records: whatever other columns a table
/// has need not be read.
class Fields {
 public:
  template <class... Members>
  explicit Fields(Members... members) {
    (add(members), ...);
  }

  template <class Record>
  bool has(const Column<Record>& column) const {
    return std::ranges::any_of(is_one_, [&](const auto& is) { return is(column.member); });
  }

 private:
  template <class Member>
  void add(Member member) {
    is_one_.push_back([member](const std::any& other) {
      const Member* found = std::any_cast<Member>(&other);
      return found != nullptr && *found == member;
    });
  }

  std::vector<std::function<bool(const std::any&)>> is_one_;
};

/// What says which trial a record belongs to.
struct TrialKey {
  std::int64_t scenario = 0;
  std::int64_t trial = 0;
  friend bool operator==(const TrialKey&, const TrialKey&) = default;
};

/// A table of records that belong to trials: their keys, then `columns`. `further` says what else
/// tells two records of a trial apart: ", image".
template <class Record>
Table<Record> table_of_trials(std::string name, std::string about,
                              std::vector<Column<Record>> columns,
                              const std::string& further = "") {
  Table<Record> table{std::move(name), "scenario, trial" + further, std::move(about), {}};
  table.columns = {column_of<Record>("scenario", &TrialKey::scenario, "point of the sweep, from 0",
                                     &TrialKey::scenario),
                   column_of<Record>("trial", &TrialKey::trial,
                                     "number within the scenario, from 0", &TrialKey::trial)};
  table.columns.insert(table.columns.end(), columns.begin(), columns.end());
  return table;
}

}  // namespace tilestrike::campaigns
