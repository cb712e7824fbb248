// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an array keep what is written, and do upsets live and end as the rules say?
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "base/random.h"
#include "sim/memory/memory_array.h"
#include "sim/memory/scrub.h"

namespace tilestrike::sim {
namespace {

MemoryArray array_of(EccKind kind, int data_bits, int interleave = 1) {
  const EccCode& code = EccCode::make(kind, data_bits);
  ArrayConfig config;
  config.capacity_bytes = 16 * data_bits;  // 128 codewords
  config.banks = 2;
  config.row_bytes = data_bits;  // 8 codewords
  config.data_bits = data_bits;
  config.check_bits = code.check_bits();
  config.interleave = interleave;
  return MemoryArray(ArrayGeometry(config), code);
}

constexpr CodewordId kWord{77};
const BitString kData(0x0123456789ABCDEF);

TEST(MemoryArrayTest, WhatWasWrittenIsRead) {
  RandomStream random(1, 0, Purpose::kTest);
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const int bits : {8, 32, 64, 128}) {
      MemoryArray array = array_of(info.kind, bits);
      std::vector<BitString> written(array.geometry().codewords());
      for (std::uint64_t word = 0; word < written.size(); ++word) {
        EXPECT_FALSE(array.read(CodewordId(word)).data.any());  // before the first write
        written[word] = BitString(random.next(), random.next()) & BitString::ones(bits);
        array.write(CodewordId(word), written[word]);
      }
      for (std::uint64_t word = 0; word < written.size(); ++word) {
        const CodewordRead read = array.read(CodewordId(word));
        EXPECT_EQ(read.data, written[word]);
        EXPECT_EQ(read.status, EccStatus::kClean);
      }
      array.clear();
      EXPECT_FALSE(array.cells(CodewordId(5)).any());
    }
  }
}

TEST(MemoryArrayTest, AnUpsetStaysThroughReadsUntilTheNextWrite) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  array.write(kWord, kData);
  EXPECT_TRUE(array.flip(CodewordBit{kWord, 5}));
  for (int i = 0; i < 3; ++i) {
    const CodewordRead read = array.read(kWord);
    EXPECT_EQ(read.status, EccStatus::kCorrected);
    EXPECT_EQ(read.data, kData);
    EXPECT_EQ(read.corrected, BitString(1 << 5));
  }
  EXPECT_TRUE(array.flip(CodewordBit{kWord, 70}));  // a check bit
  EXPECT_EQ(array.read(kWord).status, EccStatus::kDetected);
  EXPECT_EQ(array.read(kWord).data, kData ^ BitString(1 << 5));
  EXPECT_FALSE(array.read(kWord).is_poisoned);
  array.write(kWord, kData);
  EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
}

TEST(MemoryArrayTest, WithoutEccEveryFlipIsSilent) {
  MemoryArray array = array_of(EccKind::kNone, 8);
  array.write(kWord, BitString(0x5A));
  array.flip(CodewordBit{kWord, 0});
  EXPECT_EQ(array.read(kWord).data, BitString(0x5B));
  EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
  array.write_part(kWord, 4, 4, 0xF);  // leaves the other bits alone
  EXPECT_EQ(array.read(kWord).data, BitString(0xFB));
}

TEST(MemoryArrayTest, CellsBelongToTheCodewordsOfTheGeometry) {
  for (const int interleave : {1, 2, 4}) {
    MemoryArray array = array_of(EccKind::kSecded, 32, interleave);
    const ArrayGeometry& geometry = array.geometry();
    for (std::uint64_t i = 0; i < geometry.cells(); ++i) {
      const Cell cell = geometry.cell_at(i);
      ASSERT_TRUE(array.flip(cell));
      const CodewordBit bit = geometry.bit_at(cell);
      BitString expected;
      expected.set(bit.bit);
      ASSERT_EQ(array.cells(bit.codeword), expected);
      ASSERT_TRUE(array.flip(cell));
    }
  }
}

TEST(MemoryArrayTest, APartialWriteCleansACorrectableError) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  array.write(kWord, kData);
  array.flip(CodewordBit{kWord, 40});
  const CodewordRead read = array.write_part(kWord, 0, 8, 0x77);
  EXPECT_EQ(read.status, EccStatus::kCorrected);
  EXPECT_EQ(read.data, kData);
  BitString expected = kData;
  expected.set_field(0, 8, 0x77);
  EXPECT_EQ(array.read(kWord).data, expected);
  EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
  EXPECT_EQ(array.cells(kWord), array.code().encode(expected));
}

