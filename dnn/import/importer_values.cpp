// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The importer's part that knows names, values, and the memory behind them.
#include <ATen/ops/empty_strided.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "dnn/import/calls.h"
#include "dnn/import/importer.h"
#include "dnn/import/views.h"
#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

using Form = Pt2Argument::Form;

constexpr char kNotInPlace[] =
    "write that line without its in-place form (y = x + 1 for x += 1, inplace=False), or clone the "
    "tensor first";

/// A tensor of these sizes without memory; empty when they are not known or make no sense.
c10::IValue example_of(const Pt2Tensor& tensor) {
  const auto is_known = [](std::int64_t number) { return number >= 0 && number < (1 << 30); };
  if (tensor.sizes.size() != tensor.strides.size() || tensor.sizes.size() > 8 ||
      !std::ranges::all_of(tensor.sizes, is_known) ||
      !std::ranges::all_of(tensor.strides, is_known)) {
    return {};
  }
  try {
    return at::empty_strided(tensor.sizes, tensor.strides,
                             at::TensorOptions(tensor.type).device(c10::kMeta));
  } catch (const c10::Error&) {
    return {};
  }
}

/// Whether two tensors of one shape have the same strides, but for dimensions of size 1.
bool lie_alike(const at::Tensor& a, const at::Tensor& b) {
  for (std::int64_t i = 0; i < a.dim(); ++i) {
    if (a.size(i) != 1 && a.stride(i) != b.stride(i)) {
      return false;
    }
  }
  return true;
}

/// Operators whose result is their input's memory or a copy, as the strides have it.
bool may_copy(const std::string& target) {
  constexpr std::array names{"aten.reshape.default", "aten.reshape_as.default",
                             "aten.flatten.using_ints", "aten.contiguous.default", "aten.to.dtype"};
  return std::ranges::find(names, target) != names.end();
}

}  // namespace

std::string symbol_name(const std::string& expression) {
  const std::size_t begin = expression.find('\'');
  const std::size_t end = expression.find('\'', begin + 1);
  return begin == std::string::npos || end == std::string::npos
             ? expression
             : expression.substr(begin + 1, end - begin - 1);
}

ValueInfo Importer::tensor_info(const std::string& name) const {
  const auto found = graph_.tensors.find(name);
  if (found == graph_.tensors.end()) {
    damaged("it does not say what shape the value '" + name + "' has");
  }
  const Pt2Tensor& tensor = found->second;
  ValueInfo info;
  info.name = name;
  info.type = tensor.type;
  info.sizes = tensor.sizes;
  for (std::size_t i = 0; i < info.sizes.size(); ++i) {
    const auto holds = [&](const std::string& symbol) {
      return symbol_name(tensor.symbols[i]) == symbol ||
             tensor.symbols[i].find("'" + symbol + "'") != std::string::npos;
    };
    if (batch_symbols_.empty() ? i == 0 && info.sizes[i] == batch_
                               : std::ranges::any_of(batch_symbols_, holds)) {
      info.sizes[i] = -1;
    }
  }
  return info;
}

void Importer::check_new(const std::string& name) const {
  if (names_.has(name)) {
    damaged("two values have the name '" + name + "'");
  }
}

ValueId Importer::add_tensor(ValueInfo info, const std::string& name) {
  const ValueId id = network_.add_value(std::move(info));
  examples_.resize(network_.values.size());
  const auto tensor = graph_.tensors.find(name);
  if (tensor != graph_.tensors.end()) {
    examples_[id.value] = example_of(tensor->second);
  }
  return id;
}

ValueId Importer::add_symbol(const std::string& name) {
  ValueInfo info;
  info.name = name;
  info.type = c10::kLong;
  const ValueId id = network_.add_value(std::move(info));
  examples_.resize(network_.values.size());
  if (const auto hint = graph_.numbers.find(name); hint != graph_.numbers.end()) {
    examples_[id.value] = hint->second;
  }
  symbols_.insert(id);
  names_.define(name, id);
  return id;
}

ValueId Importer::read(const std::string& name, bool as_tensor, const Pt2Node& node) {
  if (!names_.has(name)) {
    damaged("the operator " + node.target + place_of(node) + " reads '" + name +
            "', which nothing before it computes");
  }
  const ValueId id = current(name, node);
  if (symbols_.contains(id) == as_tensor) {
    damaged("'" + name + "'" + place_of(node) + " is a " + (as_tensor ? "size" : "tensor") +
            " where it is read as a " + (as_tensor ? "tensor" : "size"));
  }
  return id;
}

