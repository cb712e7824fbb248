// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the calibration images show of a float network's values.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct ValueStatistics {
  bool is_tensor = false;
  bool is_float = false;                          // a tensor of real numbers (is_real)
  c10::ScalarType type = c10::ScalarType::Float;  // of its elements
  double largest = 0.0;             // magnitude over all images; not finite if any element was not
  std::vector<std::int64_t> sizes;  // of a tensor of any type, with the first batch

  /// As a float32 number: float64 reaches further.
  bool is_finite() const { return largest <= std::numeric_limits<float>::max(); }
};

/// By ValueId; constants and what was not computed are no tensors here. Throws
/// Failure: no images, or images of another type than the network takes.
std::vector<ValueStatistics> calibrate(const Network& network, const Inputs& images,
                                       std::int64_t batch);

}  // namespace tilestrike::dnn
