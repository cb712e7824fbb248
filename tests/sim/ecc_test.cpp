// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does every code correct and detect what it promises?
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "sim/ecc/ecc_code.h"
#include "sim/strikes/ecc_enumeration.h"

namespace tilestrike::sim {
namespace {

std::vector<const EccCode*> all_codes(EccKind kind) {
  std::vector<const EccCode*> codes;
  for (int bits = kFewestDataBits; bits <= kMostDataBits; ++bits) {
    if (EccCode::has_width(kind, bits)) {
      codes.push_back(&EccCode::make(kind, bits));
    }
  }
  return codes;
}

BitString random_bits(RandomStream& random, int bits) {
  BitString all(random.next(), random.next());
  all.words[2] = random.next();
  return all & BitString::ones(bits);
}

std::string text_of(const EccCode& code) {
  return std::string(info_of(code.kind()).name) + " (" + std::to_string(code.codeword_bits()) +
         "," + std::to_string(code.data_bits()) + ")";
}

TEST(BitStringTest, FieldsCrossWords) {
  RandomStream random(1, 0, Purpose::kTest);
  for (int first = 0; first < 190; ++first) {
    for (const int count : {1, 7, 8, 17, 32, 63, 64}) {
      if (first + count > BitString::kCapacity) {
        continue;
      }
      const BitString before = random_bits(random, BitString::kCapacity);
      const std::uint64_t value = random.next();
      BitString after = before;
      after.set_field(first, count, value);
      for (int bit = 0; bit < BitString::kCapacity; ++bit) {
        const bool is_within = bit >= first && bit < first + count;
        ASSERT_EQ(after.test(bit),
                  is_within ? ((value >> (bit - first)) & 1) != 0 : before.test(bit));
      }
      ASSERT_EQ(after.field(first, count), count == 64 ? value : value & ((1ULL << count) - 1));
    }
  }
  EXPECT_EQ(BitString::ones(0), BitString());
  EXPECT_EQ(BitString::ones(130).count(), 130);
  EXPECT_TRUE(BitString::ones(130).test(129));
  EXPECT_FALSE(BitString::ones(130).test(130));
}

TEST(EccTest, DecodingUndoesEncoding) {
  RandomStream random(2, 0, Purpose::kTest);
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const EccCode* code : all_codes(info.kind)) {
      for (int i = 0; i < 20; ++i) {
        const BitString data = random_bits(random, code->data_bits());
        const BitString codeword = code->encode(data);
        ASSERT_EQ(codeword & BitString::ones(code->data_bits()), data) << text_of(*code);
        const Decoded decoded = code->decode(codeword);
        ASSERT_EQ(decoded.data, data) << text_of(*code);
        ASSERT_EQ(decoded.status, EccStatus::kClean) << text_of(*code);
      }
    }
  }
}

TEST(EccTest, SyndromesAreSumsOfColumns) {
  RandomStream random(3, 0, Purpose::kTest);
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const EccCode* code : all_codes(info.kind)) {
      ASSERT_EQ(std::ssize(code->columns()), code->codeword_bits());
      const BitString codeword = random_bits(random, code->codeword_bits());
      std::uint32_t sum = 0;
      codeword.for_each([&](int bit) { sum ^= code->columns()[static_cast<std::size_t>(bit)]; });
      ASSERT_EQ(code->syndrome(codeword), sum) << text_of(*code);
      for (int j = 0; j < code->check_bits(); ++j) {
        ASSERT_EQ(code->columns()[static_cast<std::size_t>(code->data_bits() + j)], 1U << j);
      }
    }
  }
}

TEST(EccTest, TheEffectOfFlipsDoesNotDependOnTheData) {
  RandomStream random(4, 0, Purpose::kTest);
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const EccCode* code : all_codes(info.kind)) {
      for (int i = 0; i < 200; ++i) {
        std::vector<int> flips;
        for (std::uint64_t count = 1 + random.below(6); flips.size() < count;) {
          flips.push_back(
              static_cast<int>(random.below(static_cast<std::uint64_t>(code->codeword_bits()))));
        }
        const ErrorEffect effect = code->decode_error(flips);
        const BitString data = random_bits(random, code->data_bits());
        BitString codeword = code->encode(data);
        for (const int bit : flips) {
          codeword.flip(bit);
        }
        const Decoded decoded = code->decode(codeword);
        ASSERT_EQ(decoded.data, data ^ effect.data_error) << text_of(*code);
        ASSERT_EQ(decoded.status, effect.status) << text_of(*code);
        ASSERT_EQ(decoded.corrected, effect.corrected) << text_of(*code);
      }
    }
  }
}

