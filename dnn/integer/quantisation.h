// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How int8 values stand for real numbers (docs/integer_network.md, "Numbers").
#pragma once

#include <cstdint>

namespace tilestrike::dnn {

/// real = scale * (stored - zero). Scale 0: the values are not int8.
struct Quantisation {
  float scale = 0.0F;
  std::int32_t zero = 0;
  constexpr bool is_int8() const { return scale > 0.0F; }
  friend bool operator==(const Quantisation&, const Quantisation&) = default;
};

}  // namespace tilestrike::dnn
