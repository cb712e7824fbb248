// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Products of two computed int8 operands from lists of changes; both may change.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"
#include "dnn/integer/fixed_point.h"

namespace tilestrike::dnn {

/// Of left (.., M, K) and right (.., K, N), or (.., N, K) where it is transposed; `scale` > 0: of a
/// float32 output, else it is requantised by `ratio`. nullptr: it has no list form.
std::unique_ptr<ListKernel> make_product_lists(bool is_right_transposed, FixedPoint ratio,
                                               float scale, const Layer& layer, const Tape& golden);

}  // namespace tilestrike::dnn
