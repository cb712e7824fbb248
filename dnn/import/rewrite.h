// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Operators that say the same in several ways are brought to one form, bit for bit the same.
#pragma once

#include <map>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// Folded constants that are the transpose of another constant, and that other one.
using Transposes = std::map<ValueId, ValueId>;

/// view(x, [batch, 64]) -> view(x, [-1, 64]): LibTorch finds the one size that depends on the
/// batch.
void infer_computed_size(Layer& layer, const Network& network);

/// addmm(bias, x, weight) -> linear(x, weight transposed, bias), where weight and bias are
/// constants; mm and matmul of two matrices likewise. Where the transposed weight is not there yet,
/// a layer for it is returned, which is to come first; it shows the weight's own memory.
std::vector<Layer> as_linear(Layer& layer, Network& network, const Transposes& transposes);

/// conv2d with padding 'same' or 'valid' -> conv2d with numbers. Where 'same' is uneven, one more
/// row or column of zeros is appended first: then a layer for that is returned, and `layer` reads
/// from it.
std::vector<Layer> with_numeric_padding(Layer& layer, Network& network);

/// new_zeros(x, size) -> zeros(size): of x it takes the element type alone.
void as_plain_constant(Layer& layer, const Network& network);

/// Whether `result` shows the matrix `constant` transposed, in the same memory.
bool is_transpose(const at::Tensor& result, const at::Tensor& constant);

}  // namespace tilestrike::dnn
