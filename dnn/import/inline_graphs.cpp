// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/inline_graphs.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

constexpr std::array kValues{"tensor_values", "sym_int_values", "sym_float_values",
                             "sym_bool_values"};
constexpr int kDeepest = 32;

/// Changes of gradients and formats that change nothing in evaluation.
bool is_inline(const json& node) {
  const std::string target = node.at("target").get<std::string>();
  if (target == "torch.ops.higher_order.wrap_with_set_grad_enabled") {
    return true;
  }
  if (target != "torch.ops.higher_order.wrap_with_autocast") {
    return false;
  }
  const json& inputs = node.at("inputs");  // device, type, enabled, cache, graph, ...
  return inputs.size() > 2 && inputs[2].at("arg").value("as_bool", true) == false;
}

using Rename = std::map<std::string, std::string>;

std::string renamed(const std::string& name, const Rename& given, const std::string& prefix) {
  const auto found = given.find(name);
  return found == given.end() ? prefix + name : found->second;
}

/// The names of values within an argument.
void rename_argument(json& argument, const Rename& given, const std::string& prefix) {
  if (argument.is_array()) {
    for (json& one : argument) {
      rename_argument(one, given, prefix);
    }
  } else if (argument.is_object()) {
    for (auto& [key, value] : argument.items()) {
      const bool is_name = (key == "name" || key == "as_name") && value.is_string();
      if (is_name && !argument.contains("graph")) {
        value = renamed(value.get<std::string>(), given, prefix);
      } else if (key != "as_graph") {  // of a call that is refused
        rename_argument(value, given, prefix);
      }
    }
  }
}

std::string name_in(const json& argument) {
  const json& value = argument.begin().value();
  return value.is_object() ? value.value("name", value.value("as_name", std::string())) : "";
}

json alias_of(const json& output, const json& result, const json& metadata) {
  return {{"target", "torch.ops.aten.alias.default"},
          {"inputs", json::array({{{"name", "self"}, {"arg", result}, {"kind", 1}}})},
          {"outputs", json::array({output})},
          {"metadata", metadata}};
}

json inlined(const json& graph, int depth);

/// Puts the nodes of the called part behind `nodes`, and its values among those of `graph`.
void add_part(const json& call, int depth, json& graph, json& nodes) {
  const json& inputs = call.at("inputs");
  const auto is_graph = [](const json& input) { return input.at("arg").contains("as_graph"); };
  const auto at = std::ranges::find_if(inputs, is_graph);
  if (at == inputs.end()) {
    throw json::type_error::create(302, "a call without a graph", &call);
  }
  const json& part = at->at("arg").at("as_graph");
  const json body = inlined(part.at("graph"), depth + 1);
  const std::string prefix = part.at("name").get<std::string>() + ".";
  Rename given;
  auto actual = at + 1;
  for (const json& formal : body.at("inputs")) {
    if (actual == inputs.end()) {
      throw json::type_error::create(302, "a call with too few arguments", &call);
    }
    given[name_in(formal)] = name_in(actual->at("arg"));
    ++actual;
  }
  for (json node : body.at("nodes")) {
    for (json& input : node.at("inputs")) {
      rename_argument(input.at("arg"), given, prefix);
    }
    rename_argument(node.at("outputs"), given, prefix);
    nodes.push_back(std::move(node));
  }
  for (const char* kind : kValues) {
    for (const auto& [name, value] : body.value(kind, json::object()).items()) {
      if (!given.contains(name)) {
        graph[kind][prefix + name] = value;
      }
    }
  }
  json results = json::array(), outputs = json::array();
  const auto flat = [](const json& from, json& to) {
    for (const json& one : from) {
      if (one.contains("as_tensors")) {
        for (const json& tensor : one.at("as_tensors")) {
          to.push_back({{"as_tensor", tensor}});
        }
      } else {
        to.push_back(one);
      }
    }
  };
  flat(body.at("outputs"), results);
  flat(call.at("outputs"), outputs);
  for (std::size_t i = 0; i < outputs.size() && i < results.size(); ++i) {
    rename_argument(results[i], given, prefix);
    if (outputs[i].contains("as_tensor") && results[i].contains("as_tensor")) {
      nodes.push_back(alias_of(outputs[i], results[i], call.at("metadata")));
    }
  }
}

json inlined(const json& graph, int depth) {
  if (depth > kDeepest) {
    throw json::type_error::create(302, "a graph within too many others", &graph);
  }
  json result = graph;
  json nodes = json::array();
  for (const json& node : graph.at("nodes")) {
    if (is_inline(node)) {
      add_part(node, depth, result, nodes);
    } else {
      nodes.push_back(node);
    }
  }
  result["nodes"] = std::move(nodes);
  return result;
}

}  // namespace

bool has_inline_graphs(const json& graph) {
  return std::ranges::any_of(graph.at("nodes"), is_inline);
}

json with_inlined_graphs(const json& graph) { return inlined(graph, 0); }

}  // namespace tilestrike::dnn
