// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The network (docs/architecture.md, Words): the imported model as a straight line of operators
// with named layers. Float and integer networks have the same form and are run by the same
// executor.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "dnn/integer/quantisation.h"

namespace tilestrike::dnn {

using ValueId = Id<struct ValueTag, std::int32_t>;  // index into Network::values

/// What the layers of one inference have computed, by ValueId; constants are filled in from the
/// start. A value is a tensor, a number (a symbolic size), or empty (not computed, or released).
using Values = std::vector<c10::IValue>;

/// What a constant is in the file of the model.
enum class StoredAs {
  kParameter,  // trained; also what is computed from such
  kBuffer,     // stored, but not trained; also what is computed from such alone
  kNothing,    // the program makes it: a range of numbers, a mask
};

struct ValueInfo {
  std::string name;                 // as in the archive: "conv1_weight", "relu_2"
  std::vector<std::int64_t> sizes;  // dimension 0 of what depends on the input is -1 (the batch)
  c10::ScalarType type = c10::ScalarType::Float;
  bool is_constant = false;  // parameter, buffer, or folded constant: Network::constants has it
  Quantisation quantisation{};
  std::string parameter{};  // its name in the module: "stage1.conv1.weight"; empty: computed
  StoredAs stored_as = StoredAs::kParameter;  // of a constant
};

/// One argument of an operator, in the order of its schema: either a constant, or a value, or a
/// list of values (concatenation), or such a list in which some may be missing (the indices of
/// x[:, i], with id -1 for the colon), or a list of integers of which some are values (a reshape
/// with a symbolic size: `constant` holds the known ones, `values` has an id >= 0 where one is
/// computed).
struct Argument {
  enum class Kind { kConstant, kValue, kValueList, kOptionalValueList, kIntegerList };
  std::string name;
  Kind kind = Kind::kConstant;
  c10::IValue constant;
  std::vector<ValueId> values;
};

struct Layer;
struct Network;
struct Tape;
class ListKernel;

/// How a layer computes its outputs. Stateless and deterministic: the same inputs give the same
/// bits on one device with one batch size. Never changes an input, and no output shares storage
/// with an input that a caller might change (views of inputs are fine: values are never written).
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Reads layer.inputs from `values` and writes layer.outputs.
  virtual void run(const Layer& layer, Values& values) const = 0;
  /// How the layer is computed from what differs from a golden run of this one's sizes
  /// (differential/list_kernel.h); nullptr: only whole.
  virtual std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                            const Tape& golden) const;
};

struct Layer {
  std::string name;    // module path, numbered where it is not unique: "stage2.conv1", "add_1"
  std::string target;  // "aten.conv2d.default"; of integer layers "int8.conv2d"
  std::string source;  // "train_zoo.py:41, self.conv1(x)": the user's line; may be empty
  std::string note;    // for `inspect`: what was folded or fused, why it stays in float
  std::vector<Argument> arguments;
  std::vector<ValueId> inputs;   // all values that its arguments name, in their order, each once
  std::vector<ValueId> outputs;  // those that are used; a dropped output has id -1
  std::shared_ptr<const Kernel> kernel;
};

struct Network {
  std::string name;
  c10::Device device = c10::kCPU;
  std::vector<ValueInfo> values;
  std::vector<Layer> layers;  // in order of execution
  /// What depends on constants alone was computed once, at import, into `constants`. These are its
  /// layers, in order: a fault on a weight that feeds them runs them again.
  std::vector<Layer> constant_layers;
  Values constants;  // values.size() entries, empty where not constant
  /// What an inference is given: images (N, ...), token numbers, a mask and the like, the batch
  /// first. Sizes there: N > 0 is fixed (fixed_batch.h); -k, k > 1: any, and k in the example.
  std::vector<ValueId> inputs;
  ValueId output;  // logits (N, classes), or another answer (N, ...)

  const ValueInfo& info(ValueId id) const { return values[static_cast<std::size_t>(id.value)]; }
  ValueInfo& info(ValueId id) { return values[static_cast<std::size_t>(id.value)]; }
  ValueId add_value(ValueInfo info);
  /// values[i] is no longer needed after layer last_use()[i] (-1: never read; layers.size(): the
  /// network's output, and constants).
  std::vector<std::int32_t> last_use() const;
  /// Layers that read a value, in order.
  std::vector<std::size_t> readers(ValueId id) const;
  bool is_input(ValueId id) const { return std::ranges::find(inputs, id) != inputs.end(); }
};

/// "auto", "cpu" or "cuda:N" as a device; auto: the first CUDA device that works, else the CPU.
/// Throws Failure: unknown text, or a device that is not there.
c10::Device device_of(const std::string& text);

}  // namespace tilestrike::dnn
