// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the stored tensors of a network are to it, by where their values flow: the names of
// operators say what an operator does with an argument, and nothing else (docs/tensor_faults.md,
// "Roles").
#pragma once

#include <map>
#include <vector>

#include "base/tensor_store.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

struct ConstantUse {
  TensorRole role = TensorRole::kBuffer;
  /// The use that gives it the role, also behind constant layers; nullptr: only its shape is read.
  const Layer* layer = nullptr;
  const Argument* argument = nullptr;
  /// Indices of the layers of an inference that read it, or what was computed from it; in order.
  std::vector<std::size_t> readers;
};

/// By value: every constant that is read and that no constant layer computes. The pointers are
/// into `network`.
std::map<ValueId, ConstantUse> uses_of_constants(const Network& network);

/// The stored constants of this role from which a constant is computed (or which it is), sorted.
std::vector<ValueId> stored_behind(const Network& network,
                                   const std::map<ValueId, ConstantUse>& uses, ValueId constant,
                                   TensorRole role);

}  // namespace tilestrike::dnn
