// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The field table: one declaration of a configuration key (name, type, unit, default, range, help)
// drives parsing, errors, the expanded form, its hash, and documentation.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/text.h"

namespace tilestrike {

/// What documentation prints of one key.
struct FieldHelp {
  std::string name, type, unit, default_text, range, help;
};

template <class Config>
struct Field {
  FieldHelp about;
  bool is_required = false;
  /// Reads `value`, found under `path`, into the configuration; problems go to `errors`.
  std::function<void(Config&, const Value& value, const std::string& path, ErrorList& errors)> read;
  /// The expanded form; a null value is left out.
  std::function<Value(const Config&)> write;
  /// Nested tables, for documentation.
  std::vector<FieldHelp> nested;
};

template <class Config>
using FieldTable = std::vector<Field<Config>>;

namespace field_detail {
void wrong_type(const Value& value, const std::string& path, const std::string& wanted,
                ErrorList& errors);
void read_integer(const Value& value, const std::string& path, std::int64_t min, std::int64_t max,
                  ErrorList& errors, const std::function<void(std::int64_t)>& store);
void read_real(const Value& value, const std::string& path, double min, double max,
               ErrorList& errors, const std::function<void(double)>& store);
void read_bytes(const Value& value, const std::string& path, std::int64_t min, std::int64_t max,
                ErrorList& errors, const std::function<void(std::int64_t)>& store);
std::string bytes_text(std::int64_t bytes);  // "256KiB"
std::string real_text(double number);
std::string range_text(double min, double max);
}  // namespace field_detail

template <class Config, class Number>
Field<Config> integer_field(std::string name, Number Config::*member, std::int64_t min,
                            std::int64_t max, std::string unit, std::string help) {
  Field<Config> field;
  field.about = {name,
                 "integer",
                 std::move(unit),
                 std::to_string(Config{}.*member),
                 std::to_string(min) + " to " + std::to_string(max),
                 std::move(help)};
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    field_detail::read_integer(value, path, min, max, errors, [&](std::int64_t number) {
      config.*member = static_cast<Number>(number);
    });
  };
  field.write = [=](const Config& config) { return Value::of(std::to_string(config.*member)); };
  return field;
}

/// A number of bytes, with a unit or without: "256KiB".
template <class Config>
Field<Config> bytes_field(std::string name, std::int64_t Config::*member, std::int64_t min,
                          std::int64_t max, std::string help) {
  Field<Config> field;
  field.about = {name,
                 "bytes",
                 "B, KiB, MiB, GiB",
                 field_detail::bytes_text(Config{}.*member),
                 field_detail::bytes_text(min) + " to " + field_detail::bytes_text(max),
                 std::move(help)};
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    field_detail::read_bytes(value, path, min, max, errors,
                             [&](std::int64_t number) { config.*member = number; });
  };
  field.write = [=](const Config& config) {
    return Value::of(field_detail::bytes_text(config.*member));
  };
  return field;
}

template <class Config>
Field<Config> real_field(std::string name, double Config::*member, double min, double max,
                         std::string unit, std::string help) {
  Field<Config> field;
  field.about = {name,
                 "number",
                 std::move(unit),
                 field_detail::real_text(Config{}.*member),
                 field_detail::range_text(min, max),
                 std::move(help)};
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    field_detail::read_real(value, path, min, max, errors,
                            [&](double number) { config.*member = number; });
  };
  field.write = [=](const Config& config) {
    return Value::of(field_detail::real_text(config.*member));
  };
  return field;
}

template <class Config>
Field<Config> text_field(std::string name, std::string Config::*member, std::string help) {
  Field<Config> field;
  field.about = {name, "text", "", Config{}.*member, "", std::move(help)};
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    if (!value.is_scalar()) {
      field_detail::wrong_type(value, path, "text", errors);
      return;
    }
    config.*member = value.scalar;
  };
  field.write = [=](const Config& config) {
    return (config.*member).empty() ? Value{} : Value::of(config.*member);
  };
  return field;
}

template <class Enum>
using Choices = std::vector<std::pair<std::string, Enum>>;

template <class Enum>
std::string choice_name(const Choices<Enum>& choices, Enum chosen) {
  for (const auto& [name, value] : choices) {
    if (value == chosen) {
      return name;
    }
  }
  return "?";
}

template <class Config, class Enum>
Field<Config> choice_field(std::string name, Enum Config::*member, Choices<Enum> choices,
                           std::string help) {
  std::vector<std::string> names;
  for (const auto& choice : choices) {
    names.push_back(choice.first);
  }
  Field<Config> field;
  field.about = {
      name,           "choice", "", choice_name(choices, Config{}.*member), join(names, " | "),
      std::move(help)};
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    for (const auto& [text, chosen] : choices) {
      if (value.is_scalar() && value.scalar == text) {
        config.*member = chosen;
        return;
      }
    }
    if (!value.is_scalar()) {
      field_detail::wrong_type(value, path, "one of " + join(names, ", "), errors);
      return;
    }
    errors.add(ErrorCode::kInvalidInput, path + ": '" + value.scalar + "' is not a choice",
               value.place.text(), suggestion(value.scalar, names));
  };
  field.write = [=](const Config& config) {
    return Value::of(choice_name(choices, config.*member));
  };
  return field;
}

