// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/fixed_order_lists.h"

#include <algorithm>
#include <array>
#include <limits>

#include "dnn/differential/patch.h"
#include "dnn/differential/taps.h"

namespace tilestrike::dnn {
namespace {

/// A *row* is the outputs of one pixel and group.
class FixedOrderLists final : public ListKernel {
 public:
  FixedOrderLists(const FixedProduct& kernel, ValueId input, const MatrixGeometry& planes)
      : kernel_(kernel),
        input_(input),
        planes_(planes),
        sums_(shape(), planes),
        lines_(planes.height, planes.out_height, shape().kernel[0], shape().stride[0],
               shape().padding[0], shape().dilation[0]),
        columns_(planes.width, planes.out_width, shape().kernel[1], shape().stride[1],
                 shape().padding[1], shape().dilation[1]) {}

  double cost(const ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    const auto changed =
        std::ranges::count_if(run.inputs, [](const Changes* input) { return input != nullptr; });
    const bool has_other = changed > (changes == nullptr ? 0 : 1);  // weights that are computed
    if (has_other || (changes != nullptr && !run.channels.empty())) {
      return std::numeric_limits<double>::infinity();
    }
    if (changes == nullptr) {
      return kCostOfChannel * static_cast<double>(run.channels.size()) /
             static_cast<double>(planes_.outputs);
    }
    const double dense = static_cast<double>(planes_.images * planes_.out_pixels()) *
                         static_cast<double>(shape().groups) * (products() + outputs());
    const double of_finding = kCostOfChange * static_cast<double>(changes->size());
    if (of_finding > dense) {
      return of_finding / dense;
    }
    find_rows(*changes, run.scratch);
    const double of_row = kCostOfRow + products() + kCostOfOutput * outputs();
    return (of_finding + of_row * static_cast<double>(run.scratch.touched.size())) / dense;
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes != nullptr) {
      find_rows(*changes, run.scratch);
      const Patch input(run.golden.row_major(input_), changes);
      sum_rows(input.elements(), run);
    }
    for (const std::int64_t channel : run.channels) {
      if (planes_.out_width >= kWideLine) {
        sum_planes(channel, run);
      } else {
        sum_block(channel, run);
      }
    }
  }

 private:
  // In cycles, about: of a change whose rows are looked for, of a row that is taken out of order,
  // and of an output that is compared.
  static constexpr double kCostOfChange = 8.0;
  static constexpr double kCostOfRow = 40.0;
  static constexpr double kCostOfOutput = 6.0;
  /// Of the sums of a row, and of its outputs that are written.
  double products() const {
    return static_cast<double>(shape().depth() * planes_.outputs / shape().groups) / 10.0;
  }
  double outputs() const { return static_cast<double>(planes_.outputs / shape().groups); }
  // As a share of the dense layer.
  static constexpr double kCostOfChannel = 4.0;
  // From here on vectors of pixels are better than vectors of outputs, of which one is wanted.
  static constexpr std::int64_t kWideLine = 16;

  const MatrixShape& shape() const { return kernel_.form().shape; }

  /// scratch.touched: the rows that read a change, by pixel * groups + group.
  void find_rows(const Changes& changes, Scratch& scratch) const {
    const auto pixels = static_cast<std::uint32_t>(planes_.pixels());
    const auto channels = static_cast<std::uint32_t>(planes_.channels);
    const auto width = static_cast<std::uint32_t>(planes_.width);
    const auto groups = static_cast<std::uint32_t>(shape().groups);
    const std::uint32_t of_group = channels / groups;
    std::int32_t* seen =
        scratch.input_marks(static_cast<std::size_t>(planes_.images) * pixels * groups);
    std::int32_t* marks = scratch.output_marks(
        static_cast<std::size_t>(planes_.images * planes_.out_pixels()) * groups);
    std::vector<std::int32_t>& read = scratch.rows;
    std::vector<std::uint32_t>& touched = scratch.touched;
    read.clear();
    touched.clear();
    for (const Change& change : changes) {
      const std::uint32_t pixel = change.index % pixels, plane = change.index / pixels;
      const std::uint32_t image = plane / channels, group = plane % channels / of_group;
      const std::uint32_t place = (image * pixels + pixel) * groups + group;
      if (seen[place] >= 0) {
        continue;
      }
      seen[place] = 0;
      read.push_back(static_cast<std::int32_t>(place));
      for (const Tap& line : lines_.of(pixel / width)) {
        for (const Tap& column : columns_.of(pixel % width)) {
          const auto row = static_cast<std::uint32_t>(
              ((image * planes_.out_height + line.output) * planes_.out_width + column.output) *
                  groups +
              group);
          if (marks[row] < 0) {
            marks[row] = 0;
            touched.push_back(row);
          }
        }
      }
    }
    for (const std::int32_t place : read) {
      seen[place] = -1;
    }
    for (const std::uint32_t row : touched) {
      marks[row] = -1;
    }
  }

  const PackedWeights& weights(const ListRun& run) const {
    const ValueId bias = kernel_.bias_of(run.layer);
    return kernel_.packed(run.golden.tensor(kernel_.weight_of(run.layer)).contiguous(),
                          bias.value < 0 ? at::Tensor() : run.golden.tensor(bias).contiguous());
  }

