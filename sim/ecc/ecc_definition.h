// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How each code is defined (docs/ecc.md): the columns of its data bits and the patterns that it
// corrects. The column of check bit j is 1 << j.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/ecc/bit_string.h"

namespace tilestrike::sim {

struct EccDefinition {
  int check_bits = 0;
  std::vector<std::uint32_t> data_columns;
  std::vector<BitString> correctable;
};

EccDefinition parity_code(int data_bits);
EccDefinition hamming_code(int data_bits);  // single-error correcting
EccDefinition hsiao_code(int data_bits);    // SEC-DED, columns of odd weight
EccDefinition daec_code(int data_bits);     // SEC-DED-DAEC, columns of odd weight
EccDefinition bch_code(int data_bits);      // DEC-TED
EccDefinition symbol_code(int data_bits);   // Reed-Solomon, one symbol of kSymbolBits

inline constexpr int kSymbolBits = 8;

/// Every bit of a codeword alone.
std::vector<BitString> single_bits(int codeword_bits);

}  // namespace tilestrike::sim
