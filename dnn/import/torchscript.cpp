// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one file that knows of TorchScript, which upstream has deprecated.
#include "dnn/import/torchscript.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sub.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "dnn/executor.h"
#include "dnn/import/importer.h"
#include "dnn/import/torchscript_checks.h"
#include "dnn/import/zip_file.h"

namespace tilestrike::dnn {
namespace {

namespace jit = torch::jit;
using Form = Pt2Argument::Form;

constexpr std::int64_t kFirstBatch = 5, kSecondBatch = 6, kCheckedBatch = 3;
constexpr double kSameAnswer = 1e-3;  // float sums in another order, never another model
// Names that no argument of the model's can have.
constexpr char kWeight[] = "weight ";
constexpr char kExport[] = "save it with torch.export.save instead";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A batch like `rows`: of floating point, values that spread over a range; of integers, its rows
/// over and over.
at::Tensor made_up(std::int64_t batch, const at::Tensor& rows, c10::Device device,
                   double low = -1.0, double high = 1.0) {
  if (!rows.is_floating_point()) {
    std::vector<at::Tensor> chosen;
    for (std::int64_t i = 0; i < batch; ++i) {
      chosen.push_back(rows.narrow(0, i % rows.size(0), 1));
    }
    return at::cat(chosen).to(device);
  }
  std::vector<std::int64_t> sizes = rows.sizes().vec();
  sizes.front() = batch;
  const std::int64_t count = batch * (rows.numel() / rows.size(0));
  return at::linspace(low, high, count, at::TensorOptions(c10::kFloat).device(device)).view(sizes);
}

jit::Stack stack_of(const Inputs& inputs) {
  return {inputs.tensors().begin(), inputs.tensors().end()};
}

std::shared_ptr<jit::Graph> trace(jit::Module& module, const Inputs& inputs) {
  const auto run = [&](jit::Stack stack) { return jit::Stack{module.forward(std::move(stack))}; };
  auto traced = jit::tracer::trace(
      stack_of(inputs), run, [](const at::Tensor&) { return std::string(); },
      /*strict=*/false, /*force_outplace=*/false);
  std::shared_ptr<jit::Graph> graph = traced.first->graph;
  jit::EliminateDeadCode(graph);
  return graph;
}

bool is_structure(c10::Symbol kind) {
  return kind == c10::prim::TupleConstruct || kind == c10::prim::ListConstruct ||
         kind == c10::prim::DictConstruct;
}

/// The tensors that a model returns, in the order of Reader::name_outputs.
void flatten(const c10::IValue& answer, std::vector<c10::IValue>& leaves) {
  if (answer.isTuple()) {
    for (const c10::IValue& element : answer.toTupleRef().elements()) {
      flatten(element, leaves);
    }
  } else if (answer.isList()) {
    for (const c10::IValue& element : answer.toListRef()) {
      flatten(element, leaves);
    }
  } else if (answer.isGenericDict()) {
    for (const auto& entry : answer.toGenericDict()) {
      flatten(entry.value(), leaves);
    }
  } else {
    leaves.push_back(answer);
  }
}

/// Nodes that compute something.
std::vector<jit::Node*> operators_of(jit::Graph& graph) {
  std::vector<jit::Node*> nodes;
  for (jit::Node* node : graph.nodes()) {
    const c10::Symbol kind = node->kind();
    if (kind != c10::prim::Constant && kind != c10::prim::ListUnpack && !is_structure(kind)) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

class Reader {
 public:
  Reader(const std::string& path, jit::Module& module, Program& program)
      : path_(path), program_(program), graph_(program.graph) {
    for (const auto& parameter : module.named_parameters()) {
      names_[key_of(parameter.value)] = parameter.name;
      parameters_.insert(parameter.name);
    }
    for (const auto& buffer : module.named_buffers()) {
      names_[key_of(buffer.value)] = buffer.name;
    }
  }

  void read(jit::Graph& first, jit::Graph& second, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      first.inputs().at(i)->setDebugName(names[i]);
      Pt2Input input;
      input.role = Pt2Input::Role::kUser;
      input.argument = tensor_argument(names[i]);
      describe(first.inputs().at(i), second.inputs().at(i));
      graph_.inputs.push_back(input);
    }
    input_ = names.front();
    const std::vector<jit::Node*> nodes = operators_of(first), others = operators_of(second);
    for (std::size_t i = 0; i < std::max(nodes.size(), others.size()); ++i) {
      if (i >= nodes.size() || i >= others.size() || nodes[i]->kind() != others[i]->kind()) {
        const jit::Node* extra = i < nodes.size() ? nodes[i] : others[i];
        refuse("it calls other operators at another batch size or for other images, the first " +
               std::string(extra->kind().toQualString()));
      }
      add(*nodes[i], *others[i]);
    }
    for (const jit::Value* output : first.outputs()) {
      name_outputs(output, "");
    }
    auto weights = std::make_shared<std::map<std::string, at::Tensor>>(std::move(weights_));
    program_.weight = [weights](const std::string& name) { return weights->at(name); };
  }

 private:
  using Key = std::pair<const void*, std::vector<std::int64_t>>;
  static Key key_of(const at::Tensor& tensor) {
    std::vector<std::int64_t> shape = tensor.sizes().vec();
    shape.insert(shape.end(), tensor.strides().begin(), tensor.strides().end());
    return {tensor.const_data_ptr(), std::move(shape)};
  }

  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorCode::kUnsupported, "the TorchScript model cannot be imported: " + what, path_,
         kExport);
  }

