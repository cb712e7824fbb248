// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/cuda/scan.h"

#include <cuda_runtime.h>

namespace tilestrike::dnn::cuda {
namespace {

constexpr unsigned kThreads = 128;
constexpr std::int64_t kMostBlocks = 1 << 16;

/// A thread follows a neuron of an image through its ticks; neighbours read and write neighbours.
__global__ void scan_places(NeuronWords words, NeuronFormat format, ScanArrays arrays) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
       place < arrays.places; place += step) {
    scan_place(words, format, arrays, place);
  }
}

}  // namespace

const char* scan(NeuronWords words, NeuronFormat format, ScanArrays arrays, void* stream) {
  if (arrays.places == 0) {
    return nullptr;
  }
  const std::int64_t wanted = (arrays.places + kThreads - 1) / kThreads;
  const auto blocks = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  scan_places<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(words, format, arrays);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace tilestrike::dnn::cuda
