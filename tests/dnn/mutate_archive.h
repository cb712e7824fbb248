// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Damaged copies of .pt2 archives for the fuzzer: what is drawn from a stream is the same again.
#pragma once

#include <string>

#include "base/random.h"

namespace tilestrike::dnn {

/// Writes a copy of `from` with something wrong in it, and says what. A quarter of the copies are
/// damaged as files (bits, ranges of bytes, length); in the others a record is damaged and the
/// container around it is whole, check sums too, so that the damage is met behind it.
std::string write_damaged(const std::string& from, const std::string& to, RandomStream& stream);

}  // namespace tilestrike::dnn
