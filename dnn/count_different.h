// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tilestrike::dnn {

/// Elements that differ bit for bit between two tensors of one shape and type; shape or type that
/// differ count as all elements.
std::int64_t count_different(const at::Tensor& a, const at::Tensor& b);

}  // namespace tilestrike::dnn