TEST(MemoryArrayTest, APartialWriteOverADueStaysPoisonedUntilAWholeWrite) {
  for (const EccKind kind : {EccKind::kParity, EccKind::kSecded, EccKind::kSecdedDaec}) {
    MemoryArray array = array_of(kind, 64);
    array.write(kWord, kData);
    BitString wrong = kData;
    array.flip(CodewordBit{kWord, 40});
    wrong.flip(40);
    if (kind != EccKind::kParity) {  // a second one that makes it a DUE
      for (int other = 0; array.read(kWord).status != EccStatus::kDetected; ++other) {
        if (other > 0) {
          array.flip(CodewordBit{kWord, other - 1});
          wrong.flip(other - 1);
        }
        array.flip(CodewordBit{kWord, other});
        wrong.flip(other);
      }
    }
    EXPECT_EQ(array.write_part(kWord, 48, 8, 0x77).status, EccStatus::kDetected);
    wrong.set_field(48, 8, 0x77);
    // The cells are a codeword again; only the poison knows.
    EXPECT_EQ(array.cells(kWord), array.code().encode(wrong));
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(array.read(kWord).status, EccStatus::kDetected);
      EXPECT_TRUE(array.read(kWord).is_poisoned);
      EXPECT_EQ(array.read(kWord).data, wrong);
      EXPECT_TRUE(array.write_part(kWord, 48, 8, 0x77).is_poisoned);  // again: stays
      EXPECT_TRUE(array.scrub(kWord).is_poisoned);
    }
    array.write(kWord, kData);
    EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
    EXPECT_FALSE(array.read(kWord).is_poisoned);
  }
}

TEST(MemoryArrayTest, APartialWriteBakesAMiscorrectionIn) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  const EccCode& code = array.code();
  // Three bits that the decoder takes for a fourth.
  std::optional<std::array<int, 3>> triple;
  for (int bit = 2; !triple; ++bit) {
    const std::array<int, 3> tried = {0, 1, bit};
    if (code.decode_error(tried).status == EccStatus::kCorrected) {
      triple = tried;
    }
  }
  array.write(kWord, kData);
  for (const int bit : *triple) {
    array.flip(CodewordBit{kWord, bit});
  }
  BitString expected = kData ^ code.decode_error(*triple).data_error;
  EXPECT_EQ(array.write_part(kWord, 56, 8, 0).status, EccStatus::kCorrected);
  expected.set_field(56, 8, 0);
  EXPECT_EQ(array.read(kWord).data, expected);
  EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
}

TEST(MemoryArrayTest, AStrikeBetweenReadAndWriteBackIsLost) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  array.write(kWord, kData);
  CodewordRead read = array.read(kWord);
  array.flip(CodewordBit{kWord, 1});
  array.flip(CodewordBit{kWord, 2});
  read.data.set_field(8, 8, 0);
  array.write_back(kWord, read);
  EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
  EXPECT_EQ(array.read(kWord).data, read.data);
}

TEST(MemoryArrayTest, APartialWriteOfAllBitsIsAWholeWrite) {
  for (const int bits : {8, 32, 64}) {
    MemoryArray array = array_of(EccKind::kSecded, bits);
    array.flip(CodewordBit{kWord, 0});
    array.flip(CodewordBit{kWord, 1});
    EXPECT_EQ(array.write_part(kWord, 0, bits, 0x5A).status, EccStatus::kDetected);
    EXPECT_EQ(array.read(kWord).status, EccStatus::kClean);
    EXPECT_EQ(array.read(kWord).data, BitString(0x5A));
  }
}

TEST(MemoryArrayTest, ScrubbingEndsCorrectableErrorsAndLeavesOthers) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  array.write(kWord, kData);
  EXPECT_EQ(array.scrub(kWord).status, EccStatus::kClean);
  array.flip(CodewordBit{kWord, 71});
  EXPECT_EQ(array.scrub(kWord).status, EccStatus::kCorrected);
  EXPECT_EQ(array.cells(kWord), array.code().encode(kData));
  array.flip(CodewordBit{kWord, 3});  // would be a DUE without the scrub
  EXPECT_EQ(array.read(kWord).status, EccStatus::kCorrected);
  array.flip(CodewordBit{kWord, 4});
  const BitString before = array.cells(kWord);
  EXPECT_EQ(array.scrub(kWord).status, EccStatus::kDetected);
  EXPECT_EQ(array.cells(kWord), before);
  EXPECT_FALSE(array.read(kWord).is_poisoned);
}

