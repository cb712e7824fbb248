// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Records as rows of SQLite: the one place where a column has a number.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/text.h"
#include "campaigns/results/table.h"

namespace tilestrike::campaigns {

void bind_datum(SQLite::Statement& statement, int index, const Datum& datum);

/// Valid until the statement's next step.
Datum datum_of(const SQLite::Column& column);

inline std::string quoted(const std::string& name) { return '"' + name + '"'; }

/// Small rows lie in the order of their keys.
template <class Record>
std::string create_table(const Table<Record>& table) {
  std::string text = "CREATE TABLE " + table.name + " (";
  for (const Column<Record>& column : table.columns) {
    text += quoted(column.name) + " " + column.type + ", ";
  }
  const bool has_blobs = std::ranges::any_of(table.columns, &Column<Record>::is_blob);
  return text + "PRIMARY KEY (" + table.key + "))" + (has_blobs ? "" : " WITHOUT ROWID");
}

/// `verb`: INSERT, or INSERT OR REPLACE.
template <class Record>
std::string insert_into(const Table<Record>& table, const std::string& verb) {
  std::vector<std::string> names, marks;
  for (const Column<Record>& column : table.columns) {
    names.push_back(quoted(column.name));
    marks.emplace_back("?");
  }
  return verb + " INTO " + table.name + " (" + join(names, ", ") + ") VALUES (" +
         join(marks, ", ") + ")";
}

/// Runs insert_into() for one record.
template <class Record>
void insert(SQLite::Statement& statement, const Table<Record>& table, const Record& record) {
  int index = 0;
  for (const Column<Record>& column : table.columns) {
    bind_datum(statement, ++index, column.get(record));
  }
  statement.exec();
  statement.reset();
  statement.clearBindings();
}

/// Columns of one table that are selected together, and read back into its records.
template <class Record>
class Selection {
 public:
  /// Of all columns.
  explicit Selection(const Table<Record>& table) : table_(&table) {
    for (const Column<Record>& column : table.columns) {
      columns_.push_back(&column);
    }
  }
  /// Of the keys, and of those that are asked for.
  Selection(const Table<Record>& table, const Fields& fields) : table_(&table), has_fields_(false) {
    const Fields keys(&TrialKey::scenario, &TrialKey::trial);
    for (const Column<Record>& column : table.columns) {
      has_fields_ = has_fields_ || fields.has(column);
      if (keys.has(column) || fields.has(column)) {
        columns_.push_back(&column);
      }
    }
  }

  /// Whether any is asked for.
  bool has_fields() const { return has_fields_; }
  std::string names() const {
    std::vector<std::string> names;
    for (const Column<Record>* column : columns_) {
      names.push_back(table_->name + "." + quoted(column->name));
    }
    return join(names, ", ");
  }
  int size() const { return static_cast<int>(columns_.size()); }

  /// From the statement's row, in which these columns begin at `first`.
  void read(SQLite::Statement& statement, int first, Record& record) const {
    for (const Column<Record>* column : columns_) {
      try {
        column->set(record, datum_of(statement.getColumn(first++)));
      } catch (const DatumError& error) {
        throw DatumError(table_->name + "." + column->name + " is " + error.what());
      }
    }
  }

 private:
  const Table<Record>* table_;
  bool has_fields_ = true;
  std::vector<const Column<Record>*> columns_;
};

}  // namespace tilestrike::campaigns
