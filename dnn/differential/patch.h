// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <bit>
#include <vector>

#include "dnn/differential/changes.h"

namespace tilestrike::dnn {

/// A golden float32 value, row-major, that holds a run's changes while this object lives.
class Patch {
 public:
  /// `changes` must outlive this object; null: there are none.
  Patch(const at::Tensor& golden, const Changes* changes)
      : elements_(golden.mutable_data_ptr<float>()), changes_(changes) {
    if (changes_ == nullptr) {
      return;
    }
    saved_.reserve(changes_->size());
    for (const Change& change : *changes_) {
      saved_.push_back(elements_[change.index]);
      elements_[change.index] = std::bit_cast<float>(change.now);
    }
  }
  ~Patch() {
    for (std::size_t i = 0; i < saved_.size(); ++i) {
      elements_[(*changes_)[i].index] = saved_[i];
    }
  }
  Patch(const Patch&) = delete;
  Patch& operator=(const Patch&) = delete;
  const float* elements() const { return elements_; }

 private:
  float* elements_;
  const Changes* changes_;
  std::vector<float> saved_;
};

}  // namespace tilestrike::dnn
