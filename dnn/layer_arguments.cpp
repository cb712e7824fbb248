// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/layer_arguments.h"

#include <algorithm>

namespace tilestrike::dnn {

const Argument* LayerArguments::find(std::string_view name) const {
  const auto found = std::ranges::find(layer_.arguments, name, &Argument::name);
  return found == layer_.arguments.end() ? nullptr : &*found;
}

c10::IValue LayerArguments::constant(std::string_view name) const {
  const Argument* argument = find(name);
  if (argument == nullptr) {
    return {};
  }
  switch (argument->kind) {
    case Argument::Kind::kConstant:
      return argument->constant;
    case Argument::Kind::kValue:
      return constants_[argument->values.front().value];
    case Argument::Kind::kValueList:
    case Argument::Kind::kOptionalValueList:
      return {};
    case Argument::Kind::kIntegerList:
      return std::ranges::any_of(argument->values, [](ValueId id) { return id.value >= 0; })
                 ? c10::IValue()
                 : argument->constant;
  }
  return {};
}

std::vector<ValueId> LayerArguments::values(std::string_view name) const {
  const Argument* argument = find(name);
  if (argument == nullptr || argument->kind == Argument::Kind::kConstant ||
      argument->kind == Argument::Kind::kIntegerList) {
    return {};
  }
  return argument->values;
}

at::Tensor LayerArguments::tensor(std::string_view name) const {
  const c10::IValue value = constant(name);
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

std::optional<std::vector<std::int64_t>> LayerArguments::integers(std::string_view name) const {
  const c10::IValue value = constant(name);
  if (value.isInt()) {
    return std::vector<std::int64_t>{value.toInt()};
  }
  if (value.isIntList()) {
    return value.toIntVector();
  }
  return std::nullopt;
}

std::optional<std::array<std::int64_t, 2>> LayerArguments::pair(std::string_view name) const {
  const auto numbers = integers(name);
  if (!numbers || numbers->empty() || numbers->size() > 2) {
    return std::nullopt;
  }
  return std::array<std::int64_t, 2>{numbers->front(), numbers->back()};
}

std::optional<double> LayerArguments::real(std::string_view name) const {
  const c10::IValue value = constant(name);
  if (value.isInt()) {
    return static_cast<double>(value.toInt());
  }
  if (value.isDouble()) {
    return value.toDouble();
  }
  return std::nullopt;
}

bool LayerArguments::boolean(std::string_view name) const {
  const c10::IValue value = constant(name);
  return value.isBool() && value.toBool();
}

std::string_view LayerArguments::text(std::string_view name) const {
  const Argument* argument = find(name);
  return argument != nullptr && argument->constant.isString() ? argument->constant.toStringView()
                                                              : std::string_view();
}

bool LayerArguments::is_none(std::string_view name) const {
  const Argument* argument = find(name);
  return argument == nullptr ||
         (argument->kind == Argument::Kind::kConstant && argument->constant.isNone());
}

}  // namespace tilestrike::dnn
