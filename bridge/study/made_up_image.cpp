// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/made_up_image.h"

#include <algorithm>

#include "bridge/study/workload.h"
#include "dnn/fixed_batch.h"

namespace tilestrike::bridge {

dnn::Network network_on_cpu(NetworkSource source) {
  source.device = "cpu";
  return import_network(source);
}

dnn::Inputs made_up_image(const dnn::Network& network) {
  std::vector<at::Tensor> tensors;
  for (const dnn::ValueId id : network.inputs) {
    tensors.push_back(
        dnn::made_up_input(network.info(id), std::max<std::int64_t>(dnn::fixed_batch(network), 1)));
  }
  return dnn::Inputs(std::move(tensors));
}

}  // namespace tilestrike::bridge
