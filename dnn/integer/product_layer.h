// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Products of two computed int8 operands, as attention has them: matrix layers whose weights are
// activations (docs/integer_network.md).
#pragma once

#include <array>
#include <memory>
#include <string>

#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {

struct ProductParameters {
  std::int64_t rows = 1, depth = 1, columns = 1;  // of one product, on the calibration images
  bool is_right_transposed = false;               // right is (.., N, K) rather than (.., K, N)
  double ratio = 0.0;   // of an int8 output: left scale * right scale / output scale
  int output_zero = 0;  // of an int8 output
  float scale = 0.0F;   // of a float output: float(accumulator) * scale
  c10::ScalarType type = c10::ScalarType::Float;  // that a float output is brought to
};

/// A layer with the arguments left (.., M, K) and right; one product for each of the leading
/// dimensions, which are equal. Throws Failure where 128 * 128 * K could leave int32.
std::shared_ptr<const MatrixKernel> make_product(const ProductParameters& parameters,
                                                 c10::Device device, const std::string& layer);

}  // namespace tilestrike::dnn
