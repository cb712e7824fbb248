// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/nir_import.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "dnn/nir/nir_nodes.h"
#include "dnn/spiking/check_model.h"

namespace tilestrike::dnn {
namespace {

constexpr const char* kStraight =
    "a network must be a straight line from Input to Output; recurrence and branches are not "
    "supported";

constexpr std::int64_t kMostNeurons = 1 << 24;

using Neighbours = std::map<std::string, std::vector<std::string>>;

std::string named(const std::vector<std::string>& names) { return "'" + join(names, "', '") + "'"; }

/// Where each edge of a node leads to, or comes from. Fails for edges that are wrong.
class Edges {
 public:
  explicit Edges(const NirGraph& graph) : graph_(graph) {
    std::set<std::pair<std::string, std::string>> known;
    for (const auto& [from, to] : graph.edges) {
      for (const std::string& end : {from, to}) {
        if (!std::ranges::binary_search(graph.nodes, end, {}, &NirNode::name)) {
          refuse("an edge from '" + from + "' to '" + to + "', but there is no node '" + end + "'",
                 suggestion(end, names()));
        }
      }
      if (!known.emplace(from, to).second) {
        refuse("the edge from '" + from + "' to '" + to + "' stands twice", "keep one");
      }
      next_[from].push_back(to);
      before_[to].push_back(from);
    }
  }

  /// The node behind `name`; empty: none. Fails where there are several.
  std::string next(const std::string& name) const { return only(next_, name, " leads to "); }
  std::string before(const std::string& name) const { return only(before_, name, " is fed by "); }

  [[noreturn]] void refuse(const std::string& what, const std::string& cure,
                           ErrorCode code = ErrorCode::kInvalidInput) const {
    fail(code, what, graph_.path + ":/node/edges", cure);
  }

 private:
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const NirNode& node : graph_.nodes) {
      all.push_back(node.name);
    }
    return all;
  }

  std::string only(const Neighbours& neighbours, const std::string& name,
                   const std::string& verb) const {
    const auto found = neighbours.find(name);
    if (found == neighbours.end()) {
      return {};
    }
    if (found->second.size() > 1) {
      refuse("node '" + name + "'" + verb + std::to_string(found->second.size()) +
                 " nodes: " + named(found->second),
             kStraight, ErrorCode::kUnsupported);
    }
    return found->second.front();
  }

  const NirGraph& graph_;
  Neighbours next_, before_;
};

struct NodeWithRole {
  const NirNode* node = nullptr;
  NirRole role = NirRole::kNothing;
};
using NodesByName = std::map<std::string, NodeWithRole>;

/// The one node of a role.
const NirNode& only_of(const NirGraph& graph, const NodesByName& nodes, NirRole role,
                       const std::string& type) {
  const NirNode* found = nullptr;
  for (const auto& [name, known] : nodes) {
    if (known.role != role) {
      continue;
    }
    if (found != nullptr) {
      fail(ErrorCode::kUnsupported,
           "there are several nodes of type " + type + ": '" + found->name + "' and '" + name + "'",
           graph.path + ":/node/nodes", "one is supported; join them");
    }
    found = known.node;
  }
  if (found == nullptr) {
    fail(ErrorCode::kInvalidInput, "there is no node of type " + type, graph.path + ":/node/nodes",
         "add one");
  }
  return *found;
}

/// All nodes, from the Input to the Output.
std::vector<NodeWithRole> line_of(const NirGraph& graph) {
  const Edges edges(graph);
  NodesByName by_name;
  for (const NirNode& node : graph.nodes) {
    by_name[node.name] = {&node, role_of(graph, node)};
  }
  const NirNode& input = only_of(graph, by_name, NirRole::kInput, "Input");
  const NirNode& output = only_of(graph, by_name, NirRole::kOutput, "Output");
  std::set<std::string> seen;
  std::vector<NodeWithRole> line;
  for (const NirNode& node : graph.nodes) {
    edges.next(node.name), edges.before(node.name);  // both are one at most
  }
  for (std::string name = input.name; !name.empty(); name = edges.next(name)) {
    if (!seen.insert(name).second) {
      edges.refuse("the edges lead from '" + name + "' back to itself", kStraight,
                   ErrorCode::kUnsupported);
    }
    line.push_back(by_name[name]);
  }
  if (line.back().node != &output) {
    edges.refuse("the edges from '" + input.name + "' end at '" + line.back().node->name +
                     "', which is no Output",
                 "connect it to '" + output.name + "'");
  }
  for (const NirNode& node : graph.nodes) {
    if (!seen.contains(node.name)) {
      edges.refuse("node '" + node.name + "' does not lie between '" + input.name + "' and '" +
                       output.name + "'",
                   "connect it, or take it out");
    }
  }
  return line;
}

