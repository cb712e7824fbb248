// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/rewrite.h"

#include <algorithm>
#include <map>
#include <string>

#include "dnn/import/calls.h"

namespace tilestrike::dnn {
namespace {

bool is_value(const Argument& argument) { return argument.kind == Argument::Kind::kValue; }

bool is_one(const Argument& argument) {
  return argument.kind == Argument::Kind::kConstant && argument.constant.toScalar().equal(1);
}

}  // namespace

bool is_transpose(const at::Tensor& result, const at::Tensor& constant) {
  return result.dim() == 2 && constant.dim() == 2 && result.is_alias_of(constant) &&
         result.storage_offset() == constant.storage_offset() &&
         result.size(0) == constant.size(1) && result.size(1) == constant.size(0) &&
         result.stride(0) == constant.stride(1) && result.stride(1) == constant.stride(0);
}

void infer_computed_size(Layer& layer, const Network& network) {
  if (layer.target != "aten.view.default" && layer.target != "aten.reshape.default") {
    return;
  }
  Argument& sizes = layer.arguments[1];
  const std::vector<std::int64_t>& result = network.info(layer.outputs.front()).sizes;
  if (sizes.kind != Argument::Kind::kIntegerList || result.size() != sizes.values.size() ||
      std::ranges::count(result, -1) != 1) {
    return;
  }
  bool is_all_else_known = true;  // a length that is free, too, is the example's in `result`
  for (std::size_t i = 0; i < result.size(); ++i) {
    is_all_else_known = is_all_else_known && (sizes.values[i].value < 0 || result[i] == -1);
  }
  if (is_all_else_known) {
    sizes = constant_argument(sizes.name, c10::IValue(result));
  }
}

std::vector<Layer> as_linear(Layer& layer, Network& network, const Transposes& transposes) {
  const bool has_bias = layer.target == "aten.addmm.default";
  if (!has_bias && layer.target != "aten.mm.default" && layer.target != "aten.matmul.default") {
    return {};
  }
  const std::vector<Argument>& old = layer.arguments;
  const std::size_t first = has_bias ? 1 : 0;
  if (!std::all_of(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(first + 2), is_value)) {
    return {};  // a number in place of a matrix: LibTorch says what is wrong with it
  }
  const ValueId left = old[first].values.front();
  const ValueId right = old[first + 1].values.front();
  const ValueInfo right_info = network.info(right);
  if (!right_info.is_constant || right_info.sizes.size() != 2 ||
      network.info(left).sizes.size() != 2) {
    return {};
  }
  if (has_bias) {
    const ValueInfo& bias = network.info(old[0].values.front());
    if (!bias.is_constant || bias.sizes != std::vector{right_info.sizes[1]} || !is_one(old[3]) ||
        !is_one(old[4])) {
      return {};
    }
  }
  std::vector<Layer> before;
  const auto known = transposes.find(right);
  ValueId weight = known == transposes.end() ? ValueId(-1) : known->second;
  if (weight.value < 0) {
    ValueInfo info = right_info;
    info.name += "_transposed";
    std::swap(info.sizes[0], info.sizes[1]);
    info.is_constant = false;  // until it is computed
    info.parameter.clear();
    weight = network.add_value(std::move(info));
    Layer& transpose = before.emplace_back(
        make_call("aten.t.default", {value_argument("self", right)}, layer.source));
    transpose.outputs = {weight};
  }
  layer.arguments = {
      value_argument("input", left), value_argument("weight", weight),
      has_bias ? value_argument("bias", old[0].values.front()) : constant_argument("bias", {})};
  set_operator(layer, "aten.linear.default");
  return before;
}

std::vector<Layer> with_numeric_padding(Layer& layer, Network& network) {
  constexpr std::size_t kInput = 0, kWeight = 1, kPadding = 4, kDilation = 5;
  constexpr std::int64_t kLargestDilation = 1 << 20;  // products with it stay small
  if (layer.target != "aten.conv2d.padding") {
    return {};
  }
  if (!is_value(layer.arguments[kInput]) || !is_value(layer.arguments[kWeight])) {
    return {};
  }
  const std::string mode = layer.arguments[kPadding].constant.toStringRef();
  const ValueInfo& weight = network.info(layer.arguments[kWeight].values.front());
  const Argument& dilation = layer.arguments[kDilation];
  if ((mode != "same" && mode != "valid") || weight.sizes.size() != 4 ||
      dilation.kind != Argument::Kind::kConstant || dilation.constant.toIntVector().size() != 2) {
    return {};  // LibTorch says what is wrong with it
  }
  std::vector<std::int64_t> before(2), missing(2);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t step = dilation.constant.toIntVector()[axis];
    if (step < 1 || step > kLargestDilation) {
      return {};
    }
    const std::int64_t total = mode == "same" ? step * (weight.sizes[axis + 2] - 1) : 0;
    before[axis] = total / 2;
    missing[axis] = total % 2;
  }
  layer.arguments[kPadding] = constant_argument("padding", c10::IValue(before));
  std::vector<Layer> extra;
  if (missing[0] + missing[1] > 0) {
    const ValueId input = layer.arguments[kInput].values.front();
    ValueInfo padded = network.info(input);
    padded.name += "_padded";
    padded.is_constant = false;
    padded.parameter.clear();
    for (std::size_t axis = 0; axis < 2 && padded.sizes.size() == 4; ++axis) {
      padded.sizes[axis + 2] += missing[axis];
    }
    const std::vector<std::int64_t> sides{0, missing[1], 0, missing[0]};
    Layer& pad = extra.emplace_back(
        make_call("aten.constant_pad_nd.default",
                  {value_argument("self", input), constant_argument("pad", c10::IValue(sides))},
                  layer.source));
    pad.outputs = {network.add_value(std::move(padded))};
    layer.arguments[kInput] = value_argument("input", pad.outputs.front());
  }
  set_operator(layer, "aten.conv2d.default");
  return extra;
}

void as_plain_constant(Layer& layer, const Network& network) {
  static const std::map<std::string, std::string> plain{
      {"aten.new_zeros.default", "aten.zeros.default"},
      {"aten.new_ones.default", "aten.ones.default"},
      {"aten.new_full.default", "aten.full.default"}};
  const auto found = plain.find(layer.target);
  if (found == plain.end() || !is_value(layer.arguments.front()) ||
      layer.arguments[1].kind != Argument::Kind::kConstant) {
    return;
  }
  const ValueInfo& like = network.info(layer.arguments.front().values.front());
  std::vector<Argument> arguments(layer.arguments.begin() + 1, layer.arguments.end());
  const auto type = std::ranges::find(arguments, "dtype", &Argument::name);
  if (type->constant.isNone()) {
    type->constant = static_cast<std::int64_t>(like.type);
  }
  layer.arguments = std::move(arguments);
  set_operator(layer, found->second);
}

}  // namespace tilestrike::dnn
