// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A tensor as a store of words: a memory without geometry (docs/tensor_faults.md). A WordFault
// names it by its place in the network's list of stores.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"

namespace tilestrike {

/// What a stored tensor is to the network, by where its values flow (docs/tensor_faults.md,
/// "Roles").
enum class TensorRole {
  kWeight,         // enters a product: convolution, linear layer, recurrent cell, embedding
  kBias,           // is added to a product's result
  kNormalisation,  // of batch, layer and group norm: scale, shift and stored statistics
  kParameter,      // any other trained tensor: a position embedding, a class token
  kBuffer,         // stored, but not trained: a mask of weights, scales and zero points
  kActivation,     // what a layer computes, and the images
  kMembrane,       // of a spiking network: after each tick, before the next one reads it
};
inline constexpr std::size_t kTensorRoles = 7;

inline constexpr std::array<std::string_view, kTensorRoles> kTensorRoleNames{
    "weight", "bias", "normalisation", "parameter", "buffer", "activation", "membrane"};

inline std::string_view name_of(TensorRole role) {
  return kTensorRoleNames[static_cast<std::size_t>(role)];
}

/// Whether an inference computes it; else it is stored before.
constexpr bool is_computed(TensorRole role) {
  return role == TensorRole::kActivation || role == TensorRole::kMembrane;
}

struct TensorStore {
  std::string name;   // "stage1.conv1.weight"; of an activation the layer that makes it; no other's
  std::string layer;  // the first that reads it, or the one that makes it; "input": the images
  TensorRole role = TensorRole::kWeight;
  NumberFormat format;
  std::int64_t words = 0;  // of an activation: of one image
  std::string shape;       // "16x16x3x3"; without the batch
  /// Of a spiking network: the first of its sizes, where that counts ticks; else 0.
  std::int64_t ticks = 0;
  /// Of a constant: all layers that read it, in order, each once; several: they share it.
  std::vector<std::string> layers{};
  std::string note{};  // for people: that a parameter is stored more than once
};

/// A tensor that the network stores, and that no strike can name.
struct UnstruckTensor {
  std::string name;
  std::string type;  // "bool", "int64"
  std::int64_t words = 0;
  std::string why;  // "whole numbers that are no weights"
};

}  // namespace tilestrike
