// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Fused attention in its parts, for an accelerator computes its two products and not the whole.
#pragma once

#include "dnn/network.h"

namespace tilestrike::dnn {

/// The network with each scaled_dot_product_attention X as layers X.transpose, X.matmul_qk,
/// X.scale, X.mask (with a float mask), X.softmax and X.matmul_v. Attention with a mask of
/// booleans, a causal one, dropout or grouped queries stays as it is.
Network split_attention(const Network& network);

}  // namespace tilestrike::dnn
