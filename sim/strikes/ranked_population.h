// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A population each of whose members has a rank, uniform in [0, 1), that is drawn once and for all:
// asked for the members below a rank, it gives the same ones each time, without a table of all.
#pragma once

#include <cstdint>
#include <vector>

namespace tilestrike::sim {

struct RankedMember {
  std::uint64_t index = 0;
  double rank = 0.0;
};

class RankedPopulation {
 public:
  /// Members 0 .. size - 1; `seed` says which draw of ranks.
  RankedPopulation(std::uint64_t seed, std::uint64_t size);

  /// The members whose rank is below `bound`, by ascending index. Takes time and memory for the
  /// members that it gives (and at most as many again), not for those that there are. What it gives
  /// for a lower bound is a part of what it gives for a higher one.
  std::vector<RankedMember> below(double bound) const;

 private:
  std::uint64_t seed_;
  std::uint64_t size_;
};

}  // namespace tilestrike::sim
