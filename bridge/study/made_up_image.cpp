// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/made_up_image.h"

#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <functional>
#include <numeric>

#include "bridge/study/workload.h"

namespace tilestrike::bridge {
namespace {

/// An input of this shape: values that spread over [0, 1], or true, or the number 0, which any
/// table has a row for.
at::Tensor made_up(const dnn::ValueInfo& info) {
  std::vector<std::int64_t> sizes = info.sizes;
  sizes[0] = 1;
  if (info.type == c10::kBool) {
    return at::ones(sizes, c10::TensorOptions(info.type));
  }
  if (info.type != c10::kFloat) {
    return at::zeros(sizes, c10::TensorOptions(info.type));
  }
  const std::int64_t count =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  return at::linspace(0.0, 1.0, count, c10::TensorOptions(c10::kFloat)).view(sizes);
}

}  // namespace

dnn::Network network_on_cpu(NetworkSource source) {
  source.device = "cpu";
  return import_network(source);
}

dnn::Inputs made_up_image(const dnn::Network& network) {
  std::vector<at::Tensor> tensors;
  for (const dnn::ValueId id : network.inputs) {
    tensors.push_back(made_up(network.info(id)));
  }
  return dnn::Inputs(std::move(tensors));
}

}  // namespace tilestrike::bridge
