// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The importer's part that knows operators.
#include "dnn/import/importer.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/MemoryFormat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>

#include "base/error.h"
#include "dnn/fixed_batch.h"
#include "dnn/import/admission.h"
#include "dnn/import/arguments.h"
#include "dnn/import/calls.h"
#include "dnn/import/pt2e_operators.h"
#include "dnn/operator_kernel.h"
#include "dnn/symbolic_kernel.h"

namespace tilestrike::dnn {
namespace {

using Form = Pt2Argument::Form;

constexpr std::int64_t kMostElements = std::int64_t{1} << 31;  // of a constant made from nothing

bool gives_nothing(const std::string& target) {
  const auto handle = dispatched_operator(target);
  return handle && handle->schema().returns().empty();
}

/// Memory that the model writes into before it reads it.
bool is_empty(std::string_view target) { return target.find("empty") != std::string_view::npos; }

/// Arguments of a node that the choice of the operator has left no room for.
bool is_said_by_choice(const Operator& entry, const std::string& target, const std::string& name) {
  constexpr std::array of_layout{"stride", "physical_layout", "memory_format"};
  if (is_empty(entry.target)) {
    return std::ranges::find(of_layout, name) != of_layout.end();
  }
  return (entry.target == "aten.as_strided.default" && target == entry.becomes &&
          (name == "stride" || name == "storage_offset")) ||
         (target.starts_with("aten.conv_transpose") && name == "transposed");
}

bool is_same_type(const Pt2Argument& argument, c10::ScalarType type) {
  return argument.constant.isInt() && argument.constant.toInt() == static_cast<std::int64_t>(type);
}

/// Of a clone: it is to lie row by row, however its input lies.
bool asks_row_major(const Pt2Node& node) {
  const Pt2Argument* format = given_argument(node, "memory_format");
  return format != nullptr && format->constant.isInt() &&
         format->constant.toInt() == static_cast<std::int64_t>(c10::MemoryFormat::Contiguous);
}

}  // namespace

Importer::Importer(const Program& program, c10::Device device, std::string output)
    : program_(program), graph_(program.graph), output_(std::move(output)) {
  network_.name = std::filesystem::path(program.path).stem().string();
  network_.device = device;
  const auto read_all = [&](const Pt2Argument& argument) {
    for (const Pt2Item& item : argument.items) {
      read_.insert(item.name);
    }
  };
  for (const Pt2Node& node : graph_.nodes) {
    std::ranges::for_each(node.inputs | std::views::values, read_all);
  }
  std::ranges::for_each(graph_.outputs, read_all);
}

void Importer::refuse(const std::string& what, const std::string& cure) const {
  fail(ErrorCode::kUnsupported, what, program_.path, cure);
}

void Importer::damaged(const std::string& what) const {
  fail(ErrorCode::kInvalidInput, "the graph does not hang together: " + what, program_.path,
       "copy the file again, or " + program_.how_to_write);
}

Network Importer::import() {
  const at::NoGradGuard no_gradients;
  define_pt2e_operators();
  find_batch();
  for (const Pt2Input& input : graph_.inputs) {
    add_input(input);
  }
  if (network_.inputs.empty()) {
    refuse("the model has no input", "export a model that takes a tensor, the images");
  }
  for (const Pt2Node& node : graph_.nodes) {
    add_node(node);
  }
  find_output();
  finish(std::move(layers_), network_);
  fix_batch();
  return std::move(network_);
}

void Importer::add_node(const Pt2Node& node) {
  if (const auto refusal = refusal_of(node)) {
    return add_refused(node, *refusal);
  }
  const std::string functional = functional_form(node.target);
  const Operator other{functional, ImportAs::kCall, "", "", "float"};
  const Operator* known = find_operator(node.target);
  const Operator& entry = known == nullptr ? other : *known;
  if (entry.import_as == ImportAs::kIgnored || (known == nullptr && gives_nothing(functional))) {
    return;  // a check
  }
  if (entry.import_as == ImportAs::kSymbolic) {
    add_symbolic(node);
  } else if (changes_nothing(node, entry)) {
    add_identity(node);
  } else {
    add_call(node, entry);
  }
}

/// A layer that nothing can run: an error where the answer needs it (finish.h).
void Importer::add_refused(const Pt2Node& node, const Refusal& refusal) {
  Layer layer;
  layer.target = node.target;
  layer.name = short_name(node.target);
  layer.source = node.source;
  for (const auto& [name, given] : node.inputs) {
    for (const Pt2Item& item : given.items) {
      if (!item.name.empty() && names_.has(item.name)) {
        layer.arguments.push_back(value_argument(name, current(item.name, node)));
      }
    }
  }
  layer.inputs = values_of(layer.arguments);
  std::vector<std::string> tensors;
  for (const Pt2Argument& output : node.outputs) {
    for (const Pt2Item& item : output.items) {
      if (output.form == Form::kSymbol && !item.name.empty()) {
        check_new(item.name);
        layer.outputs.push_back(add_symbol(item.name));
      } else if (graph_.tensors.contains(item.name)) {
        check_new(item.name);
        layer.outputs.push_back(add_tensor(tensor_info(item.name), item.name));
        tensors.push_back(item.name);
        names_.define(item.name, layer.outputs.back());
      }
    }
  }
  for (const std::vector<std::string>& chain : written_by(node)) {
    names_.begin_write(chain.front(), node.target + place_of(node));
    for (const std::string& name : chain) {
      ValueInfo info = network_.info(names_.value(name));
      info.is_constant = false;
      info.parameter.clear();
      layer.outputs.push_back(add_tensor(std::move(info), name));
      names_.assign(name, layer.outputs.back());
    }
    if (functional_form(node.target) != node.target && !tensors.empty()) {
      names_.define_same(tensors.front(), chain.front());
    }
  }
  unsure_layouts_.insert(layer.outputs.begin(), layer.outputs.end());
  layers_.push_back({std::move(layer),
                     {node.module, node.is_leaf},
                     false,
                     Error{ErrorCode::kUnsupported, refusal.what, program_.path, refusal.cure}});
}

/// The tensors that the node writes into, each with what it is a view of, and so on.
std::vector<std::vector<std::string>> Importer::written_by(const Pt2Node& node) const {
  std::vector<std::vector<std::string>> chains;
  const auto handle = dispatched_operator(node.target);
  if (!handle) {
    return chains;
  }
  for (const c10::Argument& formal : handle->schema().arguments()) {
    const Pt2Argument* given = given_argument(node, formal.name());
    if (formal.alias_info() == nullptr || !formal.alias_info()->isWrite() || given == nullptr) {
      continue;
    }
    for (const Pt2Item& item : given->items) {
      if (names_.has(item.name)) {
        std::vector<std::string>& chain = chains.emplace_back();
        chain.push_back(item.name);
        while (const View* view = names_.view(chain.back())) {
          chain.push_back(view->parent);
        }
      }
    }
  }
  return chains;
}

bool Importer::changes_nothing(const Pt2Node& node, const Operator& entry) const {
  const std::string name = short_name(node.target);
  if (node.inputs.empty() || node.inputs.front().second.form != Form::kTensor) {
    return entry.import_as == ImportAs::kIdentity;  // refused there
  }
  const std::string& input = node.inputs.front().second.items.front().name;
  if (entry.target == "aten.to.dtype") {
    return node.inputs.size() == 2 && names_.has(input) &&
           is_same_type(node.inputs[1].second, network_.info(names_.value(input)).type);
  }
  if (name == "contiguous") {
    return node.inputs.size() == 1 && is_row_major(input);
  }
  if (name == "clone") {
    return is_row_major(input) || (!asks_row_major(node) && keeps_layout(node));
  }
  return entry.import_as == ImportAs::kIdentity;
}

void Importer::add_identity(const Pt2Node& node) {
  const std::string& input = first_tensor(node);
  const std::string& output = first_output(node, Form::kTensor);
  const std::string name = short_name(node.target);
  if (name == "clone" || name == "lift_fresh_copy") {
    names_.define_copy(output, input);
  } else {
    names_.define_same(output, input);
  }
}

void Importer::add_symbolic(const Pt2Node& node) {
  Layer layer;
  layer.target = node.target;
  layer.source = node.source;
  for (const auto& [name, given] : node.inputs) {
    const bool is_symbol = given.form == Form::kSymbol && !given.items.front().name.empty();
    if (is_symbol) {
      layer.arguments.push_back(value_argument(name, read(given.items.front().name, false, node)));
    } else if (given.form == Form::kSymbol) {
      layer.arguments.push_back(constant_argument(name, given.items.front().number));
    } else if (given.constant.isScalar()) {
      layer.arguments.push_back(constant_argument(name, given.constant));
    } else {
      refuse("the operator " + node.target + place_of(node) +
                 " computes with something other than numbers",
             "compute sizes from whole numbers");
    }
  }
  if (layer.arguments.size() != symbolic_operands(node.target)) {
    damaged("the operator " + node.target + place_of(node) + " has " +
            std::to_string(layer.arguments.size()) + " arguments");
  }
  layer.outputs = {add_symbol(first_output(node, Form::kSymbol))};
  layer.kernel = make_symbolic_kernel(node.target);
  emit(std::move(layer), node);
}

std::vector<Argument> Importer::arguments_of(const Pt2Node& node,
                                             const c10::FunctionSchema& schema) {
  const ReadName read_name = [&](const std::string& name, bool as_tensor) {
    return read(name, as_tensor, node);
  };
  std::vector<bool> is_used(node.inputs.size(), false);
  std::vector<Argument> arguments;
  for (const c10::Argument& formal : schema.arguments()) {
    std::optional<Argument> argument;
    const auto given = std::ranges::find(node.inputs, formal.name(),
                                         [](const auto& input) { return input.first; });
    if (given != node.inputs.end()) {
      is_used[static_cast<std::size_t>(given - node.inputs.begin())] = true;
      argument = fit_argument(given->second, formal, read_name, network_.device);
    } else {
      argument = default_argument(formal, network_.device);
    }
    if (!argument) {
      damaged("the argument '" + formal.name() + "' of " + node.target + place_of(node) +
              (given == node.inputs.end() ? " is missing"
                                          : " is given as '" + given->second.key +
                                                "', which does not fit " + formal.type()->str()));
    }
    arguments.push_back(std::move(*argument));
  }
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!is_used[i] && !is_neutral(node.inputs[i].second)) {
      refuse("the operator " + node.target + place_of(node) + " has '" + node.inputs[i].first +
                 "' set, which TileStrike does not model",
             "write that line without it");
    }
  }
  return arguments;
}

