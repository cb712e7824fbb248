// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/nir_nodes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "dnn/spiking/check_model.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kMostValues = 1 << 24;  // of one value: neurons, or spikes
constexpr std::int64_t kMostSize = 1 << 20;    // of a window, stride, padding, dilation
constexpr std::size_t kMostDimensions = 8;

struct NodeType {
  std::string name;
  NirRole role;
  std::vector<std::string> required, optional;
};

const std::vector<NodeType>& node_types() {
  static const std::vector<NodeType> types = {
      {"Input", NirRole::kInput, {"shape"}, {}},
      {"Output", NirRole::kOutput, {}, {"shape"}},
      {"Identity", NirRole::kNothing, {}, {"shape", "input_type"}},
      {"Affine", NirRole::kSynapses, {"weight", "bias"}, {}},
      {"Linear", NirRole::kSynapses, {"weight"}, {}},
      {"Conv2d",
       NirRole::kSynapses,
       {"weight", "stride", "padding", "dilation", "groups", "bias"},
       {"input_shape"}},
      {"SumPool2d", NirRole::kSynapses, {"kernel_size", "stride", "padding"}, {}},
      {"AvgPool2d", NirRole::kSynapses, {"kernel_size", "stride", "padding"}, {}},
      {"Flatten", NirRole::kSynapses, {"start_dim", "end_dim"}, {"input_type"}},
      {"LIF", NirRole::kNeurons, {"tau", "r", "v_leak", "v_threshold"}, {"v_reset"}},
      {"IF", NirRole::kNeurons, {"r", "v_threshold"}, {"v_reset"}},
      {"LI", NirRole::kNeurons, {"tau", "r", "v_leak"}, {}},
  };
  return types;
}

/// Types of NIR that are not read, and what to do instead.
constexpr std::pair<const char*, const char*> kNotRead[] = {
    {"CubaLIF", "the core has no current that decays; train with LIF neurons"},
    {"CubaLI", "the core has no current that decays; use LI neurons"},
    {"I", "leave it out at the end, where weights alone add up, or use an IF"},
    {"Delay", "take it out, or train without delays"},
    {"Scale", "multiply it into the weights before or behind it"},
    {"Threshold", "use an IF"},
    {"Conv1d", "write it as a Conv2d with a height of 1"},
    {"NIRGraph", "flatten the graph: put the nodes of the inner one into the outer one"},
};

/// The values of one node, checked as they are asked for.
class NodeValues {
 public:
  NodeValues(const NirGraph& graph, const NirNode& node)
      : where_(graph.where(node.name)), node_(node) {}

  [[noreturn]] void refuse(const std::string& what, const std::string& cure) const {
    fail(ErrorCode::kInvalidInput, "node '" + node_.name + "' (" + node_.type + "): " + what,
         where_, cure);
  }

  const Hdf5Value* find(const std::string& key) const {
    const auto found = node_.content.values.find(key);
    return found == node_.content.values.end() ? nullptr : &found->second;
  }

  const Hdf5Value& numbers(const std::string& key) const {
    const Hdf5Value* value = find(key);
    if (value == nullptr || value->is_text) {
      refuse("'" + key + "' is missing, or is no number", "write the node with the package nir");
    }
    return *value;
  }

  /// float32 of all numbers.
  std::vector<float> floats(const std::string& key) const {
    const Hdf5Value& value = numbers(key);
    return {value.numbers.begin(), value.numbers.end()};
  }

  Sizes integers(const std::string& key, std::int64_t least, std::int64_t most) const {
    Sizes sizes;
    for (const double number : numbers(key).numbers) {
      if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) ||
          number != std::floor(number)) {
        refuse("'" + key + "' holds a number that is not an integer from " + std::to_string(least) +
                   " to " + std::to_string(most),
               "correct the node");
      }
      sizes.push_back(static_cast<std::int64_t>(number));
    }
    return sizes;
  }

  std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most) const {
    const Sizes sizes = integers(key, least, most);
    if (sizes.size() != 1) {
      refuse("'" + key + "' is not one number", "correct the node");
    }
    return sizes.front();
  }

  /// Height and width: two numbers, or one for both.
  std::array<std::int64_t, 2> pair(const std::string& key, std::int64_t least) const {
    const Sizes sizes = integers(key, least, kMostSize);
    if (sizes.empty() || sizes.size() > 2) {
      refuse("'" + key + "' is neither one number nor two", "give height and width");
    }
    return {sizes.front(), sizes.back()};
  }

  const NirNode& node() const { return node_; }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  const NirNode& node_;
};

void check_keys(const NodeValues& values, const NodeType& type) {
  std::vector<std::string> known = {"type"};
  known.insert(known.end(), type.required.begin(), type.required.end());
  known.insert(known.end(), type.optional.begin(), type.optional.end());
  for (const std::string& key : type.required) {
    if (values.find(key) == nullptr) {
      values.refuse("there is no '" + key + "'", "write the node with the package nir");
    }
  }
  for (const auto& [key, value] : values.node().content.values) {
    if (std::ranges::find(known, key) == known.end()) {
      values.refuse("'" + key + "' is no value of such a node", suggestion(key, known));
    }
  }
  if (!values.node().content.groups.empty()) {
    values.refuse("'" + values.node().content.groups.begin()->first + "' is a group",
                  "only 'metadata' may be one, and is not read");
  }
}

