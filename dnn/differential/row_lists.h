// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers that compute each row (along the last dimension) by itself, as softmax and layer norm do,
// from lists of changes: touched rows alone go through the layer.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {

/// Of a layer with one input beside constants, whose output has the input's sizes. nullptr: it has
/// no list form.
std::unique_ptr<ListKernel> make_row_lists(const Layer& layer, const Network& network,
                                           const Tape& golden);

}  // namespace tilestrike::dnn
