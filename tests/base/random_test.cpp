// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the random streams Philox4x32-10, independent of each other, and unbiased?
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace tilestrike {
namespace {

using Block = std::array<std::uint32_t, 4>;

/// Philox4x32-10, written down from its definition (Salmon et al., SC 2011, section 4.3).
Block philox(Block counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t x = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t y = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(y >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(y),
        static_cast<std::uint32_t>(x >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(x)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

/// Pearson's statistic against equal shares.
double chi_square(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) {
    total += count;
  }
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const int count : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST(Philox, ReferenceGivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsPhiloxOfSeedTrialAndPurpose) {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    for (const std::uint64_t trial : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1} << 40}) {
      RandomStream stream(seed, trial, Purpose::kCycle);
      for (std::uint32_t block = 0; block < 3; ++block) {
        const Block expected =
            philox({block, static_cast<std::uint32_t>(Purpose::kCycle),
                    static_cast<std::uint32_t>(trial), static_cast<std::uint32_t>(trial >> 32)},
                   {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
        EXPECT_EQ(stream.next(), expected[0] | std::uint64_t{expected[1]} << 32);
        EXPECT_EQ(stream.next(), expected[2] | std::uint64_t{expected[3]} << 32);
      }
    }
  }
}

TEST(RandomStream, DiffersBySeedTrialAndPurpose) {
  std::set<std::uint64_t> first;
  std::size_t streams = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
      for (const Purpose purpose :
           {Purpose::kImage, Purpose::kSite, Purpose::kCycle, Purpose::kKind}) {
        first.insert(RandomStream(seed, trial, purpose).next());
        ++streams;
      }
    }
  }
  EXPECT_EQ(first.size(), streams);
}

TEST(RandomStream, BelowStaysBelowAndReachesBothEnds) {
  RandomStream stream(3, 0, Purpose::kTest);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(stream.below(7));
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(stream.below(1), 0U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LT(stream.below((std::uint64_t{1} << 63) + 1), (std::uint64_t{1} << 63) + 1);
  }
}

TEST(RandomStream, BelowIsUniformOverTrials) {
  // As campaigns use it: one draw of each of many streams.
  std::vector<int> counts(100);
  for (std::uint64_t trial = 0; trial < 100000; ++trial) {
    ++counts[RandomStream(1, trial, Purpose::kSite).below(counts.size())];
  }
  EXPECT_LT(chi_square(counts), 148.2) << "99 degrees of freedom, p = 0.001";
}

TEST(RandomStream, BelowIsUnbiasedWhereMultiplyShiftAloneIsNot) {
  // Of a bound of 3 * 2^62, plain multiply-shift would hit each third multiple twice as often.
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62;
  RandomStream stream(4, 0, Purpose::kTest);
  std::vector<int> thirds(3);
  for (int i = 0; i < 30000; ++i) {
    ++thirds[stream.below(kBound) % 3];
  }
  EXPECT_LT(chi_square(thirds), 13.8) << "2 degrees of freedom, p = 0.001";
}

TEST(RandomStream, UnitIsInTheHalfOpenIntervalAndUniform) {
  RandomStream stream(5, 0, Purpose::kTest);
  std::vector<int> counts(50);
  for (int i = 0; i < 50000; ++i) {
    const double unit = stream.unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    ++counts[static_cast<std::size_t>(unit * 50)];
  }
  EXPECT_LT(chi_square(counts), 85.4) << "49 degrees of freedom, p = 0.001";
}

TEST(DrawWithoutReplacement, NeverRepeatsAndCanTakeAll) {
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    RandomStream stream(6, trial, Purpose::kTest);
    const std::uint64_t population = 1 + trial % 40;
    const auto drawn = draw_without_replacement(stream, population, population);
    EXPECT_EQ(std::set<std::uint64_t>(drawn.begin(), drawn.end()).size(), population);
    EXPECT_EQ(*std::max_element(drawn.begin(), drawn.end()), population - 1);
  }
  RandomStream stream(6, 1000, Purpose::kTest);
  EXPECT_TRUE(draw_without_replacement(stream, 10, 0).empty());
  const auto few = draw_without_replacement(stream, std::uint64_t{1} << 62, 1000);
  EXPECT_EQ(std::set<std::uint64_t>(few.begin(), few.end()).size(), 1000U);
}

TEST(DrawWithoutReplacement, EverySubsetIsEquallyLikely) {
  std::map<std::set<std::uint64_t>, int> subsets;  // 3 of 6: 20 subsets
  for (std::uint64_t trial = 0; trial < 40000; ++trial) {
    RandomStream stream(7, trial, Purpose::kTest);
    const auto drawn = draw_without_replacement(stream, 6, 3);
    ++subsets[std::set<std::uint64_t>(drawn.begin(), drawn.end())];
  }
  ASSERT_EQ(subsets.size(), 20U);
  std::vector<int> counts;
  for (const auto& [subset, count] : subsets) {
    counts.push_back(count);
  }
  EXPECT_LT(chi_square(counts), 43.8) << "19 degrees of freedom, p = 0.001";
}

TEST(RandomStreamDeathTest, RefusesAnEmptyRange) {
  RandomStream stream(8, 0, Purpose::kTest);
  EXPECT_DEATH(stream.below(0), "empty range");
  EXPECT_DEATH(draw_without_replacement(stream, 3, 4), "more members");
}

TEST(RandomTest, NestedRangesShareTheirMembers) {
  constexpr std::uint64_t kDraws = 60'000;
  for (const auto& [few, many] : {std::pair<std::uint64_t, std::uint64_t>{64, 72}, {5, 40}}) {
    std::vector<int> of_few(few), of_many(many);
    for (std::uint64_t trial = 0; trial < kDraws; ++trial) {
      RandomStream one(11, trial, Purpose::kTest), other(11, trial, Purpose::kTest);
      const std::uint64_t small = one.nested_below(few), large = other.nested_below(many);
      ++of_few[small];
      ++of_many[large];
      ASSERT_TRUE(large == small || large >= few) << small << " " << large;
    }
    for (const auto* counts : {&of_few, &of_many}) {
      const double mean = static_cast<double>(kDraws) / static_cast<double>(counts->size());
      for (const int count : *counts) {
        EXPECT_NEAR(count, mean, 5.5 * std::sqrt(mean));
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike
