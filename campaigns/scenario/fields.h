// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Fields whose values are read by hand, for the tables of scenario and strike.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/field_table.h"

namespace tilestrike::campaigns {

template <class Config>
Field<Config> custom_field(
    FieldHelp about,
    std::function<void(Config&, const Value&, const std::string& path, ErrorList&)> read,
    std::function<Value(const Config&)> write) {
  Field<Config> field;
  field.about = std::move(about);
  field.read = std::move(read);
  field.write = std::move(write);
  return field;
}

/// The items of a list; a single value is a list of one.
inline std::vector<Value> items_of(const Value& value) {
  return value.is_list() ? value.items : std::vector<Value>{value};
}

/// Text that is one of `allowed`, or of `later`: known, but not available yet.
inline bool is_choice(const Value& value, const std::string& path,
                      const std::vector<std::string>& allowed,
                      const std::vector<std::string>& later, ErrorList& errors) {
  if (!value.is_scalar()) {
    field_detail::wrong_type(value, path, "one of " + join(allowed, ", "), errors);
    return false;
  }
  for (const std::string& name : later) {
    if (value.scalar == name) {
      errors.add(ErrorCode::kUnsupported, path + ": '" + name + "' is not available yet",
                 value.place.text(), "available: " + join(allowed, ", "));
      return false;
    }
  }
  for (const std::string& name : allowed) {
    if (value.scalar == name) {
      return true;
    }
  }
  errors.add(ErrorCode::kInvalidInput, path + ": '" + value.scalar + "' is not a choice",
             value.place.text(), suggestion(value.scalar, allowed));
  return false;
}

}  // namespace tilestrike::campaigns
