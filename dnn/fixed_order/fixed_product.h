// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Convolutions, linear layers and matrix products of float32 numbers, summed in one fixed order.
#pragma once

#include <memory>

#include "dnn/fixed_order/sums.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Of a convolution over lines as of one over images of one line.
MatrixGeometry planes_of(const MatrixShape& shape, const at::Tensor& input,
                         const at::Tensor& output);

/// Keeps a copy of the weights that it last saw: not for two threads at once.
class FixedProduct final : public Kernel {
 public:
  /// Which of the layer's arguments are its operands, and how they are to be read.
  struct Form {
    MatrixShape shape;
    std::size_t input = 0, weight = 1, bias = 2;
    bool has_bias = false;
    bool is_transposed = false;  // weights (K, N) rather than (N, K)
    bool is_batched = false;     // weights (.., K, N): a product for each leading index
  };

  /// Computes as `layer.kernel` does, but for its sums, while `is_on`. nullptr: the layer is no
  /// such product of float32 numbers.
  static std::shared_ptr<const Kernel> make(const Layer& layer, const Network& network,
                                            std::shared_ptr<const bool> is_on);
  FixedProduct(Form form, std::shared_ptr<const Kernel> other, std::shared_ptr<const bool> is_on)
      : form_(form), other_(std::move(other)), is_on_(std::move(is_on)) {}

  void run(const Layer& layer, Values& values) const override;
  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override;

  const Form& form() const { return form_; }
  ValueId input_of(const Layer& layer) const { return of(layer, form_.input); }
  ValueId weight_of(const Layer& layer) const { return of(layer, form_.weight); }
  ValueId bias_of(const Layer& layer) const {
    return form_.has_bias ? of(layer, form_.bias) : ValueId(-1);
  }
  /// Row-major weights, and biases or nothing, as they are now.
  const PackedWeights& packed(const at::Tensor& weight, const at::Tensor& bias) const;

 private:
  static ValueId of(const Layer& layer, std::size_t argument) {
    return layer.arguments[argument].values.front();
  }
  at::Tensor products(const at::Tensor& left, const at::Tensor& right) const;
  at::Tensor sums(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) const;
  std::vector<std::int64_t> output_sizes(const at::Tensor& input) const;

  Form form_;
  std::shared_ptr<const Kernel> other_;
  std::shared_ptr<const bool> is_on_;
  mutable std::unique_ptr<FixedSums> sums_;
  mutable std::unique_ptr<PackedWeights> packed_;
};

/// The kernel of a layer whose sums have a fixed order; nullptr: it is none such.
const FixedProduct* fixed_product(const Layer& layer);

}  // namespace tilestrike::dnn
