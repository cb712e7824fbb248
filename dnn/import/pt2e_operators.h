// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The operators `quantized_decomposed` of PT2E networks, which LibTorch has in Python only.
#pragma once

namespace tilestrike::dnn {

/// Makes them known to LibTorch's dispatcher, once; those that it knows already stay as they are.
void define_pt2e_operators();

}  // namespace tilestrike::dnn