  static bool is_tensor(const jit::Value* value) {
    return value->type()->kind() == c10::TypeKind::TensorType;
  }
  static Pt2Argument tensor_argument(std::string name) {
    Pt2Argument argument;
    argument.form = Form::kTensor;
    argument.items = {{std::move(name), 0}};
    argument.key = "tensor";
    return argument;
  }

  void name_outputs(const jit::Value* value, const std::string& path) {
    const jit::Node& node = *value->node();
    const auto below = [&](const std::string& key) {
      return path.empty() ? key : path + "." + key;
    };
    if (is_tensor(value)) {
      graph_.outputs.push_back(tensor_argument(value->debugName()));
      graph_.output_names.push_back(path.empty() ? "0" : path);
    } else if (node.kind() == c10::prim::DictConstruct) {
      for (std::size_t i = 0; i + 1 < node.inputs().size(); i += 2) {
        const std::optional<c10::IValue> key = jit::toIValue(node.inputs()[i]);
        const bool is_text = key && key->isString();
        name_outputs(node.inputs()[i + 1],
                     below(is_text ? key->toStringRef() : std::to_string(i / 2)));
      }
    } else if (is_structure(node.kind())) {
      for (std::size_t i = 0; i < node.inputs().size(); ++i) {
        name_outputs(node.inputs()[i], below(std::to_string(i)));
      }
    } else {
      refuse("it returns " + value->type()->str() + ", and no tensor");
    }
  }

  void describe(const jit::Value* value, const jit::Value* other) {
    const auto type = value->type()->cast<c10::TensorType>();
    const auto other_type = other->type()->cast<c10::TensorType>();
    if (!type || !other_type || !type->sizes().concrete_sizes() ||
        !other_type->sizes().concrete_sizes() || !type->strides().concrete_sizes() ||
        !type->scalarType()) {
      return;  // the importer says which value has no shape, where it needs one
    }
    Pt2Tensor tensor;
    tensor.type = *type->scalarType();
    tensor.sizes = *type->sizes().concrete_sizes();
    tensor.strides = *type->strides().concrete_sizes();
    const std::vector<std::int64_t> others = *other_type->sizes().concrete_sizes();
    if (others.size() != tensor.sizes.size()) {
      refuse("a value has another number of dimensions at another batch size");
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
      tensor.symbols.emplace_back(others[i] == tensor.sizes[i] ? "" : "Symbol('batch')");
    }
    graph_.tensors[value->debugName()] = std::move(tensor);
  }

