// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The weights and biases of a matrix layer in integers (docs/integer_network.md, "Numbers").
#pragma once

#include <vector>

#include "dnn/integer/steps.h"

namespace tilestrike::dnn {

struct IntegerWeights {
  at::Tensor weight, bias;    // int8, int32 (O); on the CPU
  std::vector<double> scale;  // (O)
};

/// Those that the network brings, or float weights rounded: per channel scale = max|w| / 127, but
/// so large that the bias stays within 2^30; a channel of zeros takes the largest scale of its
/// layer. The bias contains -zero * sum(w) of the input's zero point. Throws Failure: a bias that
/// given scales do not let fit int32.
IntegerWeights integer_weights(const Step& step, const Quantisation& input);

}  // namespace tilestrike::dnn
