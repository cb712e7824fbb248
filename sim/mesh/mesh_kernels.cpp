// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/mesh_kernels.h"

#include <algorithm>

#include "base/multiversion.h"
#include "sim/mesh/arithmetic.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {
namespace {

constexpr int kColumnBlock = 16;
constexpr int kRowBlock = 4;

// The wrapping kernels work modulo 2^32 in unsigned arithmetic.
template <int Rows>
inline __attribute__((always_inline)) void stream_block(ActivationBlock a, int n,
                                                        const std::int32_t* weights, int columns,
                                                        const std::int32_t* top, int top_pitch,
                                                        std::int32_t* results, int c0) {
  std::uint32_t sum[Rows][kColumnBlock];
  for (int i = 0; i < Rows; ++i) {
    for (int c = 0; c < kColumnBlock; ++c) {
      sum[i][c] = static_cast<std::uint32_t>(top[(n + i) * top_pitch + c0 + c]);
    }
  }
  for (int r = 0; r < a.lanes; ++r) {
    const std::int32_t* w = weights + r * columns + c0;
    for (int i = 0; i < Rows; ++i) {
      const auto x = static_cast<std::uint32_t>(a.data[(n + i) * a.lanes + r]);
      for (int c = 0; c < kColumnBlock; ++c) {
        sum[i][c] += x * static_cast<std::uint32_t>(w[c]);
      }
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int c = 0; c < kColumnBlock; ++c) {
      results[(n + i) * columns + c0 + c] = static_cast<std::int32_t>(sum[i][c]);
    }
  }
}

// One column, the lanes side by side.
TS_MULTIVERSION void stream_column(ActivationBlock a, const std::int32_t* weights,
                                   const std::int32_t* top, int top_pitch, std::int32_t* results) {
  for (int n = 0; n < a.count; ++n) {
    auto sum = static_cast<std::uint32_t>(top[n * top_pitch]);
    const std::int8_t* line = a.data + n * a.lanes;
    for (int r = 0; r < a.lanes; ++r) {
      sum += static_cast<std::uint32_t>(line[r]) * static_cast<std::uint32_t>(weights[r]);
    }
    results[n] = static_cast<std::int32_t>(sum);
  }
}

TS_MULTIVERSION void stream_wrapping(ActivationBlock a, const std::int32_t* weights, int columns,
                                     const std::int32_t* top, int top_pitch,
                                     std::int32_t* results) {
  const int blocked = columns - columns % kColumnBlock;
  for (int c0 = 0; c0 < blocked; c0 += kColumnBlock) {
    int n = 0;
    for (; n + kRowBlock <= a.count; n += kRowBlock) {
      stream_block<kRowBlock>(a, n, weights, columns, top, top_pitch, results, c0);
    }
    for (; n < a.count; ++n) {
      stream_block<1>(a, n, weights, columns, top, top_pitch, results, c0);
    }
  }
  for (int c = blocked; c < columns; ++c) {
    for (int n = 0; n < a.count; ++n) {
      auto sum = static_cast<std::uint32_t>(top[n * top_pitch + c]);
      for (int r = 0; r < a.lanes; ++r) {
        sum += static_cast<std::uint32_t>(a.data[n * a.lanes + r]) *
               static_cast<std::uint32_t>(weights[r * columns + c]);
      }
      results[n * columns + c] = static_cast<std::int32_t>(sum);
    }
  }
}

// One column, the lanes side by side.
TS_MULTIVERSION void outer_column(ActivationBlock a, const std::int32_t* b, int b_pitch,
                                  std::int32_t* accumulators) {
  std::uint32_t sum[kLargestMesh];
  std::copy_n(accumulators, a.lanes, sum);
  for (int n = 0; n < a.count; ++n) {
    const auto y = static_cast<std::uint32_t>(b[n * b_pitch]);
    const std::int8_t* line = a.data + n * a.lanes;
    for (int r = 0; r < a.lanes; ++r) {
      sum[r] += static_cast<std::uint32_t>(line[r]) * y;
    }
  }
  std::copy_n(sum, a.lanes, accumulators);
}

template <int Rows>
inline __attribute__((always_inline)) void outer_block(ActivationBlock a, int r,
                                                       const std::int32_t* b, int b_pitch,
                                                       std::int32_t* accumulators, int columns,
                                                       int c0) {
  std::uint32_t sum[Rows][kColumnBlock];
  for (int i = 0; i < Rows; ++i) {
    for (int c = 0; c < kColumnBlock; ++c) {
      sum[i][c] = static_cast<std::uint32_t>(accumulators[(r + i) * columns + c0 + c]);
    }
  }
  for (int n = 0; n < a.count; ++n) {
    const std::int32_t* y = b + n * b_pitch + c0;
    for (int i = 0; i < Rows; ++i) {
      const auto x = static_cast<std::uint32_t>(a.data[n * a.lanes + r + i]);
      for (int c = 0; c < kColumnBlock; ++c) {
        sum[i][c] += x * static_cast<std::uint32_t>(y[c]);
      }
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int c = 0; c < kColumnBlock; ++c) {
      accumulators[(r + i) * columns + c0 + c] = static_cast<std::int32_t>(sum[i][c]);
    }
  }
}

TS_MULTIVERSION void outer_wrapping(ActivationBlock a, const std::int32_t* b, int b_pitch,
                                    std::int32_t* accumulators, int columns) {
  const int blocked = columns - columns % kColumnBlock;
  for (int c0 = 0; c0 < blocked; c0 += kColumnBlock) {
    int r = 0;
    for (; r + kRowBlock <= a.lanes; r += kRowBlock) {
      outer_block<kRowBlock>(a, r, b, b_pitch, accumulators, columns, c0);
    }
    for (; r < a.lanes; ++r) {
      outer_block<1>(a, r, b, b_pitch, accumulators, columns, c0);
    }
  }
  for (int c = blocked; c < columns; ++c) {
    for (int r = 0; r < a.lanes; ++r) {
      auto sum = static_cast<std::uint32_t>(accumulators[r * columns + c]);
      for (int n = 0; n < a.count; ++n) {
        sum += static_cast<std::uint32_t>(a.data[n * a.lanes + r]) *
               static_cast<std::uint32_t>(b[n * b_pitch + c]);
      }
      accumulators[r * columns + c] = static_cast<std::int32_t>(sum);
    }
  }
}

}  // namespace

