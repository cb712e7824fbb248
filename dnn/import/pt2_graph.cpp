// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/pt2_graph.h"

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dnn/import/inline_graphs.h"
#include "dnn/import/pt2_archive.h"

namespace tilestrike::dnn {
namespace {

using nlohmann::json;
using Form = Pt2Argument::Form;

double real_of(const json& value) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const double infinity = std::numeric_limits<double>::infinity();
    if (text == "Infinity") {
      return infinity;
    }
    if (text == "-Infinity") {
      return -infinity;
    }
    if (text == "NaN") {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  return value.get<double>();
}

constexpr int kDeepestOutput = 64;
constexpr std::int64_t kStridedLayout = 7;  // the archive's code of it

/// The codes of the archive are c10's plus one.
std::int64_t memory_format_of(const json& value) {
  const std::int64_t code = integer_of(value);
  constexpr std::array formats{c10::MemoryFormat::Contiguous, c10::MemoryFormat::ChannelsLast,
                               c10::MemoryFormat::ChannelsLast3d, c10::MemoryFormat::Preserve};
  if (code < 1 || code > static_cast<std::int64_t>(formats.size())) {
    throw json::type_error::create(302, "not a memory format: " + value.dump(), &value);
  }
  return static_cast<std::int64_t>(formats[static_cast<std::size_t>(code - 1)]);
}

/// {"as_name": x} or {"as_int": n}.
Pt2Item symbol_of(const json& value) {
  return value.contains("as_name") ? Pt2Item{value.at("as_name").get<std::string>(), 0}
                                   : Pt2Item{"", integer_of(value.at("as_int"))};
}

template <class Item, class Read>
std::vector<Item> list_of(const json& values, const Read& read) {
  std::vector<Item> items;
  for (const json& value : values) {
    items.push_back(read(value));
  }
  return items;
}

Pt2Argument argument_of(const json& argument, const std::string& path) {
  if (!argument.is_object() || argument.size() != 1) {
    throw json::type_error::create(302, "not an argument: " + argument.dump().substr(0, 80),
                                   &argument);
  }
  const std::string& key = argument.begin().key();
  const json& value = argument.begin().value();
  Pt2Argument result;
  result.key = key;
  const auto tensor = [](const json& one) { return Pt2Item{one.at("name").get<std::string>(), 0}; };
  if (key == "as_none") {
    // an empty constant
  } else if (key == "as_int") {
    result.constant = integer_of(value);
  } else if (key == "as_float") {
    result.constant = real_of(value);
  } else if (key == "as_bool") {
    result.constant = value.get<bool>();
  } else if (key == "as_string") {
    result.constant = value.get<std::string>();
  } else if (key == "as_ints") {
    result.constant = c10::IValue(list_of<std::int64_t>(value, integer_of));
  } else if (key == "as_floats") {
    result.constant = c10::IValue(list_of<double>(value, real_of));
  } else if (key == "as_bools") {
    c10::List<bool> flags;
    for (const json& flag : value) {
      flags.push_back(flag.get<bool>());
    }
    result.constant = std::move(flags);
  } else if (key == "as_strings") {
    result.constant = c10::IValue(
        list_of<std::string>(value, [](const json& text) { return text.get<std::string>(); }));
  } else if (key == "as_complex") {
    result.constant = c10::complex<double>(real_of(value.at("real")), real_of(value.at("imag")));
  } else if (key == "as_scalar_type") {
    result.constant =
        static_cast<std::int64_t>(type_of_code(integer_of(value), "an argument", path));
  } else if (key == "as_memory_format") {
    result.constant = memory_format_of(value);
  } else if (key == "as_layout") {
    if (integer_of(value) != kStridedLayout) {
      throw json::type_error::create(302, "not a dense layout: " + value.dump(), &value);
    }
    result.constant = static_cast<std::int64_t>(c10::kStrided);
  } else if (key == "as_device") {
    result.form = Form::kDevice;
  } else if (key == "as_tensor") {
    result.form = Form::kTensor;
    result.items = {tensor(value)};
  } else if (key == "as_tensors") {
    result.form = Form::kTensors;
    result.items = list_of<Pt2Item>(value, tensor);
  } else if (key == "as_optional_tensors") {
    result.form = Form::kTensors;
    result.items = list_of<Pt2Item>(value, [&](const json& one) {
      return one.contains("as_tensor") ? tensor(one.at("as_tensor")) : Pt2Item{};
    });
  } else if (key == "as_optional_tensor") {
    if (value.contains("as_tensor")) {
      result.form = Form::kTensor;
      result.items = {tensor(value.at("as_tensor"))};
    }
  } else if (key == "as_sym_int") {
    result.form = Form::kSymbol;
    result.items = {symbol_of(value)};
  } else if (key == "as_sym_float" || key == "as_sym_bool") {
    if (value.contains("as_name")) {
      result.form = Form::kSymbol;
      result.items = {{value.at("as_name").get<std::string>(), 0}};
    } else if (key == "as_sym_float") {
      result.constant = real_of(value.at("as_float"));
    } else {
      result.constant = value.at("as_bool").get<bool>();
    }
  } else if (key == "as_sym_ints") {
    result.form = Form::kSymbols;
    result.items = list_of<Pt2Item>(value, symbol_of);
  } else {
    result.form = Form::kOther;
  }
  return result;
}

/// A size or stride with its hint; `symbol` is its expression, or empty.
std::int64_t size_of(const json& size, std::string& symbol) {
  if (size.contains("as_int")) {
    return integer_of(size.at("as_int"));
  }
  const json& expression = size.at("as_expr");
  symbol = expression.at("expr_str").get<std::string>();
  const auto hint = expression.find("hint");
  return hint == expression.end() || hint->is_null() ? -1 : integer_of(hint->at("as_int"));
}

Pt2Tensor tensor_of(const json& meta, const std::string& name, const std::string& path) {
  Pt2Tensor tensor;
  tensor.type = type_of_code(integer_of(meta.at("dtype")), "value '" + name + "'", path);
  for (const json& size : meta.at("sizes")) {
    tensor.sizes.push_back(size_of(size, tensor.symbols.emplace_back()));
  }
  for (const json& stride : meta.at("strides")) {
    std::string ignored;
    tensor.strides.push_back(size_of(stride, ignored));
  }
  return tensor;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

std::string stripped(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos
             ? ""
             : text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

/// "L__self__,,Net;L__self__conv,conv,torch.nn.modules.conv.Conv2d": entries of key, path, class.
void read_module(const std::string& stack, Pt2Node& node) {
  const std::vector<std::string> innermost = split(split(stack, ';').back(), ',');
  if (innermost.size() == 3 && innermost[0] != innermost[2]) {  // the exporter's own marks repeat
    node.module = innermost[1];
    node.is_leaf = innermost[2].starts_with("torch.nn.modules.") &&
                   !innermost[2].starts_with("torch.nn.modules.container.") &&
                   !innermost[2].starts_with("torch.nn.modules.transformer.") &&
                   innermost[2] != "torch.nn.modules.activation.MultiheadAttention";
  }
}

/// The innermost line of a Python stack that is the user's, not PyTorch's.
std::string source_of(const std::string& stack) {
  const std::vector<std::string> lines = split(stack, '\n');
  std::string source;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = stripped(lines[i]);
    const std::size_t file_end = line.find("\", line ");
    if (!line.starts_with("File \"") || file_end == std::string::npos) {
      continue;
    }
    const std::string file = line.substr(6, file_end - 6);
    if (("/" + file).find("/torch/") != std::string::npos) {
      continue;
    }
    const std::size_t number = file_end + 8;
    source = file.substr(file.rfind('/') + 1) + ":" +
             line.substr(number, line.find(',', number) - number);
    if (i + 1 < lines.size() && !stripped(lines[i + 1]).starts_with("File \"")) {
      source += ", " + stripped(lines[i + 1]);
    }
  }
  return source;
}

Pt2Node node_of(const json& json_node, const std::string& path) {
  Pt2Node node;
  node.target = json_node.at("target").get<std::string>();
  const std::string prefix = "torch.ops.";
  if (node.target.starts_with(prefix)) {
    node.target.erase(0, prefix.size());
  }
  const json& metadata = json_node.at("metadata");
  read_module(metadata.value("nn_module_stack", ""), node);
  node.source = source_of(metadata.value("stack_trace", ""));
  for (const json& input : json_node.at("inputs")) {
    node.inputs.emplace_back(input.at("name").get<std::string>(),
                             argument_of(input.at("arg"), path));
  }
  for (const json& output : json_node.at("outputs")) {
    node.outputs.push_back(argument_of(output, path));
  }
  return node;
}

Pt2Input input_of(const json& spec, const std::string& path) {
  if (!spec.is_object() || spec.size() != 1) {
    throw json::type_error::create(302, "not an input: " + spec.dump().substr(0, 80), &spec);
  }
  const std::string& key = spec.begin().key();
  const json& value = spec.begin().value();
  Pt2Input input;
  if (key == "user_input") {
    input.role = Pt2Input::Role::kUser;
    input.argument = argument_of(value.at("arg"), path);
    return input;
  }
  if (key == "constant_input") {
    input.role = Pt2Input::Role::kLiteral;
    return input;
  }
  const std::map<std::string, std::string> weights{{"parameter", "parameter_name"},
                                                   {"buffer", "buffer_name"},
                                                   {"tensor_constant", "tensor_constant_name"}};
  const auto found = weights.find(key);
  if (found == weights.end()) {
    fail(ErrorCode::kUnsupported, "the model has an input of the kind '" + key + "'", path,
         "export a model of plain tensors");
  }
  input.argument.form = Form::kTensor;
  input.argument.items = {{value.at("arg").at("name").get<std::string>(), 0}};
  input.weight = value.at(found->second).get<std::string>();
  input.is_parameter = key == "parameter";
  return input;
}

std::vector<Pt2Argument> outputs_of(const json& specs, const std::string& path) {
  std::vector<Pt2Argument> outputs;
  for (const json& spec : specs) {
    if (!spec.is_object() || spec.size() != 1) {
      throw json::type_error::create(302, "not an output: " + spec.dump().substr(0, 80), &spec);
    }
    if (spec.contains("buffer_mutation")) {
      fail(ErrorCode::kUnsupported,
           "the model writes into its buffer '" +
               spec.at("buffer_mutation").at("buffer_name").get<std::string>() + "'",
           path, "call model.eval() before torch.export (batch norm in training does this)");
    }
    if (!spec.contains("user_output")) {
      fail(ErrorCode::kUnsupported,
           "the model has an output of the kind '" + spec.begin().key() + "'", path,
           "export a model that returns tensors and writes nothing else");
    }
    outputs.push_back(argument_of(spec.at("user_output").at("arg"), path));
  }
  return outputs;
}

/// The hint of a symbolic number; empty: there is none.
c10::IValue hint_of(const json& number) {
  const auto expression = number.find("as_expr");
  if (expression == number.end()) {
    return {};
  }
  const auto hint = expression->find("hint");
  if (hint == expression->end() || hint->is_null()) {
    return {};
  }
  if (hint->contains("as_int")) {
    return integer_of(hint->at("as_int"));
  }
  return hint->contains("as_float") ? c10::IValue(real_of(hint->at("as_float"))) : c10::IValue();
}

/// The leaves of what a model returns, by their keys and places. Nothing for what is not known.
void name_leaves(const json& spec, const std::string& path, int depth,
                 std::vector<std::string>& names) {
  if (depth > kDeepestOutput) {
    throw json::type_error::create(302, "an output within too many others", &spec);
  }
  const json& type = spec.at("type");
  if (type.is_null()) {
    names.push_back(path.empty() ? "0" : path);
    return;
  }
  const json& children = spec.at("children_spec");
  json context = json::parse(spec.at("context").get<std::string>(), nullptr, false);
  if (context.is_array() && context.size() == 2 && context[0].is_array()) {
    context = json(context[0]);  // of a dataclass: names of what is set, and of what is None
  }
  const bool has_keys = context.is_array() && context.size() == children.size();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::string key =
        has_keys && context[i].is_string() ? context[i].get<std::string>() : std::to_string(i);
    name_leaves(children[i], path.empty() ? key : path + "." + key, depth + 1, names);
  }
}

/// By the signature of the whole model, a JSON text within the JSON: "[1, {...}]".
std::vector<std::string> output_names_of(const json& module, std::size_t outputs) {
  std::vector<std::string> names;
  for (const json& call : module.value("module_call_graph", json::array())) {
    const auto signature = call.find("signature");
    if (call.value("fqn", "?").empty() && signature != call.end() && signature->is_object()) {
      const json spec = json::parse(signature->value("out_spec", ""), nullptr, false);
      if (spec.is_array() && spec.size() == 2) {
        name_leaves(spec[1], "", 0, names);
      }
      break;
    }
  }
  names.resize(names.size() == outputs ? outputs : 0);
  return names;
}

}  // namespace

Pt2Graph read_pt2_graph(const json& program, const std::string& path) {
  const json& module = program.at("graph_module");
  const json& whole = module.at("graph");
  const json graph_of_parts = has_inline_graphs(whole) ? with_inlined_graphs(whole) : json();
  const json& graph = graph_of_parts.is_null() ? whole : graph_of_parts;
  Pt2Graph result;
  for (const json& spec : module.at("signature").at("input_specs")) {
    result.inputs.push_back(input_of(spec, path));
  }
  result.outputs = outputs_of(module.at("signature").at("output_specs"), path);
  result.output_names = output_names_of(module, result.outputs.size());
  for (const auto& [name, meta] : graph.at("tensor_values").items()) {
    result.tensors.emplace(name, tensor_of(meta, name, path));
  }
  for (const char* kind : {"sym_int_values", "sym_float_values"}) {
    const json numbers = graph.value(kind, json::object());
    for (const auto& [name, number] : numbers.items()) {
      result.numbers.emplace(name, hint_of(number));
    }
  }
  for (const json& node : graph.at("nodes")) {
    result.nodes.push_back(node_of(node, path));
  }
  return result;
}

}  // namespace tilestrike::dnn
