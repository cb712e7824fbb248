// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do faults on stored words compose and undo as if they were applied one after another?
#include "base/fault.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace tilestrike {
namespace {

WordFault flip_of(std::uint64_t word, std::uint64_t bits) {
  return {.store = StoreId(0), .word = word, .flip = bits};
}

WordFault stuck_at(std::uint64_t word, std::uint64_t bits, bool one) {
  return {.store = StoreId(0),
          .lifetime = Lifetime::kReasserts,
          .word = word,
          .keep = ~bits,
          .flip = one ? bits : 0};
}

WordFault drawn_fault(RandomStream& random, std::uint64_t words) {
  const std::uint64_t word = random.below(words);
  const std::uint64_t bits = std::uint64_t{1} << random.below(8) | std::uint64_t{1}
                                                                       << random.below(8);
  switch (random.below(4)) {
    case 0:
      return flip_of(word, bits);
    case 1:
      return stuck_at(word, bits, false);
    case 2:
      return stuck_at(word, bits, true);
    default:  // a random value on these bits
      return {.store = StoreId(0), .word = word, .keep = ~bits, .flip = random.next() & bits};
  }
}

/// What the memory holds after the faults came in this order and it was then written over with
/// itself: what reasserts does so last.
std::vector<std::uint8_t> one_by_one(const std::vector<WordFault>& faults,
                                     std::vector<std::uint8_t> words) {
  for (const Lifetime turn : {Lifetime::kOnce, Lifetime::kReasserts}) {
    for (const WordFault& fault : faults) {
      if (fault.lifetime == turn) {
        words[fault.word] = static_cast<std::uint8_t>(fault.applied_to(words[fault.word]));
      }
    }
  }
  return words;
}

TEST(WordFault, EachKindDoesWhatItsNameSays) {
  for (std::uint64_t value = 0; value < 256; ++value) {
    EXPECT_EQ(flip_of(0, 0x81).applied_to(value), value ^ 0x81);
    EXPECT_EQ(stuck_at(0, 0x81, false).applied_to(value), value & ~std::uint64_t{0x81});
    EXPECT_EQ(stuck_at(0, 0x81, true).applied_to(value), value | 0x81);
  }
  const WordFault random{.store = StoreId(0), .keep = ~std::uint64_t{0xF0}, .flip = 0x50};
  EXPECT_EQ(random.applied_to(0x3C), 0x5CU);
}

TEST(WordFault, CompositionEqualsOneAfterTheOther) {
  RandomStream random(1, 1, Purpose::kTest);
  for (int round = 0; round < 500; ++round) {
    const WordFault first = drawn_fault(random, 1);
    const WordFault second = drawn_fault(random, 1);
    const WordFault both = compose(first, second);
    for (std::uint64_t value = 0; value < 256; ++value) {
      ASSERT_EQ(both.applied_to(value), second.applied_to(first.applied_to(value)));
    }
  }
}

TEST(WordFault, TwoFlipsOfOneBitCancel) {
  const WordFault both = compose(flip_of(5, 4), flip_of(5, 4));
  EXPECT_EQ(both.applied_to(0xAB), 0xABU);
}

TEST(WordFault, StuckAtOutlastsAFlip) {
  for (const bool flip_first : {true, false}) {
    std::vector<WordFault> faults{flip_of(0, 8), stuck_at(0, 8, true)};
    if (!flip_first) {
      std::swap(faults[0], faults[1]);
    }
    std::vector<std::uint8_t> words{0x08};
    const auto sorted = normalised(faults);
    ASSERT_EQ(sorted.size(), 2U) << "records of different lifetime stay apart";
    EXPECT_EQ(sorted[0].lifetime, Lifetime::kOnce);
    apply<std::uint8_t>(sorted, words);
    EXPECT_EQ(words[0], 0x08);
  }
}

TEST(WordFaults, AreSortedAndOnePerWordAndLifetime) {
  RandomStream random(1, 2, Purpose::kTest);
  for (int round = 0; round < 200; ++round) {
    std::vector<WordFault> faults;
    for (std::uint64_t i = random.below(12); i > 0; --i) {
      faults.push_back(drawn_fault(random, 5));
      faults.back().store = StoreId(static_cast<std::uint32_t>(random.below(2)));
    }
    const auto sorted = normalised(faults);
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const auto key = [](const WordFault& f) { return std::tuple(f.store, f.word, f.lifetime); };
      ASSERT_LT(key(sorted[i - 1]), key(sorted[i]));
    }
  }
}