/// A computed number where the operator wants a tensor becomes a tensor of no dimensions: like a
/// number of Python it does not raise the type of the result.
void Importer::numbers_as_tensors(std::vector<Argument>& arguments,
                                  const c10::FunctionSchema& schema, const Pt2Node& node) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    Argument& argument = arguments[i];
    if (argument.kind != Argument::Kind::kValue || !symbols_.contains(argument.values.front()) ||
        schema.arguments()[i].type()->kind() != c10::TypeKind::TensorType) {
      continue;
    }
    const ValueId number = argument.values.front();
    const bool is_real = examples_[number.value].isDouble();
    const c10::ScalarType type = is_real ? c10::kDouble : c10::kLong;
    Layer layer = make_call(
        "aten.scalar_tensor.default",
        {value_argument("s", number), constant_argument("dtype", static_cast<std::int64_t>(type)),
         constant_argument("device", network_.device)},
        node.source);
    ValueInfo info;
    info.name = network_.info(number).name + "_tensor";
    info.type = type;
    argument.values = {add_tensor(std::move(info), "")};
    layer.outputs = argument.values;
    emit(std::move(layer), node);
  }
}

/// A network that was exported for one size of batch may have it built in, in views or constants.
void Importer::fix_batch() {
  if (batch_symbols_.empty() && !takes_any_batch(network_, batch_)) {
    for (const ValueId id : network_.inputs) {
      network_.info(id).sizes.front() = batch_;
    }
  }
}

