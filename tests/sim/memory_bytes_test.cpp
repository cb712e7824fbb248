// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do bytes of an array behave as its codewords do, decoded one by one, whatever strikes them?
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "sim/memory/memory_array.h"
#include "tests/sim/plain_array.h"

namespace tilestrike::sim {
namespace {

ArrayGeometry geometry_of(const EccCode& code) {
  ArrayConfig config;
  config.capacity_bytes = 16 * code.data_bits();  // 128 codewords
  config.row_bytes = code.data_bits();
  config.data_bits = code.data_bits();
  config.check_bits = code.check_bits();
  return ArrayGeometry(config);
}

// Clean, corrected, detected and poisoned words, partial writes, two halves of a read-modify-write
// with anything in between, stuck cells that come and go, scrubbing; also codewords that are no
// whole bytes.
TEST(MemoryBytesTest, BytesAreThoseOfCodewordsDecodedOneByOne) {
  RandomStream random(31, 0, Purpose::kTest);
  std::size_t corrected = 0, detected = 0, poisoned = 0;
  for (const EccKindInfo& info : ecc_kinds()) {
    for (const int bits : {8, 12, 32, 39, 64, 128}) {
      if (!EccCode::has_width(info.kind, bits)) {
        continue;
      }
      const EccCode& code = EccCode::make(info.kind, bits);
      MemoryArray array(geometry_of(code), code);
      PlainArray plain(code, array.geometry().codewords());
      ASSERT_EQ(array.bytes(), 16U * static_cast<unsigned>(bits));
      struct Held {
        HeldRead ours;
        std::map<CodewordId, CodewordRead> plain;
      };
      std::vector<Held> held;
      std::vector<std::uint8_t> bytes, expected;
      std::vector<CodewordFinding> found, expected_found;
      for (int step = 0; step < 3000; ++step) {
        // Few codewords, so that several things happen to each.
        const std::uint64_t reach = static_cast<std::uint64_t>(bits);
        const std::uint64_t address = random.below(reach);
        const std::size_t size = random.below(std::min<std::uint64_t>(reach - address, 40) + 1);
        const CodewordBit bit{
            CodewordId(random.below(8)),
            static_cast<int>(random.below(static_cast<std::uint64_t>(code.codeword_bits())))};
        found.clear();
        expected_found.clear();
        bytes.resize(size);
        for (std::uint8_t& byte : bytes) {
          byte = static_cast<std::uint8_t>(random.next());
        }
        switch (random.below(12)) {
          case 0:
            array.write_bytes(address, bytes, found);
            plain.write_bytes(address, bytes, expected_found);
            break;
          case 1:
            expected.resize(size);
            held.push_back(
                {array.read_and_hold(address, bytes, found), plain.hold_range(address, size)});
            plain.read_bytes(address, expected, expected_found);
            ASSERT_EQ(bytes, expected);
            break;
          case 2:
            if (!held.empty()) {
              const Held back = held.back();
              held.pop_back();
              bytes.resize(back.ours.bytes, 0xA5);
              array.write_back_bytes(back.ours, bytes);
              plain.write_back(back.ours.address, bytes, back.plain);
            }
            break;
          case 3:
          case 4:
          case 5:
            array.flip(bit);
            plain.flip(bit);
            break;
          case 6: {
            const bool value = random.below(2) == 1;
            array.hold(bit, value);
            plain.hold(bit, value);
            break;
          }
          case 7:
            for (int b = 0; b < code.codeword_bits(); ++b) {
              array.release({bit.codeword, b});
              plain.release({bit.codeword, b});
            }
            break;
          case 8:
            array.scrub(bit.codeword);
            plain.scrub(bit.codeword);
            break;
          default:
            expected.resize(size);
            array.read_bytes(address, bytes, found);
            plain.read_bytes(address, expected, expected_found);
            ASSERT_EQ(bytes, expected);
        }
        ASSERT_EQ(found, expected_found) << info.name << " " << bits << " step " << step;
        ASSERT_EQ(array.cells(bit.codeword), plain.cells(bit.codeword));
        for (const CodewordFinding& finding : found) {
          corrected += finding.status == EccStatus::kCorrected ? 1 : 0;
          detected += finding.status == EccStatus::kDetected ? 1 : 0;
          poisoned += finding.is_poisoned ? 1 : 0;
        }
      }
      for (std::uint64_t word = 0; word < array.geometry().codewords(); ++word) {
        ASSERT_EQ(array.cells(CodewordId(word)), plain.cells(CodewordId(word)));
      }
    }
  }
  EXPECT_GT(corrected, 1000);
  EXPECT_GT(detected, 1000);
  EXPECT_GT(poisoned, 100);
}

TEST(MemoryBytesTest, RangesMayCrossCodewordsRowsAndPages) {
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  ArrayConfig config;
  config.capacity_bytes = 64 * 1024;
  config.check_bits = code.check_bits();
  MemoryArray array(ArrayGeometry(config), code);
  std::vector<std::uint8_t> data(array.bytes()), back(array.bytes());
  RandomStream random(32, 0, Purpose::kTest);
  for (std::uint8_t& byte : data) {
    byte = static_cast<std::uint8_t>(random.next());
  }
  std::vector<CodewordFinding> found;
  array.write_bytes(0, data, found);
  array.flip(CodewordBit{CodewordId(600), 17});
  EXPECT_TRUE(array.is_marked(CodewordId(600)));
  array.read_bytes(0, back, found);
  EXPECT_EQ(back, data);
  EXPECT_EQ(found, (std::vector<CodewordFinding>{{CodewordId(600), EccStatus::kCorrected, false}}));
  EXPECT_EQ(array.read(CodewordId(600)).data.field(0, 8), data[4800]);
  array.scrub(CodewordId(600));
  EXPECT_FALSE(array.is_marked(CodewordId(600)));
}

}  // namespace
}  // namespace tilestrike::sim
