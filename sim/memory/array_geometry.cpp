// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/array_geometry.h"

#include <limits>
#include <vector>

#include "base/text.h"

namespace tilestrike::sim {
namespace {

constexpr std::int64_t kMostColumns = std::int64_t{1} << 24;  // of a row, check bits included
constexpr std::int64_t kMostRows = std::int64_t{1} << 30;     // of a bank

std::string divisors_of(int number) {
  std::vector<std::string> texts;
  for (int divisor = 1; divisor <= number && texts.size() < 12; ++divisor) {
    if (number % divisor == 0) {
      texts.push_back(std::to_string(divisor));
    }
  }
  return join(texts, ", ");
}

/// "a or b": the multiples of `unit` around `number`, which is none.
std::string multiples_around(std::int64_t number, std::int64_t unit) {
  const std::int64_t below = number / unit * unit;
  const bool has_above = below <= std::numeric_limits<std::int64_t>::max() - unit;
  return (below > 0 ? std::to_string(below) : "") + (below > 0 && has_above ? " or " : "") +
         (has_above ? std::to_string(below + unit) : "");
}

/// Adds an error for each value that is not at least `least`; whether there was none.
bool check_positive(const ArrayConfig& config, const std::string& key, const std::string& where,
                    ErrorList& errors) {
  struct Bound {
    const char* name;
    std::int64_t value, least;
  };
  const Bound bounds[] = {
      {"capacity", config.capacity_bytes, 1}, {"banks", config.banks, 1},
      {"row", config.row_bytes, 1},           {"codeword", config.data_bits, 1},
      {"ecc", config.check_bits, 0},          {"interleave", config.interleave, 1},
  };
  bool is_sound = true;
  for (const Bound& bound : bounds) {
    if (bound.value < bound.least) {
      errors.add(ErrorCode::kInvalidInput,
                 key + "." + bound.name + ": " + std::to_string(bound.value) + " is out of range",
                 where, "allowed: " + std::to_string(bound.least) + " or more");
      is_sound = false;
    }
  }
  return is_sound;
}

}  // namespace

void check_array(const ArrayConfig& config, const std::string& key, const std::string& where,
                 ErrorList& errors) {
  if (!check_positive(config, key, where, errors)) {
    return;
  }
  const auto add = [&](const std::string& name, const std::string& what, const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + "." + name + ": " + what, where, cure);
  };
  const std::int64_t row_bits = std::int64_t{8} * config.row_bytes;
  const std::int64_t line = std::int64_t{config.banks} * config.row_bytes;  // a row of every bank
  const std::int64_t codeword_bits = std::int64_t{config.data_bits} + config.check_bits;
  if (config.capacity_bytes % line != 0) {
    add("capacity",
        std::to_string(config.capacity_bytes) + " bytes are no whole number of rows of " +
            std::to_string(config.row_bytes) + " bytes in " + std::to_string(config.banks) +
            (config.banks == 1 ? " bank" : " banks"),
        "give a multiple of banks x row = " + std::to_string(line) + " bytes, such as " +
            multiples_around(config.capacity_bytes, line) + ", or change 'banks' or 'row'");
  } else if (config.capacity_bytes / line > kMostRows) {
    add("capacity",
        std::to_string(config.capacity_bytes / line) + " rows to a bank are more than " +
            std::to_string(kMostRows),
        "give more 'banks' or a longer 'row'");
  }
  if (config.data_bits > row_bits) {
    add("codeword",
        "a codeword of " + std::to_string(codeword_bits) + " bits (" +
            std::to_string(config.data_bits) + " data, " + std::to_string(config.check_bits) +
            " check) is wider than a row of " + std::to_string(row_bits) + " data bits",
        "give a 'row' of at least " + std::to_string((config.data_bits + 7) / 8) +
            " bytes, or a codeword of at most " + std::to_string(row_bits) + " data bits");
    return;
  }
  if (row_bits % config.data_bits != 0) {
    add("codeword",
        std::to_string(config.data_bits) + " data bits do not divide a row of " +
            std::to_string(row_bits) + " data bits",
        "let codewords fill the row: a 'row' whose bits are a multiple of " +
            std::to_string(config.data_bits) + ", or another codeword");
    return;
  }
  const auto words = static_cast<int>(row_bits / config.data_bits);
  if (words % config.interleave != 0) {
    add("interleave",
        std::to_string(config.interleave) + " does not divide the " + std::to_string(words) +
            (words == 1 ? " codeword" : " codewords") + " of a row (" +
            std::to_string(config.row_bytes) + " bytes of " + std::to_string(config.data_bits) +
            "-bit codewords)",
        "allowed here: " + divisors_of(words) + "; or change 'row'");
  }
  if (words * codeword_bits > kMostColumns) {
    add("row",
        std::to_string(words * codeword_bits) + " columns, check bits included, are more than " +
            std::to_string(kMostColumns),
        "give a shorter 'row'");
  }
}

ArrayGeometry::ArrayGeometry(const ArrayConfig& config) : config_(config) {
  ErrorList errors;
  check_array(config, "array", "", errors);
  errors.throw_if_any();
  codeword_bits_ = config.data_bits + config.check_bits;
  words_per_row_ = static_cast<int>(std::int64_t{8} * config.row_bytes / config.data_bits);
  columns_ = words_per_row_ * codeword_bits_;
  rows_ = static_cast<int>(config.capacity_bytes / (std::int64_t{config.banks} * config.row_bytes));
  const std::uint64_t lines =
      static_cast<std::uint64_t>(config.banks) * static_cast<std::uint64_t>(rows_);
  codewords_ = lines * static_cast<std::uint64_t>(words_per_row_);
  cells_ = lines * static_cast<std::uint64_t>(columns_);
}

std::string text_of(const Cell& cell) {
  return "bank " + std::to_string(cell.bank) + " row " + std::to_string(cell.row) + " column " +
         std::to_string(cell.column);
}

}  // namespace tilestrike::sim
