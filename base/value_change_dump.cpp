// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/value_change_dump.h"

namespace tilestrike {

std::string vcd_code(std::size_t variable) {
  std::string code;
  do {
    code += static_cast<char>('!' + variable % 94);
    variable /= 94;
  } while (variable > 0);
  return code;
}

std::string vcd_change(const std::uint64_t* limbs, int bits, std::size_t variable) {
  std::string text;
  for (int bit = bits - 1; bit >= 0; --bit) {
    const bool is_set = (limbs[bit / 64] >> (bit % 64) & 1U) != 0;
    if (is_set || !text.empty() || bit == 0) {  // without leading zeros, as the format allows
      text += is_set ? '1' : '0';
    }
  }
  return (bits == 1 ? text : "b" + text + " ") + vcd_code(variable);
}

}  // namespace tilestrike