/// Neurons that add up what the last weights give, one per time step, whatever a spike is.
FloatNeurons adders(const std::vector<SynapseStep>& steps, const SpikingSettings& settings) {
  FloatNeurons neurons;
  neurons.kind = NeuronKind::kIf;
  neurons.name = std::ranges::find_if(steps, &SynapseStep::has_weights)->name;
  neurons.sizes = steps.back().output_sizes;
  const auto count = static_cast<std::size_t>(neurons.size());
  const double r = settings.spike_as == SpikeAs::kCurrent ? 1 / settings.dt : 1.0;
  neurons.r.assign(count, static_cast<float>(r));
  neurons.v_threshold.assign(count, std::numeric_limits<float>::infinity());
  neurons.v_reset.assign(count, 0.0F);
  return neurons;
}

/// What is left behind the last neurons: the answer's shape, or one more layer.
void finish(std::vector<SynapseStep> left, const NirGraph& graph, SpikingModel& model) {
  if (std::ranges::any_of(left, &SynapseStep::has_weights)) {
    const FloatNeurons neurons = adders(left, model.settings);
    model.layers.push_back({std::move(left), neurons});
    return;
  }
  for (const SynapseStep& step : left) {
    if (step.kind != SynapseKind::kFlatten) {
      fail(ErrorCode::kUnsupported,
           "node '" + step.name + "' pools, and nothing linear follows before the Output",
           graph.where(step.name), "put a Linear, Affine or Conv2d behind it");
    }
  }
}

/// Counts the neurons of one more layer: a small file may ask for many large ones.
void count_neurons(const Sizes& sizes, const std::string& where, std::int64_t& neurons) {
  neurons += count_of(sizes);
  if (neurons > kMostNeurons) {
    fail(ErrorCode::kUnsupported,
         "the network has more than " + std::to_string(kMostNeurons) + " neurons, up to this node",
         where, "make it smaller");
  }
}

SpikingModel model_of(const NirGraph& graph, const SpikingSettings& settings) {
  SpikingModel model;
  std::int64_t neurons = 0;
  model.name = std::filesystem::path(graph.path).stem().string();
  model.settings = settings;
  Sizes sizes;
  std::vector<SynapseStep> steps;
  for (const auto& [node, role] : line_of(graph)) {
    switch (role) {
      case NirRole::kInput:
        model.input_sizes = sizes = stated_sizes(graph, *node);
        check_count(sizes, graph.where(node->name));
        break;
      case NirRole::kSynapses:
        steps.push_back(synapses_from(graph, *node, sizes));
        sizes = steps.back().output_sizes;
        break;
      case NirRole::kNeurons:
        count_neurons(sizes, graph.where(node->name), neurons);
        model.layers.push_back({std::move(steps), neurons_from(graph, *node, sizes)});
        steps.clear();
        break;
      case NirRole::kOutput:
        if (const Sizes stated = stated_sizes(graph, *node); !stated.empty() && stated != sizes) {
          fail(ErrorCode::kInvalidInput,
               "node '" + node->name + "' (Output) has the shape " + sizes_text(stated) +
                   ", but gets " + sizes_text(sizes),
               graph.where(node->name), "correct it, or what is before it");
        }
        break;
      case NirRole::kNothing:
        break;
    }
  }
  finish(std::move(steps), graph, model);
  model.output_sizes = sizes;
  return model;
}

}  // namespace

SpikingModel import_nir(const std::string& path, const SpikingOverrides& overrides) {
  const NirGraph graph = read_nir(path);
  const SpikingSettings settings = read_spiking_settings(path, overrides);
  const SpikingModel model = model_of(graph, settings);
  check_spiking_model(model, path);
  return model;
}

}  // namespace tilestrike::dnn
