// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The operands of a network's layers as elements of stored tensors: which value has a tensor's
// cells, and which element of it an operand's element is, through views (docs/memory_schedule.md,
// "Backing memory").
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

class StoredOperands {
 public:
  /// Both must outlive this object.
  StoredOperands(const dnn::Network& network, const Mapping& mapping);

  /// The value behind operand `operand` of LayerWork::operands; -1: constant weights.
  dnn::ValueId value_of(std::size_t layer, std::size_t operand) const {
    return values_[layer][operand];
  }
  /// The value that has the cells of a stored tensor; -1: constant weights.
  dnn::ValueId value_of_tensor(int tensor) const {
    return of_tensors_[static_cast<std::size_t>(tensor)];
  }
  /// The layer whose constant weights a stored tensor is.
  std::size_t layer_of_weights(int tensor) const {
    return weights_of_[static_cast<std::size_t>(tensor)];
  }

  /// Which element of its stored tensor each element of an operand is, in the order in which they
  /// are loaded; empty: the tensor's own order. `golden`: any run, for the layout of views.
  const std::vector<std::int64_t>& order(std::size_t layer, std::size_t operand,
                                         const dnn::Tape& golden);
  /// The elements of an operand (in the order in which they are loaded) that element `stored` of
  /// its stored tensor is. `golden` as above.
  std::vector<std::int64_t> elements(std::size_t layer, std::size_t operand, std::int64_t stored,
                                     const dnn::Tape& golden);

  /// The operand's elements in the order in which they are loaded, on the host: of the right
  /// operand of a product (groups, columns, depth), else the value's own order.
  at::Tensor loaded_order(std::size_t layer, std::size_t operand, const at::Tensor& value) const;

 private:
  const dnn::Network& network_;
  const Mapping& mapping_;
  std::vector<std::vector<dnn::ValueId>> values_;  // by layer and operand
  std::vector<dnn::ValueId> of_tensors_;
  std::vector<std::size_t> weights_of_;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::int64_t>> orders_;
};

}  // namespace tilestrike::bridge
