// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on constants of a float network, as differences from golden runs: what no struck layer
// has touched is not computed. The words themselves are struck by a dnn::ConstantStrike.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "base/fault.h"
#include "dnn/differential/divergence.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::bridge {

class StruckFloats {
 public:
  /// `has_fixed_order`: layers are computed from lists; otherwise whole, from the first struck one
  /// on. All must outlive this object.
  StruckFloats(const dnn::Executor& executor, const dnn::TensorStores& stores,
               bool has_fixed_order);

  /// Whether layers before those that read these words do not depend on them.
  bool takes(std::span<const WordFault> faults) const;
  /// Chooses the strike; `faults`: taken; `golden`: any golden run.
  void choose(std::span<const WordFault> faults, const dnn::Tape& golden);
  /// The network's answer to the images of a golden run, while the words that a layer reads are
  /// struck once `after` was called with the layer before it; `after` may be empty.
  at::Tensor answer(const dnn::Tape& golden, const dnn::Hook& after);

 private:
  struct StruckLayer {
    bool is_whole = false;  // not only some output channels of it
    std::vector<std::int64_t> channels;
    bool is_struck() const { return is_whole || !channels.empty(); }
  };
  void add_word(std::size_t layer, const at::Tensor& memory, std::int64_t word,
                const dnn::Tape& golden);
  void compute(std::size_t layer, dnn::Divergence& run) const;

  const dnn::Executor& executor_;
  const dnn::TensorStores& stores_;
  bool has_fixed_order_;
  std::map<std::int64_t, dnn::Differential> differentials_;  // by images of a run
  std::size_t first_ = 0;                                    // struck layer
  std::vector<StruckLayer> struck_;                          // by layer
};

}  // namespace tilestrike::bridge
