// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The list kernels of a network, and the memory that its runs from lists share.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dnn/differential/list_kernel.h"
#include "dnn/differential/measured_cost.h"

namespace tilestrike::dnn {

/// From where on a layer, or a value, is rather taken whole.
struct ListLimits {
  /// What the lists are thought to cost, as a share of the whole layer; nothing: what is measured
  /// decides.
  std::optional<double> cost;
  double listed = 0.25;  // elements that differ, as a share of the value's
};

/// Not for two threads at once. The network must outlive it.
class Differential {
 public:
  explicit Differential(const Network& network, const ListLimits& limits = {});
  ~Differential();

  const ListLimits& limits() const { return limits_; }

  /// The kernel of a layer for tapes of this one's sizes; nullptr: the layer has no list form. Made
  /// when it is first asked for.
  const ListKernel* of(std::size_t layer, const Tape& golden);
  /// Of a layer.
  MeasuredCost& measured(std::size_t layer) { return measured_[layer]; }
  Scratch& scratch() { return scratch_; }

 private:
  struct Made {
    bool is_made = false;
    std::unique_ptr<ListKernel> kernel;
  };
  const Network& network_;
  ListLimits limits_;
  std::vector<std::vector<std::int64_t>> sizes_;  // of the network's inputs
  std::vector<Made> kernels_;                     // by layer
  std::vector<MeasuredCost> measured_;            // by layer
  Scratch scratch_;
};

}  // namespace tilestrike::dnn
