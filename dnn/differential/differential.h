// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The list kernels of a network, and the memory that its runs from lists share.
#pragma once

#include <memory>
#include <vector>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {

/// From where on a layer, or a value, is rather taken whole.
struct ListLimits {
  double cost = 1.0;     // of the lists, as a share of the dense layer's
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
  Scratch scratch_;
};

}  // namespace tilestrike::dnn
