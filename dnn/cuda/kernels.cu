// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/cuda/kernels.h"

#include <cuda_runtime.h>

#include "dnn/integer/fixed_point.h"

namespace tilestrike::dnn::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr std::int64_t kMostBlocks = 1 << 16;

// Each thread takes every (blocks * threads)-th element, so that any count fits the grid.
__device__ std::int64_t first_element() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::int64_t element_step() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

unsigned blocks_for(std::int64_t count) {
  const std::int64_t blocks = (count + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

__global__ void requantise_channels(const std::int32_t* sums, std::int8_t* out, std::int64_t count,
                                    std::int64_t channels, std::int64_t inner,
                                    const std::int32_t* multiplier, const std::int32_t* shift,
                                    std::int32_t zero, std::int32_t low, std::int32_t high) {
  for (std::int64_t i = first_element(); i < count; i += element_step()) {
    const std::int64_t channel = i / inner % channels;
    const FixedPoint ratio{multiplier[channel], shift[channel], zero};
    out[i] = clamped(ratio.scaled(sums[i]), low, high);
  }
}

template <class Number>
__global__ void requantise_uniformly(const Number* values, std::int8_t* out, std::int64_t count,
                                     FixedPoint ratio, std::int32_t low, std::int32_t high) {
  for (std::int64_t i = first_element(); i < count; i += element_step()) {
    out[i] = clamped(ratio.scaled(values[i]), low, high);
  }
}

template <class Number>
const char* launch_uniform(const Number* values, std::int8_t* out, std::int64_t count,
                           FixedPoint ratio, std::int32_t low, std::int32_t high, void* stream) {
  if (count == 0) {
    return nullptr;
  }
  requantise_uniformly<<<blocks_for(count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      values, out, count, ratio, low, high);
  return launch_error();
}

__global__ void add_scaled(const std::int8_t* a, const std::int8_t* b, std::int8_t* out,
                           std::int64_t count, ScaledAddition ratios, std::int32_t low,
                           std::int32_t high) {
  for (std::int64_t i = first_element(); i < count; i += element_step()) {
    out[i] = clamped(ratios.scaled(a[i], b[i]), low, high);
  }
}

__global__ void quantise_floats(const float* values, std::int8_t* out, std::int64_t count,
                                float inverse, std::int32_t zero) {
  const auto low = static_cast<float>(-128 - zero), high = static_cast<float>(127 - zero);
  for (std::int64_t i = first_element(); i < count; i += element_step()) {
    // fmaxf gives the number where the other operand is NaN.
    const float bounded = fminf(fmaxf(rintf(values[i] * inverse), low), high);
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(bounded) + zero);
  }
}

template <class Word>
__global__ void strike_words(Word* words, const std::int64_t* at, const std::int64_t* keep,
                             const std::int64_t* flip, Word* saved, std::int64_t count,
                             bool is_undo) {
  for (std::int64_t i = first_element(); i < count; i += element_step()) {
    Word& word = words[at[i]];
    if (is_undo) {
      word = saved[i];
    } else {
      saved[i] = word;
      word = static_cast<Word>((word & static_cast<Word>(keep[i])) ^ static_cast<Word>(flip[i]));
    }
  }
}

template <class Word>
const char* launch_words(void* words, const std::int64_t* at, const std::int64_t* keep,
                         const std::int64_t* flip, void* saved, std::int64_t count, bool is_undo,
                         void* stream) {
  strike_words<<<blocks_for(count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      static_cast<Word*>(words), at, keep, flip, static_cast<Word*>(saved), count, is_undo);
  return launch_error();
}

}  // namespace

const char* requantise(const std::int32_t* sums, std::int8_t* out, std::int64_t count,
                       std::int64_t channels, std::int64_t inner, const std::int32_t* multiplier,
                       const std::int32_t* shift, std::int32_t zero, std::int32_t low,
                       std::int32_t high, void* stream) {
  if (count == 0) {
    return nullptr;
  }
  requantise_channels<<<blocks_for(count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      sums, out, count, channels, inner, multiplier, shift, zero, low, high);
  return launch_error();
}

const char* requantise(const std::int32_t* values, std::int8_t* out, std::int64_t count,
                       FixedPoint ratio, std::int32_t low, std::int32_t high, void* stream) {
  return launch_uniform(values, out, count, ratio, low, high, stream);
}

const char* requantise(const std::int8_t* values, std::int8_t* out, std::int64_t count,
                       FixedPoint ratio, std::int32_t low, std::int32_t high, void* stream) {
  return launch_uniform(values, out, count, ratio, low, high, stream);
}

const char* add(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::int64_t count,
                ScaledAddition ratios, std::int32_t low, std::int32_t high, void* stream) {
  if (count == 0) {
    return nullptr;
  }
  add_scaled<<<blocks_for(count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      a, b, out, count, ratios, low, high);
  return launch_error();
}

const char* quantise(const float* values, std::int8_t* out, std::int64_t count, float inverse,
                     std::int32_t zero, void* stream) {
  if (count == 0) {
    return nullptr;
  }
  quantise_floats<<<blocks_for(count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      values, out, count, inverse, zero);
  return launch_error();
}

const char* word_faults(void* words, std::int64_t bytes, const std::int64_t* at,
                        const std::int64_t* keep, const std::int64_t* flip, void* saved,
                        std::int64_t count, bool is_undo, void* stream) {
  if (count == 0) {
    return nullptr;
  }
  switch (bytes) {
    case 1:
      return launch_words<std::uint8_t>(words, at, keep, flip, saved, count, is_undo, stream);
    case 2:
      return launch_words<std::uint16_t>(words, at, keep, flip, saved, count, is_undo, stream);
    case 4:
      return launch_words<std::uint32_t>(words, at, keep, flip, saved, count, is_undo, stream);
    case 8:
      return launch_words<std::uint64_t>(words, at, keep, flip, saved, count, is_undo, stream);
    default:
      return "an element has 1, 2, 4 or 8 bytes";
  }
}

}  // namespace tilestrike::dnn::cuda
