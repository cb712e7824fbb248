// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/calibrate.h"

#include <ATen/ops/abs.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "dnn/executor.h"

namespace tilestrike::dnn {
namespace {

void look_at(const c10::IValue& value, ValueStatistics& statistics) {
  if (!value.isTensor() || value.toTensor().scalar_type() != c10::kFloat ||
      value.toTensor().numel() == 0) {
    return;
  }
  const at::Tensor& tensor = value.toTensor();
  if (!statistics.is_float) {
    statistics.is_float = true;
    statistics.sizes = tensor.sizes().vec();
  }
  const auto largest = static_cast<double>(tensor.abs().max().item<float>());
  if (!std::isfinite(largest) || largest > statistics.largest) {
    statistics.largest = largest;
  }
}

}  // namespace

std::vector<ValueStatistics> calibrate(const Network& network, const at::Tensor& images,
                                       std::int64_t batch) {
  if (!images.defined() || images.dim() < 1 || images.size(0) == 0) {
    fail(ErrorCode::kInvalidInput, "there are no calibration images", {},
         "give at least one; some hundreds make good scales");
  }
  if (images.scalar_type() != c10::kFloat) {
    fail(ErrorCode::kInvalidInput, "the calibration images are not float32", {},
         "convert them as the evaluation images are");
  }
  std::vector<ValueStatistics> statistics(network.values.size());
  const Executor executor(network);
  const std::int64_t count = images.size(0);
  for (std::int64_t first = 0; first < count; first += batch) {
    const at::Tensor part = images.narrow(0, first, std::min(batch, count - first));
    look_at(part, statistics[network.input.value]);
    executor.run(part, [&](std::size_t layer, Values& values) {
      for (const ValueId id : network.layers[layer].outputs) {
        if (id.value >= 0) {
          look_at(values[id.value], statistics[id.value]);
        }
      }
    });
  }
  return statistics;
}

}  // namespace tilestrike::dnn
