// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The error-correcting codes of a memory's codewords (docs/ecc.md): the one codec behind every read
// through ECC, in whichever engine. A codeword lies in its cells as its data bits, then its check
// bits; each check bit is a cell like any other.
//
// All codes are linear and work by one rule: the columns of the bits that differ add up (XOR) to a
// syndrome; a syndrome of zero accepts the word, one that belongs to a correctable pattern flips
// that pattern back, any other is a detected, uncorrectable error. Hence what a set of flipped
// cells does to the data as read depends on the flipped cells alone, not on what was stored.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/field_table.h"
#include "sim/ecc/bit_string.h"

namespace tilestrike::sim {

struct EccDefinition;

enum class EccKind { kNone, kParity, kSec, kSecded, kSecdedDaec, kDected, kSsc };

inline constexpr int kFewestDataBits = 8;
inline constexpr int kMostDataBits = 128;
inline constexpr int kMostCodewordBits = 160;

struct EccKindInfo {
  EccKind kind;
  std::string_view name;  // as in scenarios
  std::string_view about;
  std::string_view corrects;
  std::string_view detects;  // for certain, beside what it corrects
};
/// All kinds, the weakest first.
std::span<const EccKindInfo> ecc_kinds();
const EccKindInfo& info_of(EccKind kind);
Choices<EccKind> ecc_choices();  // for a field table

enum class EccStatus : std::uint8_t {
  kClean,      // accepted as read
  kCorrected,  // CE: a correctable pattern was flipped back (the right one or not)
  kDetected,   // DUE: the data are as read
};

struct Decoded {
  BitString data;       // after correction
  BitString corrected;  // the bits of the codeword that the decoder flipped
  EccStatus status = EccStatus::kClean;
};

/// What the flipped cells of a codeword do to its data as read.
struct ErrorEffect {
  BitString data_error;  // data bits that differ from what was written, after correction
  BitString corrected;   // the bits of the codeword that the decoder flips
  EccStatus status = EccStatus::kClean;
};

class EccCode {
 public:
  /// The code of `kind` for codewords of `data_bits` data bits. It is built once per process and
  /// stays. Throws Failure, naming `where`, for a width that the kind does not have.
  static const EccCode& make(EccKind kind, int data_bits, const std::string& where = {});

  static bool has_width(EccKind kind, int data_bits);
  /// A code by its definition (ecc_definition.h).
  EccCode(EccKind kind, EccDefinition definition);

  EccKind kind() const { return kind_; }
  int data_bits() const { return data_bits_; }
  int check_bits() const { return check_bits_; }
  int codeword_bits() const { return data_bits_ + check_bits_; }
  /// Syndrome of each bit of the codeword alone, in physical order. Check bit j has 1 << j, so that
  /// check bit j is the parity of the data bits whose column has bit j.
  std::span<const std::uint32_t> columns() const { return columns_; }
  /// The sets of bits that the decoder flips back; their syndromes differ.
  std::span<const BitString> correctable() const { return patterns_; }

  /// The codeword of the first data_bits() bits of `data`.
  BitString encode(const BitString& data) const {
    BitString codeword = data & data_mask_;
    if (check_bits_ > 0) {
      codeword.set_field(data_bits_, check_bits_, syndrome(codeword));
    }
    return codeword;
  }

  Decoded decode(const BitString& codeword) const {
    const std::uint32_t found = syndrome(codeword);
    if (found == 0) [[likely]] {
      return {codeword & data_mask_, {}, EccStatus::kClean};
    }
    const std::uint16_t pattern = pattern_of_syndrome_[found];
    if (pattern == kNoPattern) {
      return {codeword & data_mask_, {}, EccStatus::kDetected};
    }
    const BitString& flipped = patterns_[pattern];
    return {(codeword ^ flipped) & data_mask_, flipped, EccStatus::kCorrected};
  }

  /// The effect of flipping the bits that are set in `flipped`, whatever is stored.
  ErrorEffect decode_error(const BitString& flipped) const {
    const Decoded decoded = decode(flipped);
    return {decoded.data, decoded.corrected, decoded.status};
  }
  /// The same for a list of bits; one that is in it twice is not flipped.
  ErrorEffect decode_error(std::span<const int> flipped) const;

  std::uint32_t syndrome(const BitString& codeword) const {
    std::uint32_t sum = 0;
    std::size_t place = 0;
    for (const std::uint64_t word : codeword.words) {
      for (int shift = 0; shift < 64 && place < bytes_.size(); shift += 8, ++place) {
        sum ^= bytes_[place][static_cast<std::size_t>((word >> shift) & 0xFF)];
      }
    }
    return sum;
  }
  /// Index into correctable() of the pattern with this syndrome, or -1.
  int pattern_of(std::uint32_t syndrome) const {
    const std::uint16_t pattern = pattern_of_syndrome_[syndrome];
    return pattern == kNoPattern ? -1 : pattern;
  }

 private:
  static constexpr std::uint16_t kNoPattern = 0xFFFF;

  EccKind kind_;
  int data_bits_;
  int check_bits_;
  BitString data_mask_;
  std::vector<std::uint32_t> columns_;
  std::vector<BitString> patterns_;
  std::vector<std::uint16_t> pattern_of_syndrome_;
  // Of each byte of the codeword: the syndrome of each of its values.
  std::vector<std::array<std::uint32_t, 256>> bytes_;
};

}  // namespace tilestrike::sim
