// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/float_lists.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>
#include <string>

#include "dnn/count_different.h"
#include "dnn/differential/float_elements.h"
#include "dnn/differential/patch.h"
#include "dnn/differential/pool_windows.h"
#include "dnn/differential/row_lists.h"
#include "dnn/layer_arguments.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

bool is_float(const Tape& golden, ValueId id) {
  return id.value >= 0 && Elements::suit(golden.values[static_cast<std::size_t>(id.value)]) &&
         golden.tensor(id).scalar_type() == c10::kFloat && golden.tensor(id).numel() > 0;
}

/// The largest element of each window; padding is smaller than all.
class FloatPoolLists final : public ListKernel {
 public:
  FloatPoolLists(const PoolWindow& window, ValueId input, const at::Tensor& in,
                 const at::Tensor& out)
      : windows_(window, in, out), input_(input), inputs_(in.numel()), outputs_(out.numel()) {}

  double cost(const ListRun& run) const override {
    return has_nan(run.input_of(input_)) ? std::numeric_limits<double>::infinity()
                                         : kCostOfChange * run.share_of(input_, inputs_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    find_touched(windows_, *changes, outputs_, run.scratch);
    const Patch input(run.golden.row_major(input_), changes);
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    for (const std::uint32_t output : run.scratch.touched) {
      run.give(output, largest(output, input.elements()), golden);
    }
  }

  /// Of several equal ones (zeros of both signs) the first.
  float largest(std::int64_t output, const float* elements) const {
    float found = -std::numeric_limits<float>::infinity();
    windows_.each_input(output, [&](std::int64_t input) {
      found = elements[input] > found ? elements[input] : found;
    });
    return found;
  }

 private:
  static constexpr double kCostOfChange = 4.0;
  PoolWindows windows_;
  ValueId input_;
  std::int64_t inputs_, outputs_;
};

std::unique_ptr<ListKernel> make_pool_lists(const Layer& layer, const Network& network,
                                            const Tape& golden) {
  const LayerArguments arguments(layer, network.constants);
  const ValueId input = layer.inputs.front(), output = layer.outputs.front();
  const auto kernel = arguments.pair("kernel_size"), padding = arguments.pair("padding"),
             dilation = arguments.pair("dilation");
  if (!is_float(golden, input) || !is_float(golden, output) || golden.tensor(input).dim() < 3 ||
      !kernel || !padding || !dilation) {
    return nullptr;
  }
  const auto stride = arguments.pair("stride").value_or(*kernel);  // an empty list: the window's
  const at::Tensor& in = golden.tensor(input);
  auto lists = std::make_unique<FloatPoolLists>(PoolWindow{*kernel, stride, *padding, *dilation},
                                                input, in, golden.tensor(output));
  // Zeros of both signs, infinities and all: is it what the operator gives?
  const at::Tensor tried =
      made_up_numbers(in.numel() / in.size(0), 1, false).view(in.sizes().slice(1)).unsqueeze(0);
  const at::Tensor found = output_for(layer, golden, {&input, 1}, {&tried, 1}).contiguous();
  for (std::int64_t i = 0; i < found.numel(); ++i) {
    const float own = lists->largest(i, tried.const_data_ptr<float>());
    if (std::bit_cast<std::int32_t>(own) !=
        std::bit_cast<std::int32_t>(found.const_data_ptr<float>()[i])) {
      return nullptr;
    }
  }
  return lists;
}

/// Float values put together along a dimension.
class FloatConcatenationLists final : public ListKernel {
 public:
  struct Part {
    ValueId id;
    std::int64_t inner, first;  // elements of one outer index, and where they begin
  };
  FloatConcatenationLists(std::vector<Part> parts, std::int64_t inner, std::int64_t elements)
      : parts_(std::move(parts)), inner_(inner), elements_(elements) {}

  double cost(const ListRun& run) const override {
    std::size_t changes = 0;
    for (const Changes* input : run.inputs) {
      changes += input == nullptr ? 0 : input->size();
    }
    return 8.0 * static_cast<double>(changes) / static_cast<double>(elements_);
  }

  void run(ListRun& run) const override {
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    for (const Part& part : parts_) {
      const Changes* changes = run.input_of(part.id);
      for (std::size_t i = 0; changes != nullptr && i < changes->size(); ++i) {
        const Change& change = (*changes)[i];
        run.give(change.index / part.inner * inner_ + part.first + change.index % part.inner,
                 std::bit_cast<float>(change.now), golden);
      }
    }
  }

