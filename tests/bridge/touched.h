// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The layers that a trial has touched, for a comparison with the slow way.
#pragma once

#include <vector>

#include "bridge/trial/trial_run.h"

namespace tilestrike::bridge {

struct Touched final : RunObserver {
  struct Layer {
    std::size_t layer = 0;
    at::Tensor accumulators;  // undefined: as golden
    bool is_product = false;  // of two computed values
  };
  bool wants_layers() const override { return true; }
  void on_layer(const TouchedLayer& layer) override {
    const bool is_product = layer.bound != nullptr && layer.bound->mesh_layer().weights.value >= 0;
    layers.push_back({layer.layer, layer.accumulators, is_product});
  }
  std::vector<Layer> layers;
};

}  // namespace tilestrike::bridge
