// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the memory in RTL sim::MemoryArray? Every codeword and bit lies in the same cell; every cell
// and every pair of neighbours is struck before every operation; random operations and strikes, of
// which some fall between the two halves of an operation, keep cells, poison and answers equal.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "rtl/memory_model.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::rtl {
namespace {

using sim::BitString;
using sim::Cell;
using sim::CodewordId;
using sim::CodewordRead;
using sim::EccKind;
using sim::EccStatus;
using sim::MemoryArray;

/// Both sides of one memory. Each call does the same to both and gives what differs afterwards.
/// Array: MemoryArray, or a broken copy of it.
template <class Array = MemoryArray>
class Twins {
 public:
  using Difference = std::optional<std::string>;

  explicit Twins(const BuiltMemory& built)
      : code_(sim::EccCode::make(built.ecc, built.array.data_bits)),
        overflow_(built.overflow),
        array_(sim::ArrayGeometry(built.array), code_),
        rtl_(array_.geometry(), code_, built.overflow) {}

  const sim::ArrayGeometry& geometry() const { return array_.geometry(); }
  int data_bits() const { return code_.data_bits(); }
  bool has_sums() const { return data_bits() % 32 == 0; }
  Array& array() { return array_; }
  MemoryModel& rtl() { return rtl_; }

  /// `between` strikes both after the first half.
  template <class Between>
  Difference run(MemoryOperation operation, CodewordId codeword, const BitString& data,
                 const BitString& mask, const Between& between) {
    const bool has_ecc = code_.kind() != EccKind::kNone;
    const bool is_whole = (mask & BitString::ones(data_bits())) == BitString::ones(data_bits());
    if (operation == MemoryOperation::kScrub) {
      codeword = CodewordId(scrubbed_++ % geometry().codewords());
    }
    const std::optional<MemoryAnswer> answer = rtl_.begin(
        operation, operation == MemoryOperation::kScrub ? CodewordId(0) : codeword, data, mask);
    const CodewordRead found = array_.read(codeword);
    const bool reads = operation != MemoryOperation::kWrite || (has_ecc && !is_whole);
    if (answer.has_value() != reads) {
      return "whether something was read";
    }
    if (reads) {
      if (answer->codeword != codeword) {
        return "the codeword that was read";
      }
      if (answer->read.data != found.data || answer->read.corrected != found.corrected ||
          answer->read.status != found.status || answer->read.is_poisoned != found.is_poisoned) {
        return "what was read";
      }
    }
    CodewordRead back = found;
    const BitString taken = operation == MemoryOperation::kAdd ? sums(found.data, data) : data;
    back.data = (taken & mask) | (found.data & ~mask);
    const bool writes_twice =
        reads && operation != MemoryOperation::kRead;  // its second half comes later
    if (rtl_.is_busy() != writes_twice) {
      return "whether there is a second half";
    }
    if (!writes_twice && operation == MemoryOperation::kWrite) {
      array_.write(codeword, back.data);
    }
    between();
    rtl_.finish();
    if (writes_twice && operation != MemoryOperation::kScrub) {
      array_.write_back(codeword, back);
    }
    if (operation == MemoryOperation::kScrub && found.status == EccStatus::kCorrected) {
      array_.write_back(codeword, found);
    }
    return compare();
  }
  Difference run(MemoryOperation operation, CodewordId codeword, const BitString& data = {},
                 const BitString& mask = {}) {
    return run(operation, codeword, data, mask, [] {});
  }

  void flip(const Cell& cell) { EXPECT_EQ(array_.flip(cell), rtl_.flip(cell)); }
  void hold(const Cell& cell, bool value) {
    EXPECT_EQ(array_.hold(geometry().bit_at(cell), value), rtl_.hold(cell, value));
  }
  void release(const Cell& cell) {
    array_.release(geometry().bit_at(cell));
    rtl_.release(cell);
  }

