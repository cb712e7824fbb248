// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// In which order the elements of a layer's operands are loaded. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "bridge/schedule/memory_schedule.h"

namespace tilestrike::bridge {

class LoadOrder {
 public:
  /// Which element of its stored tensor each element of a layer's operand is, in the order in which
  /// they are loaded; empty: the tensor's own order.
  using Of =
      std::function<const std::vector<std::int64_t>&(std::size_t layer, std::size_t operand)>;

  /// `memory` must outlive this object. Without `of` no operand is reordered.
  explicit LoadOrder(const MemorySchedule& memory, Of of = {})
      : memory_(memory), of_(std::move(of)) {}

  /// An element of an operand as one of its stored tensor.
  std::int64_t stored(std::size_t layer, std::size_t operand, std::int64_t element) const {
    const std::vector<std::int64_t>* order = of_ ? &of_(layer, operand) : nullptr;
    return order == nullptr || order->empty() ? element
                                              : (*order)[static_cast<std::size_t>(element)];
  }
  /// The elements of an operand that one of its stored tensor is.
  std::vector<std::int64_t> loaded(std::size_t layer, std::size_t operand,
                                   std::int64_t stored) const {
    const std::vector<std::int64_t>* order = of_ ? &of_(layer, operand) : nullptr;
    if (order == nullptr || order->empty()) {
      const bool is_seen = stored < memory_.work()[layer].operands[operand].elements;
      return is_seen ? std::vector<std::int64_t>{stored} : std::vector<std::int64_t>{};
    }
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < order->size(); ++i) {
      if ((*order)[i] == stored) {
        found.push_back(static_cast<std::int64_t>(i));
      }
    }
    return found;
  }

 private:
  const MemorySchedule& memory_;
  Of of_;
};

}  // namespace tilestrike::bridge
