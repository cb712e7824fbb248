// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/calls.h"

#include <algorithm>

#include "base/error.h"
#include "dnn/import/arguments.h"
#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {

Argument value_argument(std::string name, ValueId id) {
  Argument argument;
  argument.name = std::move(name);
  argument.kind = Argument::Kind::kValue;
  argument.values = {id};
  return argument;
}

Argument constant_argument(std::string name, c10::IValue constant) {
  Argument argument;
  argument.name = std::move(name);
  argument.constant = std::move(constant);
  return argument;
}

void set_operator(Layer& layer, const std::string& target) {
  layer.target = target;
  layer.inputs = values_of(layer.arguments);
  layer.kernel = make_operator_kernel(layer);
}

Layer make_call(const std::string& target, std::vector<Argument> given, std::string source) {
  const auto handle = dispatched_operator(target);
  TS_CHECK(handle.has_value(), "LibTorch has the operator " + target);
  Layer layer;
  layer.source = std::move(source);
  std::size_t used = 0;
  for (const c10::Argument& formal : handle->schema().arguments()) {
    const auto found = std::ranges::find(given, formal.name(), &Argument::name);
    if (found != given.end()) {
      layer.arguments.push_back(*found);
      ++used;
      continue;
    }
    auto argument = default_argument(formal, c10::kCPU);
    TS_CHECK(argument.has_value(), "an argument is given or has a default: " + formal.name());
    layer.arguments.push_back(std::move(*argument));
  }
  TS_CHECK(used == given.size(), "the operator has all of the arguments: " + target);
  set_operator(layer, target);
  return layer;
}

}  // namespace tilestrike::dnn
