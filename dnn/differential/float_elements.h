// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Operators that treat each element by itself: the elements that differ are put together, and go
// through the operator.
#pragma once

#include <memory>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {

std::unique_ptr<ListKernel> make_float_element_lists(const Layer& layer, const Tape& golden);

/// Numbers as faults of exponents make them, beside plain ones; the same for the same seed.
at::Tensor made_up_numbers(std::int64_t count, std::uint64_t seed, bool with_nan);

/// Whether any of the changes is no number: with two of them, which one an operator gives depends
/// on where its code has them.
bool has_nan(const Changes* changes);

/// What the layer makes of other tensors in the place of some of its inputs: its first output.
at::Tensor output_for(const Layer& layer, const Tape& golden, std::span<const ValueId> inputs,
                      std::span<const at::Tensor> tensors);

}  // namespace tilestrike::dnn