ValueId Importer::current(const std::string& name, const Pt2Node& node) {
  if (!names_.is_stale(name)) {
    return names_.value(name);
  }
  const View* view = names_.view(name);
  TS_CHECK(view != nullptr, "what is no view is never stale");
  if (!view->is_certain) {
    refuse("the operator " + node.target + place_of(node) + " reads '" + name +
               "', whose memory was written through another view by " + names_.writer(name),
           kNotInPlace);
  }
  Layer again = view->layer;
  again.arguments.front().values = {current(view->parent, node)};
  ValueInfo info = network_.info(names_.value(name));
  info.name += "_again";
  info.is_constant = false;
  info.parameter.clear();
  const ValueId id = add_tensor(std::move(info), name);
  std::ranges::fill(again.outputs, ValueId(-1));
  again.outputs[view->output] = id;
  emit(std::move(again), node);
  names_.assign(name, id);
  return id;
}

const std::string& Importer::first_tensor(const Pt2Node& node) {
  if (node.inputs.empty() || node.inputs.front().second.form != Form::kTensor) {
    damaged("the first argument of " + node.target + place_of(node) + " is not a tensor");
  }
  const std::string& name = node.inputs.front().second.items.front().name;
  read(name, true, node);
  return name;
}

const std::string& Importer::first_output(const Pt2Node& node, Form form) const {
  if (node.outputs.empty() || node.outputs.front().form != form ||
      node.outputs.front().items.empty() || node.outputs.front().items.front().name.empty()) {
    damaged("the operator " + node.target + place_of(node) +
            " has no output of the kind that it "
            "should have");
  }
  const std::string& name = node.outputs.front().items.front().name;
  check_new(name);
  return name;
}

bool Importer::is_row_major(const std::string& name) const {
  if (names_.has(name) && unsure_layouts_.contains(names_.value(name))) {
    return false;
  }
  const auto found = graph_.tensors.find(name);
  if (found == graph_.tensors.end()) {
    return false;
  }
  const Pt2Tensor& tensor = found->second;
  std::int64_t expected = 1;
  for (std::size_t i = tensor.sizes.size(); i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) {
      return false;
    }
    if (__builtin_mul_overflow(expected, tensor.sizes[i], &expected)) {
      return false;
    }
  }
  return true;
}

at::Tensor Importer::example_result(const Layer& layer, ValueId output) {
  if (is_constant(output)) {
    return network_.constants[output.value].toTensor();
  }
  Values trial = examples_;
  trial.resize(network_.values.size());
  try {
    layer.kernel->run(layer, trial);
    return trial[output.value].toTensor();
  } catch (const Failure&) {
    return {};
  } catch (const c10::Error&) {  // the file has no example of its input
    return {};
  }
}

std::optional<bool> Importer::shares_memory(const Layer& layer, ValueId output, ValueId input) {
  const c10::IValue& read = is_constant(output) ? network_.constants[input.value]
                                                : examples_[static_cast<std::size_t>(input.value)];
  const at::Tensor result = example_result(layer, output);
  if (!result.defined() || !read.isTensor()) {
    return std::nullopt;
  }
  return result.is_alias_of(read.toTensor());
}

/// Whether input and output have the same strides in the file.
bool Importer::keeps_layout(const Pt2Node& node) const {
  const std::string& input = node.inputs.front().second.items.front().name;
  const auto from = graph_.tensors.find(input);
  const auto to = graph_.tensors.find(first_output(node, Form::kTensor));
  return names_.has(input) && !unsure_layouts_.contains(names_.value(input)) &&
         from != graph_.tensors.end() && to != graph_.tensors.end() &&
         from->second.strides == to->second.strides;
}

void Importer::define_tensor(const Pt2Node& node, const std::string& name, ValueId value,
                             const Layer& layer, std::size_t output, bool may_be_view) {
  names_.define(name, value);
  // One operand of einsum in another order is a view; so is what meshgrid gives.
  if (layer.target == "aten.einsum.default" || may_hide_a_view(layer.target)) {
    for (const auto& [argument, given] : node.inputs) {
      const bool is_tensor = given.form == Form::kTensor || given.form == Form::kTensors;
      for (const Pt2Item& operand : given.items) {
        if (is_tensor && !operand.name.empty() &&
            shares_memory(layer, value, names_.value(operand.name)) != false) {
          names_.define_view(name, value, {operand.name, layer, output, false});
          return;
        }
      }
    }
    return;
  }
  const bool reads_tensor =
      !layer.arguments.empty() && layer.arguments.front().kind == Argument::Kind::kValue &&
      !node.inputs.empty() && node.inputs.front().second.form == Form::kTensor;
  if (!may_be_view || !reads_tensor) {
    return;
  }
  const std::string& parent = node.inputs.front().second.items.front().name;
  std::optional<bool> is_view = true;
  if (may_copy(layer.target) || find_operator(layer.target) == nullptr) {
    is_view = shares_memory(layer, value, layer.arguments.front().values.front());
  }
  if (is_view != false) {
    names_.define_view(name, value, {parent, layer, output, is_view.has_value()});
  }
}

