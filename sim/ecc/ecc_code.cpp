// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/ecc/ecc_code.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "sim/ecc/ecc_definition.h"

namespace tilestrike::sim {
namespace {

constexpr EccKindInfo kKinds[] = {
    {EccKind::kNone, "none", "no check bits", "nothing", "nothing"},
    {EccKind::kParity, "parity", "one bit, even parity", "nothing", "odd counts of bits"},
    {EccKind::kSec, "sec", "Hamming; as on the die of a DRAM", "1 bit",
     "no 2 bits pass as clean; many miscorrect"},
    {EccKind::kSecded, "secded", "Hsiao, odd-weight columns", "1 bit", "2 bits"},
    {EccKind::kSecdedDaec, "secded_daec", "odd-weight columns, ordered for neighbours",
     "1 bit, 2 neighbours", "no 2 bits pass as clean; some that are no neighbours miscorrect"},
    {EccKind::kDected, "dected", "BCH and a parity over all", "1 or 2 bits", "3 bits"},
    {EccKind::kSsc, "ssc", "Reed-Solomon, symbols of 8 bits", "any bits of one symbol",
     "no bits of 2 symbols pass as clean; some miscorrect"},
};

EccDefinition definition_of(EccKind kind, int data_bits) {
  switch (kind) {
    case EccKind::kNone: {
      EccDefinition none;
      none.data_columns.assign(static_cast<std::size_t>(data_bits), 0);
      return none;
    }
    case EccKind::kParity:
      return parity_code(data_bits);
    case EccKind::kSec:
      return hamming_code(data_bits);
    case EccKind::kSecded:
      return hsiao_code(data_bits);
    case EccKind::kSecdedDaec:
      return daec_code(data_bits);
    case EccKind::kDected:
      return bch_code(data_bits);
    case EccKind::kSsc:
      return symbol_code(data_bits);
  }
  TS_CHECK(false, "an ECC kind without a definition");
}

void check_width(EccKind kind, int data_bits, const std::string& where) {
  const std::string name(info_of(kind).name);
  if (EccCode::has_width(kind, data_bits)) {
    return;
  }
  if (data_bits < kFewestDataBits || data_bits > kMostDataBits) {
    fail(ErrorCode::kInvalidInput,
         "ecc " + name + " for codewords of " + std::to_string(data_bits) + " data bits", where,
         "a codeword has " + std::to_string(kFewestDataBits) + " to " +
             std::to_string(kMostDataBits) + " data bits");
  }
  fail(ErrorCode::kInvalidInput,
       "ecc " + name + " for codewords of " + std::to_string(data_bits) +
           " data bits, which are no whole symbols",
       where, "take a multiple of " + std::to_string(kSymbolBits));
}

}  // namespace

std::span<const EccKindInfo> ecc_kinds() { return kKinds; }

const EccKindInfo& info_of(EccKind kind) {
  for (const EccKindInfo& info : kKinds) {
    if (info.kind == kind) {
      return info;
    }
  }
  TS_CHECK(false, "an ECC kind without a name");
}

Choices<EccKind> ecc_choices() {
  Choices<EccKind> choices;
  for (const EccKindInfo& info : kKinds) {
    choices.emplace_back(std::string(info.name), info.kind);
  }
  return choices;
}

bool EccCode::has_width(EccKind kind, int data_bits) {
  return data_bits >= kFewestDataBits && data_bits <= kMostDataBits &&
         (kind != EccKind::kSsc || data_bits % kSymbolBits == 0);
}

const EccCode& EccCode::make(EccKind kind, int data_bits, const std::string& where) {
  check_width(kind, data_bits, where);
  static std::mutex mutex;
  static std::map<std::pair<EccKind, int>, std::unique_ptr<const EccCode>> made;
  const std::lock_guard lock(mutex);
  std::unique_ptr<const EccCode>& code = made[{kind, data_bits}];
  if (code == nullptr) {
    code = std::make_unique<const EccCode>(kind, definition_of(kind, data_bits));
  }
  return *code;
}

EccCode::EccCode(EccKind kind, EccDefinition definition)
    : kind_(kind),
      data_bits_(static_cast<int>(definition.data_columns.size())),
      check_bits_(definition.check_bits),
      data_mask_(BitString::ones(data_bits_)),
      columns_(std::move(definition.data_columns)),
      patterns_(std::move(definition.correctable)) {
  TS_CHECK(codeword_bits() <= kMostCodewordBits, "a codeword that is too wide");
  for (int j = 0; j < check_bits_; ++j) {
    columns_.push_back(std::uint32_t{1} << j);
  }
  bytes_.resize(static_cast<std::size_t>(codeword_bits() + 7) / 8);
  for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
    for (std::size_t value = 1; value < 256; ++value) {
      const auto lowest = static_cast<std::size_t>(std::countr_zero(value));
      const std::size_t bit = byte * 8 + lowest;
      bytes_[byte][value] =
          bytes_[byte][value & (value - 1)] ^ (bit < columns_.size() ? columns_[bit] : 0);
    }
  }
  TS_CHECK(patterns_.size() < kNoPattern, "too many correctable patterns");
  pattern_of_syndrome_.assign(std::size_t{1} << check_bits_, kNoPattern);
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const std::uint32_t found = syndrome(patterns_[i]);
    TS_CHECK(found != 0 && pattern_of_syndrome_[found] == kNoPattern,
             "two correctable patterns with one syndrome");
    pattern_of_syndrome_[found] = static_cast<std::uint16_t>(i);
  }
}

ErrorEffect EccCode::decode_error(std::span<const int> flipped) const {
  BitString error;
  for (const int bit : flipped) {
    error.flip(bit);
  }
  return decode_error(error);
}

std::vector<BitString> single_bits(int codeword_bits) {
  std::vector<BitString> singles(static_cast<std::size_t>(codeword_bits));
  for (int bit = 0; bit < codeword_bits; ++bit) {
    singles[static_cast<std::size_t>(bit)].set(bit);
  }
  return singles;
}

EccDefinition parity_code(int data_bits) {
  return {1, std::vector<std::uint32_t>(static_cast<std::size_t>(data_bits), 1), {}};
}

}  // namespace tilestrike::sim
