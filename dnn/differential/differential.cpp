// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/differential.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace tilestrike::dnn {

Differential::Differential(const Network& network, const ListLimits& limits)
    : network_(network),
      limits_(limits),
      kernels_(network.layers.size()),
      measured_(network.layers.size()) {}

Differential::~Differential() = default;

const ListKernel* Differential::of(std::size_t layer, const Tape& golden) {
  const auto sizes_of = [&](ValueId id) {
    return golden.values[static_cast<std::size_t>(id.value)].toTensor().sizes();
  };
  const bool has_same_sizes =
      !sizes_.empty() &&
      std::ranges::equal(network_.inputs, sizes_, [&](ValueId id, const auto& as) {
        return sizes_of(id) == c10::IntArrayRef(as);
      });
  if (!has_same_sizes) {
    sizes_.clear();
    for (const ValueId id : network_.inputs) {
      sizes_.push_back(sizes_of(id).vec());
    }
    kernels_.clear();
    kernels_.resize(network_.layers.size());
  }
  Made& made = kernels_[layer];
  if (!made.is_made) {
    const c10::InferenceMode no_gradients;
    const Layer& its = network_.layers[layer];
    made.kernel = its.kernel->lists(its, network_, golden);
    made.is_made = true;
  }
  return made.kernel.get();
}

}  // namespace tilestrike::dnn