void read_linear(const NodeValues& values, SynapseStep& step) {
  const Hdf5Value& weight = values.numbers("weight");
  if (weight.sizes.size() != 2 || weight.numbers.empty()) {
    values.refuse("its weight has the shape " + sizes_text(weight.sizes),
                  "one of outputs times inputs is read");
  }
  if (step.input_sizes.empty() || step.input_sizes.back() != weight.sizes[1]) {
    values.refuse("its weight takes " + std::to_string(weight.sizes[1]) +
                      " inputs, but gets the shape " + sizes_text(step.input_sizes),
                  "put a Flatten before it, or correct the weight");
  }
  step.kind = SynapseKind::kLinear;
  step.weight_sizes = weight.sizes;
  step.output_sizes = step.input_sizes;
  step.output_sizes.back() = weight.sizes[0];
}

void read_bias(const NodeValues& values, SynapseStep& step) {
  step.bias = values.floats("bias");
  const auto outputs = static_cast<std::size_t>(step.weight_sizes[0]);
  if (step.bias.size() == 1) {
    step.bias.resize(outputs, step.bias.front());
  }
  if (step.bias.size() != outputs) {
    values.refuse("it has " + std::to_string(step.bias.size()) + " biases for " +
                      std::to_string(outputs) + " outputs",
                  "give one for each");
  }
}

/// Output sizes of a window that moves over height and width.
void slide(const NodeValues& values, std::int64_t channels, SynapseStep& step) {
  if (step.input_sizes.size() != 3) {
    values.refuse("it gets the shape " + sizes_text(step.input_sizes),
                  "it takes channels, height and width");
  }
  step.output_sizes = {channels};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t padded =
        step.input_sizes[i + 1] + step.padding_before[i] + step.padding_after[i];
    const std::int64_t reach = step.dilation[i] * (step.window[i] - 1) + 1;
    if (reach > padded) {
      values.refuse("its window reaches over " + std::to_string(reach) + " of " +
                        std::to_string(padded) + " rows or columns",
                    "make the window smaller, or pad");
    }
    step.output_sizes.push_back((padded - reach) / step.stride[i] + 1);
  }
}

void read_padding(const NodeValues& values, SynapseStep& step) {
  const Hdf5Value* padding = values.find("padding");
  if (!padding->is_text) {
    step.padding_before = step.padding_after = values.pair("padding", 0);
    return;
  }
  const std::string name = padding->texts.empty() ? "" : padding->texts.front();
  if (name == "valid") {
    return;
  }
  if (name != "same" || step.stride != std::array<std::int64_t, 2>{1, 1}) {
    values.refuse("its padding is '" + name + "' with a stride of " +
                      std::to_string(step.stride[0]) + ", " + std::to_string(step.stride[1]),
                  "give numbers, 'valid', or 'same' with a stride of 1");
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t all = step.dilation[i] * (step.window[i] - 1);
    step.padding_before[i] = all / 2;
    step.padding_after[i] = all - all / 2;
  }
}

void read_conv2d(const NodeValues& values, SynapseStep& step) {
  const Hdf5Value& weight = values.numbers("weight");
  if (weight.sizes.size() != 4 || weight.numbers.empty()) {
    values.refuse("its weight has the shape " + sizes_text(weight.sizes),
                  "one of outputs, inputs / groups, height and width is read");
  }
  step.kind = SynapseKind::kConv2d;
  step.weight_sizes = weight.sizes;
  step.window = {weight.sizes[2], weight.sizes[3]};
  step.stride = values.pair("stride", 1);
  step.dilation = values.pair("dilation", 1);
  step.groups = values.integer("groups", 1, kMostSize);
  read_padding(values, step);
  slide(values, weight.sizes[0], step);
  if (step.input_sizes[0] != weight.sizes[1] * step.groups || weight.sizes[0] % step.groups != 0) {
    values.refuse("its weight " + sizes_text(weight.sizes) + " in " + std::to_string(step.groups) +
                      " groups does not fit the shape " + sizes_text(step.input_sizes),
                  "its channels must be the groups times the weight's, and both divide by groups");
  }
  if (values.find("input_shape") != nullptr) {
    const auto stated = values.pair("input_shape", 0);
    if (stated[0] != step.input_sizes[1] || stated[1] != step.input_sizes[2]) {
      values.refuse("its input_shape is " + sizes_text({stated[0], stated[1]}) +
                        ", but it gets the shape " + sizes_text(step.input_sizes),
                    "correct it, or what is before it");
    }
  }
}

void read_pooling(const NodeValues& values, SynapseStep& step) {
  step.kind =
      values.node().type == "SumPool2d" ? SynapseKind::kSumPool2d : SynapseKind::kAveragePool2d;
  step.window = values.pair("kernel_size", 1);
  step.stride = values.pair("stride", 1);
  step.padding_before = step.padding_after = values.pair("padding", 0);
  slide(values, step.input_sizes.empty() ? 0 : step.input_sizes[0], step);
}

