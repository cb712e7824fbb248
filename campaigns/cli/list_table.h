// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A table of `tilestrike list`: what a reader sees of each cell, and what a script gets of it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tilestrike::campaigns::cli {

/// Whole numbers by their names, in order.
using NamedNumbers = std::vector<std::pair<std::string, std::int64_t>>;

/// What a script gets; std::monostate where there is nothing, or where it is not known.
using ListValue = std::variant<std::monostate, std::int64_t, std::uint64_t, double, std::string,
                               std::vector<std::string>, NamedNumbers>;

/// Text for the table, a value for JSON. A text may be rounded; a number in JSON never is.
struct ListCell {
  std::string text;
  ListValue value;

  ListCell() = default;
  ListCell(std::string shown) : text(std::move(shown)), value(text) {}
  ListCell(const char* shown) : ListCell(std::string(shown)) {}
  template <std::signed_integral Number>
  ListCell(Number number) : text(std::to_string(number)), value(std::int64_t{number}) {}
  template <std::unsigned_integral Number>
  ListCell(Number number) : text(std::to_string(number)), value(std::uint64_t{number}) {}
  ListCell(std::string shown, ListValue exact) : text(std::move(shown)), value(std::move(exact)) {}
};

/// The first row names the columns.
using ListTable = std::vector<std::vector<ListCell>>;

}  // namespace tilestrike::campaigns::cli
