// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on activations, as differences from the golden run of a batch: several images may be
// struck, and of each only what the strike touches is computed.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "base/fault.h"
#include "dnn/differential/divergence.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::bridge {

class StruckActivations {
 public:
  /// Both must outlive this object.
  StruckActivations(const dnn::Network& network, const dnn::TensorStores& stores)
      : network_(network), stores_(stores) {}

  /// Whether the words of all of them are the elements themselves, on the host.
  bool takes(std::span<const WordFault> faults) const;
  /// The answer to the images of a golden run, struck as TensorStores::run() strikes them;
  /// `strikes`: taken.
  at::Tensor answer(const dnn::Tape& golden,
                    std::span<const dnn::TensorStores::ImageFaults> strikes,
                    std::vector<dnn::TensorStores::ImageStrike>& struck);

 private:
  /// The faults of one image on one store.
  struct Part {
    std::size_t strike = 0;
    std::int64_t row = 0;
    std::span<const WordFault> faults;
  };
  void strike_neurons(const Part& part, dnn::Divergence& run,
                      dnn::TensorStores::ImageStrike& struck) const;
  void strike(const Part& part, const dnn::Tape& golden, dnn::Divergence& run,
              dnn::TensorStores::ImageStrike& struck) const;

  const dnn::Network& network_;
  const dnn::TensorStores& stores_;
  std::map<std::int64_t, dnn::Differential> differentials_;  // by images of a run
};

}  // namespace tilestrike::bridge
