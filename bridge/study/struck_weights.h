// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on int8 weights and biases of an integer network, as differences from golden runs: what
// no struck layer has touched is not computed.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "dnn/differential/divergence.h"
#include "dnn/differential/weight_deltas.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::bridge {

class StruckWeights {
 public:
  /// Both must outlive this object.
  StruckWeights(const dnn::Network& network, const dnn::TensorStores& stores);

  /// Whether all of them are on weights and biases of integer layers.
  bool takes(std::span<const WordFault> faults) const;

  /// What the words become; `changed` of them have another value.
  struct Words {
    std::uint64_t before = 0, after = 0;  // of the first
    std::int64_t changed = 0;
  };
  /// Chooses the strike. `faults`: taken, sorted by store and word, no word twice.
  Words strike(std::span<const WordFault> faults);
  /// The struck network's answer to the images of a golden run of theirs.
  at::Tensor answer(const dnn::Tape& golden);

 private:
  /// A parameter of a layer that is a store.
  struct Use {
    std::size_t layer = 0;
    const dnn::MatrixKernel* kernel = nullptr;
    bool is_bias = false;
  };
  struct StruckLayer {
    std::size_t layer = 0;
    const dnn::MatrixKernel* kernel = nullptr;
    std::vector<dnn::WeightDelta> weights, biases;
  };
  void compute(const StruckLayer& struck, const dnn::Tape& golden, dnn::Divergence& run) const;

  const dnn::Network& network_;
  const dnn::TensorStores& stores_;
  dnn::Differential differential_;
  std::vector<std::vector<Use>> uses_;  // by store; empty: it is not taken
  std::vector<StruckLayer> struck_;     // by layer
};

}  // namespace tilestrike::bridge
