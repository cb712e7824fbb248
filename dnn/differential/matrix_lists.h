// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Convolutions and linear layers from lists of changes.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"
#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {

/// Of a layer with weights of its own, for inputs and outputs of these sizes. nullptr: it has no
/// list form.
std::unique_ptr<ListKernel> make_matrix_lists(const MatrixKernel& kernel, const Layer& layer,
                                              const Tape& golden);

}  // namespace tilestrike::dnn
