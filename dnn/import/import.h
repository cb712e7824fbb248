// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Import of torch.export archives (.pt2).
#pragma once

#include <string>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// Reads the archive and makes its network on `device`. In-place operators are made functional,
/// also through views; identities (dropout in evaluation, alias, clone, contiguous) are dropped,
/// what depends on constants alone is computed (Network::constant_layers keeps what weights feed),
/// defaulted arguments come from the operators' schemas, and what says the same in several ways is
/// brought to one form: convolution and addmm, as run_decompositions() leaves them, become conv2d
/// and linear. All of it keeps every bit of the answer. Operators of no table are LibTorch's own
/// kernels. An answer of another floating-point type is converted to float32; a batch size that is
/// built in is fixed (dnn/fixed_batch.h). Throws Failure, each with place and cure: a file that is
/// not there, not a zip, truncated, with weights that are no plain tensors, of another schema
/// version; an operator that the answer needs and that is not
/// functional and deterministic (with its layer and source line); a graph that does not hang
/// together.
/// `output` is the one to take where the model has several: a path of keys and places in what it
/// returns ("logits", "0.boxes", "out['aux'][1]").
Network import_pt2(const std::string& path, c10::Device device = c10::kCPU,
                   const std::string& output = {});

/// One operator of the table in operators.cpp; the last one stands for all others.
struct OperatorInfo {
  std::string target;  // "aten.conv2d.default"
  std::string help;
  std::string quantised;  // how `quantise` treats it: "int8", "fused", "float"
};
const std::vector<OperatorInfo>& known_operators();

}  // namespace tilestrike::dnn