void stream_rows(ActivationBlock a, const std::int32_t* weights, int columns,
                 const std::int32_t* top, int top_pitch, std::int32_t* results, bool saturates) {
  if (!saturates && columns == 1) {
    stream_column(a, weights, top, top_pitch, results);
    return;
  }
  if (!saturates) {
    stream_wrapping(a, weights, columns, top, top_pitch, results);
    return;
  }
  for (int n = 0; n < a.count; ++n) {
    std::int32_t* line = results + n * columns;
    std::copy_n(top + n * top_pitch, columns, line);
    for (int r = 0; r < a.lanes; ++r) {
      const std::int64_t x = a.data[n * a.lanes + r];
      for (int c = 0; c < columns; ++c) {
        line[c] = saturated(line[c] + x * weights[r * columns + c]);
      }
    }
  }
}

void accumulate_outer(ActivationBlock a, const std::int32_t* b, int b_pitch,
                      std::int32_t* accumulators, int columns, bool saturates) {
  if (!saturates && columns == 1) {
    outer_column(a, b, b_pitch, accumulators);
    return;
  }
  if (!saturates) {
    outer_wrapping(a, b, b_pitch, accumulators, columns);
    return;
  }
  for (int n = 0; n < a.count; ++n) {
    for (int r = 0; r < a.lanes; ++r) {
      const std::int64_t x = a.data[n * a.lanes + r];
      for (int c = 0; c < columns; ++c) {
        accumulators[r * columns + c] =
            saturated(accumulators[r * columns + c] + x * b[n * b_pitch + c]);
      }
    }
  }
}

}  // namespace tilestrike::sim
