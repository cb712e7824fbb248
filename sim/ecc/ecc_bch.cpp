// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Codes over GF(2^m): DEC-TED, a shortened binary BCH code of two roots with a parity bit over all,
// and a Reed-Solomon code of two check symbols.
#include <bit>

#include "base/error.h"
#include "sim/ecc/ecc_definition.h"

namespace tilestrike::sim {
namespace {

/// A field of 2^bits elements, as polynomials of its generator alpha.
class Field2 {
 public:
  explicit Field2(int bits) : bits_(bits) {
    switch (bits) {
      case 5:
        modulus_ = 0x25;  // x^5 + x^2 + 1
        break;
      case 6:
        modulus_ = 0x43;  // x^6 + x + 1
        break;
      case 7:
        modulus_ = 0x89;  // x^7 + x^3 + 1
        break;
      case 8:
        modulus_ = 0x11D;  // x^8 + x^4 + x^3 + x^2 + 1
        break;
      default:
        TS_CHECK(false, "a field without a polynomial");
    }
  }

  std::uint32_t modulus() const { return modulus_; }
  int nonzero() const { return (1 << bits_) - 1; }

  std::uint32_t multiply(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t product = 0;
    for (; b != 0; b >>= 1, a = times_alpha(a)) {
      product ^= (b & 1) != 0 ? a : 0;
    }
    return product;
  }
  std::uint32_t power_of_alpha(int exponent) const {
    std::uint32_t power = 1;
    for (int i = 0; i < exponent; ++i) {
      power = times_alpha(power);
    }
    return power;
  }

  /// The binary polynomial of the lowest degree with the root alpha^exponent.
  std::uint32_t minimal_polynomial(int exponent) const {
    std::vector<std::uint32_t> polynomial = {1};  // coefficients, the lowest first
    int conjugate = exponent;
    do {
      const std::uint32_t root = power_of_alpha(conjugate);
      std::vector<std::uint32_t> product(polynomial.size() + 1, 0);
      for (std::size_t i = 0; i < polynomial.size(); ++i) {
        product[i + 1] ^= polynomial[i];
        product[i] ^= multiply(polynomial[i], root);
      }
      polynomial = std::move(product);
      conjugate = conjugate * 2 % nonzero();
    } while (conjugate != exponent);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < polynomial.size(); ++i) {
      TS_CHECK(polynomial[i] <= 1, "a minimal polynomial has binary coefficients");
      bits |= polynomial[i] << i;
    }
    return bits;
  }

 private:
  std::uint32_t times_alpha(std::uint32_t a) const {
    a <<= 1;
    return (a >> bits_) != 0 ? a ^ modulus_ : a;
  }

  int bits_;
  std::uint32_t modulus_ = 0;
};

std::uint32_t multiply_binary(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (; b != 0; b >>= 1, a <<= 1) {
    product ^= (b & 1) != 0 ? a : 0;
  }
  return product;
}

}  // namespace

EccDefinition bch_code(int data_bits) {
  int field_bits = 5;
  while (data_bits + 2 * field_bits > (1 << field_bits) - 1) {
    ++field_bits;
  }
  const Field2 field(field_bits);
  const std::uint32_t generator = multiply_binary(field.modulus(), field.minimal_polynomial(3));
  const int degree = 2 * field_bits;
  TS_CHECK(std::bit_width(generator) == degree + 1, "two roots of full order");

  EccDefinition code;
  code.check_bits = degree + 1;
  std::uint32_t remainder = std::uint32_t{1} << (degree - 1);
  for (int i = 0; i < data_bits; ++i) {  // data bit i is the coefficient of x^(degree + i)
    remainder <<= 1;
    remainder ^= (remainder >> degree) != 0 ? generator : 0;
    // The last check bit makes the whole codeword even: it sees the data bit and its remainder.
    const auto parity = static_cast<std::uint32_t>((1 + std::popcount(remainder)) % 2);
    code.data_columns.push_back(remainder | parity << degree);
  }
  const int codeword_bits = data_bits + code.check_bits;
  code.correctable = single_bits(codeword_bits);
  for (int a = 0; a < codeword_bits; ++a) {
    for (int b = a + 1; b < codeword_bits; ++b) {
      BitString& pair = code.correctable.emplace_back();
      pair.set(a);
      pair.set(b);
    }
  }
  return code;
}

EccDefinition symbol_code(int data_bits) {
  // Check symbol 0 is the sum of the data symbols d(i), check symbol 1 that of alpha^i d(i).
  const Field2 field(kSymbolBits);
  EccDefinition code;
  code.check_bits = 2 * kSymbolBits;
  for (int bit = 0; bit < data_bits; ++bit) {
    const std::uint32_t value = std::uint32_t{1} << bit % kSymbolBits;
    code.data_columns.push_back(
        value | field.multiply(value, field.power_of_alpha(bit / kSymbolBits)) << kSymbolBits);
  }
  for (int symbol = 0; symbol < (data_bits + code.check_bits) / kSymbolBits; ++symbol) {
    for (std::uint64_t value = 1; value < std::uint64_t{1} << kSymbolBits; ++value) {
      code.correctable.emplace_back().set_field(symbol * kSymbolBits, kSymbolBits, value);
    }
  }
  return code;
}

}  // namespace tilestrike::sim
