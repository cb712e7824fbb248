// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A model's graph, as a file holds it -> a network.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dnn/import/admission.h"
#include "dnn/import/finish.h"
#include "dnn/import/names.h"
#include "dnn/import/pt2_graph.h"
#include "dnn/import/rewrite.h"
#include "dnn/network.h"
#include "dnn/operators.h"

namespace c10 {
struct FunctionSchema;
}

namespace tilestrike::dnn {

/// A model as it was read from a file of any kind.
struct Program {
  std::string path;
  Pt2Graph graph;
  /// A weight by its name in the module.
  std::function<at::Tensor(const std::string& name)> weight;
  std::string how_to_write;  // the cure for a damaged file
};

class Importer {
 public:
  /// `program` must outlive the importer. `output` is one of several outputs: its name, or its
  /// place as a number; empty: there is one.
  Importer(const Program& program, c10::Device device, std::string output);

  /// Throws Failure, and nlohmann::json or c10 errors for what is damaged.
  Network import();
  /// Which of the graph's outputs the network's is.
  std::size_t output_place() const { return output_place_; }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& cure) const;
  [[noreturn]] void damaged(const std::string& what) const;

  // Inputs and outputs.
  void add_input(const Pt2Input& input);
  void find_batch();
  void check_batch_is_first() const;
  void fix_batch();
  void check_input_type(const std::string& name, c10::ScalarType type) const;
  void add_weight(const Pt2Input& input);
  std::size_t chosen_output() const;
  void find_output();
  void answer_in_float32(const std::string& name, const Pt2Node& end);

  // Nodes.
  void add_node(const Pt2Node& node);
  void add_refused(const Pt2Node& node, const Refusal& refusal);
  std::vector<std::vector<std::string>> written_by(const Pt2Node& node) const;
  void add_identity(const Pt2Node& node);
  void add_symbolic(const Pt2Node& node);
  void add_call(const Pt2Node& node, const Operator& entry);
  bool changes_nothing(const Pt2Node& node, const Operator& entry) const;
  std::string target_of(const Pt2Node& node, const Operator& entry) const;
  std::size_t rank_of_weight(const Pt2Node& node) const;
  bool is_said_by(const Pt2Node& node, const std::string& other) const;
  bool is_another_shape(const Pt2Node& node) const;
  std::optional<Refusal> refused_strides(const Pt2Node& node) const;
  std::vector<Argument> arguments_of(const Pt2Node& node, const c10::FunctionSchema& schema);
  void numbers_as_tensors(std::vector<Argument>& arguments, const c10::FunctionSchema& schema,
                          const Pt2Node& node);
  void add_outputs(const Pt2Node& node, const c10::FunctionSchema& schema, Layer& layer);
  void check_size(const Pt2Node& node, const Layer& layer) const;
  void emit(Layer layer, const Pt2Node& node);
  void compute_constants(const Layer& layer, const Pt2Node& node);

  // Memory that is written in place.
  void check_external(const Pt2Node& node);
  void check_write(const Pt2Node& node, const Layer& layer);
  ValueId as_its_target(const Pt2Node& node, Layer& layer);
  void write(const Pt2Node& node, const std::string& output, ValueId value);
  ValueId current(const std::string& name, const Pt2Node& node);
  /// What the layer makes of the file's example, without elements; undefined: not known.
  at::Tensor example_result(const Layer& layer, ValueId output);
  /// Empty: not known.
  std::optional<bool> shares_memory(const Layer& layer, ValueId output, ValueId input);
  void define_tensor(const Pt2Node& node, const std::string& name, ValueId value,
                     const Layer& layer, std::size_t output, bool may_be_view);

  // Values and names.
  ValueId read(const std::string& name, bool as_tensor, const Pt2Node& node);
  void check_new(const std::string& name) const;
  const std::string& first_tensor(const Pt2Node& node);
  const std::string& first_output(const Pt2Node& node, Pt2Argument::Form form) const;
  ValueInfo tensor_info(const std::string& name) const;
  ValueId add_tensor(ValueInfo info, const std::string& name);
  ValueId add_symbol(const std::string& name);
  bool is_row_major(const std::string& name) const;
  bool keeps_layout(const Pt2Node& node) const;
  bool is_constant(ValueId id) const { return network_.info(id).is_constant; }

  const Program& program_;
  const Pt2Graph& graph_;
  std::string output_;
  std::size_t output_place_ = 0;
  std::set<std::string> read_;  // names of values that a node or the caller reads
  Network network_;
  std::vector<ImportedLayer> layers_;
  Names names_;
  Transposes transposes_;
  Values examples_;  // tensors without memory, and numbers, as the file's example has them
  std::set<ValueId> symbols_;            // values that are numbers
  std::set<ValueId> from_weights_;       // constants that a change of a weight changes
  std::set<ValueId> unsure_layouts_;     // whose strides need not be those in the file
  std::set<std::string> batch_symbols_;  // empty: exported for a batch of batch_
  std::int64_t batch_ = -1;              // of the example in the file; -1: not known yet
};

/// Of a size's expression: "s0" of "Symbol('s0', positive=True)".
std::string symbol_name(const std::string& expression);

}  // namespace tilestrike::dnn
