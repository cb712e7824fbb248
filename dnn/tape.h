// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// A whole run: every value of it, and the int32 accumulators of each integer matrix layer
/// (undefined tensors elsewhere), by layer.
struct Tape {
  Tape() = default;
  Tape(Values all_values, std::size_t layers)
      : values(std::move(all_values)), accumulators(layers) {}

  const at::Tensor& tensor(ValueId id) const {
    return values[static_cast<std::size_t>(id.value)].toTensor();
  }
  /// A value's elements one after another, whatever its strides; copies are kept, so not for two
  /// threads at once.
  const at::Tensor& row_major(ValueId id) const {
    const auto index = static_cast<std::size_t>(id.value);
    const at::Tensor& tensor = values[index].toTensor();
    if (tensor.is_contiguous()) {
      return tensor;
    }
    row_major_.resize(values.size());
    if (!row_major_[index].defined()) {
      row_major_[index] = tensor.contiguous();
    }
    return row_major_[index];
  }

  Values values;
  std::vector<at::Tensor> accumulators;

 private:
  mutable std::vector<at::Tensor> row_major_;
};

/// Whether elements of a tensor share memory, as expand() has it.
inline bool shares_elements(const at::Tensor& tensor) {
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    if (tensor.stride(i) == 0 && tensor.size(i) > 1) {
      return true;
    }
  }
  return false;
}

}  // namespace tilestrike::dnn