  std::string weight(const at::Tensor& tensor) {
    const Key key = key_of(tensor);
    const auto known = weight_names_.find(key);
    if (known != weight_names_.end()) {
      return known->second;
    }
    const auto name = names_.find(key);
    Pt2Input input;
    input.weight =
        name != names_.end() ? name->second : "constant_" + std::to_string(weight_names_.size());
    input.is_parameter = parameters_.contains(input.weight);
    input.argument = tensor_argument(kWeight + input.weight);
    graph_.inputs.push_back(input);
    weights_[input.weight] = tensor;
    return weight_names_[key] = kWeight + input.weight;
  }

  /// A number that is k * batch + c.
  Pt2Item number(std::int64_t value, std::int64_t other) {
    if (value == other) {
      return {"", value};
    }
    const std::int64_t factor = (other - value) / (kSecondBatch - kFirstBatch);
    const std::int64_t rest = value - factor * kFirstBatch;
    std::string name = "batch size";
    if (graph_.numbers.emplace(name, kFirstBatch).second) {
      Pt2Node size;
      size.target = "aten.sym_size.int";
      size.inputs = {{"self", tensor_argument(input_)}, {"dim", constant(0)}};
      size.outputs = {symbol(name)};
      graph_.nodes.push_back(std::move(size));
    }
    name = calculated(name, "_operator.mul", factor, 1, factor * kFirstBatch);
    return {calculated(name, "_operator.add", rest, 0, value), 0};
  }

  std::string calculated(const std::string& from, const std::string& target, std::int64_t by,
                         std::int64_t neutral, std::int64_t hint) {
    if (by == neutral) {
      return from;
    }
    std::string name = from + (neutral == 1 ? "_times_" : "_plus_") + std::to_string(by);
    if (graph_.numbers.emplace(name, hint).second) {
      Pt2Node node;
      node.target = target;
      node.inputs = {{"a", symbol(from)}, {"b", constant(by)}};
      node.outputs = {symbol(name)};
      graph_.nodes.push_back(std::move(node));
    }
    return name;
  }

  static Pt2Argument constant(c10::IValue value) {
    Pt2Argument argument;
    argument.key = "constant";
    argument.constant = std::move(value);
    return argument;
  }
  static Pt2Argument symbol(std::string name) {
    Pt2Argument argument;
    argument.form = Form::kSymbol;
    argument.key = "number";
    argument.items = {{std::move(name), 0}};
    return argument;
  }

  Pt2Argument numbers(const std::vector<std::int64_t>& values,
                      const std::vector<std::int64_t>& others) {
    if (values == others) {
      return constant(c10::IValue(values));
    }
    if (values.size() != others.size()) {
      refuse("a list of numbers has another length at another batch size");
    }
    Pt2Argument argument;
    argument.form = Form::kSymbols;
    argument.key = "numbers";
    for (std::size_t i = 0; i < values.size(); ++i) {
      argument.items.push_back(number(values[i], others[i]));
    }
    return argument;
  }

  Pt2Argument known(const c10::IValue& value, const c10::IValue& other) {
    if (value.isTensor()) {
      return tensor_argument(weight(value.toTensor()));
    }
    if (value.isInt() && other.isInt()) {
      const Pt2Item item = number(value.toInt(), other.toInt());
      return item.name.empty() ? constant(value) : symbol(item.name);
    }
    if (value.isIntList() && other.isIntList()) {
      return numbers(value.toIntVector(), other.toIntVector());
    }
    if (value.isDevice()) {
      Pt2Argument argument;
      argument.form = Form::kDevice;
      return argument;
    }
    const bool is_plain = value.isNone() || value.isBool() || value.isDouble() ||
                          value.isString() || value.isDoubleList();
    if (!is_plain || value != other) {
      refuse("it has a constant of the type " + value.tagKind() +
             (is_plain ? " that depends on the batch size" : ""));
    }
    return constant(value);
  }

