// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/layer_maker.h"

#include "base/error.h"

namespace tilestrike::dnn {

LayerMaker::LayerMaker(const std::string& name, const Sizes& input_sizes, c10::Device device)
    : input_sizes_(input_sizes) {
  network_.name = name;
  network_.device = device;
  Sizes sizes = input_sizes;
  sizes.insert(sizes.begin(), -1);
  flow_ = network_.add_value({.name = "input", .sizes = sizes, .type = c10::kFloat});
  network_.inputs = {flow_};
}

Sizes LayerMaker::sizes() const {
  const Sizes& all = network_.info(flow_).sizes;
  return {std::ranges::find(all, -1) + 1, all.end()};
}

void LayerMaker::add(const std::string& name, const std::string& target,
                     std::vector<Argument> constants, const Sizes& sizes, c10::ScalarType type) {
  TS_CHECK(flow_.value >= 0, "neurons that never fire are the last ones: before " + name);
  Layer layer;
  layer.name = free_name(name);
  names_.insert(layer.name);
  layer.target = target;
  Argument input;
  input.name = "input";
  input.kind = Argument::Kind::kValue;
  input.values = {flow_};
  layer.arguments = {std::move(input)};
  layer.inputs = {flow_};
  for (Argument& argument : constants) {
    layer.inputs.insert(layer.inputs.end(), argument.values.begin(), argument.values.end());
    layer.arguments.push_back(std::move(argument));
  }
  network_.layers.push_back(std::move(layer));
  add_output(sizes, type);
  flow_ = last().outputs.back();
}

void LayerMaker::add_output(const Sizes& sizes, c10::ScalarType type) {
  Layer& layer = last();
  std::string name = layer.name;
  if (!layer.outputs.empty()) {
    name += '.';
    name += std::to_string(layer.outputs.size());
  }
  layer.outputs.push_back(
      network_.add_value({.name = std::move(name), .sizes = sizes, .type = type}));
}

Argument LayerMaker::given(const std::string& name, c10::IValue value) {
  Argument argument;
  argument.name = name;
  argument.constant = std::move(value);
  return argument;
}

Argument LayerMaker::constant(const std::string& argument, const std::string& name,
                              at::Tensor tensor) {
  Argument made;
  made.name = argument;
  made.kind = Argument::Kind::kValue;
  made.values = {network_.add_value({.name = name,
                                     .sizes = tensor.sizes().vec(),
                                     .type = tensor.scalar_type(),
                                     .is_constant = true,
                                     .parameter = name})};
  network_.constants[static_cast<std::size_t>(made.values.front().value)] = std::move(tensor);
  return made;
}

void LayerMaker::check_size(const at::Tensor& tensor, std::size_t numbers) {
  TS_CHECK(tensor.numel() == static_cast<std::int64_t>(numbers),
           "as many numbers as the sizes say");
}

std::string LayerMaker::free_name(const std::string& name) const {
  std::string free = name;
  for (int number = 1; names_.contains(free); ++number) {
    free = name + "_" + std::to_string(number);
  }
  return free;
}

Network LayerMaker::finish() {
  network_.output = flow_;
  return std::move(network_);
}

}  // namespace tilestrike::dnn
