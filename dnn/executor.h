// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs a network layer by layer, with a hook after each layer; keeps a golden run on a tape; and
// runs the rest of a network again after some of its values have changed.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Called after a layer; may replace its outputs in `values`, never write into them.
using Hook = std::function<void(std::size_t layer, Values& values)>;

/// A whole run: every value of it, and the int32 accumulators of each integer matrix layer
/// (undefined tensors elsewhere), by layer.
struct Tape {
  Values values;
  std::vector<at::Tensor> accumulators;
};

class Executor {
 public:
  /// `network` must outlive the executor.
  explicit Executor(const Network& network);

  const Network& network() const { return network_; }

  /// Plain inference: images (N, ...) on any device -> output on the network's device. Values are
  /// released after their last use. `hook` may be empty. No gradients are recorded.
  at::Tensor run(const Inputs& images, const Hook& hook = {}) const;

  /// The rest of an inference, from `first` on: what was computed before it comes from `golden`, a
  /// run of the same images. Equals run() bit for bit.
  at::Tensor resume(const Tape& golden, std::size_t first, const Hook& hook = {}) const;

  /// run(), keeping everything. The outputs equal run()'s bit for bit.
  Tape record(const Inputs& images) const;

 private:
  Values start(const Inputs& images) const;
  at::Tensor finish(Values values, std::size_t first, const Hook& hook) const;

  const Network& network_;
  std::vector<std::int32_t> last_use_;
  std::vector<std::vector<ValueId>> released_after_;  // by layer
};

/// A run beside the golden one: only what differs is stored and computed. Values that come out
/// equal, bit for bit, are golden again at once.
class Divergence {
 public:
  /// Both must outlive this object.
  Divergence(const Network& network, const Tape& golden);

  /// The value as this run sees it.
  const c10::IValue& value(ValueId id) const;
  bool is_changed(ValueId id) const;
  /// Gives a value of this run. Returns how many elements differ from golden, bit for bit (NaN
  /// equals the same NaN); 0: the value is golden again.
  std::int64_t set(ValueId id, const at::Tensor& tensor);
  /// Whether any input of the layer differs from golden.
  bool reads_changed(std::size_t layer) const;
  /// Computes the layer if it reads something changed; otherwise its outputs are golden.
  void run(std::size_t layer);
  /// Computes the layer with other tensors in the place of some of its inputs, which themselves
  /// stay as they are. Returns how many elements of its outputs differ from golden.
  std::int64_t run_reading(std::size_t layer,
                           std::span<const std::pair<ValueId, at::Tensor>> replaced);
  /// Whether anything that differs is still read by a layer after `layer`, or is the output.
  bool is_alive_after(std::size_t layer) const;
  at::Tensor output() const { return value(network_.output).toTensor(); }

 private:
  const Network& network_;
  const Tape& golden_;
  std::vector<std::int32_t> last_use_;
  Values changed_;  // by ValueId, empty: golden
  std::vector<ValueId> changed_ids_;
};

/// Whether a layer's output shows the memory of one of its inputs.
bool is_view_of_input(const Layer& layer, const Values& values, const at::Tensor& output);

/// Elements that differ bit for bit between two tensors of one shape and type; shape or type that
/// differ count as all elements.
std::int64_t count_different(const at::Tensor& a, const at::Tensor& b);

}  // namespace tilestrike::dnn
