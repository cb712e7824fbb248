// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/split_attention.h"

#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "dnn/layer_arguments.h"
#include "dnn/operator_kernel.h"
#include "dnn/stored_number.h"

namespace tilestrike::dnn {
namespace {

constexpr const char* kAttention = "aten.scaled_dot_product_attention.default";

/// A value, or a constant.
using Given = std::pair<ValueId, c10::IValue>;

Given given(ValueId id) { return {id, {}}; }
Given given(c10::IValue constant) { return {ValueId(-1), std::move(constant)}; }

class Splitter {
 public:
  explicit Splitter(const Network& network) : network_(network), result_(network) {}

  Network split() {
    result_.layers.clear();
    for (const Layer& layer : network_.layers) {
      if (layer.target != kAttention || !split(layer)) {
        result_.layers.push_back(layer);
      }
    }
    return std::move(result_);
  }

 private:
  bool split(const Layer& layer) {
    const LayerArguments arguments(layer, network_.constants);
    const auto q = arguments.values("query"), k = arguments.values("key");
    const auto v = arguments.values("value"), mask = arguments.values("attn_mask");
    if (q.empty() || k.empty() || v.empty() || arguments.boolean("is_causal") ||
        arguments.boolean("enable_gqa") || arguments.real("dropout_p").value_or(0.0) != 0.0 ||
        (mask.empty() && !arguments.is_none("attn_mask")) ||
        (!mask.empty() && !is_real(network_.info(mask.front()).type))) {
      return false;
    }
    const std::vector<std::int64_t>& sizes = network_.info(q.front()).sizes;
    const auto scale = arguments.real("scale");
    if (!scale && (sizes.empty() || sizes.back() < 1)) {
      return false;  // not known, and so neither is the default
    }
    const double factor = scale ? *scale : 1.0 / std::sqrt(static_cast<double>(sizes.back()));
    ValueId x = add(layer, "transpose", "aten.transpose.int",
                    {given(k.front()), given(std::int64_t{-2}), given(std::int64_t{-1})});
    x = add(layer, "matmul_qk", "aten.matmul.default", {given(q.front()), given(x)});
    // A number of the operator's, and no tensor that the network stores.
    const at::Tensor number = at::scalar_tensor(factor, at::dtype(c10::kFloat)).to(network_.device);
    x = add(layer, "scale", "aten.mul.Tensor", {given(x), given(c10::IValue(number))});
    if (!mask.empty()) {
      x = add(layer, "mask", "aten.add.Tensor", {given(x), given(mask.front())});
    }
    x = add(layer, "softmax", "aten.softmax.int", {given(x), given(std::int64_t{-1})});
    add(layer, "matmul_v", "aten.matmul.default", {given(x), given(v.front())},
        layer.outputs.front());
    return true;
  }

  ValueId add(const Layer& whole, const std::string& part, const std::string& target,
              std::vector<Given> values, ValueId output = ValueId(-1)) {
    const auto handle = dispatched_operator(target);
    TS_CHECK(handle.has_value(), "LibTorch has the operator " + target);
    Layer layer;
    layer.name = whole.name + "." + part;
    layer.target = target;
    layer.source = whole.source;
    const auto& schema = handle->schema().arguments();
    for (std::size_t i = 0; i < schema.size(); ++i) {
      Argument argument;
      argument.name = schema[i].name();
      if (i < values.size() && values[i].first.value >= 0) {
        argument.kind = Argument::Kind::kValue;
        argument.values = {values[i].first};
        if (std::ranges::find(layer.inputs, values[i].first) == layer.inputs.end()) {
          layer.inputs.push_back(values[i].first);
        }
      } else {
        argument.constant = i < values.size() ? values[i].second
                                              : schema[i].default_value().value_or(c10::IValue());
      }
      layer.arguments.push_back(std::move(argument));
    }
    if (output.value < 0) {
      const c10::ScalarType type = network_.info(whole.inputs.front()).type;
      output = result_.add_value({layer.name, {}, type, false, {}});
    }
    layer.outputs = {output};
    layer.kernel = make_operator_kernel(layer);
    result_.layers.push_back(std::move(layer));
    return output;
  }

  const Network& network_;
  Network result_;
};

}  // namespace

Network split_attention(const Network& network) { return Splitter(network).split(); }

}  // namespace tilestrike::dnn
