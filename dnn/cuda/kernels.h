// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The CUDA side of dnn/integer/kernels.h: raw device pointers and a stream (a cudaStream_t as
// void*), no Torch header, C++17. Each returns nullptr, or why the launch failed.
#pragma once

#include <cstdint>

#include "dnn/integer/fixed_point.h"

namespace tilestrike::dnn::cuda {

const char* requantise(const std::int32_t* sums, std::int8_t* out, std::int64_t count,
                       std::int64_t channels, std::int64_t inner, const std::int32_t* multiplier,
                       const std::int32_t* shift, std::int32_t zero, std::int32_t low,
                       std::int32_t high, void* stream);

const char* requantise(const std::int32_t* values, std::int8_t* out, std::int64_t count,
                       FixedPoint ratio, std::int32_t low, std::int32_t high, void* stream);

const char* requantise(const std::int8_t* values, std::int8_t* out, std::int64_t count,
                       FixedPoint ratio, std::int32_t low, std::int32_t high, void* stream);

const char* add(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::int64_t count,
                ScaledAddition ratios, std::int32_t low, std::int32_t high, void* stream);

const char* quantise(const float* values, std::int8_t* out, std::int64_t count, float inverse,
                     std::int32_t zero, void* stream);

/// Word faults on elements of `bytes` (1, 2, 4 or 8): saved[i] = words[at[i]], then
/// words[at[i]] = (words[at[i]] & keep[i]) ^ flip[i]; with `is_undo` words[at[i]] = saved[i]. No
/// two at[i] are equal. All on the device.
const char* word_faults(void* words, std::int64_t bytes, const std::int64_t* at,
                        const std::int64_t* keep, const std::int64_t* flip, void* saved,
                        std::int64_t count, bool is_undo, void* stream);

}  // namespace tilestrike::dnn::cuda
