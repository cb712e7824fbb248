// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs a network layer by layer, with a hook after each layer, and keeps a golden run on a tape.
#pragma once

#include <functional>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"
#include "dnn/tape.h"

namespace tilestrike::dnn {

/// Called after a layer; may replace its outputs in `values`, never write into them.
using Hook = std::function<void(std::size_t layer, Values& values)>;

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

/// Whether a layer's output shows the memory of one of its inputs.
bool is_view_of_input(const Layer& layer, const Values& values, const at::Tensor& output);

}  // namespace tilestrike::dnn
