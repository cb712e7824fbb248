// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/field_table.h"

#include <cmath>
#include <cstdio>

namespace tilestrike::field_detail {

void wrong_type(const Value& value, const std::string& path, const std::string& wanted,
                ErrorList& errors) {
  static constexpr const char* kFound[] = {"nothing", "a single value", "a list", "a map"};
  const std::string found =
      value.is_scalar() ? "'" + value.scalar + "'" : kFound[static_cast<int>(value.kind)];
  errors.add(ErrorCode::kInvalidInput, path + ": found " + found, value.place.text(),
             "write " + wanted);
}

void read_integer(const Value& value, const std::string& path, std::int64_t min, std::int64_t max,
                  ErrorList& errors, const std::function<void(std::int64_t)>& store) {
  const auto number = value.is_scalar() ? parse_integer(value.scalar) : std::nullopt;
  const std::string range = std::to_string(min) + " to " + std::to_string(max);
  if (!number) {
    wrong_type(value, path, "an integer from " + range, errors);
  } else if (*number < min || *number > max) {
    errors.add(ErrorCode::kInvalidInput, path + ": " + value.scalar + " is out of range",
               value.place.text(), "allowed: " + range);
  } else {
    store(*number);
  }
}

void read_real(const Value& value, const std::string& path, double min, double max,
               ErrorList& errors, const std::function<void(double)>& store) {
  const auto number = value.is_scalar() ? parse_real(value.scalar) : std::nullopt;
  if (!number) {
    wrong_type(value, path, "a number, " + range_text(min, max), errors);
  } else if (*number < min || *number > max) {
    errors.add(ErrorCode::kInvalidInput, path + ": " + value.scalar + " is out of range",
               value.place.text(), "allowed: " + range_text(min, max));
  } else {
    store(*number);
  }
}

std::string real_text(double number) {
  char text[32];
  for (int digits = 6; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    if (parse_real(text) == number) {
      break;
    }
  }
  return text;
}

std::string range_text(double min, double max) { return real_text(min) + " to " + real_text(max); }

}  // namespace tilestrike::field_detail
