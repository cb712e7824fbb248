// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/batched_product_lists.h"

#include "dnn/differential/patch.h"

namespace tilestrike::dnn {
namespace {

class BatchedProductLists final : public ListKernel {
 public:
  struct Size {
    std::int64_t products, rows, depth, columns;
  };
  BatchedProductLists(ValueId left, ValueId right, const Size& size)
      : left_(left), right_(right), size_(size) {}

  double cost(const ListRun& run) const override {
    find_rows(run);
    return kCostOfRow * static_cast<double>(run.scratch.touched.size()) /
           static_cast<double>(size_.products * size_.rows);
  }

  void run(ListRun& run) const override {
    find_rows(run);
    const Patch left(run.golden.row_major(left_), run.input_of(left_));
    const Patch right(run.golden.row_major(right_), run.input_of(right_));
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    std::vector<float> sums(static_cast<std::size_t>(size_.columns));
    for (const std::int64_t row : run.scratch.touched) {
      product_row(left.elements() + row * size_.depth,
                  right.elements() + row / size_.rows * size_.depth * size_.columns, size_.depth,
                  size_.columns, sums.data());
      std::int64_t index = row * size_.columns;
      for (const float now : sums) {
        run.give(index++, now, golden);
      }
    }
  }

 private:
  static constexpr double kCostOfRow = 1.1;

  /// scratch.touched: rows that read a change; of a matrix on the right all do.
  void find_rows(const ListRun& run) const {
    std::vector<std::uint32_t>& touched = run.scratch.touched;
    std::int32_t* marks =
        run.scratch.output_marks(static_cast<std::size_t>(size_.products * size_.rows));
    touched.clear();
    const auto touch = [&](std::int64_t row) {
      if (marks[row] < 0) {
        marks[row] = 0;
        touched.push_back(static_cast<std::uint32_t>(row));
      }
    };
    if (const Changes* changes = run.input_of(right_)) {
      for (const Change& change : *changes) {
        const std::int64_t first = change.index / (size_.depth * size_.columns) * size_.rows;
        for (std::int64_t row = first; marks[first + size_.rows - 1] < 0; ++row) {
          touch(row);
        }
      }
    }
    if (const Changes* changes = run.input_of(left_)) {
      for (const Change& change : *changes) {
        touch(change.index / size_.depth);
      }
    }
    for (const std::uint32_t row : touched) {
      marks[row] = -1;
    }
  }

  ValueId left_, right_;
  Size size_;
};

}  // namespace

std::unique_ptr<ListKernel> make_batched_product_lists(const FixedProduct& kernel,
                                                       const Layer& layer, const Tape& golden) {
  const ValueId left = kernel.input_of(layer), right = kernel.weight_of(layer);
  const auto suits = [&](ValueId id) {
    return Elements::suit(golden.values[static_cast<std::size_t>(id.value)]) &&
           golden.tensor(id).dim() > 2 && golden.tensor(id).numel() > 0;
  };
  if (left == right || !suits(left) || !suits(right) || !suits(layer.outputs.front())) {
    return nullptr;
  }
  const at::Tensor &l = golden.tensor(left), &r = golden.tensor(right);
  const BatchedProductLists::Size size{l.numel() / (l.size(-1) * l.size(-2)), l.size(-2),
                                       l.size(-1), r.size(-1)};
  if (r.numel() != size.products * size.depth * size.columns ||
      golden.tensor(layer.outputs.front()).numel() != size.products * size.rows * size.columns) {
    return nullptr;
  }
  return std::make_unique<BatchedProductLists>(left, right, size);
}

}  // namespace tilestrike::dnn
