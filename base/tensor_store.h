// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A tensor as a store of words: a memory without geometry (docs/tensor_faults.md). A WordFault
// names it by its place in the network's list of stores.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/number_format.h"

namespace tilestrike {

enum class TensorRole {
  kWeight,         // of a convolution, linear layer or embedding
  kBias,           // of one of these
  kNormalisation,  // of batch, layer and group norm: scale, shift and stored statistics
  kParameter,      // any other stored tensor: a position embedding, a class token
  kActivation,     // what a layer computes, and the images
};
inline constexpr std::size_t kTensorRoles = 5;

inline constexpr std::array<std::string_view, kTensorRoles> kTensorRoleNames{
    "weight", "bias", "normalisation", "parameter", "activation"};

inline std::string_view name_of(TensorRole role) {
  return kTensorRoleNames[static_cast<std::size_t>(role)];
}

struct TensorStore {
  std::string name;   // "stage1.conv1.weight"; of an activation the layer that makes it
  std::string layer;  // the first that reads it, or the one that makes it; "input": the images
  TensorRole role = TensorRole::kWeight;
  NumberFormat format;
  std::int64_t words = 0;  // of an activation: of one image
  std::string shape;       // "16x16x3x3"; without the batch
};

}  // namespace tilestrike
