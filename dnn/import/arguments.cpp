// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/arguments.h"

#include <ATen/core/jit_type.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <array>
#include <limits>

#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

using Form = Pt2Argument::Form;

bool is_in_range(std::int64_t number) {
  return number >= -kLargestInteger && number <= kLargestInteger;
}

bool is_in_range(const c10::IValue& value) {
  if (value.isIntList()) {
    return std::ranges::all_of(value.toIntVector(),
                               [](std::int64_t one) { return is_in_range(one); });
  }
  return !value.isInt() || is_in_range(value.toInt());
}

/// A number where the operator wants a tensor: 0-dimensional, and like a Python number it does not
/// raise the type of the result.
at::Tensor wrapped_number(const c10::IValue& number, c10::Device device) {
  const c10::ScalarType type = number.isComplexDouble() ? c10::kComplexDouble
                               : number.isDouble()      ? c10::kDouble
                               : number.isBool()        ? c10::kBool
                                                        : c10::kLong;
  at::Tensor tensor = at::scalar_tensor(number.toScalar(), at::TensorOptions(type).device(device));
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

class Fitting {
 public:
  Fitting(const Pt2Argument& given, const c10::Argument& formal, const ReadName& read,
          c10::Device device)
      : given_(given), formal_(formal), read_(read), device_(device) {}

  std::optional<Argument> fit(const c10::Type& type) {
    switch (type.kind()) {
      case c10::TypeKind::OptionalType:
        return is_none() ? constant(c10::IValue()) : fit(*type.containedType(0));
      case c10::TypeKind::TensorType:
        return fit_tensor();
      case c10::TypeKind::ListType:
        return fit_list(*type.containedType(0));
      case c10::TypeKind::IntType:
        return given_.form == Form::kSymbol ? fit_symbol() : constant_if(value().isInt());
      case c10::TypeKind::FloatType:
        return given_.form == Form::kSymbol ? fit_symbol()
               : value().isInt()            ? constant(static_cast<double>(value().toInt()))
                                            : constant_if(value().isDouble());
      case c10::TypeKind::NumberType:
        return given_.form == Form::kSymbol ? fit_symbol() : constant_if(is_number());
      case c10::TypeKind::BoolType:
        return given_.form == Form::kSymbol ? fit_symbol() : constant_if(value().isBool());
      case c10::TypeKind::DeviceObjType:  // all of a network is on one device
        return given_.form == Form::kDevice ? constant(device_) : std::nullopt;
      case c10::TypeKind::StringType:
        return constant_if(value().isString());
      default:
        return std::nullopt;
    }
  }

 private:
  const c10::IValue& value() const {
    static const c10::IValue none;
    return given_.form == Form::kConstant ? given_.constant : none;
  }
  bool is_none() const { return given_.form == Form::kConstant && given_.constant.isNone(); }
  bool is_number() const { return value().isScalar(); }

  Argument made(Argument::Kind kind) const {
    Argument argument;
    argument.name = formal_.name();
    argument.kind = kind;
    return argument;
  }
  std::optional<Argument> constant(c10::IValue value) const {
    Argument argument = made(Argument::Kind::kConstant);
    argument.constant = std::move(value);
    return argument;
  }
  std::optional<Argument> constant_if(bool fits) const {
    return fits ? constant(value()) : std::nullopt;
  }

  std::optional<Argument> fit_symbol() const {
    if (given_.items.front().name.empty()) {
      return constant(given_.items.front().number);
    }
    Argument argument = made(Argument::Kind::kValue);
    argument.values = {read_(given_.items.front().name, false)};
    return argument;
  }

  std::optional<Argument> fit_tensor() const {
    if (given_.form == Form::kTensor) {
      Argument argument = made(Argument::Kind::kValue);
      argument.values = {read_(given_.items.front().name, true)};
      return argument;
    }
    if (given_.form == Form::kSymbol) {
      return given_.items.front().name.empty()
                 ? constant(wrapped_number(given_.items.front().number, device_))
                 : fit_symbol();
    }
    return is_number() ? constant(wrapped_number(value(), device_)) : std::nullopt;
  }

  std::optional<Argument> fit_tensors(bool may_miss) const {
    Argument argument =
        made(may_miss ? Argument::Kind::kOptionalValueList : Argument::Kind::kValueList);
    for (const Pt2Item& item : given_.items) {
      if (item.name.empty() && !may_miss) {
        return std::nullopt;
      }
      argument.values.push_back(item.name.empty() ? ValueId(-1) : read_(item.name, true));
    }
    return argument;
  }

  std::optional<Argument> fit_list(const c10::Type& type) const {
    const c10::TypeKind element = type.kind();
    if (element == c10::TypeKind::TensorType && given_.form == Form::kTensors) {
      return fit_tensors(false);
    }
    if (element == c10::TypeKind::OptionalType && given_.form == Form::kTensors &&
        type.containedType(0)->kind() == c10::TypeKind::TensorType) {
      return fit_tensors(true);
    }
    if (element == c10::TypeKind::IntType && given_.form == Form::kSymbols) {
      return fit_symbols();
    }
    if (element == c10::TypeKind::IntType && value().isInt() && formal_.N()) {
      return constant(c10::IValue(
          std::vector<std::int64_t>(static_cast<std::size_t>(*formal_.N()), value().toInt())));
    }
    if (element == c10::TypeKind::FloatType && value().isIntList()) {
      const std::vector<std::int64_t> numbers = value().toIntVector();
      return constant(c10::IValue(std::vector<double>(numbers.begin(), numbers.end())));
    }
    return constant_if((element == c10::TypeKind::IntType && value().isIntList()) ||
                       (element == c10::TypeKind::FloatType && value().isDoubleList()) ||
                       (element == c10::TypeKind::BoolType && value().isBoolList()) ||
                       (element == c10::TypeKind::StringType && value().isList() &&
                        value().toListRef().size() > 0 && value().toListRef()[0].isString()));
  }

  std::optional<Argument> fit_symbols() const {
    Argument argument = made(Argument::Kind::kIntegerList);
    std::vector<std::int64_t> known;
    for (const Pt2Item& item : given_.items) {
      known.push_back(item.number);
      argument.values.push_back(item.name.empty() ? ValueId(-1) : read_(item.name, false));
    }
    argument.constant = c10::IValue(std::move(known));
    if (std::ranges::all_of(argument.values, [](ValueId id) { return id.value < 0; })) {
      argument.kind = Argument::Kind::kConstant;
      argument.values.clear();
    }
    return argument;
  }

  const Pt2Argument& given_;
  const c10::Argument& formal_;
  const ReadName& read_;
  c10::Device device_;
};

}  // namespace

