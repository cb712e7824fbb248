// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/ranked_population.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/random.h"

namespace tilestrike::sim {
namespace {

/// Merges two lists that ascend by index. An index that is in both keeps the rank of `first`.
std::vector<RankedMember> merged(const std::vector<RankedMember>& first,
                                 const std::vector<RankedMember>& second) {
  std::vector<RankedMember> both;
  both.reserve(first.size() + second.size());
  auto one = first.begin();
  auto other = second.begin();
  while (one != first.end() || other != second.end()) {
    if (other == second.end() || (one != first.end() && one->index <= other->index)) {
      other += other != second.end() && other->index == one->index ? 1 : 0;
      both.push_back(*one++);
    } else {
      both.push_back(*other++);
    }
  }
  return both;
}

}  // namespace

RankedPopulation::RankedPopulation(std::uint64_t seed, std::uint64_t size)
    : seed_(seed), size_(size) {}

// Ranks are cut into bands [low, high), each twice as wide as all before it together; the lowest
// holds about one member. A band has a stream of its own, from which each member comes up with the
// probability that its rank is in the band, given that it is in none before; the steps from one
// that comes up to the next are geometric. The first band in which a member comes up is its own.
std::vector<RankedMember> RankedPopulation::below(double bound) const {
  std::vector<RankedMember> found;
  double low = 0.0;
  double high = 1.0 / static_cast<double>(std::bit_ceil(std::max<std::uint64_t>(size_, 2)));
  for (std::uint64_t band = 0; low < bound && low < 1.0; ++band) {
    RandomStream random(seed_, band, Purpose::kMember);
    const double share = (high - low) / (1.0 - low);
    const double scale = share < 1.0 ? 1.0 / std::log1p(-share) : 0.0;
    std::vector<RankedMember> own;
    for (std::uint64_t next = 0; next < size_;) {
      const double skipped = std::floor(std::log(1.0 - random.unit()) * scale);
      if (!(skipped < static_cast<double>(size_ - next))) {
        break;
      }
      next += static_cast<std::uint64_t>(skipped);
      own.push_back({next++, low + random.unit() * (high - low)});
    }
    found = merged(found, own);
    low = high;
    high *= 2.0;
  }
  std::erase_if(found, [bound](const RankedMember& member) { return member.rank >= bound; });
  return found;
}

}  // namespace tilestrike::sim
