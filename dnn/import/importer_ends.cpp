// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The importer's part that knows inputs, weights and outputs.
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "dnn/import/calls.h"
#include "dnn/import/importer.h"

namespace tilestrike::dnn {
namespace {

using Form = Pt2Argument::Form;

/// "out[0]['boxes']" as "out.0.boxes".
std::string plain_path(const std::string& path) {
  std::string plain;
  for (const char letter : path) {
    if (letter == '[') {
      plain += plain.empty() ? "" : ".";
    } else if (letter != ']' && letter != '\'' && letter != '"') {
      plain += letter;
    }
  }
  return plain;
}

}  // namespace

/// The size that changes from one inference to the next: the first one of every input.
void Importer::find_batch() {
  check_batch_is_first();
  for (const Pt2Input& input : graph_.inputs) {
    if (input.role != Pt2Input::Role::kUser || input.argument.form != Form::kTensor) {
      continue;
    }
    const auto tensor = graph_.tensors.find(input.argument.items.front().name);
    if (tensor == graph_.tensors.end() || tensor->second.sizes.empty()) {
      continue;  // refused where it is added
    }
    const std::string& symbol = tensor->second.symbols.front();
    if (symbol.starts_with("Symbol(")) {
      batch_symbols_.insert(symbol_name(symbol));
    }
    batch_ = batch_ < 0 ? tensor->second.sizes.front() : batch_;
  }
}

/// An example of several rows whose number is fixed, while another size is free: that one is the
/// batch, or the exporter was not told which is.
void Importer::check_batch_is_first() const {
  for (const Pt2Input& input : graph_.inputs) {
    const std::string& name = input.argument.items.empty() ? "" : input.argument.items.front().name;
    const auto tensor = graph_.tensors.find(name);
    if (input.role != Pt2Input::Role::kUser || tensor == graph_.tensors.end() ||
        tensor->second.sizes.empty() || !tensor->second.symbols.front().empty() ||
        tensor->second.sizes.front() < 2) {
      continue;
    }
    const std::vector<std::string>& symbols = tensor->second.symbols;
    const auto free = std::ranges::find_if(symbols, [](const auto& one) { return !one.empty(); });
    if (free != symbols.end()) {
      const std::string place = std::to_string(free - symbols.begin());
      refuse("the first dimension of the model's input '" + name + "' is always " +
                 std::to_string(tensor->second.sizes.front()) + ", and dimension " + place +
                 " is free; the first one is taken for the batch",
             "put the batch first in a module around the model (forward(self, x): return "
             "self.model(x.transpose(0, " +
                 place + "))), or leave dimension 0 free in dynamic_shapes, too");
    }
  }
}

/// The types that inputs may have; numbers of files are converted to them.
void Importer::check_input_type(const std::string& name, c10::ScalarType type) const {
  if (c10::isComplexType(type)) {
    refuse("the model's input '" + name + "' holds complex numbers",
           "export a model that takes real and imaginary parts as a last dimension of 2 and calls "
           "torch.view_as_complex on them");
  }
  if (c10::isFloat8Type(type) || !(c10::isFloatingType(type) || c10::isIntegralType(type, true)) ||
      type == c10::ScalarType::UInt16 || type == c10::ScalarType::UInt32 ||
      type == c10::ScalarType::UInt64) {
    refuse("the model's input '" + name + "' holds elements of the type " + c10::toString(type),
           "export it for inputs of float32, or of int64 where they are numbers of tokens");
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
  const std::string& name =
      input.argument.items.empty() ? input.argument.key : input.argument.items.front().name;
  if (input.argument.form != Form::kTensor) {
    refuse("the model's input '" + name + "' is no tensor",
           "wrap the model in a module that fixes it, and export that");
  }
  check_new(name);
  ValueInfo info = tensor_info(name);
  check_input_type(name, info.type);
  if (info.sizes.empty()) {
    refuse("the model's input '" + name + "' is a single number",
           "export it for a batch of images, or fix the number as a buffer of a module around it");
  }
  const std::string& symbol = graph_.tensors.at(name).symbols.front();
  if (info.sizes.front() != -1 || (!symbol.empty() && !symbol.starts_with("Symbol("))) {
    refuse("the first dimension of the model's input '" + name + "' is " +
               (symbol.empty() ? std::to_string(info.sizes.front()) : symbol) +
               ", and not the batch",
           "fix this input as a buffer of a module around the model, or give it a batch dimension "
           "in dynamic_shapes");
  }
  const std::vector<std::string>& symbols = graph_.tensors.at(name).symbols;
  for (std::size_t i = 1; i < symbols.size(); ++i) {
    if (!symbols[i].empty() && info.sizes[i] > 0) {
      info.sizes[i] = -std::max<std::int64_t>(info.sizes[i], 2);  // free, and as in the example
    }
  }
  network_.inputs.push_back(add_tensor(std::move(info), name));
  names_.define(name, network_.inputs.back(), true);
}

void Importer::add_weight(const Pt2Input& input) {
  const std::string& name = input.argument.items.front().name;
  check_new(name);
  const at::Tensor tensor = program_.weight(input.weight);
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
  info.stored_as = input.is_parameter ? StoredAs::kParameter : StoredAs::kBuffer;
  const ValueId id = add_tensor(std::move(info), name);
  network_.constants[id.value] = tensor;
  from_weights_.insert(id);
  names_.define(name, id, true);
}

std::size_t Importer::chosen_output() const {
  const std::string wanted = plain_path(output_);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const Pt2Argument& output = graph_.outputs[i];
    const std::string own = output.items.empty() ? "" : output.items.front().name;
    const std::string& given = i < graph_.output_names.size() ? graph_.output_names[i] : "";
    if (!wanted.empty() && (wanted == given || wanted == own || wanted == std::to_string(i))) {
      return i;
    }
    const std::string& name = !given.empty() ? given : std::to_string(i);
    const bool is_place = name.find_first_not_of("0123456789.") == std::string::npos;
    names.push_back(is_place && !own.empty() ? name + " (" + own + ")" : name);
  }
  if (!output_.empty()) {
    fail(ErrorCode::kNotFound, "the model has no output '" + output_ + "'", program_.path,
         "its outputs: " + join(names, ", "));
  }
  if (names.size() == 1) {
    return 0;
  }
  if (names.empty()) {
    refuse("the model returns nothing", "export a model that returns its logits");
  }
  // What is no tensor (None, a number) is no answer: one that remains needs no name.
  const auto is_tensor = [](const Pt2Argument& output) {
    return output.form == Form::kTensor && !output.items.empty();
  };
  if (std::ranges::count_if(graph_.outputs, is_tensor) == 1) {
    return static_cast<std::size_t>(std::ranges::find_if(graph_.outputs, is_tensor) -
                                    graph_.outputs.begin());
  }
  refuse("the model has " + std::to_string(names.size()) + " outputs: " + join(names, ", "),
         "name the one that is the answer: 'output: " +
             names.front().substr(0, names.front().find(' ')) +
             "' in a scenario, --output on the command line");
}

/// An answer of another floating-point type is judged as the float32 that it is.
void Importer::answer_in_float32(const std::string& name, const Pt2Node& end) {
  const c10::ScalarType type = network_.info(network_.output).type;
  if (type == c10::kFloat) {
    return;
  }
  if (c10::isComplexType(type)) {
    refuse("the model's output '" + name + "' holds complex numbers",
           "export a model that returns torch.view_as_real of it, or its magnitude");
  }
  if (!c10::isFloatingType(type)) {
    refuse("the model's output '" + name + "' holds elements of the type " + c10::toString(type) +
               ", in which a decision is taken already",
           "export a model that returns its logits (leave out argmax and thresholds): TileStrike "
           "compares what lies behind the decision, too");
  }
  ValueInfo info = network_.info(network_.output);
  info.name = name + "_as_float32";
  info.type = c10::kFloat;
  const ValueId answer = add_tensor(std::move(info), "");
  Layer layer = make_call("aten.to.dtype",
                          {value_argument("self", network_.output),
                           constant_argument("dtype", static_cast<std::int64_t>(c10::kFloat))},
                          "");
  layer.outputs = {answer};
  emit(std::move(layer), end);
  network_.output = answer;
}

void Importer::find_output() {
  output_place_ = chosen_output();
  const Pt2Argument& output = graph_.outputs[output_place_];
  if (output.form != Form::kTensor || output.items.empty()) {
    refuse("the model's output " + (output_.empty() ? "" : "'" + output_ + "' ") + "is no tensor",
           "name another one, or export a model that returns its logits");
  }
  const std::string& name = output.items.front().name;
  if (!names_.has(name)) {
    damaged("nothing computes its output '" + name + "'");
  }
  Pt2Node end;
  end.target = "output";
  network_.output = symbols_.contains(names_.value(name)) ? names_.value(name) : current(name, end);
  if (symbols_.contains(network_.output) || is_constant(network_.output)) {
    refuse("the model's output '" + name + "' does not depend on the images",
           "export a model that returns its logits");
  }
  const std::vector<std::int64_t> sizes = tensor_info(name).sizes;
  if (sizes.empty() || sizes.front() != -1) {
    const auto batch = std::ranges::find(sizes, -1);
    refuse("the model's output '" + name + "' has no row for each image of a batch" +
               (batch == sizes.end()
                    ? ""
                    : ": the batch is its dimension " + std::to_string(batch - sizes.begin())),
           batch == sizes.end() ? "export a model whose answer has the batch as its first dimension"
                                : "return it with the batch first: y.transpose(0, " +
                                      std::to_string(batch - sizes.begin()) + ")");
  }
  answer_in_float32(name, end);
}

}  // namespace tilestrike::dnn
