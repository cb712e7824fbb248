// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a TorchScript file says of itself before anything of it is run.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

namespace tilestrike::dnn {

/// The arguments of forward() that `given` files are for: those without a default, and as many
/// others as there are files. Throws Failure where one without a default is no tensor.
std::vector<std::string> argument_names(const torch::jit::Module& module, std::size_t given,
                                        const std::string& path);

/// Throws Failure for weights that FX or eager quantisation has packed for the kernels of one
/// processor: they are objects of a class, not tensors.
void refuse_packed_weights(const torch::jit::Module& module, const std::string& path);

}  // namespace tilestrike::dnn
