// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A strike on the words of tensors with the values that it leads to, for observers.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/tensor_store.h"
#include "dnn/executor.h"
#include "dnn/network.h"

namespace tilestrike::bridge {

/// All of it lives for the call.
struct WordRun {
  const dnn::Network& network;
  const std::vector<TensorStore>& stores;
  std::span<const WordFault> faults;
  const dnn::Tape& golden;            // of the batch that the image belongs to
  std::int64_t row = 0;               // of the image in the batch
  std::vector<std::uint64_t> before;  // by fault on a constant, which come first: the word
  /// The first output of each layer where it differs from golden, with the layer's index.
  std::vector<std::pair<std::size_t, at::Tensor>> faulty;
};

}  // namespace tilestrike::bridge
