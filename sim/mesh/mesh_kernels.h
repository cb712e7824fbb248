// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Inner loops of the mesh in wavefront order. Compiled for several instruction sets; the result is
// the same on all.
#pragma once

#include <cstdint>

namespace tilestrike::sim {

/// `count` steps of activations, one line of `lanes` (the mesh's rows) per step.
struct ActivationBlock {
  const std::int8_t* data;
  int count;
  int lanes;
};

/// WS: results[n][c] = top[n][c] + sum over r, in order, of a[n][r] * weights[r][c]; weights and
/// results have `columns` per line, top has `top_pitch`.
void stream_rows(ActivationBlock a, const std::int32_t* weights, int columns,
                 const std::int32_t* top, int top_pitch, std::int32_t* results, bool saturates);

/// OS: accumulators[r][c] += a[n][r] * b[n][c], n in order; b has `b_pitch` per line, accumulators
/// `columns`.
void accumulate_outer(ActivationBlock a, const std::int32_t* b, int b_pitch,
                      std::int32_t* accumulators, int columns, bool saturates);

}  // namespace tilestrike::sim
