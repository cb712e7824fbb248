// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/list_kernel.h"

#include <limits>

namespace tilestrike::dnn {

const Changes* ListRun::input_of(ValueId id) const {
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    if (layer.inputs[i] == id) {
      return inputs[i];
    }
  }
  return nullptr;
}

double ListRun::share_of(ValueId id, std::int64_t elements) const {
  const Changes* changes = input_of(id);
  return changes == nullptr ? 0.0
                            : static_cast<double>(changes->size()) / static_cast<double>(elements);
}

bool Elements::suit(const c10::IValue& value) {
  if (!value.isTensor()) {
    return false;
  }
  const at::Tensor& tensor = value.toTensor();
  const c10::ScalarType type = tensor.scalar_type();
  const bool has_type = type == c10::kChar || type == c10::kInt || type == c10::kFloat;
  return has_type && tensor.is_cpu() && tensor.numel() < std::numeric_limits<std::int32_t>::max();
}

}  // namespace tilestrike::dnn
