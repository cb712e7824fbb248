// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <bit>
#include <cstdint>
#include <utility>
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

/// The elements of an input as a run has them; `golden.at(index)` is one that is not listed.
template <class Golden>
class Patched {
 public:
  /// `changes` must outlive this object. `marks`: Scratch::input_marks() of all elements.
  Patched(const Changes& changes, Golden golden, std::int32_t* marks)
      : changes_(changes), golden_(std::move(golden)), marks_(marks) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      marks_[changes[i].index] = static_cast<std::int32_t>(i);
    }
  }
  ~Patched() {
    for (const Change& change : changes_) {
      marks_[change.index] = -1;
    }
  }
  Patched(const Patched&) = delete;
  Patched& operator=(const Patched&) = delete;
  auto at(std::int64_t index) const {
    using Element = decltype(golden_.at(index));
    const std::int32_t mark = marks_[index];
    return mark < 0 ? golden_.at(index)
                    : static_cast<Element>(changes_[static_cast<std::size_t>(mark)].now);
  }

 private:
  const Changes& changes_;
  Golden golden_;
  std::int32_t* marks_;
};

}  // namespace tilestrike::dnn
