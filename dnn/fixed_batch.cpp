// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/fixed_batch.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "dnn/executor.h"

namespace tilestrike::dnn {
namespace {

constexpr double kMostElements = 1 << 28;  // of an input
constexpr double kSameAnswer = 1e-3;       // float sums in another order, never other rows

}  // namespace

std::int64_t batch_dimension(const ValueInfo& info) {
  const auto found = std::ranges::find(info.sizes, -1);
  return found == info.sizes.end() ? 0 : found - info.sizes.begin();
}

std::int64_t fixed_batch(const Network& network) {
  const std::vector<std::int64_t>& sizes = network.info(network.inputs.front()).sizes;
  return sizes.empty() || sizes.front() < 0 ? 0 : sizes.front();
}

at::Tensor made_up_input(const ValueInfo& info, std::int64_t rows) {
  std::vector<std::int64_t> sizes = info.sizes;
  for (std::int64_t& size : sizes) {
    size = std::abs(size);
  }
  sizes.front() = rows;
  if (info.type == c10::kBool) {
    return at::ones(sizes, c10::TensorOptions(info.type));
  }
  if (!c10::isFloatingType(info.type)) {
    return at::zeros(sizes, c10::TensorOptions(info.type));
  }
  const std::int64_t count =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  return at::linspace(0.0, 1.0, count, c10::TensorOptions(c10::kFloat)).view(sizes).to(info.type);
}

Inputs filled_up(const Inputs& inputs, std::int64_t rows) {
  if (inputs.rows() >= rows) {
    return inputs;
  }
  return inputs.each([&](const at::Tensor& tensor) {
    std::vector<at::Tensor> parts;
    for (std::int64_t left = rows; left > 0; left -= tensor.size(0)) {
      parts.push_back(tensor.narrow(0, 0, std::min(left, tensor.size(0))));
    }
    return at::cat(parts);
  });
}

bool takes_any_batch(const Network& network, std::int64_t batch) {
  std::vector<at::Tensor> tensors;
  for (const ValueId id : network.inputs) {
    double elements = 1.0;
    for (const std::int64_t size : network.info(id).sizes) {
      elements *= std::abs(static_cast<double>(size));
    }
    if (elements > kMostElements) {
      return true;  // no inference of this machine's
    }
    tensors.push_back(made_up_input(network.info(id), batch));
  }
  const Inputs once{std::move(tensors)};
  const Executor executor(network);
  at::Tensor answer;
  try {
    answer = executor.run(once);
  } catch (const Failure&) {
    return true;  // the made-up numbers are what it cannot take
  }
  try {
    const at::Tensor twice = executor.run(filled_up(once, 2 * batch));
    if (answer.dim() == 0 || twice.dim() != answer.dim() || twice.size(0) != 2 * answer.size(0) ||
        twice.sizes().slice(1) != answer.sizes().slice(1)) {
      return false;
    }
    const at::Tensor wanted = at::cat({answer, answer}).nan_to_num();
    const double apart = at::sub(twice.nan_to_num(), wanted).abs().max().item<double>();
    return apart <= kSameAnswer * wanted.abs().max().item<double>();
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace tilestrike::dnn
