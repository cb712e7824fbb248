// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A configuration document as a neutral tree with places, so that no room but the one that reads
// files knows a file format.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilestrike {

struct Place {
  std::string file;
  int line = 0;  // from 1; 0: unknown (a flag, a default)
  int column = 0;
  std::string text() const;  // file:line:column
};

struct Entry;

struct Value {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string scalar;
  std::vector<Value> items;
  std::vector<Entry> entries;  // in file order
  Place place;

  static Value of(std::string scalar);
  static Value map();
  static Value list(std::vector<Value> items);

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }

  const Value* find(std::string_view key) const;  // nullptr: no such key
  Value* find(std::string_view key);
  /// The entry's value, made if absent. Only for maps (a null becomes one).
  Value& at_or_add(std::string_view key);
  void set(std::string_view key, Value value);

  /// Canonical JSON: keys in stored order, scalars as strings.
  std::string json() const;
  /// YAML, block style; what `run --dry-run` prints.
  std::string yaml(int indent = 0) const;
};

struct Entry {
  std::string key;
  Value value;
  Place place;  // of the key
};

/// Overlays `over` on `under`: maps merge key by key, everything else is replaced. What both have
/// stands where `over` has it.
Value merged(const Value& under, const Value& over);

}  // namespace tilestrike