TEST(MemoryArrayTest, AStuckCellReassertsAfterEveryWrite) {
  MemoryArray array = array_of(EccKind::kNone, 8);
  array.write(kWord, BitString(0x0F));
  EXPECT_FALSE(array.hold({kWord, 0}, true));  // it was 1
  EXPECT_TRUE(array.hold({kWord, 7}, true));
  EXPECT_TRUE(array.hold({kWord, 1}, false));
  EXPECT_EQ(array.read(kWord).data, BitString(0x8D));
  array.write(kWord, BitString(0x00));
  EXPECT_EQ(array.read(kWord).data, BitString(0x81));
  array.write(kWord, BitString(0xFF));
  EXPECT_EQ(array.read(kWord).data, BitString(0xFD));
  array.write_part(kWord, 0, 4, 0);
  EXPECT_EQ(array.read(kWord).data, BitString(0xF1));
  EXPECT_FALSE(array.flip(CodewordBit{kWord, 7}));  // stuck cells do not flip
  array.release({kWord, 7});
  EXPECT_EQ(array.read(kWord).data, BitString(0xF1));  // until the next write
  array.write(kWord, BitString(0x00));
  EXPECT_EQ(array.read(kWord).data, BitString(0x01));
  array.release({kWord, 0});
  array.release({kWord, 1});
  array.release({kWord, 1});  // twice does nothing
  array.write(kWord, BitString(0x02));
  EXPECT_EQ(array.read(kWord).data, BitString(0x02));
}

TEST(MemoryArrayTest, ScrubbingDoesNotHealAStuckCell) {
  MemoryArray array = array_of(EccKind::kSecded, 32);
  array.write(kWord, BitString(0));
  array.hold({kWord, 9}, true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(array.scrub(kWord).status, EccStatus::kCorrected);
  }
  array.write(kWord, BitString(1 << 9));  // agrees with it
  EXPECT_EQ(array.scrub(kWord).status, EccStatus::kClean);
}

// Records on the array's words do what flips, holds and plain values of its cells do.
TEST(MemoryArrayTest, RecordsOfFaultsAreThoseOfCells) {
  RandomStream random(5, 0, Purpose::kTest);
  for (const EccKind kind : {EccKind::kNone, EccKind::kSecded, EccKind::kDected}) {
    for (const int bits : {8, 32, 64, 128}) {
      MemoryArray by_records = array_of(kind, bits);
      MemoryArray by_cells = array_of(kind, bits);
      const auto width = static_cast<std::uint64_t>(by_cells.code().codeword_bits());
      for (int step = 0; step < 400; ++step) {
        const CodewordBit bit{CodewordId(random.below(4)), static_cast<int>(random.below(width))};
        const BitString data(random.next(), random.next());
        bool changed = false;
        bool expected = false;
        switch (random.below(5)) {
          case 0:
            changed = by_records.apply(by_records.fault_of({}, bit, FaultKind::kFlip));
            expected = by_cells.flip(bit);
            break;
          case 1:
            changed = by_records.apply(by_records.fault_of({}, bit, FaultKind::kStuckAt0));
            expected = by_cells.hold(bit, false);
            break;
          case 2:
            changed = by_records.apply(by_records.fault_of({}, bit, FaultKind::kStuckAt1));
            expected = by_cells.hold(bit, true);
            break;
          case 3: {
            const bool value = random.below(2) == 1;
            changed = by_records.apply(by_records.fault_of({}, bit, FaultKind::kRandom, value));
            expected = by_cells.cells(bit.codeword).test(bit.bit) != value && by_cells.flip(bit);
            break;
          }
          default:
            by_records.write(bit.codeword, data);
            by_cells.write(bit.codeword, data);
        }
        ASSERT_EQ(changed, expected);
        ASSERT_EQ(by_records.cells(bit.codeword), by_cells.cells(bit.codeword));
        if (random.below(8) == 0) {
          by_records.release(bit);
          by_cells.release(bit);
        }
      }
    }
  }
}