void Importer::check_external(const Pt2Node& node) {
  const std::string& target = first_tensor(node);
  if (network_.info(names_.value(target)).parameter.ends_with("num_batches_tracked")) {
    refuse(
        "the batch norm '" + node.module +
            "' is in training mode: it takes its statistics from the batch, and changes those of "
            "the module",
        "call model.eval() before torch.export");
  }
  if (names_.is_external(target)) {
    refuse("the operator " + node.target + place_of(node) + " writes into '" + target +
               "', an input or a weight of the model",
           kNotInPlace);
  }
}

void Importer::check_write(const Pt2Node& node, const Layer& layer) {
  check_external(node);
  const std::string& target = first_tensor(node);
  const std::string by = "the operator " + node.target + place_of(node);
  const std::string name = short_name(layer.target);
  if (name == "copy" || name == "fill" || name == "masked_fill" || name == "zero") {
    return;  // they keep the type of their target, whatever they put there
  }
  const c10::ScalarType type = network_.info(names_.value(target)).type;
  for (const ValueId id : layer.inputs) {
    const ValueInfo& info = network_.info(id);
    if (!symbols_.contains(id) && !info.sizes.empty() &&
        c10::promoteTypes(info.type, type) != type) {
      refuse(by + " writes in place with another element type than its target has",
             "convert the operands to one type first");
    }
  }
}

/// What an in-place operator leaves in its target, whose type and strides stay: x.lt_(0) leaves
/// numbers where lt(x, 0) gives truths, and x.tril_() columns where x has columns, while tril(x)
/// gives rows, of which a product's last bits can differ.
ValueId Importer::as_its_target(const Pt2Node& node, Layer& layer) {
  const ValueId result = layer.outputs.front();
  const ValueId target = names_.value(first_tensor(node));
  const c10::ScalarType wanted = network_.info(target).type;
  const at::Tensor example = example_result(layer, result);
  const c10::IValue& before = is_constant(target)
                                  ? network_.constants[target.value]
                                  : examples_[static_cast<std::size_t>(target.value)];
  if (!example.defined() || !before.isTensor() || example.sizes() != before.toTensor().sizes()) {
    return result;
  }
  const bool has_its_strides = lie_alike(example, before.toTensor());
  if (example.scalar_type() == wanted && has_its_strides) {
    return result;
  }
  ValueInfo info = network_.info(result);
  network_.info(result).type = example.scalar_type();
  network_.info(result).name += "_before";
  info.type = wanted;
  info.is_constant = false;
  Layer kept =
      has_its_strides
          ? make_call("aten.to.dtype",
                      {value_argument("self", result),
                       constant_argument("dtype", static_cast<std::int64_t>(wanted))},
                      node.source)
          : make_call("aten.copy.default",
                      {value_argument("self", target), value_argument("src", result)}, node.source);
  kept.outputs = {add_tensor(std::move(info), node.outputs.front().items.front().name)};
  const ValueId id = kept.outputs.front();
  emit(std::move(kept), node);
  return id;
}

void Importer::write(const Pt2Node& node, const std::string& output, ValueId value) {
  const std::string& target = first_tensor(node);
  const std::string by = node.target + place_of(node);
  if (names_.has_uncertain_view(target)) {
    refuse("the operator " + by + " writes into '" + target +
               "', of whose memory it is not clear what else shows it",
           kNotInPlace);
  }
  names_.begin_write(target, by);
  names_.assign(target, value);
  std::string written = target;
  while (const View* view = names_.view(written)) {
    const ValueId parent = names_.value(view->parent);
    std::vector<Layer> layers = write_through(*view, parent, names_.value(written), network_);
    if (layers.empty()) {
      refuse("the operator " + by + " writes into '" + view->parent + "' through a view that " +
                 view->layer.target + " has taken",
             kNotInPlace);
    }
    ValueInfo info = network_.info(parent);
    info.name += "_after_" + output;
    info.is_constant = false;
    info.parameter.clear();
    const ValueId changed = add_tensor(std::move(info), view->parent);
    layers.back().outputs = {changed};
    for (Layer& layer : layers) {
      emit(std::move(layer), node);
    }
    names_.assign(view->parent, changed);
    written = view->parent;
  }
  names_.define_same(output, target);
}

}  // namespace tilestrike::dnn
