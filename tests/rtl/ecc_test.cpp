// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the ECC codecs in RTL those of C++? Every pattern of one and of two flipped bits, and a
// million random triples; what one encodes the other decodes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "rtl/ecc_model.h"
#include "rtl/ecc_verilog.h"

namespace tilestrike::rtl {
namespace {

using sim::BitString;
using sim::Decoded;
using sim::EccCode;
using sim::EccKind;
using sim::EccStatus;

class EccTest : public testing::TestWithParam<int> {
 protected:
  BitString random_data() { return BitString(random_.next()) & BitString::ones(code_.data_bits()); }

  // Encoded by one side, struck, decoded by both.
  EccStatus expect_equal(const BitString& flipped) {
    const BitString data = random_data();
    const BitString codeword = (++asked_ % 2 == 0 ? code_.encode(data) : rtl_.encode(data));
    const Decoded expected = code_.decode(codeword ^ flipped);
    const Decoded decoded = rtl_.decode(codeword ^ flipped);
    EXPECT_EQ(decoded.data, expected.data);
    EXPECT_EQ(decoded.corrected, expected.corrected);
    EXPECT_EQ(decoded.status, expected.status);
    if (flipped.count() == 1) {
      EXPECT_EQ(decoded.data, data);
    }
    return decoded.status;
  }

  const EccCode& code_ = EccCode::make(EccKind::kSecded, GetParam());
  EccModel rtl_{GetParam()};
  RandomStream random_{51, static_cast<std::uint64_t>(GetParam()), Purpose::kTest};
  int asked_ = 0;
};

TEST_P(EccTest, EncodersAgree) {
  for (int i = 0; i < 10'000; ++i) {
    const BitString data = random_data();
    ASSERT_EQ(rtl_.encode(data), code_.encode(data));
  }
}

TEST_P(EccTest, EveryPatternOfOneAndTwoBits) {
  EXPECT_EQ(expect_equal({}), EccStatus::kClean);
  int patterns = 0;
  for (int i = 0; i < code_.codeword_bits(); ++i) {
    BitString one;
    one.flip(i);
    ASSERT_EQ(expect_equal(one), EccStatus::kCorrected) << i;
    ++patterns;
    for (int j = 0; j < i; ++j) {
      BitString two = one;
      two.flip(j);
      ASSERT_EQ(expect_equal(two), EccStatus::kDetected) << i << " " << j;
      ++patterns;
      ASSERT_FALSE(HasFailure()) << i << " " << j;
    }
  }
  const int bits = code_.codeword_bits();
  EXPECT_EQ(patterns, bits + bits * (bits - 1) / 2);
}

TEST_P(EccTest, AMillionRandomTriples) {
  int corrected = 0;
  for (int trial = 0; trial < 1'000'000; ++trial) {
    BitString flipped;
    while (flipped.count() < 3) {
      flipped.set(
          static_cast<int>(random_.below(static_cast<std::uint64_t>(code_.codeword_bits()))));
    }
    corrected += expect_equal(flipped) == EccStatus::kCorrected ? 1 : 0;
    ASSERT_FALSE(HasFailure()) << trial;
  }
  std::printf("(%d,%d): %d of 1000000 triples miscorrected, by both\n", code_.codeword_bits(),
              code_.data_bits(), corrected);
  EXPECT_GT(corrected, 0);
}

TEST_P(EccTest, TheFileIsWhatTheTablesGive) {
  const std::string path = std::string(TS_RTL_FOLDER) + "/" + ecc_module_name(code_) + ".sv";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), ecc_verilog(code_)) << "run ts_generate_ecc rtl";
}

TEST_P(EccTest, LintIsClean) {
  const std::string folder = TS_RTL_FOLDER;
  const std::string name = ecc_module_name(code_);
  EXPECT_EQ(std::system((std::string(TS_VERILATOR) + " --lint-only -Wall --top-module " + name +
                         " " + folder + "/lint/ts_ecc_waivers.vlt " + folder + "/" + name + ".sv")
                            .c_str()),
            0);
}

INSTANTIATE_TEST_SUITE_P(Widths, EccTest, testing::Values(32, 64));

TEST(EccModelTest, AnotherWidthIsRefused) {
  try {
    const EccModel model(16);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors().front().what, "there is no RTL of SEC-DED with 16 data bits");
  }
}

}  // namespace
}  // namespace tilestrike::rtl
