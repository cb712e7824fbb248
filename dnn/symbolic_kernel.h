// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Arithmetic on symbolic sizes: what a model computes from the batch size.
#pragma once

#include <memory>
#include <string>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// "_operator.mul", "torch.sym_max" and so on, on integers and floating-point numbers, as Python
/// defines them. Empty when there is no such arithmetic.
std::shared_ptr<const Kernel> make_symbolic_kernel(const std::string& target);

/// How many numbers it takes.
std::size_t symbolic_operands(const std::string& target);

}  // namespace tilestrike::dnn
