// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The weights and biases of a matrix layer in integers (docs/integer_network.md, "Numbers").
#pragma once

#include <span>
#include <vector>

#include "dnn/integer/steps.h"

namespace tilestrike::dnn {

/// A matrix layer, and how its input is stored.
struct MatrixUse {
  const Step* step = nullptr;
  Quantisation input;
};

struct IntegerWeights {
  at::Tensor weight, bias;    // int8, int32 (O)
  std::vector<double> scale;  // (O)
};

/// Of each use, those that the network brings, or float weights rounded: per channel scale =
/// max|w| / 127, but so large that the bias stays within 2^30; a channel of zeros takes the largest
/// scale of its layer. The bias contains -zero * sum(w) of the input's zero point.
///
/// Uses of the same stored tensors with the same real weights are uses of the same int8 words, with
/// scales that suit the biases of all of them; and biases that come out equal there are the same
/// int32 words. Throws Failure: a bias that given scales do not let fit int32.
std::vector<IntegerWeights> integer_weights(std::span<const MatrixUse> uses, c10::Device device);

}  // namespace tilestrike::dnn