// Several bits of one codeword in one record, as a cluster makes them.
TEST(MemoryArrayTest, RecordsOnOneWordCompose) {
  MemoryArray array = array_of(EccKind::kSecded, 64);
  array.write(kWord, kData);
  const std::vector<WordFault> faults = {array.fault_of({}, {kWord, 3}, FaultKind::kFlip),
                                         array.fault_of({}, {kWord, 66}, FaultKind::kFlip),
                                         array.fault_of({}, {kWord, 60}, FaultKind::kFlip)};
  const std::vector<WordFault> composed = normalised(faults);
  EXPECT_EQ(composed.size(), 2);
  for (const WordFault& fault : composed) {
    EXPECT_TRUE(array.apply(fault));
  }
  BitString expected = array.code().encode(kData);
  for (const int bit : {3, 60, 66}) {
    expected.flip(bit);
  }
  EXPECT_EQ(array.cells(kWord), expected);
}

TEST(ScrubTest, EveryCodewordOncePerPeriod) {
  for (const auto& [period, codewords, start] :
       {std::tuple(100, 100, 0), {1000, 7, 3}, {5, 64, 11}, {1, 9, 0}, {97, 31, 1000}}) {
    const ScrubSchedule schedule(period, static_cast<std::uint64_t>(codewords), start);
    std::map<std::uint64_t, std::vector<Cycle>> scrubbed;
    for (Cycle cycle = 0; cycle < start + 3 * period; ++cycle) {
      const auto [first, last] = schedule.at(cycle);
      for (std::uint64_t word = first; word < last; ++word) {
        scrubbed[word].push_back(cycle);
      }
    }
    ASSERT_EQ(std::ssize(scrubbed), codewords);
    Cycle before = 0;
    for (const auto& [word, cycles] : scrubbed) {
      ASSERT_EQ(cycles.size(), 3);
      EXPECT_EQ(cycles[0], start + schedule.phase(CodewordId(word)));
      EXPECT_EQ(cycles[1], cycles[0] + period);
      EXPECT_GE(cycles[0], before);  // in the order of addresses
      before = cycles[0];
      for (Cycle cycle = 0; cycle <= cycles[2]; ++cycle) {
        EXPECT_EQ(schedule.next(CodewordId(word), cycle),
                  *std::lower_bound(cycles.begin(), cycles.end(), cycle));
      }
    }
  }
}

TEST(ScrubTest, LargeArraysAndPeriods) {
  // A day at 1 GHz over 16 GiB of 64-bit codewords.
  const ScrubSchedule schedule(86'400'000'000'000, std::uint64_t{1} << 31);
  const CodewordId last((std::uint64_t{1} << 31) - 1);
  EXPECT_EQ(schedule.phase(CodewordId(std::uint64_t{1} << 30)), 43'200'000'000'000);
  EXPECT_EQ(schedule.at(schedule.phase(last)).first, last.value);
  EXPECT_EQ(schedule.next(last, schedule.phase(last) + 1),
            schedule.phase(last) + schedule.period());
}

// A round that is under way, of up to the longest period over up to the largest memory.
TEST(ScrubTest, ARoundThatHasBegunBeforeGoesOn) {
  RandomStream random(12, 0, Purpose::kTest);
  for (int i = 0; i < 2000; ++i) {
    const auto period =
        static_cast<Cycle>(1 + random.below(std::uint64_t{1} << (1 + random.below(60))));
    const std::uint64_t codewords = 1 + random.below(std::uint64_t{1} << (1 + random.below(46)));
    const auto begun = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(period)));
    const ScrubSchedule schedule(period, codewords, -begun);
    const CodewordId word(random.below(codewords));
    const auto cycle = static_cast<Cycle>(random.below(std::uint64_t{1} << random.below(62)));
    const Cycle next = schedule.next(word, cycle);
    ASSERT_GE(next, cycle);
    ASSERT_LT(next - cycle, period);
    const auto [first, last] = schedule.at(next);
    ASSERT_TRUE(first <= word.value && word.value < last);
    ASSERT_EQ(schedule.next(word, next), next);
    ASSERT_EQ(schedule.next(word, next + 1), next + period);
  }
}

}  // namespace
}  // namespace tilestrike::sim
