// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Kernels of layers that LibTorch computes.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <memory>
#include <optional>
#include <string>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// Sizes, dimensions and strides of operators are not beyond; LibTorch does not survive all that
/// are.
constexpr std::int64_t kLargestInteger = (std::int64_t{1} << 31) - 1;

/// The operator of a target "aten.conv2d.default", with its schema; empty when this LibTorch has
/// none.
std::optional<c10::OperatorHandle> dispatched_operator(const std::string& target);

/// Calls the layer's operator, which there must be, with the layer's arguments, which are those of
/// its schema in order.
std::shared_ptr<const Kernel> make_operator_kernel(const Layer& layer);

/// Whether the operator gives one list of tensors; they are the layer's outputs then.
bool returns_list(const c10::FunctionSchema& schema);

}  // namespace tilestrike::dnn
