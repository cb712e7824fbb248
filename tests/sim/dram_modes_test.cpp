// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do DRAM devices fail as the file says, and are the struck cells those of one device in what
// fails? What do the codes make of it?
#include "sim/strikes/dram_modes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <set>

#include "base/random.h"
#include "sim/ecc/ecc_code.h"
#include "tests/sim/chi_square.h"

namespace tilestrike::sim {
namespace {

std::string shipped_file() {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  return std::string(root != nullptr ? root : ".") + "/data/dram_modes.csv";
}

constexpr DramMode kModes[] = {DramMode::kBit,      DramMode::kWord, DramMode::kColumn,
                               DramMode::kRow,      DramMode::kBank, DramMode::kMultiBank,
                               DramMode::kMultiRank};

struct Memory {
  ArrayConfig array;
  DramConfig dram;
};

/// Codewords across devices and within them, interleaved and not.
const std::vector<Memory>& memories() {
  static const std::vector<Memory> all = {
      {{2048, 4, 64, 64, 8, 1}, {9, DeviceSpread::kAcross}},
      {{2048, 2, 64, 64, 16, 4}, {10, DeviceSpread::kAcross}},
      {{1024, 2, 64, 32, 6, 2}, {4, DeviceSpread::kWithin}},
      {{512, 1, 32, 64, 7, 1}, {1, DeviceSpread::kAcross}},
  };
  return all;
}

TEST(DramModesTest, TheShippedTableIsThatOfTheFieldStudy) {
  const auto rates = read_dram_modes(shipped_file());
  const double transient[] = {14.2, 1.4, 1.4, 0.2, 0.8, 0.3, 0.9};
  const double permanent[] = {18.6, 0.3, 5.6, 8.2, 10.0, 1.4, 2.8};
  ASSERT_EQ(rates.size(), kDramModes);
  double sum = 0.0;
  for (std::size_t i = 0; i < kDramModes; ++i) {
    EXPECT_EQ(rates[i].mode, kModes[i]);
    EXPECT_EQ(rates[i].transient.value, transient[i]);
    EXPECT_EQ(rates[i].permanent.value, permanent[i]);
    EXPECT_TRUE(is_published(rates[i].transient.provenance));
    EXPECT_TRUE(is_published(rates[i].permanent.provenance));
    sum += transient[i] + permanent[i];
  }
  EXPECT_DOUBLE_EQ(DramEventLaw(rates).fit_per_device(), sum);
  EXPECT_NEAR(sum, 66.1, 1e-9);
}

TEST(DramModesTest, EventsAreDrawnAsOftenAsTheTableSays) {
  const auto rates = read_dram_modes(shipped_file());
  const DramEventLaw law(rates);
  const ArrayGeometry geometry(memories()[0].array);
  constexpr std::uint64_t kEvents = 200'000;
  std::vector<std::uint64_t> counts(2 * kDramModes), banks(4);
  for (std::uint64_t trial = 0; trial < kEvents; ++trial) {
    const DramEvent event = law.draw(geometry, 5, trial);
    ++counts[2 * static_cast<std::size_t>(event.mode) + (event.is_permanent ? 1 : 0)];
    ++banks[static_cast<std::size_t>(event.struck.bank)];
  }
  std::vector<double> expected;
  for (const DramModeRate& rate : rates) {
    expected.push_back(rate.transient.value * kEvents / law.fit_per_device());
    expected.push_back(rate.permanent.value * kEvents / law.fit_per_device());
  }
  EXPECT_LT(std::abs(chi_square_score(counts, expected)), kFarOff);
  EXPECT_LT(std::abs(chi_square_score(banks, std::vector<double>(4, kEvents / 4.0))), kFarOff);
}

/// The device of a bit, written down once more.
int device_of(const CodewordBit& bit, const ArrayGeometry& geometry, const DramConfig& dram) {
  return dram.spread == DeviceSpread::kAcross
             ? bit.bit * dram.devices / geometry.codeword_bits()
             : static_cast<int>(bit.codeword.value %
                                static_cast<std::uint64_t>(geometry.words_per_row())) %
                   dram.devices;
}

/// Whether a failure of `mode` that hits `struck` has `other` in it.
bool fails_with(DramMode mode, const Cell& struck, const Cell& other, const ArrayGeometry& geometry,
                const DramConfig& dram) {
  const CodewordBit one = geometry.bit_at(struck), two = geometry.bit_at(other);
  if (device_of(one, geometry, dram) != device_of(two, geometry, dram)) {
    return false;
  }
  switch (mode) {
    case DramMode::kBit:
      return struck == other;
    case DramMode::kWord:
      return one.codeword == two.codeword;
    case DramMode::kColumn:
      return struck.bank == other.bank && struck.column == other.column;
    case DramMode::kRow:
      return struck.bank == other.bank && struck.row == other.row;
    case DramMode::kBank:
      return struck.bank == other.bank;
    default:
      return true;
  }
}

TEST(DramModesTest, AnUpsetHasTheCellsOfItsDeviceAndNoOthers) {
  for (const Memory& memory : memories()) {
    const ArrayGeometry geometry(memory.array);
    RandomStream random(1, 0, Purpose::kTest);
    for (const DramMode mode : kModes) {
      for (int draw = 0; draw < 20; ++draw) {
        const DramEvent event{mode, draw % 2 != 0, geometry.cell_at(random.below(geometry.cells())),
                              random.next()};
        const DramUpset upset(event, geometry, memory.dram);
        std::set<CodewordId> codewords;
        std::uint64_t cells = 0;
        for (std::uint64_t i = 0; i < geometry.cells(); ++i) {
          const Cell cell = geometry.cell_at(i);
          const bool is_in = fails_with(mode, event.struck, cell, geometry, memory.dram);
          const CodewordBit bit = geometry.bit_at(cell);
          ASSERT_EQ(upset.contains(cell), is_in) << name_of(mode) << ", " << text_of(cell);
          ASSERT_EQ(upset.region(bit.codeword).test(bit.bit), is_in);
          if (is_in) {
            ++cells;
            codewords.insert(bit.codeword);
          }
        }
        EXPECT_EQ(upset.cells(), cells);
        EXPECT_EQ(upset.codewords(), codewords.size());
        // Walked, from every codeword on.
        for (std::uint64_t from = 0; from <= geometry.codewords(); ++from) {
          const auto expected = codewords.lower_bound(CodewordId(from));
          const auto found = upset.next(CodewordId(from));
          ASSERT_EQ(found.has_value(), expected != codewords.end()) << name_of(mode) << from;
          if (found) {
            ASSERT_EQ(*found, *expected) << name_of(mode);
          }
        }
      }
    }
  }
}

TEST(DramModesTest, StruckBitsAreAlwaysTheSameAndAsManyAsTheDensitySays) {
  const ArrayGeometry geometry(memories()[0].array);
  for (const double share : {0.5, 0.1}) {
    DramConfig dram = memories()[0].dram;
    dram.density = share;
    dram.ones = share;
    std::uint64_t flipped = 0, high = 0, all = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const DramUpset once({DramMode::kMultiBank, false, geometry.cell_at(seed), seed}, geometry,
                           dram);
      const DramUpset ever({DramMode::kMultiBank, true, geometry.cell_at(seed), seed}, geometry,
                           dram);
      for (auto word = once.next(CodewordId(0)); word;
           word = once.next(CodewordId(word->value + 1))) {
        const BitString bits = once.struck(*word), region = once.region(*word);
        ASSERT_EQ(bits & region, bits);
        ASSERT_EQ(bits, once.struck(*word));
        EXPECT_EQ(ever.struck(*word), region) << "all of it is stuck";
        const BitString values = ever.values(*word);
        ASSERT_EQ(values & region, values);
        ASSERT_EQ(values, ever.values(*word));
        flipped += static_cast<std::uint64_t>(bits.count());
        high += static_cast<std::uint64_t>(values.count());
        all += static_cast<std::uint64_t>(region.count());
      }
    }
    EXPECT_LT(std::abs(binomial_score(flipped, all, share)), kFarOff);
    EXPECT_LT(std::abs(binomial_score(high, all, share)), kFarOff);
  }
}

TEST(DramModesTest, AFailingWordHasSeveralWrongBitsAndAFailingCellOne) {
  for (const Memory& memory : memories()) {
    const ArrayGeometry geometry(memory.array);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Cell struck = geometry.cell_at(seed);
      const CodewordBit bit = geometry.bit_at(struck);
      const DramUpset word({DramMode::kWord, false, struck, seed}, geometry, memory.dram);
      EXPECT_GE(word.struck(bit.codeword).count(), 2);
      const DramUpset cell({DramMode::kBit, false, struck, seed}, geometry, memory.dram);
      EXPECT_EQ(cell.struck(bit.codeword).count(), 1);
      EXPECT_TRUE(cell.struck(bit.codeword).test(bit.bit));
    }
  }
}