// Every code, every width: what `list codes` says that it corrects and detects.
TEST(EccTest, EveryWidthKeepsItsPromise) {
  for (const EccCode* code : all_codes(EccKind::kNone)) {
    EXPECT_EQ(enumerate_patterns(*code, 1).undetected, enumerate_patterns(*code, 1).patterns);
  }
  for (const EccCode* code : all_codes(EccKind::kParity)) {
    EXPECT_EQ(code->check_bits(), 1);
    EXPECT_EQ(enumerate_patterns(*code, 1).detected, enumerate_patterns(*code, 1).patterns);
    EXPECT_EQ(enumerate_patterns(*code, 2).undetected, enumerate_patterns(*code, 2).patterns);
    EXPECT_EQ(enumerate_runs(*code, 3).detected, enumerate_runs(*code, 3).patterns);
  }
  for (const EccKind kind :
       {EccKind::kSec, EccKind::kSecded, EccKind::kSecdedDaec, EccKind::kDected, EccKind::kSsc}) {
    for (const EccCode* code : all_codes(kind)) {
      const PatternCounts one = enumerate_patterns(*code, 1);
      EXPECT_EQ(one.corrected, one.patterns) << text_of(*code);
      EXPECT_EQ(enumerate_patterns(*code, 2).undetected, 0) << text_of(*code);
    }
  }
  for (const EccCode* code : all_codes(EccKind::kSecded)) {
    const PatternCounts two = enumerate_patterns(*code, 2);
    EXPECT_EQ(two.detected, two.patterns) << text_of(*code);
    for (const std::uint32_t column : code->columns()) {
      EXPECT_EQ(std::popcount(column) % 2, 1) << text_of(*code);
    }
  }
  for (const EccCode* code : all_codes(EccKind::kSecdedDaec)) {
    const PatternCounts neighbours = enumerate_runs(*code, 2);
    EXPECT_EQ(neighbours.corrected, neighbours.patterns) << text_of(*code);
  }
  for (const EccCode* code : all_codes(EccKind::kDected)) {
    const PatternCounts two = enumerate_patterns(*code, 2);
    EXPECT_EQ(two.corrected, two.patterns) << text_of(*code);
    if (code->data_bits() % 8 == 0) {
      const PatternCounts three = enumerate_patterns(*code, 3);
      EXPECT_EQ(three.detected, three.patterns) << text_of(*code);
    }
  }
}

TEST(EccTest, OneSymbolIsCorrectedWhateverItsBits) {
  for (const EccCode* code : all_codes(EccKind::kSsc)) {
    EXPECT_EQ(std::ssize(code->correctable()), 255 * (code->codeword_bits() / 8));
    for (const BitString& symbol : code->correctable()) {
      ASSERT_EQ(fate_of(*code, symbol), EccFate::kCorrected) << text_of(*code);
    }
    // Bits of two symbols are never taken for none.
    for (std::uint64_t a = 1; a < 256; ++a) {
      for (std::uint64_t b = 1; b < 256; ++b) {
        BitString two(a);
        two.set_field(code->codeword_bits() - 8, 8, b);
        const EccFate fate = fate_of(*code, two);
        ASSERT_TRUE(fate == EccFate::kDetected || fate == EccFate::kMiscorrected);
      }
    }
  }
}

TEST(EccTest, ColumnsOfTheKnownCodes) {
  const auto hsiao72 = EccCode::make(EccKind::kSecded, 64).columns();
  ASSERT_EQ(hsiao72.size(), 72);
  EXPECT_EQ(hsiao72[0], 0b111);
  EXPECT_EQ(hsiao72[55], 0b11100000);
  EXPECT_EQ(hsiao72[56], 0x1F);
  EXPECT_EQ(hsiao72[57], 0x3E);
  EXPECT_EQ(hsiao72[63], 0x8F);
  EXPECT_EQ(hsiao72[64], 1);
  EXPECT_EQ(hsiao72[71], 0x80);
  const auto hsiao39 = EccCode::make(EccKind::kSecded, 32).columns();
  ASSERT_EQ(hsiao39.size(), 39);
  EXPECT_EQ(hsiao39[0], 0b111);
  EXPECT_EQ(hsiao39[1], 0b1011);
  EXPECT_TRUE(std::is_sorted(hsiao39.begin(), hsiao39.begin() + 32));
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(std::popcount(hsiao39[i]), 3);
  }
}

TEST(EccTest, CheckBitsOfTheWidths) {
  const std::map<EccKind, std::vector<int>> expected = {
      {EccKind::kNone, {0, 0, 0, 0, 0}},       {EccKind::kParity, {1, 1, 1, 1, 1}},
      {EccKind::kSec, {4, 5, 6, 7, 8}},        {EccKind::kSecded, {5, 6, 7, 8, 9}},
      {EccKind::kSecdedDaec, {5, 6, 7, 8, 9}}, {EccKind::kDected, {11, 11, 13, 15, 17}},
      {EccKind::kSsc, {16, 16, 16, 16, 16}},
  };
  for (const auto& [kind, bits] : expected) {
    int width = 8;
    for (const int check_bits : bits) {
      EXPECT_EQ(EccCode::make(kind, width).check_bits(), check_bits)
          << info_of(kind).name << " " << width;
      width *= 2;
    }
  }
}

TEST(EccTest, WidthsThatThereAreNot) {
  const auto message = [](EccKind kind, int bits) {
    try {
      EccCode::make(kind, bits, "chip.yaml:3");
    } catch (const Failure& failure) {
      return failure.errors().front().text();
    }
    return std::string("no error");
  };
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const int bits : {0, -8, 7, 129, 256}) {
      EXPECT_EQ(message(info.kind, bits), "chip.yaml:3: ecc " + std::string(info.name) +
                                              " for codewords of " + std::to_string(bits) +
                                              " data bits; a codeword has 8 to 128 data bits");
    }
  }
  EXPECT_EQ(
      message(EccKind::kSsc, 12),
      "chip.yaml:3: ecc ssc for codewords of 12 data bits, which are no whole symbols; take a "
      "multiple of 8");
}

// Check bits of Hsiao's codes depend on numbers of data bits that differ little.
TEST(EccTest, RowsOfHsiaoCodesAreBalanced) {
  for (const EccCode* code : all_codes(EccKind::kSecded)) {
    std::vector<int> loads(static_cast<std::size_t>(code->check_bits()), 0);
    for (const std::uint32_t column : code->columns()) {
      for (std::size_t j = 0; j < loads.size(); ++j) {
        loads[j] += static_cast<int>((column >> j) & 1);
      }
    }
    const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
    EXPECT_LE(*most - *least, code->data_bits() == 32 ? 4 : 2) << text_of(*code);
  }
}

}  // namespace
}  // namespace tilestrike::sim