  Pt2Argument list(jit::Node& node, jit::Node& other) {
    std::vector<std::int64_t> values, others;
    Pt2Argument tensors;
    tensors.form = Form::kTensors;
    tensors.key = "tensors";
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      const std::optional<c10::IValue> value = jit::toIValue(node.inputs()[i]);
      if (value && value->isInt()) {
        values.push_back(value->toInt());
        others.push_back(jit::toIValue(other.inputs().at(i))->toInt());
      } else if (value && value->isNone()) {
        tensors.items.emplace_back();
      } else {
        const Pt2Argument item = argument(node.inputs()[i], other.inputs().at(i));
        if (item.form != Form::kTensor) {
          refuse("it has a list of other things than numbers or tensors");
        }
        tensors.items.push_back(item.items.front());
      }
    }
    return tensors.items.empty() && !values.empty() ? numbers(values, others) : tensors;
  }

  Pt2Argument argument(jit::Value* value, jit::Value* other) {
    if (const std::optional<c10::IValue> constant = jit::toIValue(value)) {
      const std::optional<c10::IValue> other_constant = jit::toIValue(other);
      if (!other_constant) {
        refuse("a constant is none at another batch size");
      }
      return known(*constant, *other_constant);
    }
    if (value->node()->kind() == c10::prim::ListConstruct &&
        other->node()->kind() == c10::prim::ListConstruct) {
      return list(*value->node(), *other->node());
    }
    if (!is_tensor(value)) {
      refuse("the operator " + std::string(value->node()->kind().toQualString()) + " gives " +
             value->type()->str() + ", and no tensor");
    }
    return tensor_argument(value->debugName());
  }

  void add_outputs(jit::Value* value, jit::Value* other, Pt2Node& node) {
    if (value->type()->kind() != c10::TypeKind::ListType) {
      describe(value, other);
      node.outputs.push_back(tensor_argument(value->debugName()));
      return;
    }
    Pt2Argument outputs;
    outputs.form = Form::kTensors;
    for (const jit::Use& use : value->uses()) {
      for (const jit::Use& other_use : other->uses()) {
        if (use.user->kind() == c10::prim::ListUnpack &&
            other_use.user->kind() == c10::prim::ListUnpack && outputs.items.empty()) {
          for (std::size_t i = 0; i < use.user->outputs().size(); ++i) {
            describe(use.user->outputs()[i], other_use.user->outputs().at(i));
            outputs.items.push_back({use.user->outputs()[i]->debugName(), 0});
          }
        }
      }
    }
    node.outputs.push_back(std::move(outputs));
  }

  void add(jit::Node& traced, jit::Node& other) {
    const c10::FunctionSchema* schema = traced.maybeSchema();
    if (schema == nullptr) {
      refuse("it has a node " + std::string(traced.kind().toQualString()));
    }
    Pt2Node node;
    const std::string name = schema->name();
    node.target = "aten." + name.substr(name.find("::") + 2) + "." +
                  (schema->overload_name().empty() ? "default" : schema->overload_name());
    std::size_t arguments = traced.inputs().size();
    if (node.target == "aten._convolution.default") {  // the rest chooses algorithms on GPUs
      node.target = "aten.convolution.default";
      arguments = 9;
    }
    if (node.target == "aten._convolution_mode.default") {
      node.target = "aten.conv2d.padding";
    }
    for (std::size_t i = 0; i < arguments; ++i) {
      Pt2Argument given = argument(traced.inputs()[i], other.inputs().at(i));
      if (given.form == Form::kTensor && given.items.front().name.starts_with(kWeight) &&
          node.module.empty()) {
        const std::string path = given.items.front().name.substr(std::string(kWeight).size());
        const std::size_t end = path.rfind('.');
        node.is_leaf = end != std::string::npos;
        node.module = node.is_leaf ? path.substr(0, end) : "";
      }
      node.inputs.emplace_back(schema->arguments().at(i).name(), std::move(given));
    }
    for (std::size_t i = 0; i < traced.outputs().size(); ++i) {
      add_outputs(traced.outputs()[i], other.outputs().at(i), node);
    }
    graph_.nodes.push_back(std::move(node));
  }