/// Codewords, of those that some failures of a mode strike, with wrong data as read.
std::pair<int, int> wrong_of_read(const EccCode& code, const ArrayGeometry& geometry,
                                  const DramConfig& dram, DramMode mode) {
  int wrong = 0, read = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    RandomStream random(seed, 0, Purpose::kTest);
    const DramUpset upset(
        {mode, false, geometry.cell_at(random.below(geometry.cells())), random.next()}, geometry,
        dram);
    for (auto word = upset.next(CodewordId(0)); word;
         word = upset.next(CodewordId(word->value + 1))) {
      wrong += code.decode_error(upset.struck(*word)).data_error.any() ? 1 : 0;
      ++read;
    }
  }
  return {wrong, read};
}

TEST(DramModesTest, ACodeOfSymbolsSurvivesTheLossOfADevice) {
  const EccCode& symbols = EccCode::make(EccKind::kSsc, 64);
  const ArrayGeometry geometry({2048, 2, 64, 64, symbols.check_bits(), 1});
  for (const DramMode mode : kModes) {
    const auto [wrong, read] = wrong_of_read(symbols, geometry, {10, DeviceSpread::kAcross}, mode);
    EXPECT_EQ(wrong, 0) << name_of(mode);
    EXPECT_GT(read, 0);
  }
}

