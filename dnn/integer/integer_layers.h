// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Integer layers as an accelerator computes them: int8 operands, int32 accumulators,
// requantisation. Accumulation and requantisation of a matrix layer are two calls; the splice lies
// between (docs/integer_network.md has the arithmetic).
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "dnn/integer/fixed_point.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// A convolution, or a linear layer: kernel, stride and dilation 1, no padding.
struct MatrixShape {
  bool is_convolution = true;
  std::int64_t groups = 1;
  std::int64_t in_channels = 0;   // of all groups
  std::int64_t out_channels = 0;  // of all groups
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  // Two computed operands, (.., M, K) by weights (.., N, K): a product for each leading index.
  bool is_product = false;
  std::int64_t depth() const { return in_channels / groups * kernel[0] * kernel[1]; }
};

/// Which arithmetic gives the exact integers on this device (docs/integer_network.md).
enum class ExactPath {
  kFloat32,  // bound <= 2^24 and the self-test passed
  kFloat64,  // bound <= 2^53
};

/// Integers of this magnitude and all below are float32 numbers.
inline constexpr std::int64_t kExactInFloat32 = std::int64_t{1} << 24;

class MatrixKernel : public Kernel {
 public:
  struct Parameters {
    MatrixShape shape;
    at::Tensor weight;  // int8 (O, I/groups, kh, kw), or (O, I) of a linear layer
    at::Tensor bias;    // int32 (O), or undefined
    // Of neither an int8 nor a float output: the accumulators are the output.
    at::Tensor multiplier;  // int32 (O) of an int8 output
    at::Tensor shift;       // int32 (O) of an int8 output
    at::Tensor scale;       // float32 (O) of a float output: float(accumulator) * scale
    c10::ScalarType type = c10::ScalarType::Float;  // that a float output is brought to
    int input_zero = 0;          // what padding holds; `bias` contains -input_zero * sum(w)
    int output_zero = 0;         // of an int8 output
    int most_input = 128;        // max|a| of what comes in
    int low = -128, high = 127;  // clamp of an int8 output; a fused ReLU raises low to the zero
    /// What the network calls them, whichever layers share them; empty: after the layer.
    std::string weight_name, bias_name;
  };
  /// Throws Failure when an accumulator could leave int32: the bound max|a| * max_o(sum|w|) +
  /// |bias| is checked, with max|a| = most_input.
  static std::shared_ptr<const MatrixKernel> make(Parameters parameters, const std::string& layer);

  virtual const Parameters& parameters() const = 0;
  virtual ExactPath path() const = 0;
  virtual double bound() const = 0;  // max|a| * max_o(sum|w|), bias apart

  /// int8 (..., C, H, W) or (..., C) -> int32 (..., O, H', W') or (..., O), bias included; exact.
  /// A product of two computed values takes the second, too (weight_of).
  virtual at::Tensor accumulate(const at::Tensor& input, const at::Tensor& right = {}) const = 0;
  /// -> int8, real numbers of parameters().type, or the accumulators themselves; same shape.
  virtual at::Tensor requantise(const at::Tensor& accumulators) const = 0;
  /// To be called after words of parameters().weight were changed in place (by a fault, or its
  /// undoing): what was derived from them follows, and the bound on exact arithmetic is checked
  /// again with the weights as they are; beyond 2^24 the sums are taken in float64. A struck bias
  /// needs no call; accumulators that leave int32 through it wrap, as the hardware's do.
  virtual void weights_changed(std::span<const WordFault> faults) const = 0;
  /// Another number after each weights_changed().
  virtual std::int64_t weights_version() const { return 0; }
  /// The layer's value that accumulate() takes.
  virtual ValueId input_of(const Layer& layer) const = 0;
  /// The computed value that takes the place of the weights; -1: the weights are parameters.
  virtual ValueId weight_of(const Layer& /*layer*/) const { return ValueId(-1); }
  /// That value as weights (.., N, K), a view.
  virtual at::Tensor weight_from(const at::Tensor& right) const { return right; }
  /// accumulate() of the layer's operands among `values`.
  at::Tensor accumulators_of(const Layer& layer, const Values& values) const;
};

/// The matrix kernel of a layer, or nullptr.
const MatrixKernel* matrix_kernel(const Layer& layer);

}  // namespace tilestrike::dnn
