// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The text of a value change dump (VCD), IEEE 1364-2005, clause 18.
#pragma once

#include <cstdint>
#include <string>

namespace tilestrike {

/// The short name of a variable: digits of base 94, of printable characters.
std::string vcd_code(std::size_t variable);

/// A change of a variable: a value of `bits` bits, the lowest 64 first, and its code.
std::string vcd_change(const std::uint64_t* limbs, int bits, std::size_t variable);

}  // namespace tilestrike
