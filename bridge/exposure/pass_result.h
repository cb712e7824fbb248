// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a pass of a layer sends to the accumulators when nothing is struck.
#pragma once

#include <cstdint>

#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {

/// What a pass without faults sends to the accumulators at a row and a column of its tile: the
/// product of its operands, with the bias where it is the first of its depth folds.
std::int32_t result_of_pass(const BoundLayer& layer, int pass, std::int64_t row,
                            std::int64_t column);

}  // namespace tilestrike::bridge
