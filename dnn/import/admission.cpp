// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/admission.h"

#include <ATen/core/enum_tag.h>

#include <algorithm>
#include <array>
#include <map>

#include "dnn/import/arguments.h"
#include "dnn/operator_kernel.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

constexpr char kEvaluate[] = "call model.eval() before torch.export";
constexpr char kDecompose[] =
    "export it with ep = ep.run_decompositions(), which writes it with other operators";

std::string the_operator(const Pt2Node& node) {
  return "the operator " + node.target + place_of(node);
}

std::string space_of(const std::string& target) { return target.substr(0, target.find('.')); }

bool has_tag(const std::string& target, at::Tag tag) {
  const auto handle = dispatched_operator(target);
  return handle && handle->hasTag(tag);
}

/// Operators that call parts of the graph.
std::optional<Refusal> refused_call(const Pt2Node& node) {
  if (node.target.find("out_dtype") != std::string::npos) {
    return Refusal{
        the_operator(node) + " belongs to the reference representation of a quantised network",
        "call convert_pt2e(model, use_reference_representation=False), which leaves "
        "pairs of quantize and dequantize"};
  }
  if (space_of(node.target) != "higher_order") {
    return std::nullopt;
  }
  if (node.target == "higher_order.cond") {
    return Refusal{the_operator(node) + " computes one thing or another, as its inputs have it",
                   "compute both and choose with torch.where, or export the branch that is meant"};
  }
  constexpr std::array loops{"higher_order.while_loop", "higher_order.map_impl", "higher_order.map",
                             "higher_order.scan", "higher_order.associative_scan"};
  if (std::ranges::find(loops, node.target) != loops.end()) {
    return Refusal{the_operator(node) + " is a loop over parts of the graph",
                   "write it as a loop of Python, which the export unrolls"};
  }
  if (node.target == "higher_order.wrap_with_autocast") {
    return Refusal{the_operator(node) + " computes in the number formats of autocast", kDecompose};
  }
  return Refusal{the_operator(node) + " calls a part of the graph in a way that is not known",
                 kDecompose};
}

std::optional<Refusal> without_kernel(const Pt2Node& node) {
  const std::string space = space_of(node.target);
  if (space == "_operator" || space == "math" || space == "torch") {
    return Refusal{the_operator(node) + " is arithmetic on sizes that is not known",
                   "compute sizes with + - * // %, torch.sym_max, torch.sym_min"};
  }
  const std::string functional = functional_form(node.target);
  if (functional != node.target && !dispatched_operator(functional) &&
      dispatched_operator(node.target)) {
    return Refusal{the_operator(node) + " writes in place, and no other form of it is there",
                   "compute a new tensor in that line"};
  }
  const auto handle = dispatched_operator(functional);
  if (!handle && space == "aten") {
    return Refusal{"this LibTorch has no operator " + node.target + place_of(node),
                   "use LibTorch 2.9 or later, or export the model again with the PyTorch whose "
                   "LibTorch TileStrike was built with"};
  }
  if (!handle || !handle->hasComputedKernelForDispatchKey(c10::DispatchKey::CPU)) {
    return Refusal{
        the_operator(node) + " belongs to the library '" + space +
            "', of which TileStrike has no kernel",
        space == "prims" ? "export the model without decompositions to prims"
        : space == "quantized_decomposed"
            ? "quantise with scales that calibration fixes (is_dynamic=False): a dynamic "
              "scale lets an image's answer depend on its batch"
            : "export it with ep = ep.run_decompositions(), which writes most of them with "
              "PyTorch's own, or end the exported model before it"};
  }
  return std::nullopt;
}

/// A flag of a node, or its default; nullopt: it has none, or one that is not known.
std::optional<bool> flag(const Pt2Node& node, const std::string& name) {
  if (const Pt2Argument* given = given_argument(node, name)) {
    return given->constant.isBool() ? std::optional(given->constant.toBool()) : std::nullopt;
  }
  if (const auto handle = dispatched_operator(functional_form(node.target))) {
    for (const c10::Argument& formal : handle->schema().arguments()) {
      if (formal.name() == name && formal.default_value() && formal.default_value()->isBool()) {
        return formal.default_value()->toBool();
      }
    }
  }
  return std::nullopt;
}