  /// By class, of which there are so many.
  template <class ClassOf>
  static std::vector<std::uint32_t> sorted(const std::vector<std::uint32_t>& rows,
                                           std::size_t classes, const ClassOf& class_of) {
    std::vector<std::uint32_t> next(classes + 1, 0), found(rows.size());
    for (const std::uint32_t row : rows) {
      ++next[class_of(row) + 1];
    }
    for (std::size_t i = 1; i < next.size(); ++i) {
      next[i] += next[i - 1];
    }
    for (const std::uint32_t row : rows) {
      found[next[class_of(row)]++] = row;
    }
    return found;
  }

  /// The touched rows, as many of one group and kind at once as go together.
  void sum_rows(const float* input, ListRun& run) const {
    const PackedWeights& packed = weights(run);
    const auto groups = static_cast<std::uint32_t>(shape().groups);
    const auto class_of = [&](std::uint32_t row) {
      return row % groups * sums_.kinds() + sums_.kind_of(row / groups);
    };
    const std::vector<std::uint32_t> rows =
        sorted(run.scratch.touched, groups * sums_.kinds(), class_of);
    std::array<std::uint32_t, FixedSums::kRows> pixels{};
    sums_of_rows_.resize(FixedSums::kRows * static_cast<std::size_t>(packed.pitch()));
    for (std::size_t next = 0; next < rows.size();) {
      const std::size_t its = class_of(rows[next]);
      const std::int64_t group = rows[next] % groups;
      std::size_t held = 0;
      while (next < rows.size() && held < pixels.size() && class_of(rows[next]) == its) {
        pixels[held++] = rows[next++] / groups;
      }
      const auto together = std::span(pixels).first(held);
      sums_.row_sums(input, packed, FixedSums::all_of(packed, group), together,
                     sums_of_rows_.data());
      const float* sums = sums_of_rows_.data();
      for (const std::uint32_t pixel : together) {
        give_row(pixel, group, sums, run);
        sums += packed.pitch();
      }
    }
  }

  void give_row(std::int64_t pixel, std::int64_t group, const float* sums, ListRun& run) const {
    const std::int64_t outputs = planes_.outputs / shape().groups,
                       out_pixels = planes_.out_pixels();
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    std::int64_t index =
        (pixel / out_pixels * planes_.outputs + group * outputs) * out_pixels + pixel % out_pixels;
    for (std::int64_t i = 0; i < outputs; ++i, index += out_pixels) {
      run.give(index, sums[i], golden);
    }
  }

  /// One output channel from golden inputs and the weights as they are: with the other fifteen of
  /// its block, or alone.
  void sum_block(std::int64_t channel, ListRun& run) const {
    const PackedWeights& packed = weights(run);
    const FixedSums::Blocks block = sums_.block_of(channel);
    const std::int64_t of_group = channel % (planes_.outputs / shape().groups);
    const auto out_pixels = static_cast<std::uint32_t>(planes_.out_pixels());
    const auto* input = run.golden_of<float>(input_);
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    sums_of_rows_.resize(FixedSums::kRows * static_cast<std::size_t>(packed.pitch()));
    sums_.each_rows([&](std::span<const std::uint32_t> pixels) {
      sums_.row_sums(input, packed, block, pixels, sums_of_rows_.data());
      const float* sum = sums_of_rows_.data() + of_group;
      for (const std::uint32_t pixel : pixels) {
        run.give((pixel / out_pixels * planes_.outputs + channel) * out_pixels + pixel % out_pixels,
                 *sum, golden);
        sum += packed.pitch();
      }
    });
  }
  void sum_planes(std::int64_t channel, ListRun& run) const {
    const ValueId bias = kernel_.bias_of(run.layer);
    const at::Tensor weight = run.golden.tensor(kernel_.weight_of(run.layer)).contiguous();
    const std::int64_t depth = shape().depth();
    const bool is_transposed = kernel_.form().is_transposed;
    std::vector<float> own;
    for (std::int64_t k = 0; k < depth; ++k) {
      own.push_back(weight.const_data_ptr<float>()[is_transposed ? k * planes_.outputs + channel
                                                                 : channel * depth + k]);
    }
    const float start = bias.value < 0
                            ? 0.0F
                            : run.golden.tensor(bias).contiguous().const_data_ptr<float>()[channel];
    std::vector<float> sums(static_cast<std::size_t>(planes_.out_pixels()));
    const auto* input = run.golden_of<float>(input_);
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    for (std::int64_t image = 0; image < planes_.images; ++image) {
      sums_.channel_sums(input, own.data(), start, image, channel, sums.data());
      std::int64_t index = (image * planes_.outputs + channel) * planes_.out_pixels();
      for (const float now : sums) {
        run.give(index++, now, golden);
      }
    }
  }

  const FixedProduct& kernel_;
  ValueId input_;
  MatrixGeometry planes_;
  FixedSums sums_;
  Taps lines_, columns_;
  mutable std::vector<float> sums_of_rows_;
};

}  // namespace

std::unique_ptr<ListKernel> make_fixed_order_lists(const FixedProduct& kernel, const Layer& layer,
                                                   const Tape& golden) {
  const ValueId input = kernel.input_of(layer), output = layer.outputs.front();
  const auto suits = [&](ValueId id) {
    return Elements::suit(golden.values[static_cast<std::size_t>(id.value)]);
  };
  if (!suits(input) || !suits(output) || golden.tensor(output).numel() == 0) {
    return nullptr;
  }
  return std::make_unique<FixedOrderLists>(
      kernel, input, planes_of(kernel.form().shape, golden.tensor(input), golden.tensor(output)));
}

}  // namespace tilestrike::dnn
