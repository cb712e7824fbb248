// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/field_table.h"

#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

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

namespace {

constexpr std::pair<std::string_view, int> kByteUnits[] = {
    {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"B", 0}, {"", 0}};

/// "256KiB", "256 KiB" or "262144"; nothing: no such text, or beyond 64 bits.
std::optional<std::int64_t> parse_bytes(std::string_view text) {
  for (const auto& [unit, shift] : kByteUnits) {
    if (!text.ends_with(unit)) {
      continue;
    }
    std::string_view digits = text.substr(0, text.size() - unit.size());
    while (digits.ends_with(' ')) {
      digits.remove_suffix(1);
    }
    const std::optional<std::int64_t> number = parse_integer(digits);
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> shift;
    const bool fits = number && *number >= 0 && *number <= most;
    return fits ? std::optional(*number << shift) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  for (const auto& [unit, shift] : kByteUnits) {
    const std::int64_t one = std::int64_t{1} << shift;
    if (bytes >= one && bytes % one == 0) {
      return std::to_string(bytes >> shift) + std::string(unit);
    }
  }
  return std::to_string(bytes) + "B";
}

void read_bytes(const Value& value, const std::string& path, std::int64_t min, std::int64_t max,
                ErrorList& errors, const std::function<void(std::int64_t)>& store) {
  const auto number = value.is_scalar() ? parse_bytes(value.scalar) : std::nullopt;
  const std::string range = bytes_text(min) + " to " + bytes_text(max);
  if (!number) {
    wrong_type(value, path, "a number of bytes such as 256KiB", errors);
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
