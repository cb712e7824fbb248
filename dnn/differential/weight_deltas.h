// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What struck weights and biases change in a layer's accumulators: one output channel for each
// word, by a product with the layer's inputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/differential/changes.h"
#include "dnn/integer/integer_layers.h"

namespace tilestrike::dnn {

/// An int8 weight, or an int32 bias, by how much it differs.
struct WeightDelta {
  std::int64_t word = 0;  // of MatrixKernel::Parameters::weight, row-major, or of its bias
  std::int32_t delta = 0;
};

/// `input`: int8, as the layer reads it; `output`: of the sizes of its output. Modulo 2^32; sorted
/// by index, no zeros.
std::vector<AccumulatorDelta> deltas_of_weights(const MatrixKernel::Parameters& parameters,
                                                std::span<const WeightDelta> weights,
                                                std::span<const WeightDelta> biases,
                                                const at::Tensor& input, const at::Tensor& output);

}  // namespace tilestrike::dnn
