// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One value of a row as SQLite knows it, and how the fields of records become one.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/fault.h"
#include "base/outcome.h"
#include "campaigns/plan/strike_classes.h"
#include "campaigns/scenario/memory_strike.h"

namespace tilestrike::campaigns {

/// Nothing, or a value whose text and bytes belong to somebody else: to a record, or to a row that
/// is being read.
using Datum = std::variant<std::monostate, std::int64_t, double, std::string_view,
                           std::span<const std::byte>>;

/// Whether both are the same; of real numbers, the same number.
bool is_equal(const Datum& a, const Datum& b);

/// For messages: "nothing", 12, 0.5, 'text', "10 numbers".
std::string text_of(const Datum& datum);

/// The numbers of a datum of float32.
std::vector<float> floats_of(std::span<const std::byte> bytes);

/// A row holds what its field cannot be.
struct DatumError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
const T& expect(const Datum& datum, const char* what) {
  if (const T* held = std::get_if<T>(&datum)) {
    return *held;
  }
  throw DatumError(text_of(datum) + " instead of " + what);
}

/// How a field is kept: its type in SQLite, and the way there and back.
template <class Field>
struct AsDatum;

template <std::integral Field>
struct AsDatum<Field> {
  static constexpr const char* kType = "INTEGER";
  static Datum to(Field field) { return static_cast<std::int64_t>(field); }
  static void from(const Datum& datum, Field& field) {
    field = static_cast<Field>(expect<std::int64_t>(datum, "an integer"));
  }
};

/// SQLite knows no NaN, and keeps nothing for it.
template <>
struct AsDatum<double> {
  static constexpr const char* kType = "REAL";
  static Datum to(double field) { return field == field ? Datum(field) : Datum(); }
  static void from(const Datum& datum, double& field) {
    field = std::holds_alternative<std::monostate>(datum) ? std::numeric_limits<double>::quiet_NaN()
                                                          : expect<double>(datum, "a number");
  }
};

template <>
struct AsDatum<std::string> {
  static constexpr const char* kType = "TEXT";
  static Datum to(const std::string& field) { return std::string_view(field); }
  static void from(const Datum& datum, std::string& field) {
    field = expect<std::string_view>(datum, "a text");
  }
};

/// No numbers are nothing.
template <>
struct AsDatum<std::vector<float>> {
  static constexpr const char* kType = "BLOB";
  static Datum to(const std::vector<float>& field) {
    return field.empty() ? Datum() : Datum(std::as_bytes(std::span(field)));
  }
  static void from(const Datum& datum, std::vector<float>& field) {
    field.clear();
    if (!std::holds_alternative<std::monostate>(datum)) {
      field = floats_of(expect<std::span<const std::byte>>(datum, "numbers"));
    }
  }
};

template <class Field>
struct AsDatum<std::optional<Field>> {
  static constexpr const char* kType = AsDatum<Field>::kType;
  static Datum to(const std::optional<Field>& field) {
    return field ? AsDatum<Field>::to(*field) : Datum();
  }
  static void from(const Datum& datum, std::optional<Field>& field) {
    if (std::holds_alternative<std::monostate>(datum)) {
      field.reset();
    } else {
      AsDatum<Field>::from(datum, field.emplace());
    }
  }
};

/// The values of an enumeration that is kept by its names.
template <class Enum>
inline constexpr std::size_t kValuesOf = 0;
template <>
inline constexpr std::size_t kValuesOf<Outcome> = kOutcomeTerms.size();
template <>
inline constexpr std::size_t kValuesOf<MaskedAt> = kMaskedAtTerms.size();
template <>
inline constexpr std::size_t kValuesOf<FaultKind> = 4;
template <>
inline constexpr std::size_t kValuesOf<sim::Radiation> = kRadiations.size();

template <class Enum>
requires(kValuesOf<Enum> > 0) struct AsDatum<Enum> {
  static constexpr const char* kType = "TEXT";
  static Datum to(Enum field) { return name_of(field); }
  static void from(const Datum& datum, Enum& field) {
    const std::string_view name = expect<std::string_view>(datum, "a name");
    for (std::size_t i = 0; i < kValuesOf<Enum>; ++i) {
      if (name_of(static_cast<Enum>(i)) == name) {
        field = static_cast<Enum>(i);
        return;
      }
    }
    throw DatumError("'" + std::string(name) + "', which is unknown");
  }
};

}  // namespace tilestrike::campaigns
