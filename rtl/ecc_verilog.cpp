// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/ecc_verilog.h"

#include <cstdio>
#include <vector>

#include "base/error.h"

namespace tilestrike::rtl {
namespace {

// A literal of `bits` bits with those set that `is_set` names: 8'h1f.
template <class IsSet>
std::string literal(int bits, const IsSet& is_set) {
  std::string digits;
  for (int low = (bits - 1) / 4 * 4; low >= 0; low -= 4) {
    int digit = 0;
    for (int bit = low; bit < low + 4 && bit < bits; ++bit) {
      digit |= is_set(bit) ? 1 << (bit - low) : 0;
    }
    digits += "0123456789abcdef"[digit];
  }
  return std::to_string(bits) + "'h" + digits;
}

// Replaces every @KEY@.
std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& keys) {
  for (const auto& [key, value] : keys) {
    const std::string mark = "@" + key + "@";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
      text.replace(at, mark.size(), value);
      at += value.size();
    }
  }
  return text;
}

constexpr char kFile[] = R"(// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// @KIND@ code of @DATA@ data and @CHECK@ check bits (docs/ecc.md). Written by ts_generate_ecc from
// the tables of the C++ codec: do not edit (docs/rtl.md).
//
// A codeword is its data bits, then its check bits. Combinational, no state.

module @NAME@_enc (
  input  logic [@DATA_TOP@:0] data_i,
  output logic [@WORD_TOP@:0] codeword_o
);

  assign codeword_o[@DATA_TOP@:0] = data_i;
@ENCODE@
endmodule

module @NAME@_dec (
  input  logic [@WORD_TOP@:0] codeword_i,
  output logic [@DATA_TOP@:0] data_o,       // after correction; as read where it is detected
  output logic [@WORD_TOP@:0] flipped_o,    // the bit that the decoder flips back
  output logic        corrected_o,
  output logic        detected_o
);

  logic [@CHECK_TOP@:0] syndrome;

@SYNDROME@
@FLIPPED@
  assign data_o      = codeword_i[@DATA_TOP@:0] ^ flipped_o[@DATA_TOP@:0];
  assign corrected_o = |flipped_o;
  assign detected_o  = (|syndrome) & ~corrected_o;

endmodule

module @NAME@ (
  input  logic [@DATA_TOP@:0] data_i,
  output logic [@WORD_TOP@:0] codeword_o,

  input  logic [@WORD_TOP@:0] codeword_i,
  output logic [@DATA_TOP@:0] data_o,
  output logic [@WORD_TOP@:0] flipped_o,
  output logic        corrected_o,
  output logic        detected_o
);

  @NAME@_enc u_enc (
    .data_i,
    .codeword_o
  );

  @NAME@_dec u_dec (
    .codeword_i,
    .data_o,
    .flipped_o,
    .corrected_o,
    .detected_o
  );

endmodule
)";

}  // namespace

std::string ecc_module_name(const sim::EccCode& code) {
  return "ts_" + std::string(info_of(code.kind()).name) + "_" +
         std::to_string(code.codeword_bits()) + "_" + std::to_string(code.data_bits());
}

std::string ecc_verilog(const sim::EccCode& code) {
  const int data = code.data_bits();
  const int word = code.codeword_bits();
  const int check = code.check_bits();
  TS_CHECK(static_cast<int>(code.correctable().size()) == word, "corrects every single bit");
  std::string encode, syndrome, flipped;
  for (int j = 0; j < check; ++j) {
    const auto takes = [&](int bit) {
      return (code.columns()[static_cast<std::size_t>(bit)] >> j & 1U) != 0;
    };
    encode += "  assign codeword_o[" + std::to_string(data + j) + "] = ^(data_i & " +
              literal(data, takes) + ");\n";
    syndrome += "  assign syndrome[" + std::to_string(j) + "] = ^(codeword_i & " +
                literal(word, takes) + ");\n";
  }
  for (int bit = 0; bit < word; ++bit) {
    const std::uint32_t column = code.columns()[static_cast<std::size_t>(bit)];
    flipped += "  assign flipped_o[" + std::to_string(bit) +
               "] = syndrome == " + literal(check, [&](int j) { return (column >> j & 1U) != 0; }) +
               ";\n";
  }
  return filled(kFile, {{"NAME", ecc_module_name(code)},
                        {"KIND", "Hsiao's SEC-DED"},
                        {"DATA", std::to_string(data)},
                        {"CHECK", std::to_string(check)},
                        {"DATA_TOP", std::to_string(data - 1)},
                        {"WORD_TOP", std::to_string(word - 1)},
                        {"CHECK_TOP", std::to_string(check - 1)},
                        {"ENCODE", encode},
                        {"SYNDROME", syndrome},
                        {"FLIPPED", flipped}});
}

}  // namespace tilestrike::rtl
