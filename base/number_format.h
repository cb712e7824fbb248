// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Number formats: which bits a stored number has, and what they are called. The bits that a fault
// meets are the bits that are stored (docs/number_formats.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike {

struct NumberFormat {
  enum class Kind {
    kFloat,    // sign, exponent, mantissa; IEEE 754 but for float8_e4m3, which has no infinity
    kInteger,  // two's complement
    kUnsigned,
    kFixed,  // two's complement, with fraction_bits of them after the point
  };
  Kind kind = Kind::kFloat;
  int bits = 32;
  int exponent_bits = 8;   // of kFloat
  int fraction_bits = 23;  // the mantissa of kFloat, the fraction of kFixed

  /// "float32", "bfloat16", "float8_e4m3", "int8", "q3.12": the name in scenarios and results.
  std::string name() const;
  /// Also takes the short forms fp32, fp16, bf16, fp8_e4m3 and fp8_e5m2; nothing for other text.
  static std::optional<NumberFormat> parse(std::string_view text);

  static NumberFormat floating(int exponent_bits, int fraction_bits) {
    return {Kind::kFloat, 1 + exponent_bits + fraction_bits, exponent_bits, fraction_bits};
  }
  static NumberFormat integer(int bits) { return {Kind::kInteger, bits, 0, 0}; }
  static NumberFormat unsigned_integer(int bits) { return {Kind::kUnsigned, bits, 0, 0}; }
  /// Sign, `whole` bits before the point and `fraction` after it.
  static NumberFormat fixed(int whole, int fraction) {
    return {Kind::kFixed, 1 + whole + fraction, 0, fraction};
  }

  bool is_float() const { return kind == Kind::kFloat; }
  std::uint64_t all_bits() const {
    return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  }
  /// The bits of a named field: sign | exponent | mantissa of floating point, sign | magnitude of
  /// integers (magnitude alone of unsigned ones), sign | integer | fraction of fixed point; nothing
  /// when the format has none.
  std::optional<std::uint64_t> field(std::string_view name) const;
  std::vector<std::string> field_names() const;

  friend bool operator==(const NumberFormat&, const NumberFormat&) = default;
};

inline const NumberFormat kFloat32 = NumberFormat::floating(8, 23);

/// What a scenario's `format` may be; q stands for every qM.N of 2 to 32 bits.
const std::vector<std::string>& number_format_names();

}  // namespace tilestrike
