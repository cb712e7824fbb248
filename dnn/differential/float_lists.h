// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Float layers from lists of changes, as LibTorch computes them: those that treat each element by
// itself and round once, the largest of a window, concatenation, and rows.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {

/// nullptr: the layer has no such form, or its operator, tried on made-up numbers, gives other bits
/// to elements among many than alone.
std::unique_ptr<ListKernel> make_float_lists(const Layer& layer, const Network& network,
                                             const Tape& golden);

}  // namespace tilestrike::dnn
