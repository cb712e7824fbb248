// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Scales, zero points and integer weights that a network brings: the pairs of quantize and
// dequantize that PT2E leaves around float operators (docs/integer_network.md, "Networks that are
// quantised already").
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "dnn/integer/quantisation.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

inline constexpr std::string_view kQuantisePair =
    "quantized_decomposed.quantize_per_tensor.default";
inline constexpr std::string_view kDequantisePair =
    "quantized_decomposed.dequantize_per_tensor.default";

/// Whether the network has such pairs.
bool is_quantised(const Network& network);

/// Of a layer that is half of a pair, in int8: a zero point z of uint8 is z - 128 here. Not int8
/// where the pair does not use the whole range of 8 bits.
Quantisation quantisation_of(const Layer& layer, const Values& constants);

/// The quantisation that alone reads a value, directly or (`through_clamp`) behind an activation
/// that alone reads it; not int8: there is none.
Quantisation quantisation_behind(const Network& network, ValueId id, bool through_clamp);

struct GivenWeights {
  at::Tensor weight;          // int8, on the CPU, as `matrix` lies
  std::vector<double> scale;  // (O)
};
/// The stored integers behind a constant float weight; nothing where there are none, where they
/// have zero points, or where their scales are not those of output channels.
std::optional<GivenWeights> given_weights(const Network& network, ValueId id,
                                          const at::Tensor& matrix);

}  // namespace tilestrike::dnn
