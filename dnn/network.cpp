// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/network.h"

#include <algorithm>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {

std::unique_ptr<ListKernel> Kernel::lists(const Layer& /*layer*/, const Network& /*network*/,
                                          const Tape& /*golden*/) const {
  return nullptr;
}

ValueId Network::add_value(ValueInfo info) {
  values.push_back(std::move(info));
  constants.resize(values.size());
  return ValueId(static_cast<std::int32_t>(values.size() - 1));
}

std::vector<std::int32_t> Network::last_use() const {
  std::vector<std::int32_t> last(values.size(), -1);
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    for (const ValueId id : layers[layer].inputs) {
      last[id.value] = static_cast<std::int32_t>(layer);
    }
  }
  const auto forever = static_cast<std::int32_t>(layers.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_constant) {
      last[i] = forever;
    }
  }
  last[output.value] = forever;
  return last;
}

std::vector<std::size_t> Network::readers(ValueId id) const {
  std::vector<std::size_t> found;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (std::ranges::find(layers[layer].inputs, id) != layers[layer].inputs.end()) {
      found.push_back(layer);
    }
  }
  return found;
}

}  // namespace tilestrike::dnn
