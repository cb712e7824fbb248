// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Runs a spiking network tick by tick, all layers of a tick before the next one: what needs the
// state of several layers at one time. It gives the bits of Executor, which runs layer by layer.
#pragma once

#include <functional>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"
#include "dnn/spiking/neuron_kernel.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/tape.h"

namespace tilestrike::dnn {

class TickExecutor {
 public:
  /// `network` must outlive the executor. Throws Failure for one that has no ticks.
  explicit TickExecutor(const Network& network);

  /// Called after a layer in a tick: `values` have what this tick's layers have given so far, as of
  /// one tick, (1, images, ...). It may replace the layer's outputs, and of a layer of neurons the
  /// state that the next tick begins with (nullptr of others).
  using Hook =
      std::function<void(std::int64_t tick, std::size_t layer, Values& values, ScanState* state)>;

  /// All values of all ticks, as Executor::record() has them; no accumulators.
  Tape record(const Inputs& images, const Hook& hook = {}) const;
  at::Tensor run(const Inputs& images, const Hook& hook = {}) const {
    return record(images, hook).tensor(network_.output);
  }

 private:
  /// Whether the layer's outputs have ticks, and are computed in each.
  bool is_in_ticks(std::size_t layer) const;

  const Network& network_;
  SpikingPlaces places_;
};

}  // namespace tilestrike::dnn
