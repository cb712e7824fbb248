// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A small network with attention: both of its products are layers whose weights are activations.
#pragma once

#include <string>

#include "tests/dnn/network_maker.h"

namespace tilestrike::bridge {

inline at::Tensor attention_pictures() { return dnn::NetworkMaker::noise({8, 3, 12, 12}, 1000); }

/// Nine patches, two heads of depth 8, a residual addition.
inline dnn::Network attention_network() {
  using dnn::ValueId;
  const auto list = [](std::vector<std::int64_t> numbers) {
    return c10::IValue(std::move(numbers));
  };
  const auto number = [](std::int64_t value) { return c10::IValue(value); };
  dnn::NetworkMaker maker;
  ValueId x = maker.convolution("patches", maker.images(), 3, 16, 4, 4);
  x = maker.call("tokens", "aten.flatten.using_ints", {x, number(2)});
  x = maker.call("turned", "aten.transpose.int", {x, number(1), number(2)});
  const auto heads = [&](const std::string& name) {
    ValueId y = maker.linear(name, x, 16, 16);
    y = maker.call(name + "_heads", "aten.reshape.default", {y, list({-1, 9, 2, 8})});
    return maker.call(name + "_first", "aten.transpose.int", {y, number(1), number(2)});
  };
  const ValueId q = heads("q"), k = heads("k"), v = heads("v");
  ValueId y =
      maker.call("attention", "aten.scaled_dot_product_attention.default",
                 {q, k, v, c10::IValue(), c10::IValue(0.0), c10::IValue(false), c10::IValue(0.05)});
  y = maker.call("back", "aten.transpose.int", {y, number(1), number(2)});
  y = maker.call("joined", "aten.reshape.default", {y, list({-1, 9, 16})});
  y = maker.linear("projection", y, 16, 16);
  x = maker.call("residual", "aten.add.Tensor", {x, y});
  x = maker.call("mean", "aten.mean.dim", {x, list({1})});
  return maker.finish(maker.linear("head", x, 16, 10));
}

}  // namespace tilestrike::bridge
