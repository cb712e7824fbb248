// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers with a fixed order of summation from lists of changes: an output that a changed input or
// a struck weight touches is summed anew, in full.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"
#include "dnn/fixed_order/fixed_product.h"

namespace tilestrike::dnn {

/// Of a convolution or a product with one matrix. nullptr: the values have no lists.
std::unique_ptr<ListKernel> make_fixed_order_lists(const FixedProduct& kernel, const Layer& layer,
                                                   const Tape& golden);

}  // namespace tilestrike::dnn
