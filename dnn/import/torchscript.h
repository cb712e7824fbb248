// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Import of TorchScript files (torch.jit.trace, torch.jit.script).
#pragma once

#include <string>
#include <vector>

#include "dnn/input_data.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Whether the file is one of TorchScript; reads its directory only.
bool is_torchscript(const std::string& path);

/// The same network as that of the exported model. The file says nothing of shapes and types, so
/// the model is run on made-up images of the shapes of `given` at two batch sizes, and the
/// operators that it calls are the network; what depends on the batch is found by comparing the
/// two. Inputs of integers, such as numbers of tokens, are rows of `given`. Three more runs compare
/// the network's answers with the model's. Throws Failure as import_pt2 does, for names in `given`
/// that are no arguments of the model's, and for a model that these runs find to choose its
/// operators by what the images hold. `output` as for import_pt2.
Network import_torchscript(const std::string& path, const std::vector<NamedInput>& given,
                           c10::Device device = c10::kCPU, const std::string& output = {});

}  // namespace tilestrike::dnn