/// The rank of a convolution's weight; 4 where the file does not say.
std::size_t Importer::rank_of_weight(const Pt2Node& node) const {
  const Pt2Argument* weight = given_argument(node, "weight");
  if (weight == nullptr || weight->form != Form::kTensor) {
    return 4;
  }
  const auto tensor = graph_.tensors.find(weight->items.front().name);
  return tensor == graph_.tensors.end() ? 4 : tensor->second.sizes.size();
}

/// Whether the operator under its other name takes all that the node gives, and gives all of its
/// results that are used.
bool Importer::is_said_by(const Pt2Node& node, const std::string& other) const {
  const auto handle = dispatched_operator(other);
  if (!handle) {
    return false;
  }
  const c10::FunctionSchema& schema = handle->schema();
  for (std::size_t i = schema.returns().size(); i < node.outputs.size(); ++i) {
    const Pt2Argument& output = node.outputs[i];
    if (!output.items.empty() && read_.contains(output.items.front().name)) {
      return false;
    }
  }
  return std::ranges::all_of(node.inputs, [&](const auto& input) {
    return schema.argumentIndexWithName(input.first) || is_neutral(input.second);
  });
}

/// What of an operator with several forms is called here.
std::string Importer::target_of(const Pt2Node& node, const Operator& entry) const {
  const std::string target(entry.becomes.empty() ? entry.target : entry.becomes);
  if (entry.target == "aten.convolution.default") {
    const Pt2Argument* transposed = given_argument(node, "transposed");
    const std::size_t rank = rank_of_weight(node);
    if (transposed != nullptr && !is_neutral(*transposed)) {
      return rank == 3   ? "aten.conv_transpose1d.default"
             : rank == 5 ? "aten.conv_transpose3d.input"
                         : "aten.conv_transpose2d.input";
    }
    return rank == 3 ? "aten.conv1d.default" : rank == 5 ? "aten.conv3d.default" : target;
  }
  if (entry.target == "aten.clone.default" && asks_row_major(node)) {
    return "aten.contiguous.default";
  }
  if (entry.target == "aten.as_strided.default") {
    return is_another_shape(node) ? target : std::string(entry.target);
  }
  const bool is_rename = entry.import_as == ImportAs::kRename && !is_empty(entry.target);
  return is_rename && !is_said_by(node, target) ? std::string(entry.target) : target;
}

