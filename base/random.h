// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Keyed random streams: trial k of seed s draws the same numbers on any number of processes, in any
// order, after any interruption (Philox4x32-10: Salmon et al., SC 2011, through Random123).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tilestrike {

/// What a stream is for; adding a purpose never changes the draws of another.
enum class Purpose : std::uint32_t {
  kImage = 1,
  kSite = 2,
  kCycle = 3,
  kKind = 4,
  kCount = 5,
  kBit = 6,
  kCluster = 7,
  kChip = 8,        // what differs from one chip to the next
  kMember = 9,      // of a population that is asked lazily
  kMode = 10,       // which of several ways to fail
  kUpset = 11,      // which cells of a region
  kPart = 12,       // seeds of parts
  kStructure = 13,  // which of several structures
  kOperand = 14,    // made-up operands
  kScrub = 15,      // where a scrubber is in its round
  kBank = 20,       // where in a memory: places that arrays share are drawn alike
  kRow = 21,
  kColumn = 22,
  kTest = 99,
};

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t trial, Purpose purpose);

  std::uint64_t next();
  /// Uniform over 0 .. bound-1, without bias; bound >= 1.
  std::uint64_t below(std::uint64_t bound);
  /// The same, so that a larger bound gives the same number or one that the smaller bound leaves
  /// out: members that two ranges share are drawn alike as often as can be. bound < 2^53.
  std::uint64_t nested_below(std::uint64_t bound);
  /// Uniform in [0, 1), 53 bits.
  double unit();

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// A seed for the streams of part `part` of what `seed` stands for: a tree of streams, each drawn
/// only where somebody asks.
std::uint64_t seed_of_part(std::uint64_t seed, std::uint64_t part);

/// `count` different numbers of 0 .. population-1, in drawn order; every subset equally likely.
/// Requires count <= population.
std::vector<std::uint64_t> draw_without_replacement(RandomStream& stream, std::uint64_t population,
                                                    std::uint64_t count);

}  // namespace tilestrike
