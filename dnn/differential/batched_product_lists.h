// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Products of many matrices with a fixed order of summation from lists of changes: a row of which
// an operand differs is summed anew.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"
#include "dnn/fixed_order/fixed_product.h"

namespace tilestrike::dnn {

/// nullptr: operands that broadcast, or of sizes that have no lists.
std::unique_ptr<ListKernel> make_batched_product_lists(const FixedProduct& kernel,
                                                       const Layer& layer, const Tape& golden);

}  // namespace tilestrike::dnn
