// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The integer network of a float network, as accelerators run it: per-channel symmetric weights,
// per-tensor activations, int32 bias and accumulators, batch norm folded, ReLU fused into the
// clamp.
#pragma once

#include <vector>

#include "dnn/inputs.h"
#include "dnn/integer/calibrate.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct QuantiseOptions {
  std::int64_t batch = 50;  // calibration images at a time
};

/// The integer network of a float network. Scales come from the largest magnitudes over the
/// calibration images, which are of the types that the network takes, unless the network brings
/// its own (given_quantisation.h): then they and their zero points are used, and of the images only
/// the shape. What has no integer form stays in float between a dequantisation and a quantisation,
/// and its layer's note says so. Names of layers stay those of the float network. Throws Failure:
/// no images, a non-finite activation, a bound that int32 cannot hold.
Network quantise(const Network& network, const Inputs& calibration,
                 const QuantiseOptions& options = {});

/// The same in two steps: all that it takes from the images, and the network.
std::vector<ValueStatistics> calibration(const Network& network, const Inputs& images,
                                         const QuantiseOptions& options = {});
Network quantise(const Network& network, std::vector<ValueStatistics> calibration);

}  // namespace tilestrike::dnn
