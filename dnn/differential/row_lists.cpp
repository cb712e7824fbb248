// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/row_lists.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace tilestrike::dnn {
namespace {

class RowLists final : public ListKernel {
 public:
  RowLists(ValueId input, std::int64_t rows, std::int64_t length, std::int64_t dimensions)
      : input_(input), rows_(rows), length_(length), dimensions_(dimensions) {}

  double cost(const ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    const double all = static_cast<double>(rows_);
    return changes == nullptr
               ? 0.0
               : kCostOfCall + std::min(static_cast<double>(changes->size()), all) / all;
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    std::vector<std::uint32_t>& touched = run.scratch.touched;
    std::int32_t* marks = run.scratch.output_marks(static_cast<std::size_t>(rows_));
    touched.clear();
    for (const Change& change : *changes) {
      std::int32_t& mark = marks[change.index / length_];
      if (mark < 0) {
        mark = static_cast<std::int32_t>(touched.size());
        touched.push_back(static_cast<std::uint32_t>(change.index / length_));
      }
    }
    const at::Tensor rows = gathered(run, *changes, marks);
    for (const std::uint32_t row : touched) {
      marks[row] = -1;
    }
    Values values(run.golden.values.size());
    for (const ValueId id : run.layer.inputs) {
      values[static_cast<std::size_t>(id.value)] =
          run.golden.values[static_cast<std::size_t>(id.value)];
    }
    values[static_cast<std::size_t>(input_.value)] = rows;
    run.layer.kernel->run(run.layer, values);
    const ValueId output = run.layer.outputs.front();
    const at::Tensor result =
        values[static_cast<std::size_t>(output.value)].toTensor().contiguous();
    const Elements golden(run.golden.row_major(output)), now(result);
    std::int64_t at = 0;
    for (const std::uint32_t row : touched) {
      for (std::int64_t i = 0; i < length_; ++i, ++at) {
        const std::int64_t index = row * length_ + i;
        if (now.at(at) != golden.at(index)) {
          run.outputs.front().push_back({static_cast<std::uint32_t>(index), now.at(at)});
        }
      }
    }
  }

 private:
  static constexpr double kCostOfCall = 0.3;

  /// The touched rows as this run has them; `marks`: where each lies among them.
  at::Tensor gathered(const ListRun& run, const Changes& changes, const std::int32_t* marks) const {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(dimensions_), 1);
    sizes.back() = length_;
    sizes[sizes.size() - 2] = static_cast<std::int64_t>(run.scratch.touched.size());
    const at::Tensor& golden = run.golden.row_major(input_);
    at::Tensor rows = at::empty(sizes, golden.options());
    const auto size = static_cast<std::int64_t>(golden.element_size());
    const auto* from = static_cast<const char*>(golden.const_data_ptr());
    auto* data = static_cast<char*>(rows.mutable_data_ptr());
    for (std::size_t i = 0; i < run.scratch.touched.size(); ++i) {
      std::memcpy(data + static_cast<std::int64_t>(i) * length_ * size,
                  from + run.scratch.touched[i] * length_ * size,
                  static_cast<std::size_t>(length_ * size));
    }
    for (const Change& change : changes) {  // the low bytes of `now` are the element
      std::memcpy(data + (marks[change.index / length_] * length_ + change.index % length_) * size,
                  &change.now, static_cast<std::size_t>(size));
    }
    return rows;
  }

  ValueId input_;
  std::int64_t rows_, length_, dimensions_;
};

}  // namespace

std::unique_ptr<ListKernel> make_row_lists(const Layer& layer, const Network& network,
                                           const Tape& golden) {
  ValueId input(-1);
  for (const ValueId id : layer.inputs) {
    if (!network.info(id).is_constant) {
      if (input.value >= 0) {
        return nullptr;
      }
      input = id;
    }
  }
  const auto suits = [&](ValueId id) {
    return id.value >= 0 && Elements::suit(golden.values[static_cast<std::size_t>(id.value)]);
  };
  if (layer.outputs.size() != 1 || !suits(input) || !suits(layer.outputs.front())) {
    return nullptr;
  }
  const at::Tensor& in = golden.tensor(input);
  if (in.dim() < 2 || in.numel() == 0 ||
      in.sizes() != golden.tensor(layer.outputs.front()).sizes()) {
    return nullptr;
  }
  const std::int64_t length = in.size(-1);
  return std::make_unique<RowLists>(input, in.numel() / length, length, in.dim());
}

}  // namespace tilestrike::dnn
