// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers that treat each element by itself, and layers that move elements, from lists of changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/differential/list_kernel.h"
#include "dnn/integer/fixed_point.h"
#include "dnn/integer/kernels.h"

namespace tilestrike::dnn {

/// What becomes of an int8 element, at 128 + element, as Change::now has it.
using ElementTable = std::vector<std::int32_t>;

/// A sum of two int8 values of one shape; nullptr of others.
std::unique_ptr<ListKernel> make_addition_lists(const ScaledAddition& ratios, Clamp clamp,
                                                const Layer& layer, const Tape& golden);

/// A function of one int8 element, looked up in what `layer` itself makes of all 256. nullptr: it
/// is none, or depends on where an element stands.
std::unique_ptr<ListKernel> make_table_lists(const Layer& layer, const Network& network,
                                             const Tape& golden);

/// int8 values put together along a dimension; `table`: what becomes of an operand's elements;
/// empty: they stay.
std::unique_ptr<ListKernel> make_concatenation_lists(std::int64_t dimension,
                                                     std::vector<ElementTable> tables,
                                                     const Layer& layer, const Tape& golden);

/// An operator that moves the elements of one value: found by running it on element numbers.
/// nullptr: it is none.
std::unique_ptr<ListKernel> make_move_lists(const Layer& layer, const Network& network,
                                            const Tape& golden);
/// The same where the layer moves numbers of `type` on the way; `table`: what becomes of an element
/// there, empty: it stays.
using MoveElements = std::function<std::vector<at::Tensor>(const at::Tensor& numbers)>;
std::unique_ptr<ListKernel> make_move_lists(const Layer& layer, const Network& network,
                                            const Tape& golden, c10::ScalarType type,
                                            const MoveElements& move, ElementTable table);

}  // namespace tilestrike::dnn