  /// Every cell and every poison bit.
  Difference compare() const {
    for (std::uint64_t w = 0; w < geometry().codewords(); ++w) {
      const CodewordId codeword(w);
      if (array_.cells(codeword) != rtl_.cells(codeword)) {
        return "cells of codeword " + std::to_string(w);
      }
      if (array_.read(codeword).is_poisoned != rtl_.is_poisoned(codeword)) {
        return "poison of codeword " + std::to_string(w);
      }
    }
    return std::nullopt;
  }

 private:
  BitString sums(BitString held, const BitString& addend) const {
    for (int first = 0; first + 32 <= data_bits(); first += 32) {
      const auto field = [&](const BitString& bits) {
        return static_cast<std::int32_t>(bits.field(first, 32));
      };
      held.set_field(
          first, 32,
          static_cast<std::uint32_t>(sim::sum_of(field(held), field(addend), overflow_)));
    }
    return held;
  }

  const sim::EccCode& code_;
  const sim::Overflow overflow_;
  Array array_;
  MemoryModel rtl_;
  std::uint64_t scrubbed_ = 0;
};

std::vector<const BuiltMemory*> small_memories() {
  std::vector<const BuiltMemory*> small;
  for (const BuiltMemory& built : built_memories()) {
    if (built.array.capacity_bytes <= 256) {
      small.push_back(&built);
    }
  }
  return small;
}

BitString random_data(RandomStream& random) { return BitString(random.next(), random.next()); }

class MemoryTest : public testing::TestWithParam<const BuiltMemory*> {
 protected:
  RandomStream random_{52, 0, Purpose::kTest};
};

TEST_P(MemoryTest, EveryBitOfEveryCodewordLiesInItsCell) {
  Twins<> twins(*GetParam());
  for (std::uint64_t w = 0; w < twins.geometry().codewords(); ++w) {
    for (int bit = 0; bit <= twins.data_bits(); ++bit) {  // the last time none
      BitString one;
      if (bit < twins.data_bits()) {
        one.set(bit);
      }
      const auto difference =
          twins.run(MemoryOperation::kWrite, CodewordId(w), one, BitString::ones(160));
      ASSERT_FALSE(difference) << *difference << ", bit " << bit << " of codeword " << w;
    }
  }
}

// Every cell, and every cell with its neighbour to the right and below, over random data, before
// each operation.
TEST_P(MemoryTest, EveryCellAndEveryPairOfNeighbours) {
  Twins<> twins(*GetParam());
  const sim::ArrayGeometry& geometry = twins.geometry();
  long long corrected = 0, detected = 0, strikes = 0;
  for (std::uint64_t index = 0; index < geometry.cells(); ++index) {
    const Cell cell = geometry.cell_at(index);
    std::vector<std::vector<Cell>> struck{{cell}};
    if (cell.column + 1 < geometry.columns()) {
      struck.push_back({cell, {cell.bank, cell.row, cell.column + 1}});
    }
    if (cell.row + 1 < geometry.rows()) {
      struck.push_back({cell, {cell.bank, cell.row + 1, cell.column}});
    }
    const CodewordId codeword = geometry.bit_at(cell).codeword;
    for (const std::vector<Cell>& cells : struck) {
      for (int operation = 0; operation < 4; ++operation) {
        const bool is_add = operation == static_cast<int>(MemoryOperation::kAdd);
        if (is_add && !twins.has_sums()) {
          continue;
        }
        for (const Cell& one : cells) {
          const auto difference = twins.run(MemoryOperation::kWrite, geometry.bit_at(one).codeword,
                                            random_data(random_), BitString::ones(160));
          ASSERT_FALSE(difference) << *difference;
        }
        for (const Cell& one : cells) {
          twins.flip(one);
        }
        ++strikes;
        const CodewordRead read = twins.array().read(codeword);
        corrected += read.status == EccStatus::kCorrected ? 1 : 0;
        detected += read.status == EccStatus::kDetected ? 1 : 0;
        // A scrub takes the next codeword of its walk, whichever that is: all are walked.
        const std::uint64_t times = operation == 3 ? geometry.codewords() : 1;
        for (std::uint64_t i = 0; i < times; ++i) {
          const auto difference = twins.run(static_cast<MemoryOperation>(operation), codeword,
                                            random_data(random_), random_data(random_));
          ASSERT_FALSE(difference)
              << *difference << " after operation " << operation << " on " << text_of(cell);
        }
        const auto difference = twins.run(MemoryOperation::kRead, codeword);
        ASSERT_FALSE(difference) << *difference;
      }
    }
  }
  std::printf("%lld strikes: %lld corrected, %lld detected\n", strikes, corrected, detected);
  const bool is_secded = GetParam()->ecc == EccKind::kSecded;
  EXPECT_EQ(corrected > 0, is_secded);
  // Interleaved, neighbours are of different codewords.
  EXPECT_EQ(detected > 0,
            is_secded ? geometry.interleave() == 1 : GetParam()->ecc == EccKind::kParity);
}

// One random operation with what strikes before it and between its halves.
template <class Array>
std::optional<std::string> random_step(Twins<Array>& twins, RandomStream& random,
                                       std::set<Cell>& held) {
  const sim::ArrayGeometry& geometry = twins.geometry();
  const auto strike = [&](CodewordId near) {
    // Half of the strikes meet the codeword that is worked on: several bits of it, or again.
    const int bit =
        static_cast<int>(random.below(static_cast<std::uint64_t>(geometry.codeword_bits())));
    const Cell cell = random.below(2) == 0 ? geometry.cell_of({near, bit})
                                           : geometry.cell_at(random.below(geometry.cells()));
    switch (random.below(6)) {
      case 0:
        twins.hold(cell, random.below(2) == 0);
        held.insert(cell);
        break;
      case 1:
      case 2:
        if (!held.empty()) {
          twins.release(*held.begin());
          held.erase(held.begin());
        }
        break;
      default:
        twins.flip(cell);
    }
  };
  const CodewordId codeword(random.below(geometry.codewords()));
  BitString mask = BitString::ones(160);
  if (random.below(3) != 0) {
    mask = random.below(2) == 0 ? random_data(random) : BitString::ones(160) ^ BitString(0xFF00);
  }
  auto operation = static_cast<MemoryOperation>(random.below(4));
  if (operation == MemoryOperation::kAdd && !twins.has_sums()) {
    operation = MemoryOperation::kRead;
  }
  for (std::uint64_t i = random.below(4); i > 1; --i) {
    strike(codeword);
  }
  const bool strikes_between = random.below(4) == 0;
  return twins.run(operation, codeword, random_data(random), mask, [&] {
    if (strikes_between) {
      strike(codeword);
    }
  });
}

TEST_P(MemoryTest, RandomOperationsAndStrikes) {
  Twins<> twins(*GetParam());
  std::set<Cell> held;
  for (int step = 0; step < 100'000; ++step) {
    const auto difference = random_step(twins, random_, held);
    ASSERT_FALSE(difference) << *difference << " in step " << step;
    ASSERT_FALSE(HasFailure()) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Small, MemoryTest, testing::ValuesIn(small_memories()),
                         [](const auto& tested) {
                           const BuiltMemory& built = *tested.param;
                           return std::string(info_of(built.ecc).name) + "_" +
                                  std::to_string(built.array.data_bits);
                         });

// A scratchpad as accelerators have it: every cell is written with either value.
TEST(LargeMemoryTest, EveryCellIsThatOfTheArray) {
  RandomStream random(53, 0, Purpose::kTest);
  int tested = 0;
  for (const BuiltMemory& built : built_memories()) {
    if (built.array.capacity_bytes <= 256) {
      continue;
    }
    ++tested;
    Twins<> twins(built);
    std::vector<BitString> data;
    for (std::uint64_t w = 0; w < twins.geometry().codewords(); ++w) {
      data.push_back(random_data(random));
    }
    for (const bool is_inverted : {false, true}) {
      for (std::uint64_t w = 0; w < twins.geometry().codewords(); ++w) {
        const BitString written = is_inverted ? ~data[w] : data[w];
        twins.array().write(CodewordId(w), written);
        twins.rtl().run(MemoryOperation::kWrite, CodewordId(w), written, BitString::ones(160));
      }
      const auto difference = twins.compare();
      ASSERT_FALSE(difference) << *difference;
    }
    for (int strike = 0; strike < 1000; ++strike) {
      const Cell cell = twins.geometry().cell_at(random.below(twins.geometry().cells()));
      twins.flip(cell);
      const CodewordId codeword = twins.geometry().bit_at(cell).codeword;
      const auto answer = twins.rtl().run(MemoryOperation::kRead, codeword);
      ASSERT_EQ(answer->read.status, EccStatus::kCorrected);
      ASSERT_EQ(answer->read.data, twins.array().read(codeword).data);
      twins.flip(cell);
    }
  }
  EXPECT_GE(tested, 1);
}

// An array that forgets that it wrote over a detected error.
class ForgetfulArray : public MemoryArray {
 public:
  using MemoryArray::MemoryArray;
  void write_back(CodewordId codeword, CodewordRead read) {
    read.status = EccStatus::kClean;
    MemoryArray::write_back(codeword, read);
  }
};

TEST(BrokenMemoryTest, AForgottenPoisonIsFound) {
  Twins<ForgetfulArray> twins(*small_memories().front());
  RandomStream random(54, 0, Purpose::kTest);
  std::set<Cell> held;
  std::optional<std::string> difference;
  for (int step = 0; step < 10'000 && !difference; ++step) {
    difference = random_step(twins, random, held);
  }
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->substr(0, 19), "poison of codeword ");
}

TEST(BrokenMemoryTest, AStruckRegisterBetweenTheHalvesIsFound) {
  Twins<> twins(*small_memories().front());
  const CodewordId codeword(5);
  const BitString low(0xFFFF);
  // A bit of what was read is corrected like one of the cells; one of what is written is not.
  EXPECT_FALSE(twins.run(MemoryOperation::kWrite, codeword, BitString(0x1234), low,
                         [&] { twins.rtl().flip_storage("word_q", 0, 30); }));
  const auto difference = twins.run(MemoryOperation::kWrite, codeword, BitString(0x1234), low,
                                    [&] { twins.rtl().flip_storage("data_q", 0, 3); });
  ASSERT_TRUE(difference);
  EXPECT_EQ(*difference, "cells of codeword 5");
}

TEST(BrokenMemoryTest, AStruckPoisonBitIsFound) {
  Twins<> twins(*small_memories().front());
  twins.rtl().flip_storage("gen_poison.u_poison.cells_q", 1, 1);  // line 1, word 1 of its two
  const auto difference = twins.compare();
  ASSERT_TRUE(difference);
  EXPECT_EQ(*difference, "poison of codeword 3");
}

TEST(MemoryModelTest, AMemoryThatIsNotBuiltIsRefused) {
  const sim::ArrayGeometry geometry({64, 2, 8, 32, 7, 2});
  EXPECT_FALSE(MemoryModel::is_built(geometry.config(), EccKind::kSecded, sim::Overflow::kWrap));
  try {
    const MemoryModel model(geometry, sim::EccCode::make(EccKind::kSecded, 32));
    FAIL();
  } catch (const Failure& failure) {
    const Error& error = failure.errors().front();
    EXPECT_EQ(error.what, "the RTL of a memory 64:2:8:32:secded:2:wrap is not built");
    EXPECT_EQ(error.where, "memory");
    EXPECT_NE(error.cure.find("TS_RTL_MEMORIES"), std::string::npos);
    EXPECT_NE(error.cure.find("32:2:8:32:secded:2:wrap, "), std::string::npos);
  }
}

}  // namespace
}  // namespace tilestrike::rtl