template <class Config>
void read_fields(const FieldTable<Config>& table, const Value& map, const std::string& path,
                 Config& config, ErrorList& errors) {
  if (!map.is_map()) {
    field_detail::wrong_type(map, path.empty() ? "document" : path, "a map of keys", errors);
    return;
  }
  std::vector<std::string> names;
  for (const auto& field : table) {
    names.push_back(field.about.name);
  }
  for (std::size_t i = 0; i < map.entries.size(); ++i) {
    const Entry& entry = map.entries[i];
    const std::string here = path.empty() ? entry.key : path + "." + entry.key;
    bool is_known = false;
    for (const auto& field : table) {
      if (field.about.name == entry.key) {
        is_known = true;
        field.read(config, entry.value, here, errors);
      }
    }
    if (!is_known) {
      errors.add(ErrorCode::kInvalidInput, here + ": unknown key", entry.place.text(),
                 suggestion(entry.key, names));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (map.entries[j].key == entry.key) {
        errors.add(ErrorCode::kInvalidInput, here + ": the key stands twice", entry.place.text(),
                   "keep one; the first is at " + map.entries[j].place.text());
      }
    }
  }
  for (const auto& field : table) {
    if (field.is_required && map.find(field.about.name) == nullptr) {
      const std::string here = path.empty() ? field.about.name : path + "." + field.about.name;
      errors.add(ErrorCode::kInvalidInput, here + ": this key is required", map.place.text(),
                 "add '" + field.about.name + ": ...' (" + field.about.help + ")");
    }
  }
}

template <class Config>
Value write_fields(const FieldTable<Config>& table, const Config& config) {
  Value map = Value::map();
  for (const auto& field : table) {
    Value value = field.write(config);
    if (!value.is_null()) {
      map.set(field.about.name, std::move(value));
    }
  }
  return map;
}

template <class Config, class Part>
Field<Config> nested_field(std::string name, Part Config::*member, FieldTable<Part> table,
                           std::string help) {
  Field<Config> field;
  field.about = {name, "map", "", "", "", std::move(help)};
  for (const auto& part : table) {
    field.nested.push_back(part.about);
    field.nested.back().name = name + "." + part.about.name;
    for (FieldHelp deeper : part.nested) {
      deeper.name = name + "." + deeper.name;
      field.nested.push_back(std::move(deeper));
    }
  }
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    if (!value.is_null()) {
      read_fields(table, value, path, config.*member, errors);
    }
  };
  field.write = [=](const Config& config) { return write_fields(table, config.*member); };
  return field;
}

/// Parts by the names that the user gives them, in file order.
template <class Part>
using NamedParts = std::vector<std::pair<std::string, Part>>;

/// A map from such names to parts of one table. `check` looks at each part as a whole, where its
/// keys alone had no errors.
template <class Config, class Part>
Field<Config> named_parts_field(
    std::string name, NamedParts<Part> Config::*member, FieldTable<Part> table,
    std::function<void(const Part&, const std::string& path, const std::string& where, ErrorList&)>
        check,
    std::string help) {
  Field<Config> field;
  field.about = {name, "map by name", "", "", "", std::move(help)};
  for (const auto& part : table) {
    field.nested.push_back(part.about);
    field.nested.back().name = name + ".NAME." + part.about.name;
  }
  field.read = [=](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
    (config.*member).clear();
    if (value.is_null()) {
      return;
    }
    if (!value.is_map()) {
      field_detail::wrong_type(value, path, "a map from names to keys", errors);
      return;
    }
    for (const Entry& entry : value.entries) {
      const std::string here = path + "." + entry.key;
      Part part;
      ErrorList own;
      read_fields(table, entry.value, here, part, own);
      if (own.empty()) {
        check(part, here, entry.place.text(), own);
      }
      try {
        own.throw_if_any();
      } catch (const Failure& failure) {
        errors.add(failure);
      }
      (config.*member).emplace_back(entry.key, std::move(part));
    }
  };
  field.write = [=](const Config& config) {
    Value map = Value::map();
    for (const auto& [key, part] : config.*member) {
      map.set(key, write_fields(table, part));
    }
    return (config.*member).empty() ? Value{} : map;
  };
  return field;
}

template <class Config>
std::vector<FieldHelp> help_of(const FieldTable<Config>& table) {
  std::vector<FieldHelp> all;
  for (const auto& field : table) {
    all.push_back(field.about);
    all.insert(all.end(), field.nested.begin(), field.nested.end());
  }
  return all;
}

}  // namespace tilestrike