bool is_zero(const Pt2Node& node, const std::string& name) {
  const Pt2Argument* given = given_argument(node, name);
  return given == nullptr || (given->constant.isScalar() && given->constant.toScalar().equal(0.0));
}

bool is_given(const Pt2Node& node, const std::string& name) {
  const Pt2Argument* given = given_argument(node, name);
  return given != nullptr && given->form == Pt2Argument::Form::kTensor;
}

/// Of operators that the schema calls random: draws happen.
std::optional<Refusal> refused_draw(const Pt2Node& node) {
  for (const std::string name : {"train", "training"}) {
    if (flag(node, name) == false) {
      return std::nullopt;
    }
    if (flag(node, name) == true) {
      const bool has_rate = given_argument(node, "dropout") || given_argument(node, "p");
      return has_rate && is_zero(node, "dropout") && is_zero(node, "p")
                 ? std::nullopt
                 : std::optional(Refusal{the_operator(node) + " is in training mode", kEvaluate});
    }
  }
  if (given_argument(node, "dropout_p") != nullptr ||
      short_name(node.target).find("scaled_dot_product") != std::string::npos) {
    return is_zero(node, "dropout_p")
               ? std::nullopt
               : std::optional(Refusal{the_operator(node) + " drops weights at random (dropout_p)",
                                       "give dropout_p only while self.training is true"});
  }
  return Refusal{the_operator(node) + " draws random numbers, so that no two inferences are alike",
                 "draw them outside of the model and give them as an input, or as a buffer"};
}

bool is_random(const Pt2Node& node) {
  return has_tag(functional_form(node.target), at::Tag::nondeterministic_seeded) ||
         has_tag(node.target, at::Tag::nondeterministic_seeded);
}

std::optional<Refusal> refused_training(const Pt2Node& node) {
  const bool has_statistics = is_given(node, "running_mean");
  for (const std::string name : {"train", "training", "use_input_stats"}) {
    if (flag(node, name) != true) {
      continue;
    }
    if (has_statistics) {
      return Refusal{the_operator(node) +
                         " is in training mode: it takes its statistics from the batch, and "
                         "changes those of the module",
                     kEvaluate};
    }
    const bool is_norm = short_name(node.target).find("norm") != std::string::npos;
    if (!is_norm && !is_random(node)) {
      return Refusal{the_operator(node) + " is in training mode", kEvaluate};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> refused_write(const Pt2Node& node) {
  const auto own = dispatched_operator(node.target);
  if (!own || !own->schema().is_mutable() || flag(node, "training") == false) {
    return std::nullopt;
  }
  const c10::FunctionSchema& schema = own->schema();
  if (own->hasTag(at::Tag::inplace_view)) {
    return Refusal{the_operator(node) + " gives a tensor another shape in place",
                   "write that line without the underscore"};
  }
  const bool is_in_place = functional_form(node.target) != node.target;
  for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite() && !(i == 0 && is_in_place)) {
      return Refusal{
          the_operator(node) + " writes into its argument '" + schema.arguments()[i].name() + "'",
          "write that line with what the operator returns"};
    }
  }
  if (is_in_place && schema.returns().size() != 1) {
    return Refusal{the_operator(node) + " writes into several tensors at once",
                   "compute new tensors in that line"};
  }
  return std::nullopt;
}

std::optional<Refusal> refused_storage(const Pt2Node& node) {
  constexpr std::array others{"to_sparse", "sparse_", "to_mkldnn", "quantize_per_",
                              "nested_tensor"};
  if (!node.target.starts_with("aten.")) {
    return std::nullopt;  // as quantized_decomposed's, which are dense
  }
  const std::string name = short_name(node.target);
  if (std::ranges::any_of(others, [&](const char* part) { return name.find(part) == 0; }) ||
      name.starts_with("_sparse") || name.starts_with("_nested") ||
      name.starts_with("_to_sparse")) {
    return Refusal{the_operator(node) + " makes a tensor that is not stored densely",
                   "write that line with dense tensors"};
  }
  return std::nullopt;
}

bool reads_images(const std::vector<ValueId>& values, const Network& network) {
  return std::ranges::any_of(
      values, [&](ValueId id) { return id.value >= 0 && !network.info(id).is_constant; });
}

/// The values that decide how many elements an operator with the tag `dynamic_output_shape` gives.
std::vector<ValueId> deciding(const Layer& layer, const Network& network) {
  static const std::map<std::string, std::string> arguments{
      {"index", "indices"}, {"masked_select", "mask"}, {"repeat_interleave", "repeats"}};
  const auto known = arguments.find(short_name(layer.target));
  if (known == arguments.end()) {
    return layer.inputs;
  }
  std::vector<ValueId> values;
  for (const Argument& argument : layer.arguments) {
    if (argument.name != known->second) {
      continue;
    }
    for (const ValueId id : argument.values) {
      const bool counts =
          id.value >= 0 && (known->first != "index" || network.info(id).type == c10::kBool ||
                            network.info(id).type == c10::kByte);
      if (counts) {
        values.push_back(id);
      }
    }
  }
  return values;
}

}  // namespace

