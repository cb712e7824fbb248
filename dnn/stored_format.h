// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Brings a network's numbers into the format in which a scenario wants them stored
// (docs/number_formats.md).
#pragma once

#include <memory>

#include "dnn/tensor_stores.h"

namespace tilestrike::dnn {

/// Whether a format stores tensors of this role, or leaves them as they are.
bool is_stored_in(const NumberFormat& format, TensorRole role);

/// Gives a constant of real numbers words of the format, scales where it has them, and the values
/// that the words stand for, in its own type: `backing.words` are its numbers before, flat as in
/// `whole`.
void store_in(const NumberFormat& format, const at::Tensor& whole, TensorRole role,
              c10::Device device, StoreBacking& backing);

/// A kernel that rounds to the format what the inner one computes.
std::shared_ptr<const Kernel> storing_kernel(std::shared_ptr<const Kernel> inner,
                                             const NumberFormat& format);

}  // namespace tilestrike::dnn