  const std::string& path_;
  Program& program_;
  Pt2Graph& graph_;
  std::string input_;
  std::map<Key, std::string> names_, weight_names_;
  std::set<std::string> parameters_;  // names of what is trained
  std::map<std::string, at::Tensor> weights_;
};

void check_answer(const Network& network, jit::Module& module, const Inputs& inputs,
                  std::size_t output, const std::string& path) {
  std::vector<c10::IValue> leaves;
  flatten(module.forward(stack_of(inputs)), leaves);
  const at::Tensor expected = leaves.at(output).toTensor();
  const at::Tensor found = Executor(network).run(inputs);
  const bool is_same =
      found.sizes() == expected.sizes() && !(at::sub(found, expected).abs().max().item<double>() >
                                             kSameAnswer * expected.abs().max().item<double>());
  if (!is_same) {
    fail(ErrorCode::kUnsupported,
         "the TorchScript model gives another answer at another batch size or for other images "
         "than its operators in a row do",
         path, std::string("take branches on values out of it, or ") + kExport);
  }
}

}  // namespace

bool is_torchscript(const std::string& path) {
  bool has_code = false, has_program = false;
  for (const std::string& name : ZipFile(path).names()) {
    has_code = has_code || name.ends_with("/constants.pkl");
    // The code of a network of a folder of this name lies deeper.
    has_program = has_program || name.find("/models/") == name.find('/');
  }
  return has_code && !has_program;
}

Network import_torchscript(const std::string& path, const std::vector<NamedInput>& given,
                           c10::Device device, const std::string& output) {
  std::string what;
  try {
    const at::NoGradGuard no_gradients;
    // The second run would call what the first one has taught an optimiser.
    const torch::jit::GraphOptimizerEnabledGuard not_optimised(false);
    jit::Module module = jit::load(path, device);
    refuse_packed_weights(module, path);
    if (module.hasattr("training") && module.is_training()) {  // a frozen one does not say
      fail(ErrorCode::kUnsupported, "the TorchScript model is in training mode", path,
           "call model.eval() before torch.jit.script or torch.jit.trace");
    }
    for (at::Tensor parameter : module.parameters()) {
      parameter.set_requires_grad(false);
    }
    const std::vector<std::string> names = argument_names(module, given.size(), path);
    std::vector<std::string> given_names;
    for (const NamedInput& input : given) {
      given_names.push_back(input.name);
    }
    std::vector<at::Tensor> rows;
    for (const std::size_t place : files_by_input(given_names, names, names, path)) {
      rows.push_back(given[place].rows);
    }
    const auto batch_of = [&](std::int64_t batch, double low, double high) {
      return Inputs(rows).each(
          [&](const at::Tensor& like) { return made_up(batch, like, device, low, high); });
    };
    Program program;
    program.path = path;
    program.how_to_write = kExport;
    Reader(path, module, program)
        .read(*trace(module, batch_of(kFirstBatch, -1.0, 1.0)),
              *trace(module, batch_of(kSecondBatch, -1.0, 1.0)), names);
    Importer importer(program, device, output);
    Network network = importer.import();
    for (const auto& [low, high] : {std::pair{-1.0, 1.0}, {0.0, 2.0}, {-3.0, 0.0}}) {
      check_answer(network, module, batch_of(kCheckedBatch, low, high), importer.output_place(),
                   path);
    }
    return network;
  } catch (const c10::Error& error) {
    what = first_line(error.what_without_backtrace());
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    what = first_line(error.what());
  }
  fail(ErrorCode::kInvalidInput, "the TorchScript model cannot be loaded or run: " + what, path,
       std::string("check that it runs in PyTorch on images of this shape, or ") + kExport);
}

}  // namespace tilestrike::dnn