const Pt2Argument* given_argument(const Pt2Node& node, const std::string& name) {
  for (const auto& [other, argument] : node.inputs) {
    if (other == name) {
      return &argument;
    }
  }
  return nullptr;
}

std::string place_of(const Pt2Node& node) {
  std::string text =
      " in layer '" + (node.module.empty() ? short_name(node.target) : node.module) + "'";
  return node.source.empty() ? text : text + " at " + node.source;
}

std::optional<Refusal> refusal_of(const Pt2Node& node) {
  const Operator* entry = find_operator(node.target);
  if (entry == nullptr) {
    if (auto refused = refused_call(node)) {
      return refused;
    }
    if (auto refused = without_kernel(node)) {
      return refused;
    }
  } else if (entry->import_as == ImportAs::kIgnored || entry->import_as == ImportAs::kSymbolic) {
    return std::nullopt;
  }
  if (auto refused = refused_training(node)) {
    return refused;
  }
  if (entry == nullptr || entry->import_as != ImportAs::kIdentity) {
    if (auto refused = refused_write(node)) {
      return refused;
    }
  }
  if (is_random(node)) {
    if (auto refused = refused_draw(node)) {
      return refused;
    }
  }
  return refused_storage(node);
}

std::optional<Refusal> refusal_of(const Pt2Node& node, const Layer& layer, const Network& network) {
  const auto handle = dispatched_operator(layer.target);
  if (handle->hasTag(at::Tag::data_dependent_output) && reads_images(layer.inputs, network)) {
    return Refusal{the_operator(node) + " makes a number of what depends on the images",
                   "compute with tensors: torch.where in place of an if, x * t in place of "
                   "x * t.item()"};
  }
  if (handle->hasTag(at::Tag::dynamic_output_shape) &&
      reads_images(deciding(layer, network), network)) {
    return Refusal{
        the_operator(node) + " gives as many elements as the images have it",
        "use a form of fixed size (torch.where, topk, a mask that is multiplied), or end "
        "the exported model before it"};
  }
  const bool uses_batch =
      (flag(node, "training") == true || flag(node, "use_input_stats") == true) &&
      short_name(layer.target).find("batch_norm") != std::string::npos;
  if (uses_batch && !layer.inputs.empty()) {
    const ValueInfo& input = network.info(layer.inputs.front());
    if (!input.is_constant && !input.sizes.empty() && input.sizes.front() == -1) {
      return Refusal{the_operator(node) +
                         " takes its statistics from the batch, so that the answer for one image "
                         "depends on the others",
                     "give it running statistics (track_running_stats=True), and call model.eval() "
                     "before torch.export"};
    }
  }
  return std::nullopt;
}

bool may_hide_a_view(const std::string& target) {
  const auto handle = dispatched_operator(target);
  return find_operator(target) == nullptr && handle &&
         handle->hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd) &&
         std::ranges::none_of(handle->schema().arguments(), [](const c10::Argument& argument) {
           return argument.alias_info() != nullptr;
         });
}

}  // namespace tilestrike::dnn
