// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How a layer is computed from lists of changes. The answer is that of its dense kernel, bit for
// bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dnn/differential/changes.h"
#include "dnn/network.h"
#include "dnn/tape.h"

namespace tilestrike::dnn {

/// Memory that list kernels use and leave as they found it.
class Scratch {
 public:
  /// `count` numbers or more, all -1, for elements of an input or of an output; to be left so.
  std::int32_t* input_marks(std::size_t count) { return marks_of(inputs_, count); }
  std::int32_t* output_marks(std::size_t count) { return marks_of(outputs_, count); }
  std::vector<std::int32_t> rows;
  std::vector<std::uint32_t> touched;

 private:
  static std::int32_t* marks_of(std::vector<std::int32_t>& marks, std::size_t count) {
    if (marks.size() < count) {
      marks.resize(count, -1);
    }
    return marks.data();
  }
  std::vector<std::int32_t> inputs_, outputs_;
};

/// One layer of one run that differs from golden. All lives for the call.
struct ListRun {
  const Layer& layer;
  std::size_t layer_index;
  const Tape& golden;
  std::span<const Changes* const> inputs;      // by Layer::inputs; null: golden
  std::span<const AccumulatorDelta> struck{};  // of a matrix layer; sorted by index
  std::span<const std::int64_t> channels{};    // of a float matrix layer: whose weights are struck
  std::span<Changes> outputs;                  // by Layer::outputs, empty at the start
  std::int64_t changed_accumulators = 0;       // of a matrix layer
  Scratch& scratch;

  const Changes* input_of(ValueId id) const;
  /// What share of the elements of an input differs.
  double share_of(ValueId id, std::int64_t elements) const;
  /// An element of the first output: listed unless it is golden, bit for bit.
  void give(std::int64_t index, std::int8_t now, const std::int8_t* golden) {
    if (now != golden[index]) {
      outputs.front().push_back({static_cast<std::uint32_t>(index), now});
    }
  }
  void give(std::int64_t index, std::int32_t now, const std::int32_t* golden) {
    if (now != golden[index]) {
      outputs.front().push_back({static_cast<std::uint32_t>(index), now});
    }
  }
  void give(std::int64_t index, float now, const float* golden) {
    const auto bits = std::bit_cast<std::int32_t>(now);
    if (bits != std::bit_cast<std::int32_t>(golden[index])) {
      outputs.front().push_back({static_cast<std::uint32_t>(index), bits});
    }
  }
  template <class Number>
  const Number* golden_of(ValueId id) const {
    return golden.row_major(id).const_data_ptr<Number>();
  }
};

/// The elements of an int8, int32 or float32 tensor on the host, row-major, as Change::now has
/// them.
class Elements {
 public:
  explicit Elements(const at::Tensor& tensor)
      : is_wide_(tensor.element_size() == 4), data_(tensor.const_data_ptr()) {}
  std::int32_t at(std::int64_t index) const {
    return is_wide_ ? static_cast<const std::int32_t*>(data_)[index]
                    : static_cast<const std::int8_t*>(data_)[index];
  }
  static bool suit(const c10::IValue& value);

 private:
  bool is_wide_;
  const void* data_;
};

class ListKernel {
 public:
  virtual ~ListKernel() = default;
  /// What the lists cost, about, as a share of the dense layer.
  virtual double cost(const ListRun& run) const = 0;
  virtual void run(ListRun& run) const = 0;
};

}  // namespace tilestrike::dnn
