// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do the members of a lazy population have ranks that are uniform, independent and always the same?
#include "sim/strikes/ranked_population.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "tests/sim/chi_square.h"

namespace tilestrike::sim {
namespace {

constexpr std::uint64_t kSizes[] = {1, 2, 3, 5, 64, 1000, 4097};

TEST(RankedPopulationTest, EveryMemberHasOneRank) {
  for (const std::uint64_t size : kSizes) {
    const auto all = RankedPopulation(7, size).below(1.0);
    ASSERT_EQ(all.size(), size);
    for (std::uint64_t i = 0; i < size; ++i) {
      EXPECT_EQ(all[i].index, i);
      EXPECT_TRUE(0.0 <= all[i].rank && all[i].rank < 1.0);
    }
  }
  EXPECT_TRUE(RankedPopulation(7, 0).below(1.0).empty());
  EXPECT_TRUE(RankedPopulation(7, 1000).below(0.0).empty());
}

TEST(RankedPopulationTest, ALowerBoundGivesTheSameMembersLessSome) {
  const RankedPopulation population(3, 5000);
  const auto all = population.below(1.0);
  for (const double bound : {1e-5, 1e-3, 0.0999, 0.25, 0.5, 0.50001, 0.7, 0.999}) {
    std::vector<std::pair<std::uint64_t, double>> expected, found;
    for (const RankedMember& member : all) {
      if (member.rank < bound) {
        expected.emplace_back(member.index, member.rank);
      }
    }
    for (const RankedMember& member : population.below(bound)) {
      found.emplace_back(member.index, member.rank);
    }
    EXPECT_EQ(found, expected) << bound;
  }
}

TEST(RankedPopulationTest, RanksAreUniformWhateverTheMember) {
  // Ranks in 32 equal parts, and of members in the first, second ... eighth of the population.
  constexpr std::size_t kParts = 32, kPlaces = 8;
  constexpr std::uint64_t kSize = 2000, kDraws = 200;
  std::vector<std::uint64_t> counts(kParts * kPlaces);
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    for (const RankedMember& member : RankedPopulation(seed, kSize).below(1.0)) {
      const auto part = static_cast<std::size_t>(member.rank * kParts);
      ++counts[part * kPlaces + member.index * kPlaces / kSize];
    }
  }
  const std::vector<double> expected(counts.size(),
                                     static_cast<double>(kSize * kDraws) / counts.size());
  EXPECT_LT(std::abs(chi_square_score(counts, expected)), kFarOff);
}

TEST(RankedPopulationTest, SmallRanksAreAsFrequentAsTheyShouldBe) {
  // Of the whole list, down to what only some draws have at all; the variance, too.
  constexpr std::uint64_t kSize = 1 << 16, kDraws = 4000;
  for (const double bound : {0.3 / kSize, 2.7 / kSize, 50.0 / kSize}) {
    std::uint64_t count = 0;
    double squares = 0.0;
    const double mean = bound * kSize;
    for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
      const auto found = RankedPopulation(seed, kSize).below(bound).size();
      count += found;
      squares += std::pow(static_cast<double>(found) - mean, 2);
    }
    EXPECT_LT(std::abs(binomial_score(count, kSize * kDraws, bound)), kFarOff) << bound;
    EXPECT_NEAR(squares / kDraws / mean, 1.0, 0.15) << bound;
  }
}

TEST(RankedPopulationTest, AnEndlessPopulationCostsWhatIsFound) {
  const auto start = std::chrono::steady_clock::now();
  constexpr std::uint64_t kSize = std::uint64_t{1} << 50;
  std::uint64_t count = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto found = RankedPopulation(seed, kSize).below(std::ldexp(20.0, -50));
    EXPECT_TRUE(std::ranges::is_sorted(found, {}, &RankedMember::index));
    count += found.size();
  }
  EXPECT_LT(std::abs(static_cast<double>(count) - 1000.0), kFarOff * std::sqrt(1000.0));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace tilestrike::sim
