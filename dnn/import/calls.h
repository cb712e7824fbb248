// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Layers that the importer makes by itself.
#pragma once

#include "dnn/network.h"

namespace tilestrike::dnn {

Argument value_argument(std::string name, ValueId id);
Argument constant_argument(std::string name, c10::IValue constant);

/// A layer that calls the operator `target` with the given arguments, in any order; the others have
/// their defaults. Without outputs.
Layer make_call(const std::string& target, std::vector<Argument> given, std::string source);

/// Another operator for the layer, whose arguments are already those of that one.
void set_operator(Layer& layer, const std::string& target);

}  // namespace tilestrike::dnn
