// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh_kernels.h"

#include <algorithm>

#include "sim/arithmetic.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TS_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TS_MULTIVERSION
#endif

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

TS_MULTIVERSION void outer_wrapping(ActivationBlock a, const std::int32_t* b, int b_pitch,
                                    std::int32_t* accumulators, int columns) {
  const int blocked = columns - columns % kColumnBlock;
  for (int r = 0; r < a.lanes; ++r) {
    std::int32_t* line = accumulators + r * columns;
    for (int c0 = 0; c0 < blocked; c0 += kColumnBlock) {
      std::uint32_t even[kColumnBlock] = {};
      std::uint32_t odd[kColumnBlock] = {};
      int n = 0;
      for (; n + 2 <= a.count; n += 2) {
        const auto x = static_cast<std::uint32_t>(a.data[n * a.lanes + r]);
        const auto y = static_cast<std::uint32_t>(a.data[(n + 1) * a.lanes + r]);
        const std::int32_t* bx = b + n * b_pitch + c0;
        const std::int32_t* by = bx + b_pitch;
        for (int c = 0; c < kColumnBlock; ++c) {
          even[c] += x * static_cast<std::uint32_t>(bx[c]);
          odd[c] += y * static_cast<std::uint32_t>(by[c]);
        }
      }
      for (; n < a.count; ++n) {
        const auto x = static_cast<std::uint32_t>(a.data[n * a.lanes + r]);
        for (int c = 0; c < kColumnBlock; ++c) {
          even[c] += x * static_cast<std::uint32_t>(b[n * b_pitch + c0 + c]);
        }
      }
      for (int c = 0; c < kColumnBlock; ++c) {
        line[c0 + c] =
            static_cast<std::int32_t>(static_cast<std::uint32_t>(line[c0 + c]) + even[c] + odd[c]);
      }
    }
    for (int c = blocked; c < columns; ++c) {
      auto sum = static_cast<std::uint32_t>(line[c]);
      for (int n = 0; n < a.count; ++n) {
        sum += static_cast<std::uint32_t>(a.data[n * a.lanes + r]) *
               static_cast<std::uint32_t>(b[n * b_pitch + c]);
      }
      line[c] = static_cast<std::int32_t>(sum);
    }
  }
}

}  // namespace

void stream_rows(ActivationBlock a, const std::int32_t* weights, int columns,
                 const std::int32_t* top, int top_pitch, std::int32_t* results, bool saturates) {
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