 private:
  std::vector<Part> parts_;
  std::int64_t inner_, elements_;
};

std::unique_ptr<ListKernel> make_float_concatenation_lists(const Layer& layer,
                                                           const Network& network,
                                                           const Tape& golden) {
  const auto dimension = LayerArguments(layer, network.constants).real("dim");
  const at::Tensor& output = golden.tensor(layer.outputs.front());
  if (!dimension) {
    return nullptr;
  }
  const auto along = static_cast<std::int64_t>(*dimension);
  const auto inner_of = [&](const at::Tensor& tensor) {
    std::int64_t inner = 1;
    for (std::int64_t d = along < 0 ? along + tensor.dim() : along; d < tensor.dim(); ++d) {
      inner *= tensor.size(d);
    }
    return inner;
  };
  std::vector<FloatConcatenationLists::Part> parts;
  std::int64_t first = 0;
  for (const ValueId id : layer.arguments.front().values) {
    if (!is_float(golden, id) || golden.tensor(id).dim() != output.dim()) {
      return nullptr;
    }
    parts.push_back({id, inner_of(golden.tensor(id)), first});
    first += parts.back().inner;
  }
  return std::make_unique<FloatConcatenationLists>(std::move(parts), inner_of(output),
                                                   output.numel());
}

/// Whether the layer gives rows of its input what it gives them among all others.
bool rows_stand_alone(const Layer& layer, const Tape& golden, ValueId input) {
  const at::Tensor& output = golden.tensor(layer.outputs.front());
  const std::int64_t length = output.size(-1);
  const at::Tensor in = golden.row_major(input).view({-1, length});
  const at::Tensor out = output.contiguous().view({-1, length});
  for (std::int64_t count = 1; count <= std::min<std::int64_t>(in.size(0), 8); ++count) {
    const std::int64_t first = (in.size(0) - count) / count;
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(output.dim()), 1);
    sizes[sizes.size() - 2] = count;
    sizes.back() = length;
    const at::Tensor rows = in.narrow(0, first, count).clone().view(sizes);
    const at::Tensor found = output_for(layer, golden, {&input, 1}, {&rows, 1});
    if (count_different(found.contiguous().view({-1, length}), out.narrow(0, first, count)) != 0) {
      return false;
    }
  }
  return true;
}

/// Along the last dimension alone.
std::unique_ptr<ListKernel> make_float_row_lists(const Layer& layer, const Network& network,
                                                 const Tape& golden) {
  const LayerArguments arguments(layer, network.constants);
  const ValueId input = layer.inputs.front();
  const at::Tensor& in = golden.tensor(input);
  const auto shape = arguments.integers("normalized_shape");
  const auto dimension = arguments.real("dim");
  const bool is_by_row = short_name(layer.target) == "layer_norm"
                             ? shape && shape->size() == 1
                             : dimension && (*dimension == -1.0 || *dimension == in.dim() - 1.0);
  auto lists = is_by_row && in.dim() >= 2 ? make_row_lists(layer, network, golden) : nullptr;
  return lists != nullptr && rows_stand_alone(layer, golden, input) ? std::move(lists) : nullptr;
}

/// Operators that round once, or not at all: of an add or a sub only without a factor.
bool is_by_element(const std::string& name, const Layer& layer, const Network& network) {
  static const std::set<std::string> kNames = {
      "relu", "relu6", "hardtanh", "clamp",     "add", "sub",     "leaky_relu", "clamp_min",
      "mul",  "div",   "neg",      "clamp_max", "abs", "maximum", "minimum"};
  const LayerArguments arguments(layer, network.constants);
  return kNames.contains(name) && arguments.real("alpha").value_or(1.0) == 1.0 &&
         arguments.text("rounding_mode").empty();
}

}  // namespace

std::unique_ptr<ListKernel> make_float_lists(const Layer& layer, const Network& network,
                                             const Tape& golden) {
  if (layer.outputs.size() != 1 || layer.inputs.empty() ||
      !is_float(golden, layer.outputs.front()) || !is_float(golden, layer.inputs.front())) {
    return nullptr;
  }
  const std::string name = short_name(layer.target);
  if (is_by_element(name, layer, network)) {
    return make_float_element_lists(layer, golden);
  }
  if (name == "max_pool2d") {
    return make_pool_lists(layer, network, golden);
  }
  if (name == "cat" || name == "concat") {
    return make_float_concatenation_lists(layer, network, golden);
  }
  if (name == "layer_norm" || name == "softmax" || name == "_softmax") {
    return make_float_row_lists(layer, network, golden);
  }
  return nullptr;
}

}  // namespace tilestrike::dnn
