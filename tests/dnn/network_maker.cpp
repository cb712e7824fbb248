// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/network_maker.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include <algorithm>

#include "base/error.h"
#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

Argument argument_of(const std::string& name, const NetworkMaker::Given& given) {
  Argument argument;
  argument.name = name;
  if (const auto* id = std::get_if<ValueId>(&given)) {
    argument.kind = Argument::Kind::kValue;
    argument.values = {*id};
  } else if (const auto* ids = std::get_if<std::vector<ValueId>>(&given)) {
    argument.kind = Argument::Kind::kValueList;
    argument.values = *ids;
  } else if (const auto* sizes = std::get_if<NetworkMaker::Sizes>(&given)) {
    argument.kind = Argument::Kind::kIntegerList;
    argument.constant = sizes->known;
    argument.values = sizes->computed;
  } else {
    argument.constant = std::get<c10::IValue>(given);
  }
  return argument;
}

}  // namespace

NetworkMaker::NetworkMaker() {
  network_.name = "made";
  network_.inputs = {network_.add_value({"x", {-1}, c10::kFloat, false, {}})};
}

ValueId NetworkMaker::constant(const at::Tensor& tensor, const std::string& name) {
  const ValueId id = network_.add_value({"constant_" + std::to_string(network_.values.size()),
                                         tensor.sizes().vec(),
                                         tensor.scalar_type(),
                                         true,
                                         {},
                                         name});
  network_.constants[id.value] = tensor;
  return id;
}

ValueId NetworkMaker::call(const std::string& name, const std::string& target,
                           std::vector<Given> given) {
  const auto handle = dispatched_operator(target);
  TS_CHECK(handle.has_value(), "a test uses operators that exist: " + target);
  Layer layer;
  layer.name = name;
  layer.target = target;
  layer.source = "made.py:1";
  const auto& schema = handle->schema().arguments();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    layer.arguments.push_back(argument_of(
        schema[i].name(),
        i < given.size() ? given[i] : Given(schema[i].default_value().value_or(c10::IValue()))));
    for (const ValueId id : layer.arguments.back().values) {
      if (id.value >= 0 && std::ranges::find(layer.inputs, id) == layer.inputs.end()) {
        layer.inputs.push_back(id);
      }
    }
  }
  const ValueId output = network_.add_value({name + "_out", {-1}, c10::kFloat, false, {}});
  layer.outputs = {output};
  layer.kernel = make_operator_kernel(layer);
  network_.layers.push_back(std::move(layer));
  return output;
}

Network NetworkMaker::finish(ValueId output) {
  network_.output = output;
  return network_;
}

ValueId NetworkMaker::convolution(const std::string& name, ValueId input, std::int64_t in,
                                  std::int64_t out, std::int64_t kernel, std::int64_t stride,
                                  std::int64_t padding, std::int64_t groups) {
  const ValueId weight = constant(noise({out, in / groups, kernel, kernel}, ++drawn_) * 0.3);
  const ValueId bias = constant(noise({out}, ++drawn_) * 0.2);
  const auto twice = [](std::int64_t number) {
    return c10::IValue(std::vector<std::int64_t>{number, number});
  };
  return call(name, "aten.conv2d.default",
              {input, weight, bias, twice(stride), twice(padding), twice(1), c10::IValue(groups)});
}

ValueId NetworkMaker::batch_norm(const std::string& name, ValueId input, std::int64_t channels) {
  const ValueId gamma = constant(noise({channels}, ++drawn_) + 0.2);
  const ValueId beta = constant(noise({channels}, ++drawn_) * 0.3);
  const ValueId mean = constant(noise({channels}, ++drawn_) * 0.5);
  const ValueId variance = constant(noise({channels}, ++drawn_).square() + 0.1);
  return call(name, "aten.batch_norm.default",
              {input, gamma, beta, mean, variance, c10::IValue(false), c10::IValue(0.1),
               c10::IValue(1e-5), c10::IValue(true)});
}

ValueId NetworkMaker::linear(const std::string& name, ValueId input, std::int64_t in,
                             std::int64_t out) {
  const ValueId weight = constant(noise({out, in}, ++drawn_) * 0.3);
  const ValueId bias = constant(noise({out}, ++drawn_));
  return call(name, "aten.linear.default", {input, weight, bias});
}

at::Tensor NetworkMaker::noise(std::vector<std::int64_t> sizes, std::int64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed)));
}

std::vector<std::string> targets_of(const Network& network) {
  std::vector<std::string> targets;
  for (const Layer& layer : network.layers) {
    targets.push_back(layer.target);
  }
  return targets;
}

const Layer& layer_named(const Network& network, const std::string& name) {
  const auto found = std::ranges::find(network.layers, name, &Layer::name);
  EXPECT_NE(found, network.layers.end()) << name;
  return *found;
}

}  // namespace tilestrike::dnn
