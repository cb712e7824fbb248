// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A table of `tilestrike list`: what a reader sees of each cell, and what a script gets of it.
#pragma once

#include <concepts>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tilestrike::campaigns::cli {

/// Text for the table, a value for JSON. A text may be rounded; a number in JSON never is.
struct ListCell {
  std::string text;
  nlohmann::ordered_json value;  // null: there is none, or it is not known

  ListCell() = default;
  ListCell(std::string shown) : text(std::move(shown)), value(text) {}
  ListCell(const char* shown) : ListCell(std::string(shown)) {}
  template <std::integral Number>
  ListCell(Number number) : text(std::to_string(number)), value(number) {}
  ListCell(std::string shown, nlohmann::ordered_json exact)
      : text(std::move(shown)), value(std::move(exact)) {}
};

/// The first row names the columns.
using ListTable = std::vector<std::vector<ListCell>>;

}  // namespace tilestrike::campaigns::cli
