// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/import.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "dnn/import/arguments.h"
#include "dnn/import/names.h"
#include "dnn/import/pt2_archive.h"
#include "dnn/import/pt2_graph.h"
#include "dnn/import/rewrite.h"
#include "dnn/operator_kernel.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

using Form = Pt2Argument::Form;

constexpr char kNotInPlace[] =
    "write that line without its in-place form (y = x + 1 for x += 1, inplace=False), or clone the "
    "tensor first";

/// " in layer 'stage1.conv1' at train_zoo.py:67, self.conv1(x)".
std::string place_of(const Pt2Node& node) {
  std::string text =
      " in layer '" + (node.module.empty() ? short_name(node.target) : node.module) + "'";
  return node.source.empty() ? text : text + " at " + node.source;
}

std::string symbol_name(const std::string& expression) {
  const std::size_t begin = expression.find('\'');
  const std::size_t end = expression.find('\'', begin + 1);
  return begin == std::string::npos || end == std::string::npos
             ? expression
             : expression.substr(begin + 1, end - begin - 1);
}

class Importer {
 public:
  Importer(std::string path, c10::Device device) : archive_(std::move(path)) {
    network_.name = std::filesystem::path(archive_.path()).stem().string();
    network_.device = device;
  }

  Network import() {
    const at::NoGradGuard no_gradients;
    try {
      graph_ = read_pt2_graph(archive_.program(), archive_.path());
      check_operators();
      for (const Pt2Input& input : graph_.inputs) {
        add_input(input);
      }
      if (!has_input_) {
        refuse("the model has no input", "export a model that takes one tensor, the images");
      }
      for (const Pt2Node& node : graph_.nodes) {
        add_node(node);
      }
    } catch (const nlohmann::json::exception& error) {
      damaged(error.what());
    } catch (const c10::Error& error) {
      const std::string text = error.what_without_backtrace();
      damaged(text.substr(0, text.find('\n')));
    }
    finish();
    return std::move(network_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& cure) const {
    fail(ErrorCode::kUnsupported, what, archive_.path(), cure);
  }
  [[noreturn]] void damaged(const std::string& what) const {
    fail(ErrorCode::kInvalidInput, "the graph does not hang together: " + what, archive_.path(),
         "copy the file again, or export the model again with PyTorch 2.13");
  }

  void check_operators() const;
  void add_input(const Pt2Input& input);
  void add_weight(const Pt2Input& input);
  void add_node(const Pt2Node& node);
  void add_identity(const Pt2Node& node);
  void add_call(const Pt2Node& node, const Operator& entry);
  void add_symbolic(const Pt2Node& node);
  ValueId add_symbol(const std::string& name);
  bool is_row_major(const std::string& name) const;
  bool changes_nothing(const Pt2Node& node, const Operator& entry) const;
  const std::string& first_output(const Pt2Node& node, Form form) const;
  std::vector<Argument> arguments_of(const Pt2Node& node, const c10::FunctionSchema& schema) const;
  void check_write(const Pt2Node& node, const Layer& layer) const;
  void check_batch_is_free(const Pt2Node& node, const Layer& layer) const;
  void emit(Layer layer, const Pt2Node& node);
  void finish();
  void drop_unread();
  void name_layers();

  ValueId read(const std::string& name, bool as_tensor, const Pt2Node& node) const;
  void check_new(const std::string& name) const;
  const std::string& first_tensor(const Pt2Node& node) const;
  ValueInfo tensor_info(const std::string& name) const;

  Pt2Archive archive_;
  Pt2Graph graph_;
  Network network_;
  Names names_;
  Transposes transposes_;
  std::set<ValueId> symbols_;                  // values that are integers
  std::vector<const Pt2Node*> node_of_layer_;  // what the layers' names are made of
  bool has_input_ = false;
  std::string batch_symbol_;  // empty: exported for the one batch size ...
  std::int64_t batch_ = -1;   // ... that is here
};

void Importer::check_operators() const {
  ErrorList errors;
  std::set<std::string> seen;
  for (const Pt2Node& node : graph_.nodes) {
    if (find_operator(node.target) != nullptr || !seen.insert(node.target).second) {
      continue;
    }
    std::vector<std::string> others;  // the same in another form
    for (const Operator& entry : operators()) {
      if (short_name(entry.target) == short_name(node.target)) {
        others.emplace_back(entry.target);
      }
    }
    errors.add(ErrorCode::kUnsupported,
               "the operator " + node.target + place_of(node) + " is not known", archive_.path(),
               "write that line with operators of `tilestrike list operators`" +
                   (others.empty() ? "" : " (near: " + join(others, ", ") + ")") +
                   ", or add an entry to dnn/operators.cpp");
  }
  errors.throw_if_any();
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
    const bool is_batch =
        batch_symbol_.empty()
            ? i == 0 && info.sizes[i] == batch_
            : symbol_name(tensor.symbols[i]) == batch_symbol_ ||
                  tensor.symbols[i].find("'" + batch_symbol_ + "'") != std::string::npos;
    if (is_batch) {
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

void Importer::add_input(const Pt2Input& input) {
  switch (input.role) {
    case Pt2Input::Role::kLiteral:
      return;
    case Pt2Input::Role::kWeight:
      add_weight(input);
      return;
    case Pt2Input::Role::kUser:
      break;
  }
  if (input.argument.form == Form::kConstant) {
    return;  // an argument that the exporter has fixed
  }
  std::vector<std::string> names;
  for (const Pt2Input& other : graph_.inputs) {
    if (other.role == Pt2Input::Role::kUser && other.argument.form != Form::kConstant) {
      names.push_back(other.argument.items.empty() ? other.argument.key
                                                   : other.argument.items.front().name);
    }
  }
  if (names.size() != 1 || input.argument.form != Form::kTensor) {
    refuse("the model has " + std::to_string(names.size()) + " inputs (" + join(names, ", ") + ")",
           "export a model that takes one tensor, the images");
  }
  const std::string& name = names.front();
  check_new(name);
  const auto tensor = graph_.tensors.find(name);
  if (tensor != graph_.tensors.end() && !tensor->second.sizes.empty()) {
    batch_symbol_ = symbol_name(tensor->second.symbols.front());
    batch_ = tensor->second.sizes.front();
  }
  const ValueInfo info = tensor_info(name);
  if (info.type != c10::kFloat) {
    refuse(
        "the model's input '" + name + "' holds elements of the type " + c10::toString(info.type),
        "export it for images of float32");
  }
  if (info.sizes.empty()) {
    refuse("the model's input '" + name + "' is a single number",
           "export it for a batch of images");
  }
  network_.input = network_.add_value(info);
  names_.define(name, network_.input, true);
  has_input_ = true;
}

void Importer::add_weight(const Pt2Input& input) {
  const std::string& name = input.argument.items.front().name;
  check_new(name);
  const at::Tensor tensor = archive_.tensor(input.weight, network_.device);
  const auto declared = graph_.tensors.find(name);
  if (declared != graph_.tensors.end() &&
      (declared->second.type != tensor.scalar_type() || tensor.sizes() != declared->second.sizes)) {
    damaged("the weight '" + input.weight +
            "' has another shape or type in the graph than in its "
            "bytes");
  }
  ValueInfo info;
  info.name = name;
  info.type = tensor.scalar_type();
  info.sizes = tensor.sizes().vec();
  info.is_constant = true;
  info.parameter = input.weight;
  const ValueId id = network_.add_value(std::move(info));
  network_.constants[id.value] = tensor;
  names_.define(name, id, true);
}

ValueId Importer::read(const std::string& name, bool as_tensor, const Pt2Node& node) const {
  if (!names_.has(name)) {
    damaged("the operator " + node.target + place_of(node) + " reads '" + name +
            "', which nothing before it computes");
  }
  if (!names_.stale(name).empty()) {
    refuse("the operator " + node.target + place_of(node) + " reads '" + name +
               "', whose memory was written through another view by " + names_.stale(name),
           kNotInPlace);
  }
  const ValueId id = names_.value(name);
  if (symbols_.contains(id) == as_tensor) {
    damaged("'" + name + "'" + place_of(node) + " is a " + (as_tensor ? "size" : "tensor") +
            " where it is read as a " + (as_tensor ? "tensor" : "size"));
  }
  return id;
}

const std::string& Importer::first_tensor(const Pt2Node& node) const {
  if (node.inputs.empty() || node.inputs.front().second.form != Form::kTensor) {
    damaged("the first argument of " + node.target + place_of(node) + " is not a tensor");
  }
  const std::string& name = node.inputs.front().second.items.front().name;
  read(name, true, node);
  return name;
}

void Importer::add_node(const Pt2Node& node) {
  const Operator& entry = *find_operator(node.target);
  for (const auto& [name, argument] : node.inputs) {
    if ((name == "train" || name == "training") && !is_neutral(argument)) {
      refuse("the operator " + node.target + place_of(node) + " is in training mode",
             "call model.eval() before torch.export");
    }
  }
  if (entry.import_as == ImportAs::kIgnored) {
    return;
  }
  if (entry.import_as == ImportAs::kSymbolic) {
    add_symbolic(node);
  } else if (changes_nothing(node, entry)) {
    add_identity(node);
  } else {
    add_call(node, entry);
  }
}

bool Importer::is_row_major(const std::string& name) const {
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

bool Importer::changes_nothing(const Pt2Node& node, const Operator& entry) const {
  const std::string name = short_name(node.target);
  if (entry.target == "aten.to.dtype") {
    const std::string& input = first_tensor(node);
    return node.inputs.size() == 2 && node.inputs[1].second.constant.isInt() &&
           node.inputs[1].second.constant.toInt() ==
               static_cast<std::int64_t>(network_.info(names_.value(input)).type);
  }
  if (name == "contiguous") {
    return node.inputs.size() == 1 && is_row_major(first_tensor(node));
  }
  if (name == "clone" && node.inputs.size() > 1) {  // the second argument is a layout
    return node.inputs[1].second.constant.isNone() || is_row_major(first_tensor(node));
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
  for (const auto& [name, given] : node.inputs) {
    const bool is_symbol = given.form == Form::kSymbol && !given.items.front().name.empty();
    Argument argument;
    argument.name = name;
    if (is_symbol) {
      argument.kind = Argument::Kind::kValue;
      argument.values = {read(given.items.front().name, false, node)};
    } else if (given.form == Form::kSymbol || given.constant.isInt()) {
      argument.constant =
          given.form == Form::kSymbol ? given.items.front().number : given.constant.toInt();
    } else {
      refuse("the operator " + node.target + place_of(node) +
                 " computes with something other than "
                 "integers",
             "compute sizes from whole numbers");
    }
    layer.arguments.push_back(std::move(argument));
  }
  if (layer.arguments.size() != 2) {
    damaged("the operator " + node.target + place_of(node) + " has not two arguments");
  }
  layer.outputs = {add_symbol(first_output(node, Form::kSymbol))};
  layer.kernel = make_symbolic_kernel(node.target);
  emit(std::move(layer), node);
}

ValueId Importer::add_symbol(const std::string& name) {
  ValueInfo info;
  info.name = name;
  info.type = c10::kLong;
  const ValueId id = network_.add_value(std::move(info));
  symbols_.insert(id);
  names_.define(name, id);
  return id;
}

const std::string& Importer::first_output(const Pt2Node& node, Form form) const {
  if (node.outputs.empty() || node.outputs.front().form != form ||
      node.outputs.front().items.front().name.empty()) {
    damaged("the operator " + node.target + place_of(node) +
            " has no output of the kind that it "
            "should have");
  }
  const std::string& name = node.outputs.front().items.front().name;
  check_new(name);
  return name;
}

std::vector<Argument> Importer::arguments_of(const Pt2Node& node,
                                             const c10::FunctionSchema& schema) const {
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
      argument = default_argument(formal);
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

void Importer::check_write(const Pt2Node& node, const Layer& layer) const {
  const std::string& target = first_tensor(node);
  if (names_.is_external(target)) {
    refuse("the operator " + node.target + place_of(node) + " writes into '" + target +
               "', an input or a weight of the model",
           kNotInPlace);
  }
  for (const ValueId id : layer.inputs) {
    const ValueInfo& info = network_.info(id);
    if (!symbols_.contains(id) && !info.sizes.empty() &&
        info.type != network_.info(names_.value(target)).type) {
      refuse("the operator " + node.target + place_of(node) +
                 " writes in place with another element "
                 "type than its target has",
             "convert the operands to one type first");
    }
  }
}

void Importer::check_batch_is_free(const Pt2Node& node, const Layer& layer) const {
  const std::string name = short_name(layer.target);
  const bool reads_input = std::ranges::any_of(
      layer.inputs, [this](ValueId id) { return !network_.info(id).is_constant; });
  if (batch_symbol_.empty() && reads_input &&
      (name == "view" || name == "reshape" || name == "expand")) {
    refuse("the model is exported for batches of " + std::to_string(batch_) + " alone, and " +
               node.target + place_of(node) + " has that number built in",
           "export it with dynamic_shapes=({0: torch.export.Dim(\"batch\", min=1)},)");
  }
}

void Importer::add_call(const Pt2Node& node, const Operator& entry) {
  const bool is_in_place = functional_form(node.target) != node.target;
  Layer layer;
  layer.target = std::string(entry.becomes.empty() ? entry.target : entry.becomes);
  layer.source = node.source;
  const auto handle = dispatched_operator(layer.target);
  if (!handle || handle->schema().returns().size() != 1) {
    refuse("this LibTorch has no operator " + layer.target, "use LibTorch 2.9 or later");
  }
  const c10::FunctionSchema& schema = handle->schema();
  layer.arguments = arguments_of(node, schema);
  layer.inputs = values_of(layer.arguments);
  layer.kernel = make_operator_kernel(layer);
  check_batch_is_free(node, layer);
  if (is_in_place) {
    check_write(node, layer);
  }
  if (schema.returns().front().type()->kind() == c10::TypeKind::IntType) {
    layer.outputs = {add_symbol(first_output(node, Form::kSymbol))};
    emit(std::move(layer), node);
    return;
  }
  const std::string& output = first_output(node, Form::kTensor);
  const ValueId id = network_.add_value(tensor_info(output));
  layer.outputs = {id};
  if (is_in_place) {
    names_.write(output, id, first_tensor(node), node.target + place_of(node));
  } else if (schema.returns().front().alias_info() != nullptr) {
    names_.define_view(output, id, first_tensor(node));
  } else {
    names_.define(output, id);
  }
  infer_computed_size(layer, network_);
  as_linear(layer, network_, transposes_);
  for (Layer& before : with_numeric_padding(layer, network_)) {
    emit(std::move(before), node);
  }
  emit(std::move(layer), node);
}

void Importer::emit(Layer layer, const Pt2Node& node) {
  layer.name = short_name(layer.target);
  layer.inputs = values_of(layer.arguments);
  const bool is_constant = std::ranges::all_of(
      layer.inputs, [this](ValueId id) { return network_.info(id).is_constant; });
  if (!is_constant) {
    network_.layers.push_back(std::move(layer));
    node_of_layer_.push_back(&node);
    return;
  }
  layer.kernel->run(layer, network_.constants);
  const ValueId id = layer.outputs.front();
  network_.info(id).is_constant = true;
  if (symbols_.contains(id)) {
    return;
  }
  const at::Tensor& result = network_.constants[id.value].toTensor();
  network_.info(id).sizes = result.sizes().vec();
  network_.info(id).type = result.scalar_type();
  if (layer.inputs.size() == 1) {
    const at::Tensor& source = network_.constants[layer.inputs.front().value].toTensor();
    if (is_transpose(result, source)) {
      transposes_[id] = layer.inputs.front();
    }
  }
}

void Importer::finish() {
  const std::string& name = graph_.output.items.front().name;
  if (!names_.has(name)) {
    damaged("nothing computes its output '" + name + "'");
  }
  if (!names_.stale(name).empty()) {
    refuse("the model's output '" + name + "' was written through another view by " +
               names_.stale(name),
           kNotInPlace);
  }
  network_.output = names_.value(name);
  if (symbols_.contains(network_.output) || network_.info(network_.output).is_constant) {
    refuse("the model's output '" + name + "' does not depend on the images",
           "export a model that returns its logits");
  }
  if (network_.info(network_.output).type != c10::kFloat) {
    refuse("the model's output '" + name + "' holds elements of the type " +
               c10::toString(network_.info(network_.output).type),
           "export a model that returns its logits in float32");
  }
  drop_unread();
  name_layers();
}

void Importer::drop_unread() {
  std::set<ValueId> read{network_.input, network_.output};
  for (std::size_t i = network_.layers.size(); i-- > 0;) {
    const Layer& layer = network_.layers[i];
    if (!read.contains(layer.outputs.front())) {
      network_.layers.erase(network_.layers.begin() + static_cast<std::ptrdiff_t>(i));
      node_of_layer_.erase(node_of_layer_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    read.insert(layer.inputs.begin(), layer.inputs.end());
  }
  std::map<ValueId, ValueId> renumbered;
  Network kept;
  for (const ValueId id : read) {
    renumbered[id] = kept.add_value(std::move(network_.info(id)));
    kept.constants[renumbered[id].value] = network_.constants[id.value];
  }
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      id = id.value < 0 ? id : renumbered.at(id);
    }
  };
  for (Layer& layer : network_.layers) {
    renumber(layer.inputs);
    renumber(layer.outputs);
    for (Argument& argument : layer.arguments) {
      renumber(argument.values);
    }
  }
  network_.values = std::move(kept.values);
  network_.constants = std::move(kept.constants);
  network_.input = renumbered.at(network_.input);
  network_.output = renumbered.at(network_.output);
}

void Importer::name_layers() {
  std::map<std::string, std::string> operator_of;  // names that are taken
  const auto name_layer = [&](std::size_t i) {
    Layer& layer = network_.layers[i];
    const Pt2Node& node = *node_of_layer_[i];
    const std::string operation = short_name(layer.target);
    const std::string within = node.module.empty() ? operation : node.module + "." + operation;
    std::string base = node.is_leaf ? node.module : within;
    if (operator_of.contains(base) && operator_of[base] != operation) {
      base = within;  // one of several operators of a module
    }
    layer.name = base;
    for (int number = 1; operator_of.contains(layer.name); ++number) {
      layer.name = base + "_" + std::to_string(number);
    }
    operator_of[layer.name] = operation;
  };
  // A module of weights gives its name to the product with them, whatever else it computes.
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const std::string& target = network_.layers[i].target;
    if (target == "aten.conv2d.default" || target == "aten.linear.default") {
      name_layer(i);
    } else {
      others.push_back(i);
    }
  }
  std::ranges::for_each(others, name_layer);
}

}  // namespace

Network import_pt2(const std::string& path, c10::Device device) {
  return Importer(path, device).import();
}

}  // namespace tilestrike::dnn