/// Of a view by strides: all of a tensor that lies row by row, in row-major order again.
bool Importer::is_another_shape(const Pt2Node& node) const {
  const auto& items = node.inputs.front().second.items;
  const std::string input = items.empty() ? std::string() : items.front().name;
  const std::string& output = first_output(node, Form::kTensor);
  const auto count = [&](const std::string& name) {
    std::int64_t product = 1;
    for (const std::int64_t size : graph_.tensors.at(name).sizes) {
      if (__builtin_mul_overflow(product, size, &product)) {
        return std::int64_t{-1};
      }
    }
    return product;
  };
  return is_row_major(input) && is_row_major(output) && count(input) == count(output);
}

/// Why a view by strides cannot be taken: strides mean something where the file says how memory
/// lies, and the view begins where its tensor does.
std::optional<Refusal> Importer::refused_strides(const Pt2Node& node) const {
  const auto& items = node.inputs.front().second.items;
  const Pt2Argument* offset = given_argument(node, "storage_offset");
  if (!items.empty() && is_row_major(items.front().name) &&
      (offset == nullptr || is_neutral(*offset) ||
       (offset->constant.isInt() && offset->constant.toInt() == 0))) {
    return std::nullopt;
  }
  return Refusal{"the operator " + node.target + place_of(node) + " looks at memory by strides",
                 "write that line with view, permute, unfold or slices"};
}

