// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/product_lists.h"

#include <limits>

#include "dnn/differential/requantised_lanes.h"

namespace tilestrike::dnn {
namespace {

bool is_plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == c10::kChar && tensor.dim() >= 2 &&
         tensor.numel() < std::numeric_limits<std::int32_t>::max();
}

std::int32_t sum(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

/// The accumulators of a touched row of the output, or of a touched column, are kept whole: what
/// they are more than golden, at marks of the output's elements.
class ProductLists final : public ListKernel {
 public:
  struct Size {
    std::int64_t products, rows, depth, columns;
  };
  ProductLists(ValueId left, ValueId right, Size size, bool is_right_transposed, FixedPoint ratio,
               float scale)
      : left_(left),
        right_(right),
        size_(size),
        is_right_transposed_(is_right_transposed),
        ratio_({&ratio.multiplier, 1}, {&ratio.shift, 1}, ratio.zero, -128, 127),
        scale_(scale) {}

  double cost(const ListRun& run) const override {
    const Changes* left = run.input_of(left_);
    const Changes* right = run.input_of(right_);
    const double products =
        (left == nullptr ? 0.0 : static_cast<double>(left->size() * size_.columns)) +
        (right == nullptr ? 0.0 : static_cast<double>(right->size() * size_.rows));
    return kCostOfProduct * products /
           static_cast<double>(size_.products * size_.rows * size_.depth * size_.columns);
  }

  void run(ListRun& run) const override {
    Deltas deltas(run.scratch,
                  static_cast<std::size_t>(size_.products * size_.rows * size_.columns));
    for (const AccumulatorDelta& struck : run.struck) {
      deltas.add(struck.index, struck.delta);
    }
    const auto* left = run.golden_of<std::int8_t>(left_);
    const auto* right = run.golden_of<std::int8_t>(right_);
    const Changes* changed_left = run.input_of(left_);
    const Changes* changed_right = run.input_of(right_);
    // (L + dL) (R + dR) - L R = dL R + (L + dL) dR.
    if (changed_left != nullptr) {
      for (const Change& change : *changed_left) {
        const std::int64_t k = change.index % size_.depth, row = change.index / size_.depth;
        const std::int64_t product = row / size_.rows;
        const std::int32_t delta = change.now - left[change.index];
        const std::int8_t* other = right + product * size_.depth * size_.columns + k * step_k();
        for (std::int64_t n = 0; n < size_.columns; ++n) {
          deltas.add(row * size_.columns + n, delta * other[n * step_n()]);
        }
      }
    }
    if (changed_right != nullptr) {
      add_right(*changed_right, changed_left, left, right, run.scratch, deltas);
    }
    finish(run, deltas);
  }

 private:
  static constexpr double kCostOfProduct = 15.0;

  /// Sums that differ, by output element.
  class Deltas {
   public:
    Deltas(Scratch& scratch, std::size_t outputs)
        : scratch_(scratch), slots_(scratch.output_marks(outputs)) {
      scratch.rows.clear();
      scratch.touched.clear();
    }
    ~Deltas() {
      for (const std::uint32_t index : scratch_.touched) {
        slots_[index] = -1;
      }
    }
    Deltas(const Deltas&) = delete;
    Deltas& operator=(const Deltas&) = delete;
    void add(std::int64_t index, std::int32_t delta) {
      if (slots_[index] < 0) {
        slots_[index] = static_cast<std::int32_t>(scratch_.touched.size());
        scratch_.touched.push_back(static_cast<std::uint32_t>(index));
        scratch_.rows.push_back(delta);
      } else {
        std::int32_t& row = scratch_.rows[static_cast<std::size_t>(slots_[index])];
        row = sum(row, delta);
      }
    }
    template <class Visit>
    void each(const Visit& visit) const {
      for (std::size_t i = 0; i < scratch_.touched.size(); ++i) {
        if (scratch_.rows[i] != 0) {
          visit(scratch_.touched[i], scratch_.rows[i]);
        }
      }
    }

   private:
    Scratch& scratch_;
    std::int32_t* slots_;
  };

  std::int64_t step_k() const { return is_right_transposed_ ? 1 : size_.columns; }
  std::int64_t step_n() const { return is_right_transposed_ ? size_.depth : 1; }

  void add_right(const Changes& changes, const Changes* changed_left, const std::int8_t* left,
                 const std::int8_t* right, Scratch& scratch, Deltas& deltas) const {
    std::int32_t* marks =
        scratch.input_marks(static_cast<std::size_t>(size_.products * size_.rows * size_.depth));
    for (std::size_t i = 0; changed_left != nullptr && i < changed_left->size(); ++i) {
      marks[(*changed_left)[i].index] = static_cast<std::int32_t>(i);
    }
    for (const Change& change : changes) {
      const std::int64_t of_product = size_.depth * size_.columns;
      const std::int64_t product = change.index / of_product, place = change.index % of_product;
      const std::int64_t k = is_right_transposed_ ? place % size_.depth : place / size_.columns;
      const std::int64_t n = is_right_transposed_ ? place / size_.depth : place % size_.columns;
      const std::int32_t delta = change.now - right[change.index];
      for (std::int64_t m = 0; m < size_.rows; ++m) {
        const std::int64_t row = product * size_.rows + m, index = row * size_.depth + k;
        const std::int32_t mark = marks[index];
        const std::int32_t now =
            mark < 0 ? left[index] : (*changed_left)[static_cast<std::size_t>(mark)].now;
        if (now != 0) {
          deltas.add(row * size_.columns + n, delta * now);
        }
      }
    }
    for (std::size_t i = 0; changed_left != nullptr && i < changed_left->size(); ++i) {
      marks[(*changed_left)[i].index] = -1;
    }
  }

  void finish(ListRun& run, const Deltas& deltas) const {
    const ValueId output = run.layer.outputs.front();
    const auto* accumulators =
        run.golden.accumulators[run.layer_index].const_data_ptr<std::int32_t>();
    if (scale_ > 0.0F) {
      const auto* golden = run.golden_of<float>(output);
      deltas.each([&](std::uint32_t index, std::int32_t delta) {
        ++run.changed_accumulators;
        run.give(index, static_cast<float>(sum(accumulators[index], delta)) * scale_, golden);
      });
      return;
    }
    const auto* golden = run.golden_of<std::int8_t>(output);
    RequantisedLanes lanes(ratio_, accumulators, golden, run.outputs.front());
    deltas.each([&](std::uint32_t index, std::int32_t delta) { lanes.add(index, 0, delta); });
    run.changed_accumulators += lanes.finish();
  }

  ValueId left_, right_;
  Size size_;
  bool is_right_transposed_;
  ChannelRatios ratio_;
  float scale_;
};

}  // namespace

std::unique_ptr<ListKernel> make_product_lists(bool is_right_transposed, FixedPoint ratio,
                                               float scale, const Layer& layer,
                                               const Tape& golden) {
  const ValueId left = layer.arguments[0].values.front();
  const ValueId right = layer.arguments[1].values.front();
  const at::Tensor& l = golden.tensor(left);
  const at::Tensor& r = golden.tensor(right);
  const at::Tensor& out = golden.tensor(layer.outputs.front());
  if (!is_plain(l) || !is_plain(r) || l.numel() == 0 || r.numel() == 0 || left == right ||
      (scale > 0.0F && out.scalar_type() != c10::kFloat)) {
    return nullptr;
  }
  ProductLists::Size size{};
  size.rows = l.size(-2);
  size.depth = l.size(-1);
  size.columns = is_right_transposed ? r.size(-2) : r.size(-1);
  size.products = l.numel() / (size.rows * size.depth);
  if (r.numel() != size.products * size.depth * size.columns ||
      out.numel() != size.products * size.rows * size.columns) {
    return nullptr;  // operands that broadcast
  }
  return std::make_unique<ProductLists>(left, right, size, is_right_transposed, ratio, scale);
}

}  // namespace tilestrike::dnn
