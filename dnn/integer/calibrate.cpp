// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/calibrate.h"

#include <ATen/ops/aminmax.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "dnn/executor.h"
#include "dnn/stored_number.h"

namespace tilestrike::dnn {
namespace {

void look_at(const c10::IValue& value, ValueStatistics& statistics) {
  if (!value.isTensor() || !value.toTensor().defined() || value.toTensor().numel() == 0) {
    return;
  }
  const at::Tensor& tensor = value.toTensor();
  if (!statistics.is_tensor) {
    statistics.is_tensor = true;
    statistics.is_float = is_real(tensor.scalar_type());
    statistics.type = tensor.scalar_type();
    statistics.sizes = tensor.sizes().vec();
  }
  if (!statistics.is_float) {
    return;
  }
  const auto [low, high] = at::aminmax(tensor);  // NaN if any element is
  const double largest =
      std::max(std::abs(low.item().toDouble()), std::abs(high.item().toDouble()));
  if (!std::isfinite(largest) || largest > statistics.largest) {
    statistics.largest = largest;
  }
}

}  // namespace

std::vector<ValueStatistics> calibrate(const Network& network, const Inputs& images,
                                       std::int64_t batch) {
  if (images.rows() == 0) {
    fail(ErrorCode::kInvalidInput, "there are no calibration images", {},
         "give at least one; some hundreds make good scales");
  }
  TS_CHECK(images.tensors().size() == network.inputs.size(), "a tensor for each input");
  for (std::size_t i = 0; i < network.inputs.size(); ++i) {
    const c10::ScalarType wanted = network.info(network.inputs[i]).type;
    if (images.tensors()[i].scalar_type() != wanted) {
      fail(ErrorCode::kInvalidInput,
           "the calibration images are of the type " +
               std::string(c10::toString(images.tensors()[i].scalar_type())) + ", not " +
               c10::toString(wanted),
           {}, "convert them as the evaluation images are");
    }
  }
  std::vector<ValueStatistics> statistics(network.values.size());
  const Executor executor(network);
  const std::int64_t count = images.rows();
  for (std::int64_t first = 0; first < count; first += batch) {
    const Inputs part = images.narrow(first, std::min(batch, count - first));
    for (std::size_t i = 0; i < network.inputs.size(); ++i) {
      look_at(part.tensors()[i], statistics[network.inputs[i].value]);
    }
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