void read_flatten(const NodeValues& values, SynapseStep& step) {
  const auto rank = static_cast<std::int64_t>(step.input_sizes.size());
  const auto dimension = [&](const std::string& key) {
    const std::int64_t given = values.integer(key, -rank, rank - 1);
    return given < 0 ? given + rank : given;
  };
  if (rank == 0) {
    values.refuse("it gets a single number", "take it out");
  }
  const std::int64_t first = dimension("start_dim"), last = dimension("end_dim");
  if (first > last) {
    values.refuse("its start_dim lies behind its end_dim", "correct the node");
  }
  if (values.find("input_type") != nullptr &&
      values.integers("input_type", 0, kMostValues) != step.input_sizes) {
    values.refuse("its input_type is not the shape that it gets, " + sizes_text(step.input_sizes),
                  "correct it, or what is before it");
  }
  step.kind = SynapseKind::kFlatten;
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t size = step.input_sizes[static_cast<std::size_t>(i)];
    if (i > first && i <= last) {
      step.output_sizes.back() *= size;
    } else {
      step.output_sizes.push_back(size);
    }
  }
}

/// One number for each neuron.
std::vector<float> parameter(const NodeValues& values, const std::string& key,
                             const FloatNeurons& neurons) {
  const auto count = static_cast<std::size_t>(neurons.size());
  std::vector<float> given = values.floats(key);
  if (given.size() == 1) {
    given.resize(count, given.front());
  } else if (values.numbers(key).sizes != neurons.sizes) {
    values.refuse("'" + key + "' has the shape " + sizes_text(values.numbers(key).sizes) +
                      ", but the neurons are " + sizes_text(neurons.sizes),
                  "give one number, or one for each neuron");
  }
  return given;
}

}  // namespace

NirRole role_of(const NirGraph& graph, const NirNode& node) {
  const NodeValues values(graph, node);
  for (const NodeType& type : node_types()) {
    if (type.name == node.type) {
      check_keys(values, type);
      return type.role;
    }
  }
  for (const auto& [type, cure] : kNotRead) {
    if (node.type == type) {
      fail(ErrorCode::kUnsupported,
           "node '" + node.name + "' is a " + node.type + ", which is not supported",
           values.where(), cure);
    }
  }
  std::vector<std::string> names;
  for (const NodeType& type : node_types()) {
    names.push_back(type.name);
  }
  fail(ErrorCode::kUnsupported,
       "node '" + node.name + "' is of the unknown type '" + node.type + "'", values.where(),
       suggestion(node.type, names));
}

Sizes stated_sizes(const NirGraph& graph, const NirNode& node) {
  const NodeValues values(graph, node);
  if (values.find("shape") == nullptr) {
    return {};
  }
  if (values.numbers("shape").numbers.size() > kMostDimensions) {
    values.refuse("its shape has too many dimensions", "correct the node");
  }
  return values.integers("shape", 1, kMostValues);
}

SynapseStep synapses_from(const NirGraph& graph, const NirNode& node, const Sizes& input_sizes) {
  const NodeValues values(graph, node);
  SynapseStep step;
  step.name = node.name;
  step.input_sizes = input_sizes;
  if (node.type == "Conv2d") {
    read_conv2d(values, step);
  } else if (node.type == "Flatten") {
    read_flatten(values, step);
  } else if (node.type == "Linear" || node.type == "Affine") {
    read_linear(values, step);
  } else {
    read_pooling(values, step);
  }
  check_count(step.output_sizes, values.where());
  if (step.has_weights()) {
    step.weights = values.floats("weight");
  }
  if (node.type == "Affine" || node.type == "Conv2d") {
    read_bias(values, step);
  }
  return step;
}

FloatNeurons neurons_from(const NirGraph& graph, const NirNode& node, const Sizes& sizes) {
  const NodeValues values(graph, node);
  FloatNeurons neurons;
  neurons.name = node.name;
  neurons.sizes = sizes;
  neurons.kind = node.type == "LIF"  ? NeuronKind::kLif
                 : node.type == "IF" ? NeuronKind::kIf
                                     : NeuronKind::kLi;
  neurons.r = parameter(values, "r", neurons);
  if (neurons.kind != NeuronKind::kIf) {
    neurons.tau = parameter(values, "tau", neurons);
    neurons.v_leak = parameter(values, "v_leak", neurons);
  }
  if (neurons.kind != NeuronKind::kLi) {
    neurons.v_threshold = parameter(values, "v_threshold", neurons);
    neurons.v_reset = values.find("v_reset") == nullptr
                          ? std::vector<float>(static_cast<std::size_t>(neurons.size()), 0.0F)
                          : parameter(values, "v_reset", neurons);
  }
  return neurons;
}

void check_count(const Sizes& sizes, const std::string& where) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > kMostValues || (count *= size) > kMostValues) {
      fail(ErrorCode::kUnsupported, "a value of the shape " + sizes_text(sizes), where,
           "1 to " + std::to_string(kMostValues) + " elements are supported");
    }
  }
}

}  // namespace tilestrike::dnn
