// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Codes whose correctable patterns are read off their columns: Hamming's, and Hsiao's SEC-DED with
// columns of odd weight (M. Y. Hsiao, IBM Journal of R&D 14, 1970).
#include <algorithm>
#include <bit>
#include <limits>

#include "sim/ecc/ecc_definition.h"

namespace tilestrike::sim {
namespace {

/// All words of `bits` bits with `weight` ones, ascending.
std::vector<std::uint32_t> words_of_weight(int bits, int weight) {
  std::vector<std::uint32_t> words;
  for (std::uint32_t word = 0; word < (std::uint32_t{1} << bits); ++word) {
    if (std::popcount(word) == weight) {
      words.push_back(word);
    }
  }
  return words;
}

/// `wanted` of the candidates, such that the check bits depend on numbers of data bits that are as
/// equal as a greedy choice makes them; ties go to the lowest.
std::vector<std::uint32_t> balanced_choice(std::vector<std::uint32_t> candidates,
                                           std::size_t wanted, int check_bits) {
  std::vector<int> loads(static_cast<std::size_t>(check_bits), 0);
  std::vector<std::uint32_t> chosen;
  while (chosen.size() < wanted) {
    auto best = candidates.end();
    int least = std::numeric_limits<int>::max();
    for (auto candidate = candidates.begin(); candidate != candidates.end(); ++candidate) {
      int load = 0;  // grows with the sum of squares of the loads
      for (int j = 0; j < check_bits; ++j) {
        load += ((*candidate >> j) & 1) != 0 ? loads[static_cast<std::size_t>(j)] : 0;
      }
      if (load < least) {
        least = load;
        best = candidate;
      }
    }
    for (int j = 0; j < check_bits; ++j) {
      loads[static_cast<std::size_t>(j)] += static_cast<int>((*best >> j) & 1);
    }
    chosen.push_back(*best);
    candidates.erase(best);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void append(std::vector<std::uint32_t>& columns, const std::vector<std::uint32_t>& more) {
  columns.insert(columns.end(), more.begin(), more.end());
}

}  // namespace

EccDefinition hamming_code(int data_bits) {
  EccDefinition code;
  while ((1 << code.check_bits) - 1 < data_bits + code.check_bits) {
    ++code.check_bits;
  }
  for (std::uint32_t column = 3; std::ssize(code.data_columns) < data_bits; ++column) {
    if (std::popcount(column) >= 2) {
      code.data_columns.push_back(column);
    }
  }
  code.correctable = single_bits(data_bits + code.check_bits);
  return code;
}

EccDefinition hsiao_code(int data_bits) {
  EccDefinition code;
  code.check_bits = 1;
  while ((1 << (code.check_bits - 1)) < data_bits + code.check_bits) {
    ++code.check_bits;
  }
  code.correctable = single_bits(data_bits + code.check_bits);
  if (data_bits == 32) {  // the known (39,32) code
    code.data_columns = words_of_weight(7, 3);
    code.data_columns.resize(32);
    return code;
  }
  if (data_bits == 64) {  // the known (72,64) code
    code.data_columns = words_of_weight(8, 3);
    for (std::uint32_t turn = 0; turn < 8; ++turn) {
      code.data_columns.push_back((0x1FU << turn | 0x1FU >> (8 - turn)) & 0xFF);
    }
    return code;
  }
  for (int weight = 3; std::ssize(code.data_columns) < data_bits; weight += 2) {
    const auto wanted = static_cast<std::size_t>(data_bits) - code.data_columns.size();
    std::vector<std::uint32_t> all = words_of_weight(code.check_bits, weight);
    append(code.data_columns,
           all.size() <= wanted ? all : balanced_choice(std::move(all), wanted, code.check_bits));
  }
  return code;
}

}  // namespace tilestrike::sim
