// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/given_quantisation.h"

#include <algorithm>

#include "dnn/layer_arguments.h"

namespace tilestrike::dnn {
namespace {

constexpr std::string_view kDequantiseByChannel =
    "quantized_decomposed.dequantize_per_channel.default";

bool is_clamp(std::string_view target) {
  return target == "aten.relu.default" || target == "aten.relu6.default" ||
         target == "aten.hardtanh.default" || target == "aten.clamp.default";
}

bool is_transposition(std::string_view target) {
  return target == "aten.t.default" || target == "aten.transpose.int" ||
         target == "aten.permute.default";
}

const Layer* constant_source_of(const Network& network, ValueId id) {
  const auto found = std::ranges::find_if(network.constant_layers, [id](const Layer& layer) {
    return std::ranges::find(layer.outputs, id) != layer.outputs.end();
  });
  return found == network.constant_layers.end() ? nullptr : &*found;
}

/// One scale per output channel; empty: none, or with zero points.
std::vector<double> scales_of(const Layer& layer, const LayerArguments& arguments,
                              std::int64_t channels) {
  if (layer.target == kDequantisePair) {
    const auto scale = arguments.real("scale");
    const auto zero = arguments.integers("zero_point");
    const bool is_symmetric = scale && zero && zero->front() == 0;
    return is_symmetric ? std::vector<double>(static_cast<std::size_t>(channels), *scale)
                        : std::vector<double>();
  }
  const at::Tensor scales = arguments.tensor("scales"), zeros = arguments.tensor("zero_points");
  const auto axis = arguments.integers("axis");
  const bool is_symmetric = !zeros.defined() || zeros.count_nonzero().item<std::int64_t>() == 0;
  if (layer.target != kDequantiseByChannel || !scales.defined() || !axis || axis->front() != 0 ||
      !is_symmetric || scales.numel() != channels) {
    return {};
  }
  const at::Tensor numbers = scales.cpu().to(c10::kDouble).contiguous();
  const double* first = numbers.const_data_ptr<double>();
  return {first, first + numbers.numel()};
}

}  // namespace

bool is_quantised(const Network& network) {
  return std::ranges::any_of(network.layers,
                             [](const Layer& layer) { return layer.target == kQuantisePair; });
}

Quantisation quantisation_of(const Layer& layer, const Values& constants) {
  const LayerArguments arguments(layer, constants);
  const auto scale = arguments.real("scale");
  const auto zero = arguments.integers("zero_point"), low = arguments.integers("quant_min"),
             high = arguments.integers("quant_max");
  if (!scale || !zero || !low || !high || !(*scale > 0.0) || high->front() - low->front() != 255 ||
      (low->front() != -128 && low->front() != 0)) {
    return {};
  }
  const std::int64_t stored = zero->front() - 128 - low->front();
  const bool is_inside = stored >= -128 && stored <= 127;
  return is_inside ? Quantisation{static_cast<float>(*scale), static_cast<std::int32_t>(stored)}
                   : Quantisation{};
}

Quantisation quantisation_behind(const Network& network, ValueId id, bool through_clamp) {
  const std::vector<std::size_t> readers = network.readers(id);
  if (id == network.output || readers.size() != 1) {
    return {};
  }
  const Layer& reader = network.layers[readers.front()];
  if (reader.target == kQuantisePair) {
    return quantisation_of(reader, network.constants);
  }
  return through_clamp && is_clamp(reader.target)
             ? quantisation_behind(network, reader.outputs.front(), false)
             : Quantisation{};
}

std::optional<GivenWeights> given_weights(const Network& network, ValueId id,
                                          const at::Tensor& matrix) {
  const Layer* source = constant_source_of(network, id);
  if (source != nullptr && is_transposition(source->target)) {
    source = constant_source_of(network, source->inputs.front());
  }
  if (source == nullptr) {
    return std::nullopt;
  }
  const LayerArguments arguments(*source, network.constants);
  const at::Tensor weight = arguments.tensor("input");
  if (!weight.defined() || weight.scalar_type() != c10::kChar || weight.sizes() != matrix.sizes()) {
    return std::nullopt;
  }
  GivenWeights given{weight.cpu().contiguous(), scales_of(*source, arguments, matrix.size(0))};
  if (given.scale.empty()) {
    return std::nullopt;
  }
  // What lies between may have moved them: they are the ones if they give the float weights.
  const std::int64_t depth = matrix.numel() / matrix.size(0);
  const float* real = matrix.const_data_ptr<float>();
  const auto* stored = given.weight.const_data_ptr<std::int8_t>();
  for (std::int64_t i = 0; i < matrix.numel(); ++i) {
    const auto scale = static_cast<float>(given.scale[static_cast<std::size_t>(i / depth)]);
    if (real[i] != static_cast<float>(stored[i]) * scale) {
      return std::nullopt;
    }
  }
  return given;
}

}  // namespace tilestrike::dnn