void Importer::add_call(const Pt2Node& node, const Operator& entry) {
  const bool is_in_place = functional_form(node.target) != node.target;
  if (entry.target == "aten.as_strided.default") {
    if (const auto refusal = refused_strides(node)) {
      return add_refused(node, *refusal);
    }
  }
  Layer layer;
  layer.target = target_of(node, entry);
  layer.source = node.source;
  const auto handle = dispatched_operator(layer.target);
  if (!handle || handle->schema().returns().empty()) {
    return add_refused(node, {"this LibTorch has no operator " + layer.target + " with a result",
                              "use LibTorch 2.9 or later"});
  }
  const c10::FunctionSchema& schema = handle->schema();
  if (is_in_place && schema.returns().front().alias_info() != nullptr) {
    refuse(
        "the operator " + node.target + place_of(node) + " gives a tensor another shape in place",
        "write that line without the underscore");
  }
  Pt2Node called = node;
  std::erase_if(called.inputs, [&](const auto& input) {  // what the choice of target has said
    return is_said_by_choice(entry, layer.target, input.first) &&
           !schema.argumentIndexWithName(input.first);
  });
  layer.arguments = arguments_of(called, schema);
  numbers_as_tensors(layer.arguments, schema, node);
  layer.inputs = values_of(layer.arguments);
  if (const auto refusal = refusal_of(node, layer, network_)) {
    return add_refused(node, *refusal);
  }
  layer.kernel = make_operator_kernel(layer);
  if (is_in_place) {
    check_write(node, layer);
  }
  add_outputs(node, schema, layer);
  if (is_empty(entry.target)) {  // whose strides are left out
    unsure_layouts_.insert(layer.outputs.begin(), layer.outputs.end());
  }
}

void Importer::add_outputs(const Pt2Node& node, const c10::FunctionSchema& schema, Layer& layer) {
  const bool is_in_place = functional_form(node.target) != node.target;
  const c10::TypeKind kind = schema.returns().front().type()->kind();
  if (kind != c10::TypeKind::TensorType && kind != c10::TypeKind::ListType) {
    layer.outputs = {add_symbol(first_output(node, Form::kSymbol))};
    emit(std::move(layer), node);
    return;
  }
  std::vector<std::string> names;  // by output; empty: not wanted
  if (kind == c10::TypeKind::ListType) {
    first_output(node, Form::kTensors);
    for (const Pt2Item& item : node.outputs.front().items) {
      names.push_back(item.name);
    }
  } else {
    first_output(node, Form::kTensor);
    for (std::size_t i = 0; i < schema.returns().size() && i < node.outputs.size(); ++i) {
      const Pt2Argument& output = node.outputs[i];
      const bool is_given = output.form == Form::kTensor && !output.items.empty();
      names.push_back(is_given ? output.items.front().name : "");
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string& name = names[i];
    if (i > 0 && !graph_.tensors.contains(name)) {
      name.clear();
    }
    if (!name.empty()) {
      check_new(name);
    }
    layer.outputs.push_back(name.empty() ? ValueId(-1) : add_tensor(tensor_info(name), name));
  }
  infer_computed_size(layer, network_);
  as_plain_constant(layer, network_);
  for (Layer& before : as_linear(layer, network_, transposes_)) {
    examples_.resize(network_.values.size());
    emit(std::move(before), node);
  }
  for (Layer& before : with_numeric_padding(layer, network_)) {
    examples_.resize(network_.values.size());
    emit(std::move(before), node);
  }
  emit(layer, node);
  if (is_in_place) {
    const ValueId result = as_its_target(node, layer);
    if (find_operator(node.target) == nullptr) {
      unsure_layouts_.insert(result);
    }
    write(node, names.front(), result);
    return;
  }
  const bool is_copy = short_name(node.target) == "clone";
  const bool may_be_view = kind == c10::TypeKind::ListType
                               ? schema.arguments().front().alias_info() != nullptr
                               : schema.returns().front().alias_info() != nullptr;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) {
      define_tensor(node, names[i], layer.outputs[i], layer, i, may_be_view && !is_copy);
    }
  }
}