TEST(WordFaults, ApplyEqualsOneByOneAndUndoRestores) {
  RandomStream random(1, 3, Purpose::kTest);
  constexpr std::uint64_t kWords = 6;
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::uint8_t> golden(kWords);
    for (std::uint8_t& word : golden) {
      word = static_cast<std::uint8_t>(random.below(256));
    }
    std::vector<WordFault> faults;  // several on one word are likely
    for (std::uint64_t i = random.below(10); i > 0; --i) {
      faults.push_back(drawn_fault(random, kWords));
    }
    const auto sorted = normalised(faults);
    std::vector<std::uint8_t> words = golden;
    const auto saved = apply<std::uint8_t>(sorted, words);
    ASSERT_EQ(words, one_by_one(faults, golden));
    undo<std::uint8_t>(sorted, saved, words);
    ASSERT_EQ(words, golden);
  }
}

TEST(WordFaults, UndoRestoresDuplicatesThatWereNotComposed) {
  const std::vector<WordFault> faults{flip_of(1, 1), flip_of(1, 2), stuck_at(1, 1, true)};
  std::vector<std::uint32_t> words{7, 4, 7};
  const auto saved = apply<std::uint32_t>(faults, words);
  EXPECT_EQ(words, (std::vector<std::uint32_t>{7, 7, 7}));
  undo<std::uint32_t>(faults, saved, words);
  EXPECT_EQ(words, (std::vector<std::uint32_t>{7, 4, 7}));
}

TEST(WordFaults, ApplyCountsWhatChangedAndFillsTheRoomForOldWords) {
  // More records than are fetched ahead, so that both the body and the tail of the loop run.
  constexpr std::size_t kRecords = 3 * kPrefetchedFaults + 1;
  std::vector<std::uint16_t> golden(2 * kRecords);
  std::vector<WordFault> faults;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    golden[i] = static_cast<std::uint16_t>(i * 7919);
    if (i % 2 == 0) {
      faults.push_back(stuck_at(i, 1, true));  // changes even words alone
    }
  }
  const auto is_even = [](std::uint16_t word) { return word % 2 == 0; };
  std::size_t expected = 0;
  for (const WordFault& fault : faults) {
    expected += is_even(golden[fault.word]) ? 1 : 0;
  }
  std::vector<std::uint16_t> words = golden;
  std::vector<std::uint16_t> saved(faults.size());
  EXPECT_EQ(apply<std::uint16_t>(faults, words, saved), expected);
  for (std::size_t i = 0; i < golden.size(); ++i) {
    EXPECT_EQ(words[i], i % 2 == 0 ? golden[i] | 1 : golden[i]) << i;
  }
  for (std::size_t i = 0; i < faults.size(); ++i) {
    EXPECT_EQ(saved[i], golden[faults[i].word]) << i;
  }
  undo<std::uint16_t>(faults, saved, words);
  EXPECT_EQ(words, golden);
}

TEST(WordFaults, AFaultThatKeepsTheValueIsNoChange) {
  std::vector<std::uint8_t> words{0xFF, 0x00};
  std::vector<std::uint8_t> saved(2);
  const std::vector<WordFault> faults{stuck_at(0, 0x10, true), stuck_at(1, 0x10, false)};
  EXPECT_EQ(apply<std::uint8_t>(faults, words, saved), 0U);
  EXPECT_EQ(words, (std::vector<std::uint8_t>{0xFF, 0x00}));
}

TEST(WordFault, ReachesTheHighestBitOfEveryWidth) {
  std::vector<std::uint64_t> wide{0};
  apply<std::uint64_t>(std::vector{flip_of(0, std::uint64_t{1} << 63)}, wide);
  EXPECT_EQ(wide[0], std::uint64_t{1} << 63);
  std::vector<std::int8_t> narrow{1};
  apply<std::int8_t>(std::vector{flip_of(0, 0x80)}, narrow);
  EXPECT_EQ(narrow[0], -127);
}

TEST(CycleWindow, IsHalfOpen) {
  const CycleWindow window{.from = 10, .until = 12};
  EXPECT_FALSE(window.contains(9));
  EXPECT_TRUE(window.contains(10));
  EXPECT_TRUE(window.contains(11));
  EXPECT_FALSE(window.contains(12));
  EXPECT_FALSE(window.is_permanent());
  EXPECT_TRUE(CycleWindow{.from = 10}.is_permanent());
}

TEST(FaultKind, NamesAreThoseOfScenarios) {
  EXPECT_EQ(name_of(FaultKind::kFlip), "flip");
  EXPECT_EQ(name_of(FaultKind::kStuckAt0), "stuck_at_0");
  EXPECT_EQ(name_of(FaultKind::kStuckAt1), "stuck_at_1");
  EXPECT_EQ(name_of(FaultKind::kRandom), "random");
}

}  // namespace
}  // namespace tilestrike
