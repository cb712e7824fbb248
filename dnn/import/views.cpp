// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/views.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "dnn/import/calls.h"

namespace tilestrike::dnn {
namespace {

/// The permutation that takes `order` back.
std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& order) {
  const auto rank = static_cast<std::int64_t>(order.size());
  std::vector<std::int64_t> back(order.size());
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t to = order[static_cast<std::size_t>(i)];
    back[static_cast<std::size_t>(to < 0 ? to + rank : to)] = i;
  }
  return back;
}

/// What of the parent was written, as a layer; nullopt: all of it, or in no known way.
std::optional<Layer> written_part(const Layer& layer, ValueId parent, ValueId written) {
  // The operator that puts a part back has the same arguments.
  static const std::map<std::string, std::string> parts{
      {"aten.slice.Tensor", "aten.slice_scatter.default"},
      {"aten.select.int", "aten.select_scatter.default"},
      {"aten.diagonal.default", "aten.diagonal_scatter.default"}};
  if (const auto part = parts.find(layer.target); part != parts.end()) {
    std::vector<Argument> arguments = layer.arguments;
    arguments.front() = value_argument("self", parent);
    arguments.push_back(value_argument("src", written));
    return make_call(part->second, std::move(arguments), layer.source);
  }
  if (layer.target == "aten.narrow.default") {
    const c10::IValue& start = layer.arguments[2].constant;
    const c10::IValue& length = layer.arguments[3].constant;
    if (!start.isInt() || !length.isInt() || start.toInt() < 0) {
      return std::nullopt;
    }
    return make_call(
        "aten.slice_scatter.default",
        {value_argument("self", parent), value_argument("src", written),
         constant_argument("dim", layer.arguments[1].constant), constant_argument("start", start),
         constant_argument("end", start.toInt() + length.toInt())},
        layer.source);
  }
  return std::nullopt;
}

/// All of the parent, back from another shape or order.
std::optional<Layer> brought_back(const Layer& layer, ValueId parent, ValueId written) {
  const std::string& target = layer.target;
  const Argument self = value_argument("self", written);
  if (target == "aten.transpose.int") {
    return make_call(target, {self, layer.arguments[1], layer.arguments[2]}, layer.source);
  }
  if (target == "aten.t.default") {
    return make_call(target, {self}, layer.source);
  }
  if (target == "aten.permute.default") {
    const std::vector<std::int64_t> order = layer.arguments[1].constant.toIntVector();
    return make_call(target, {self, constant_argument("dims", c10::IValue(inverse(order)))},
                     layer.source);
  }
  constexpr std::array reshapings{"aten.view.default",       "aten.reshape.default",
                                  "aten.flatten.using_ints", "aten.unflatten.int",
                                  "aten.unsqueeze.default",  "aten.squeeze.default",
                                  "aten.squeeze.dim",        "aten.squeeze.dims",
                                  "aten.contiguous.default", "aten.reshape_as.default"};
  if (std::ranges::find(reshapings, target) == reshapings.end()) {
    return std::nullopt;
  }
  return make_call("aten.reshape_as.default", {self, value_argument("other", parent)},
                   layer.source);
}

}  // namespace

std::vector<Layer> write_through(const View& view, ValueId parent, ValueId written,
                                 Network& network) {
  std::vector<Layer> layers;
  if (auto part = written_part(view.layer, parent, written)) {
    layers.push_back(std::move(*part));
  } else if (auto back = brought_back(view.layer, parent, written)) {
    ValueInfo info = network.info(parent);
    info.name += "_written";
    info.is_constant = false;
    info.parameter.clear();
    const ValueId all = network.add_value(std::move(info));
    back->outputs = {all};
    layers.push_back(std::move(*back));
    // Put into a copy, for views that are taken later count on the parent's order in memory.
    const bool has_dimensions = !network.info(parent).sizes.empty();
    layers.push_back(make_call(has_dimensions ? "aten.slice_scatter.default" : "aten.copy.default",
                               {value_argument("self", parent), value_argument("src", all)},
                               view.layer.source));
  }
  return layers;
}

}  // namespace tilestrike::dnn