std::optional<Argument> fit_argument(const Pt2Argument& argument, const c10::Argument& formal,
                                     const ReadName& read, c10::Device device) {
  // The end of a slice may be that of all numbers: to the end. What is no size is any number.
  const bool is_open_end = formal.name() == "end" && argument.constant.isInt() &&
                           argument.constant.toInt() == std::numeric_limits<std::int64_t>::max();
  constexpr std::array counts{"start", "end", "step", "steps"};
  const c10::TypeKind kind = formal.type()->kind() == c10::TypeKind::OptionalType
                                 ? formal.type()->containedType(0)->kind()
                                 : formal.type()->kind();
  const bool is_no_size =
      (kind == c10::TypeKind::NumberType || kind == c10::TypeKind::TensorType) &&
      std::ranges::find(counts, formal.name()) == counts.end();
  const bool are_in_range = (is_open_end || is_no_size || is_in_range(argument.constant)) &&
                            std::ranges::all_of(argument.items, [](const Pt2Item& item) {
                              return is_in_range(item.number);
                            });
  if (!are_in_range) {
    return std::nullopt;
  }
  return Fitting(argument, formal, read, device).fit(*formal.type());
}

std::optional<Argument> default_argument(const c10::Argument& formal, c10::Device device) {
  Argument argument;
  argument.name = formal.name();
  if (formal.name() == "device") {
    argument.constant = device;
    return argument;
  }
  if (formal.default_value()) {
    argument.constant = *formal.default_value();
  } else if (formal.type()->kind() == c10::TypeKind::BoolType) {
    argument.constant = false;
  } else if (formal.type()->kind() != c10::TypeKind::OptionalType) {
    return std::nullopt;
  }
  return argument;
}

bool is_neutral(const Pt2Argument& argument) {
  if (argument.form != Form::kConstant) {
    return false;
  }
  const c10::IValue& value = argument.constant;
  return value.isNone() || (value.isBool() && !value.toBool()) ||
         (value.isIntList() &&
          std::ranges::all_of(value.toIntVector(), [](std::int64_t one) { return one == 0; }));
}

std::vector<ValueId> values_of(const std::vector<Argument>& arguments) {
  std::vector<ValueId> values;
  for (const Argument& argument : arguments) {
    for (const ValueId id : argument.values) {
      if (id.value >= 0 && std::ranges::find(values, id) == values.end()) {
        values.push_back(id);
      }
    }
  }
  return values;
}

}  // namespace tilestrike::dnn