/// A constant that is made from nothing can be of any size, whatever the size of the file.
void Importer::check_size(const Pt2Node& node, const Layer& layer) const {
  const auto refuse_if_many = [&](const std::vector<std::int64_t>& sizes) {
    std::int64_t count = 1;
    for (const std::int64_t size : sizes) {
      if (size > 0 && (__builtin_mul_overflow(count, size, &count) || count > kMostElements)) {
        refuse("the operator " + node.target + place_of(node) + " makes a constant of more than " +
                   std::to_string(kMostElements) + " elements",
               "make a smaller one, or one that depends on the batch");
      }
    }
  };
  for (const ValueId id : layer.outputs) {
    if (id.value >= 0) {
      refuse_if_many(network_.info(id).sizes);
    }
  }
  const std::string name = short_name(layer.target);
  for (const Argument& argument : layer.arguments) {
    if (argument.name == "size" && argument.constant.isIntList() && name != "view" &&
        name != "expand") {
      refuse_if_many(argument.constant.toIntVector());
    }
    if (name == "arange" && argument.name == "end" && argument.constant.isScalar()) {
      refuse_if_many({static_cast<std::int64_t>(argument.constant.toScalar().toDouble())});
    }
  }
}

void Importer::emit(Layer layer, const Pt2Node& node) {
  layer.name = short_name(layer.target);
  layer.inputs = values_of(layer.arguments);
  const bool is_other = find_operator(layer.target) == nullptr;
  if (is_other) {
    layer.note = "not in the table of operators: LibTorch's own kernel";
  }
  // The exporter's shapes of these ignore what the strides of their operands do to the result's.
  if (layer.name.ends_with("_scatter") || layer.name == "copy" || is_other ||
      std::ranges::any_of(layer.inputs,
                          [this](ValueId id) { return unsure_layouts_.contains(id); })) {
    unsure_layouts_.insert(layer.outputs.begin(), layer.outputs.end());
  }
  const bool depends_on_images =
      !std::ranges::all_of(layer.inputs, [this](ValueId id) { return is_constant(id); });
  if (!depends_on_images) {
    compute_constants(layer, node);  // and looks at how they lie
    const bool depends_on_weights = std::ranges::any_of(
        layer.inputs, [this](ValueId id) { return from_weights_.contains(id); });
    const bool is_trained = std::ranges::any_of(layer.inputs, [this](ValueId id) {
      return from_weights_.contains(id) && network_.info(id).stored_as == StoredAs::kParameter;
    });
    for (const ValueId id : layer.outputs) {
      if (id.value >= 0) {
        network_.info(id).stored_as = is_trained           ? StoredAs::kParameter
                                      : depends_on_weights ? StoredAs::kBuffer
                                                           : StoredAs::kNothing;
      }
    }
    if (!depends_on_weights) {
      return;
    }
    from_weights_.insert(layer.outputs.begin(), layer.outputs.end());
  }
  layers_.push_back(
      {std::move(layer), {node.module, node.is_leaf}, !depends_on_images, std::nullopt});
}

void Importer::compute_constants(const Layer& layer, const Pt2Node& node) {
  check_size(node, layer);
  layer.kernel->run(layer, network_.constants);
  for (const ValueId id : layer.outputs) {
    if (id.value < 0) {
      continue;
    }
    ValueInfo& info = network_.info(id);
    info.is_constant = true;
    if (symbols_.contains(id)) {
      continue;
    }
    const at::Tensor& result = network_.constants[id.value].toTensor();
    info.sizes = result.sizes().vec();
    info.type = result.scalar_type();
    const auto declared = graph_.tensors.find(info.name);
    if (declared != graph_.tensors.end() && result.strides() == declared->second.strides) {
      unsure_layouts_.erase(id);
    }
    if (layer.inputs.size() == 1 && !symbols_.contains(layer.inputs.front()) &&
        is_transpose(result, network_.constants[layer.inputs.front().value].toTensor())) {
      transposes_[id] = layer.inputs.front();
    }
  }
}

}  // namespace tilestrike::dnn
