// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A float network whose sums have one fixed order, whatever the batch (docs/differential.md). It
// gives up bit equality with PyTorch's own sums.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

class FixedOrder {
 public:
  /// Gives the layers of a network on the CPU kernels of their own: convolutions, linear layers,
  /// matrix products and batch norms of float32 numbers. They are on from the start.
  explicit FixedOrder(Network& network);

  /// Off: the layers compute as PyTorch does.
  void set_on(bool is_on) { *is_on_ = is_on; }
  /// Names of the layers with sums of products that PyTorch orders still.
  const std::vector<std::string>& left() const { return left_; }

 private:
  std::shared_ptr<bool> is_on_ = std::make_shared<bool>(true);
  std::vector<std::string> left_;
};

}  // namespace tilestrike::dnn
