// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/document.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"

namespace tilestrike {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Whether YAML reads the text back as itself when it stands without quotes.
bool is_plain(std::string_view text) {
  if (text.empty() || text == "null" || text.front() == '%') {
    return false;
  }
  if (text.front() == '-' && (text.size() == 1 || text[1] < '0' || text[1] > '9')) {
    return false;
  }
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_./%+-") == std::string_view::npos;
}

std::string yaml_scalar(const Value& value) {
  if (value.is_null()) {
    return "null";
  }
  return is_plain(value.scalar) ? value.scalar : quoted(value.scalar);
}

}  // namespace

std::string Place::text() const {
  if (line == 0) {
    return file;
  }
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Value Value::of(std::string scalar) {
  Value value;
  value.kind = Kind::kScalar;
  value.scalar = std::move(scalar);
  return value;
}

Value Value::map() {
  Value value;
  value.kind = Kind::kMap;
  return value;
}

Value Value::list(std::vector<Value> items) {
  Value value;
  value.kind = Kind::kList;
  value.items = std::move(items);
  return value;
}

const Value* Value::find(std::string_view key) const {
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

Value& Value::at_or_add(std::string_view key) {
  if (is_null()) {
    kind = Kind::kMap;
  }
  TS_CHECK(is_map(), "only maps have keys");
  if (Value* present = find(key)) {
    return *present;
  }
  entries.push_back(Entry{std::string(key), Value{}, place});
  return entries.back().value;
}

void Value::set(std::string_view key, Value value) { at_or_add(key) = std::move(value); }

std::string Value::json() const {
  std::string out;
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kScalar:
      return quoted(scalar);
    case Kind::kList:
      for (const Value& item : items) {
        out += (out.empty() ? "" : ",") + item.json();
      }
      return "[" + out + "]";
    case Kind::kMap:
      for (const Entry& entry : entries) {
        out += (out.empty() ? "" : ",") + quoted(entry.key) + ":" + entry.value.json();
      }
      return "{" + out + "}";
  }
  return out;
}

std::string Value::yaml(int indent) const {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string out;
  switch (kind) {
    case Kind::kNull:
    case Kind::kScalar:
      return yaml_scalar(*this);
    case Kind::kList:
      for (const Value& item : items) {
        out += (out.empty() ? "" : ", ") + (item.is_map() ? item.json() : item.yaml());
      }
      return "[" + out + "]";
    case Kind::kMap:
      for (const Entry& entry : entries) {
        const bool is_block = entry.value.is_map() && !entry.value.entries.empty();
        out += margin + yaml_scalar(Value::of(entry.key)) + ":";
        if (is_block) {
          out += "\n" + entry.value.yaml(indent + 2);
        } else {
          out += " " + (entry.value.is_map() ? "{}" : entry.value.yaml()) + "\n";
        }
      }
      return out;
  }
  return out;
}

Value merged(const Value& under, const Value& over) {
  if (!under.is_map() || !over.is_map()) {
    return over;
  }
  Value result = under;
  result.place = over.place;
  for (const Entry& entry : over.entries) {
    const auto present = std::ranges::find(result.entries, entry.key, &Entry::key);
    if (present == result.entries.end()) {
      result.entries.push_back(entry);
    } else {
      *present = {entry.key, merged(present->value, entry.value), entry.place};
    }
  }
  return result;
}

}  // namespace tilestrike