TEST(DramModesTest, ACodeOfBitsSurvivesSingleBitsAlone) {
  const EccCode& secded = EccCode::make(EccKind::kSecded, 64);
  const ArrayGeometry geometry({2048, 2, 64, 64, secded.check_bits(), 1});
  const EccCode& on_die = EccCode::make(EccKind::kSec, 64);
  const ArrayGeometry die({2048, 2, 64, 64, on_die.check_bits(), 1});
  for (const DramMode mode : kModes) {
    const bool is_single = mode == DramMode::kBit || mode == DramMode::kColumn;
    const auto across = wrong_of_read(secded, geometry, {9, DeviceSpread::kAcross}, mode);
    const auto within = wrong_of_read(on_die, die, {8, DeviceSpread::kWithin}, mode);
    if (is_single) {
      EXPECT_EQ(across.first, 0) << name_of(mode);
      EXPECT_EQ(within.first, 0) << name_of(mode);
    } else {
      EXPECT_GT(across.first, across.second / 2) << name_of(mode);
      EXPECT_GT(within.first, within.second * 9 / 10) << name_of(mode);
    }
  }
}

TEST(DramModesTest, ALargeMemoryCostsWhatIsAskedFor) {
  const ArrayGeometry large({std::int64_t{16} << 30, 16, 8192, 64, 8, 1});
  const auto start = std::chrono::steady_clock::now();
  const DramUpset upset({DramMode::kMultiBank, false, large.cell_at(large.cells() / 2), 1}, large,
                        {9, DeviceSpread::kAcross});
  EXPECT_EQ(upset.codewords(), large.codewords());
  EXPECT_EQ(upset.cells(), large.cells() / 9);
  EXPECT_EQ(upset.next(CodewordId(large.codewords() - 1))->value, large.codewords() - 1);
  EXPECT_FALSE(upset.next(CodewordId(large.codewords())));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

std::string errors_of(const std::string& text) {
  try {
    parse_dram_modes(text, "own.csv");
  } catch (const Failure& failure) {
    std::string all;
    for (const Error& error : failure.errors()) {
      all += error.text() + "\n";
    }
    return all;
  }
  return "";
}

TEST(DramModesTest, BadFilesAreNamedWithPlaceAndCure) {
  const std::string head = "mode,transient_fit,transient_src,permanent_fit,permanent_src\n";
  EXPECT_EQ(errors_of(head + "row,1,A,0,A:none\n"), "");
  EXPECT_NE(errors_of("mode,transient_fit,transient_src,permanent_fit\n").find("permanent_src"),
            std::string::npos);
  const std::string all =
      errors_of(head + "bit,-1,Q,1,Q\nrov,1,A,1,A\nrow,1,guess,x,A\nbank,1,A,1,A\nbank,1,A,1,A\n");
  for (const char* part :
       {"own.csv:2:5", "'-1' is not a rate", "own.csv:3:1", "'rov' is not a mode",
        "did you mean 'row'", "'guess' begins with no tag", "'x' is not a rate",
        "'bank' is there twice", "also in line 5"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
  }
  // A rate has a value, so that it is not unknown where it comes from.
  EXPECT_NE(errors_of(head + "row,1,-,0,A\n").find("'-' begins with no tag"), std::string::npos);
  EXPECT_THROW(DramEventLaw(parse_dram_modes(head + "bit,0,A,0,A\n", "own.csv")), Failure);
  // A mode that is not there does not occur.
  const auto rates = parse_dram_modes(head + "row,1,A,0,A\n", "own.csv");
  const ArrayGeometry geometry(memories()[0].array);
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const DramEvent event = DramEventLaw(rates).draw(geometry, 1, trial);
    EXPECT_EQ(event.mode, DramMode::kRow);
    EXPECT_FALSE(event.is_permanent);
  }
}

TEST(DramModesTest, DevicesShareTheArrayEvenlyOrAreRefused) {
  const auto count = [](const DramConfig& dram, const ArrayConfig& array) {
    ErrorList errors;
    check_dram(dram, array, "strike.dram", "s.yaml:3:1", errors);
    try {
      errors.throw_if_any();
    } catch (const Failure& failure) {
      return failure.errors().front().text();
    }
    return std::string();
  };
  const ArrayConfig array{2048, 2, 64, 64, 8, 1};
  EXPECT_EQ(count({9, DeviceSpread::kAcross}, array), "");
  EXPECT_EQ(count({8, DeviceSpread::kWithin}, array), "");
  EXPECT_NE(count({5, DeviceSpread::kAcross}, array)
                .find("strike.dram.devices: 5 do not share the "
                      "72 bits of a codeword"),
            std::string::npos);
  EXPECT_NE(count({3, DeviceSpread::kWithin}, array).find("1, 2, 4, 8"), std::string::npos);
}

}  // namespace
}  // namespace tilestrike::sim
