// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/fixed_order/fixed_order.h"

#include "base/error.h"
#include "dnn/fixed_order/fixed_norm.h"
#include "dnn/fixed_order/fixed_product.h"
#include "dnn/operand_use.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {

FixedOrder::FixedOrder(Network& network) {
  TS_CHECK(network.device.is_cpu(), "fixed sums are computed on the CPU");
  for (Layer& layer : network.layers) {
    std::shared_ptr<const Kernel> own = FixedProduct::make(layer, network, is_on_);
    if (own == nullptr) {
      own = FixedNorm::make(layer, network, is_on_);
    }
    if (own != nullptr) {
      layer.kernel = std::move(own);
    } else if (does_of(short_name(layer.target)) == Does::kProduct) {
      left_.push_back(layer.name);
    }
  }
}

}  // namespace tilestrike::dnn
