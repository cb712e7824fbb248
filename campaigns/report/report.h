// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a command reports, before it is text, JSON or a page: facts for scripts, lines for people,
// and tables for both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {

/// A share of the trials: told in percent.
struct Share {
  Estimate estimate;
};

/// What a script reads. Nothing: its key is left out; nullptr: it is not known.
using FactValue = std::variant<std::monostate, std::nullptr_t, bool, std::int64_t, std::uint64_t,
                               double, std::string, std::vector<double>, std::vector<std::string>,
                               std::map<std::string, std::int64_t>, Estimate, Share>;

/// "1.2e-3 [9e-4, 1.6e-3]", "1.25 % [1.01, 1.52]", "0.002", "-": numbers to three digits.
std::string text_of(const FactValue& value);

enum class Tone { kPlain, kGood, kBad, kFaint, kWarning, kCommand };

/// A cell of a table.
struct Entry {
  FactValue value;
  std::string text;  // what people read
  Tone tone = Tone::kPlain;

  /// Of anything that a value is made from.
  template <class Value>
  requires(!std::is_same_v<std::decay_t<Value>, Entry> && std::is_constructible_v<FactValue, Value>)
      Entry(Value&& from)  // NOLINT(google-explicit-constructor): entries are lists of values
      : value(std::forward<Value>(from)), text(text_of(value)) {}
  Entry(FactValue from, std::string told, Tone how = Tone::kPlain)
      : value(std::move(from)), text(std::move(told)), tone(how) {}
};

struct ReportColumn {
  std::string key;      // "avf/sdc": sdc of the object avf; empty: not for scripts
  std::string heading;  // empty: not for people
  bool is_right = false;
  std::size_t least = 0;  // width in letters, so that tables below each other stand in line
};

/// A column and what it says of one row.
template <class Row>
struct ColumnOf : ReportColumn {
  std::function<Entry(const Row&)> entry;
};

struct ReportTable {
  std::string key;      // of the list of its rows, each an object; empty: not for scripts
  std::string caption;  // empty: none
  bool is_detail = false;
  std::vector<ReportColumn> columns;
  std::vector<std::vector<Entry>> rows;  // without any a table is not told
  std::vector<Entry> total;              // told below the rows, and not among them; empty: none
};

struct Item;

class Report {
 public:
  std::string label;  // of the point of a sweep; empty: there is one
  std::string title;  // empty: none

  /// `key` as that of a column.
  void fact(std::string key, FactValue value);
  /// A line for people; an empty one sets apart what follows. A detail is on the page alone.
  void say(std::string line, Tone tone = Tone::kPlain, bool is_detail = false);
  void warn(const std::string& warning);
  void add(ReportTable table);
  /// What another report says, here; its facts under `key`, or among these where that is empty.
  void add(std::string key, Report part);
  /// The same of several: their facts are a list, and an empty line is between them.
  void add_list(std::string key, std::vector<Report> parts);

  /// One row as facts under `key`.
  template <class Row>
  void record(const std::string& key, const std::vector<ColumnOf<Row>>& columns, const Row& row) {
    for (const ColumnOf<Row>& column : columns) {
      if (!column.key.empty()) {
        fact(key + "/" + column.key, column.entry(row).value);
      }
    }
  }

  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

struct Fact {
  std::string key;
  FactValue value;
};

struct Line {
  std::string text;
  Tone tone = Tone::kPlain;
  bool is_detail = false;
};

struct Parts {
  std::string key;
  std::vector<Report> reports;
  bool is_list = false;  // else there is one
};

struct Item {
  std::variant<Fact, Line, ReportTable, Parts> of;
};

template <class Row>
std::vector<Entry> entries_of(const std::vector<ColumnOf<Row>>& columns, const Row& row) {
  std::vector<Entry> entries;
  for (const ColumnOf<Row>& column : columns) {
    entries.push_back(column.entry(row));
  }
  return entries;
}

/// A table of all rows.
template <class Row>
ReportTable table_of(std::string key, const std::vector<ColumnOf<Row>>& columns,
                     const std::vector<Row>& rows) {
  ReportTable table;
  table.key = std::move(key);
  table.columns.assign(columns.begin(), columns.end());
  for (const Row& row : rows) {
    table.rows.push_back(entries_of(columns, row));
  }
  return table;
}

std::string text_of(const Report& report);
nlohmann::ordered_json json_of(const Report& report);
/// One page without scripts, and without anything from elsewhere.
std::string html_of(const Report& report, const std::string& page_title);

/// Columns of `table` that people read, by their places.
std::vector<std::size_t> told_columns(const ReportTable& table);

}  // namespace tilestrike::campaigns
