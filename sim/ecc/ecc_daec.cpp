// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// SEC-DED-DAEC: columns of odd weight in such an order that the sums of neighbours all differ. A
// sum of two columns has even weight, so it is never taken for a single bit; it may equal the sum
// of two neighbours, and then two bits that are no neighbours are miscorrected. A greedy search
// puts one column after the other before the check bits, each time the one that adds the fewest
// such pairs; a code with fewer data bits is the end of a longer one.
#include <algorithm>
#include <bit>
#include <limits>

#include "sim/ecc/ecc_definition.h"

namespace tilestrike::sim {
namespace {

class NeighbourSearch {
 public:
  explicit NeighbourSearch(int check_bits)
      : words_(std::uint32_t{1} << check_bits),
        used_(words_, false),
        neighbours_(words_, false),
        pairs_(words_, 0) {
    for (int j = check_bits - 1; j >= 0; --j) {
      place(std::uint32_t{1} << j);
    }
    check_bits_ = check_bits;
  }

  /// Places one more column; false when none is left that fits.
  bool grow() {
    std::uint32_t best = 0;
    int least = std::numeric_limits<int>::max();
    for (int weight = 3; weight <= check_bits_; weight += 2) {
      for (std::uint32_t column = 0; column < words_; ++column) {
        const std::uint32_t sum = column ^ placed_.back();
        if (std::popcount(column) == weight && !used_[column] && !neighbours_[sum]) {
          const int cost = added_pairs(column, sum);
          if (cost < least) {
            least = cost;
            best = column;
          }
        }
      }
    }
    if (best == 0) {
      return false;
    }
    place(best);
    return true;
  }

  /// The data columns placed so far, in physical order.
  std::vector<std::uint32_t> data_columns() const {
    return {placed_.rbegin(), placed_.rend() - check_bits_};
  }

 private:
  /// Pairs of bits whose sum would be that of two neighbours, more than before.
  int added_pairs(std::uint32_t column, std::uint32_t sum) const {
    int cost = pairs_[sum];
    for (const std::uint32_t other : placed_) {
      cost += neighbours_[other ^ column] || (other ^ column) == sum ? 1 : 0;
    }
    return cost;
  }

  void place(std::uint32_t column) {
    for (const std::uint32_t other : placed_) {
      ++pairs_[other ^ column];
    }
    if (!placed_.empty()) {
      neighbours_[placed_.back() ^ column] = true;
    }
    used_[column] = true;
    placed_.push_back(column);
  }

  std::uint32_t words_;
  int check_bits_ = 0;
  std::vector<std::uint32_t> placed_;  // from the last check bit to the first data bit
  std::vector<bool> used_;
  std::vector<bool> neighbours_;  // whether the word is the sum of two neighbours
  std::vector<int> pairs_;        // of any two bits, by their sum
};

}  // namespace

EccDefinition daec_code(int data_bits) {
  EccDefinition code;
  for (code.check_bits = 5; code.data_columns.empty(); ++code.check_bits) {
    NeighbourSearch search(code.check_bits);
    int placed = 0;
    while (placed < data_bits && search.grow()) {
      ++placed;
    }
    if (placed == data_bits) {
      code.data_columns = search.data_columns();
      break;
    }
  }
  const int codeword_bits = data_bits + code.check_bits;
  code.correctable = single_bits(codeword_bits);
  for (int bit = 0; bit + 1 < codeword_bits; ++bit) {
    BitString& pair = code.correctable.emplace_back();
    pair.set(bit);
    pair.set(bit + 1);
  }
  return code;
}

}  // namespace tilestrike::sim
