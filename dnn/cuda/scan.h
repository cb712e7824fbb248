// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The scan of integer neurons on a GPU: device pointers and a stream (a cudaStream_t as void*), no
// Torch header, C++17.
#pragma once

#include "dnn/spiking/scan_element.h"

namespace tilestrike::dnn::cuda {

/// scan_place() of all places. Returns nullptr, or why the launch failed.
const char* scan(NeuronWords words, NeuronFormat format, ScanArrays arrays, void* stream);

}  // namespace tilestrike::dnn::cuda
