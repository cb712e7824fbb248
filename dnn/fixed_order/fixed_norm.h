// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Batch norm with stored statistics: a product and a sum for each element, both rounded.
#pragma once

#include <array>
#include <memory>

#include "dnn/fixed_order/sums.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

class FixedNorm final : public Kernel {
 public:
  /// Computes as `layer.kernel` does, but for its roundings, while `is_on`. nullptr: the layer is
  /// no such norm of float32 numbers.
  static std::shared_ptr<const Kernel> make(const Layer& layer, const Network& network,
                                            std::shared_ptr<const bool> is_on);
  FixedNorm(double epsilon, std::shared_ptr<const Kernel> other, std::shared_ptr<const bool> is_on)
      : epsilon_(epsilon), other_(std::move(other)), is_on_(std::move(is_on)) {}

  void run(const Layer& layer, Values& values) const override;
  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override;
  /// Of each channel, as the constants are now.
  std::vector<ScaleAndShift> factors(const Layer& layer, const Values& values,
                                     std::int64_t channels) const;

 private:
  double epsilon_;
  std::shared_ptr<const Kernel> other_;
  std::shared_ptr<const bool> is_on_;
};

}  // namespace tilestrike::dnn
