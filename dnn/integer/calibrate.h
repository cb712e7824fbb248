// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the calibration images show of a float network's values.
#pragma once

#include <cstdint>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct ValueStatistics {
  bool is_float = false;            // a float32 tensor
  double largest = 0.0;             // magnitude over all images; not finite if any element was not
  std::vector<std::int64_t> sizes;  // with the first batch
};

/// By ValueId; constants and what was not computed have is_float false. Throws Failure: no images,
/// or images of another type than the network takes.
std::vector<ValueStatistics> calibrate(const Network& network, const Inputs& images,
                                       std::int64_t batch);

}  // namespace tilestrike::dnn
