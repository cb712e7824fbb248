// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/direct_calls.h"

#include <ATen/ops/add.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

namespace tilestrike::dnn {
namespace {

/// Where a tensor stands among a layer's inputs: they lie together, the arguments do not.
struct Input {
  std::size_t position = 0;
  const at::Tensor& operator()(const Layer& layer, const Values& values) const {
    return values[layer.inputs[position].value].toTensor();
  }
};

struct OptionalInput {
  std::optional<Input> input;
  std::optional<at::Tensor> operator()(const Layer& layer, const Values& values) const {
    return input ? std::optional<at::Tensor>((*input)(layer, values)) : std::nullopt;
  }
};

/// The arguments of a layer, with the types that the operator wants; `suits` is false once one has
/// another.
class Given {
 public:
  explicit Given(const Layer& layer) : layer_(layer) {}
  bool suits() const { return suits_; }

  Input input(std::size_t i) {
    const Argument& argument = layer_.arguments[i];
    if (!checked(argument.kind == Argument::Kind::kValue)) {
      return {};
    }
    const auto found = std::ranges::find(layer_.inputs, argument.values.front());
    return {static_cast<std::size_t>(found - layer_.inputs.begin())};
  }
  OptionalInput optional_input(std::size_t i) {
    const Argument& argument = layer_.arguments[i];
    if (argument.kind == Argument::Kind::kConstant && argument.constant.isNone()) {
      return {};
    }
    return {input(i)};
  }
  std::array<std::int64_t, 2> pair(std::size_t i) {
    const c10::IValue& value = constant(i);
    if (!checked(value.isIntList() && value.toListRef().size() == 2)) {
      return {};
    }
    return {value.toListRef()[0].toInt(), value.toListRef()[1].toInt()};
  }
  std::int64_t integer(std::size_t i) {
    return checked(constant(i).isInt()) ? constant(i).toInt() : 0;
  }
  double real(std::size_t i) {
    return checked(constant(i).isDouble()) ? constant(i).toDouble() : 0.0;
  }
  bool flag(std::size_t i) { return checked(constant(i).isBool()) && constant(i).toBool(); }
  at::Scalar scalar(std::size_t i) {
    return checked(constant(i).isScalar()) ? constant(i).toScalar() : at::Scalar();
  }

 private:
  /// Empty where the argument is computed.
  const c10::IValue& constant(std::size_t i) const {
    static const c10::IValue none;
    const Argument& argument = layer_.arguments[i];
    return argument.kind == Argument::Kind::kConstant ? argument.constant : none;
  }
  bool checked(bool fits) {
    suits_ = suits_ && fits;
    return fits;
  }

  const Layer& layer_;
  bool suits_ = true;
};

DirectCall conv2d(Given& given) {
  return [x = given.input(0), weight = given.input(1), bias = given.optional_input(2),
          stride = given.pair(3), padding = given.pair(4), dilation = given.pair(5),
          groups = given.integer(6)](const Layer& layer, const Values& values) {
    return at::conv2d(x(layer, values), weight(layer, values), bias(layer, values), stride, padding,
                      dilation, groups);
  };
}

DirectCall linear(Given& given) {
  return [x = given.input(0), weight = given.input(1), bias = given.optional_input(2)](
             const Layer& layer, const Values& values) {
    return at::linear(x(layer, values), weight(layer, values), bias(layer, values));
  };
}

DirectCall batch_norm(Given& given) {
  return [x = given.input(0), gain = given.optional_input(1), shift = given.optional_input(2),
          mean = given.optional_input(3), variance = given.optional_input(4),
          is_training = given.flag(5), momentum = given.real(6), epsilon = given.real(7),
          cudnn = given.flag(8)](const Layer& layer, const Values& values) {
    return at::batch_norm(x(layer, values), gain(layer, values), shift(layer, values),
                          mean(layer, values), variance(layer, values), is_training, momentum,
                          epsilon, cudnn);
  };
}

DirectCall max_pool2d(Given& given) {
  return
      [x = given.input(0), kernel = given.pair(1), stride = given.pair(2), padding = given.pair(3),
       dilation = given.pair(4), ceil = given.flag(5)](const Layer& layer, const Values& values) {
        return at::max_pool2d(x(layer, values), kernel, stride, padding, dilation, ceil);
      };
}

DirectCall relu(Given& given) {
  return [x = given.input(0)](const Layer& layer, const Values& values) {
    return at::relu(x(layer, values));
  };
}

DirectCall add(Given& given) {
  return [x = given.input(0), y = given.input(1), factor = given.scalar(2)](const Layer& layer,
                                                                            const Values& values) {
    return at::add(x(layer, values), y(layer, values), factor);
  };
}

}  // namespace

DirectCall direct_call(const Layer& layer) {
  static const std::map<std::string, DirectCall (*)(Given&)> makers{
      {"aten.conv2d.default", &conv2d},
      {"aten.linear.default", &linear},
      {"aten.batch_norm.default", &batch_norm},
      {"aten.max_pool2d.default", &max_pool2d},
      {"aten.relu.default", &relu},
      {"aten.add.Tensor", &add},
  };
  const auto maker = makers.find(layer.target);
  if (maker == makers.end()) {
    return {};
  }
  Given given(layer);
  DirectCall call = maker->second(given);
  return given.suits() ? call : DirectCall();
}

}  // namespace tilestrike::dnn
