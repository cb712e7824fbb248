// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The graph of a .pt2 archive as it stands in the file, with JSON and its type codes left behind.
#pragma once

#include <ATen/core/ivalue.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tilestrike::dnn {

/// A number of the file, or the name of a value.
struct Pt2Item {
  std::string name;  // empty: the number
  std::int64_t number = 0;
};

struct Pt2Argument {
  enum class Form { kConstant, kTensor, kTensors, kSymbol, kSymbols, kDevice, kOther };
  Form form = Form::kConstant;
  c10::IValue constant;
  std::vector<Pt2Item> items;  // of tensors (no name: none is given) and symbolic numbers
  std::string key;             // "as_tensor", for messages
};

struct Pt2Node {
  std::string target;  // "aten.conv2d.default"
  std::vector<std::pair<std::string, Pt2Argument>> inputs;
  std::vector<Pt2Argument> outputs;
  std::string module;    // path of the innermost module: "stage1.conv1"; empty at the top
  bool is_leaf = false;  // the module is one of torch.nn, not the user's
  std::string source;    // "train_zoo.py:67, out = self.relu1(self.bn1(self.conv1(x)))"
};

struct Pt2Tensor {
  c10::ScalarType type = c10::ScalarType::Float;
  std::vector<std::int64_t> sizes;    // symbolic ones: the hint, that is, the example's size
  std::vector<std::int64_t> strides;  // likewise
  std::vector<std::string> symbols;   // the expression of each size, empty where it is a number
};

struct Pt2Input {
  enum class Role { kWeight, kUser, kLiteral };
  Role role = Role::kWeight;
  Pt2Argument argument;
  std::string weight;        // name in the module: "stage1.conv1.weight"
  bool is_parameter = true;  // of a weight: trained
};

struct Pt2Graph {
  std::vector<Pt2Input> inputs;
  std::vector<Pt2Node> nodes;  // in order of execution
  std::vector<Pt2Argument> outputs;
  /// What the user calls each output: a key of the dictionary that the model returns, or its place
  /// in a tuple; within others "aux.0". Empty where the file does not say.
  std::vector<std::string> output_names;
  std::map<std::string, Pt2Tensor> tensors;
  std::map<std::string, c10::IValue> numbers;  // symbolic ones: their hints
};

/// Throws Failure for what is well-formed but cannot be a network (a buffer that is written, custom
/// objects), and json::exception for what is damaged.
Pt2Graph read_pt2_graph(const nlohmann::json& program, const std::string& path);

}  // namespace tilestrike::dnn
