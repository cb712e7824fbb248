// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/matrix_lists.h"

#include <algorithm>
#include <optional>

#include "base/multiversion.h"
#include "dnn/differential/matrix_geometry.h"
#include "dnn/differential/requantised_lanes.h"
#include "dnn/differential/taps.h"

namespace tilestrike::dnn {
namespace {

constexpr int kBlock = 16;

/// A change of one channel: what its weights are multiplied by, and where they lie for the tap at
/// hand, from the tap's first weights on.
struct Factor {
  std::int32_t delta;
  std::uint32_t weights;
};

/// row[i] += sum over the factors of delta * weights[i]; modulo 2^32. A weight has 8 bits and a
/// delta 9: int16 holds their product.
TS_MULTIVERSION void add_blocks(std::uint32_t* row, const std::int16_t* weights,
                                const Factor* factors, std::size_t count, std::int64_t pitch) {
  for (std::int64_t block = 0; block < pitch; block += kBlock) {
    std::uint32_t sums[kBlock];
    for (int i = 0; i < kBlock; ++i) {
      sums[i] = row[block + i];
    }
    for (std::size_t k = 0; k < count; ++k) {
      const std::int16_t* w = weights + factors[k].weights + block;
      const auto delta = static_cast<std::int16_t>(factors[k].delta);
      for (int i = 0; i < kBlock; ++i) {
        const auto product = static_cast<std::int16_t>(w[i] * delta);
        sums[i] += static_cast<std::uint32_t>(std::int32_t{product});
      }
    }
    for (int i = 0; i < kBlock; ++i) {
      row[block + i] = sums[i];
    }
  }
}

void add_few(std::uint32_t* row, const std::int16_t* weights, const Factor* factors,
             std::size_t count, std::int64_t pitch) {
  for (std::size_t k = 0; k < count; ++k) {
    const std::int16_t* w = weights + factors[k].weights;
    for (std::int64_t i = 0; i < pitch; ++i) {
      row[i] += static_cast<std::uint32_t>(w[i] * factors[k].delta);
    }
  }
}

/// A *row* is what the accumulators of one output pixel and group are more than golden.
class MatrixLists final : public ListKernel {
 public:
  MatrixLists(const MatrixKernel& kernel, ValueId input, const MatrixGeometry& geometry)
      : kernel_(kernel),
        input_(input),
        geometry_(geometry),
        groups_(shape().groups),
        group_inputs_(shape().in_channels / groups_),
        group_outputs_(shape().out_channels / groups_),
        pitch_(group_outputs_ < kBlock / 2 ? group_outputs_
                                           : (group_outputs_ + kBlock - 1) / kBlock * kBlock),
        lines_(geometry.height, geometry.out_height, shape().kernel[0], shape().stride[0],
               shape().padding[0], shape().dilation[0]),
        columns_(geometry.width, geometry.out_width, shape().kernel[1], shape().stride[1],
                 shape().padding[1], shape().dilation[1]) {
    const double dense = static_cast<double>(geometry.images * geometry.out_pixels() *
                                             shape().out_channels * shape().depth());
    cost_of_change_ =
        lines_.mean() * columns_.mean() * static_cast<double>(pitch_) * kCostOfProduct / dense;
    const MatrixKernel::Parameters& parameters = kernel.parameters();
    if (parameters.multiplier.defined()) {
      ratios_.emplace(numbers(parameters.multiplier), numbers(parameters.shift),
                      parameters.output_zero, parameters.low, parameters.high);
    }
  }

  double cost(const ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    return changes == nullptr ? 0.0 : static_cast<double>(changes->size()) * cost_of_change_;
  }

  void run(ListRun& run) const override {
    if (run.input_of(input_) == nullptr) {
      return run_struck(run);
    }
    follow_weights();
    Rows rows(*this, run.scratch);
    add_inputs(*run.input_of(input_), run.golden_of<std::int8_t>(input_), rows);
    const std::int64_t out_pixels = geometry_.out_pixels();
    for (const AccumulatorDelta& struck : run.struck) {
      const std::int64_t pixel = struck.index % out_pixels;
      const std::int64_t channel = struck.index / out_pixels % geometry_.outputs;
      const std::int64_t image = struck.index / out_pixels / geometry_.outputs;
      std::uint32_t* row = rows.at(image * out_pixels + pixel, channel / group_outputs_);
      row[channel % group_outputs_] += static_cast<std::uint32_t>(struck.delta);
    }
    finish(run, [&](const auto& visit) { rows.each(visit); });
  }

 private:
  // Products of lists against those of a dense layer, which a library computes in blocks.
  static constexpr double kCostOfProduct = 5.0;

  const MatrixShape& shape() const { return kernel_.parameters().shape; }

  static std::span<const std::int32_t> numbers(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(tensor.numel())};
  }

  class Rows {
   public:
    Rows(const MatrixLists& lists, Scratch& scratch)
        : lists_(lists),
          scratch_(scratch),
          slots_(scratch.output_marks(static_cast<std::size_t>(
              lists.geometry_.images * lists.geometry_.out_pixels() * lists.groups_))) {
      scratch.rows.clear();
      scratch.touched.clear();
    }
    ~Rows() {
      for (const std::uint32_t number : scratch_.touched) {
        slots_[number] = -1;
      }
    }
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    /// The row of a pixel of all images; until another is asked for.
    std::uint32_t* at(std::int64_t pixel, std::int64_t group) {
      const auto number = static_cast<std::uint32_t>(pixel * lists_.groups_ + group);
      const auto pitch = static_cast<std::size_t>(lists_.pitch_);
      if (slots_[number] < 0) {
        slots_[number] = static_cast<std::int32_t>(scratch_.touched.size());
        scratch_.touched.push_back(number);
        scratch_.rows.resize(scratch_.rows.size() + pitch, 0);
      }
      return reinterpret_cast<std::uint32_t*>(scratch_.rows.data()) +
             static_cast<std::size_t>(slots_[number]) * pitch;
    }
    /// function(index of the output, its channel, by how much its accumulator differs) for each of
    /// the touched rows.
    template <class Function>
    void each(const Function& function) const {
      const std::int64_t out_pixels = lists_.geometry_.out_pixels();
      const std::int64_t outputs = lists_.group_outputs_;
      const std::int32_t* row = scratch_.rows.data();
      for (const std::uint32_t number : scratch_.touched) {
        const std::int64_t group = number % lists_.groups_, pixel = number / lists_.groups_;
        const std::int64_t first = group * outputs;
        const std::int64_t base =
            (pixel / out_pixels * lists_.geometry_.outputs + first) * out_pixels +
            pixel % out_pixels;
        for (std::int64_t i = 0; i < outputs; ++i) {
          function(base + i * out_pixels, first + i, row[i]);
        }
        row += lists_.pitch_;
      }
    }

   private:
    const MatrixLists& lists_;
    Scratch& scratch_;
    std::int32_t* slots_;
  };

  void add_inputs(const Changes& changes, const std::int8_t* golden, Rows& rows) const {
    const auto pixels = static_cast<std::uint32_t>(geometry_.pixels());
    const auto channels = static_cast<std::uint32_t>(geometry_.channels);
    const auto width = static_cast<std::uint32_t>(geometry_.width);
    const std::int64_t of_input = shape().kernel[0] * shape().kernel[1] * pitch_;
    std::vector<Factor>& factors = factors_;
    for (std::size_t next = 0; next < changes.size();) {
      // A run: changes of one pixel and group, one after another.
      const std::uint32_t index = changes[next].index;
      const std::uint32_t pixel = index % pixels, plane = index / pixels;
      const std::uint32_t image = plane / channels;
      const std::int64_t group = plane % channels / group_inputs_;
      const std::int64_t first_plane = std::int64_t{image} * channels + group * group_inputs_;
      factors.clear();
      for (; next < changes.size(); ++next) {
        const Change& change = changes[next];
        const std::int64_t input = std::int64_t{change.index / pixels} - first_plane;
        if (change.index % pixels != pixel || input < 0 || input >= group_inputs_) {
          break;
        }
        factors.push_back({std::int32_t{change.now} - golden[change.index],
                           static_cast<std::uint32_t>(input * of_input)});
      }
      for (const Tap& line : lines_.of(pixel / width)) {
        for (const Tap& column : columns_.of(pixel % width)) {
          std::uint32_t* row = rows.at(
              (image * geometry_.out_height + line.output) * geometry_.out_width + column.output,
              group);
          const std::int16_t* weights = weights_.data() + group * group_inputs_ * of_input +
                                        (line.window * shape().kernel[1] + column.window) * pitch_;
          if (pitch_ % kBlock == 0) {
            add_blocks(row, weights, factors.data(), factors.size(), pitch_);
          } else {
            add_few(row, weights, factors.data(), factors.size(), pitch_);
          }
        }
      }
    }
  }

  /// From golden inputs.
  void run_struck(ListRun& run) const {
    const std::int64_t out_pixels = geometry_.out_pixels();
    finish(run, [&](const auto& visit) {
      for (const AccumulatorDelta& struck : run.struck) {
        visit(struck.index, struck.index / out_pixels % geometry_.outputs, struck.delta);
      }
    });
  }

  /// Gives the outputs of all accumulators that `each` visits, with channel and delta.
  template <class Each>
  void finish(ListRun& run, const Each& each) const {
    const MatrixKernel::Parameters& parameters = kernel_.parameters();
    const std::int32_t* accumulators = golden_accumulators(run);
    const ValueId output = run.layer.outputs.front();
    if (parameters.scale.defined()) {
      const auto* scales = parameters.scale.const_data_ptr<float>();
      const auto* golden = run.golden_of<float>(output);
      each([&](std::int64_t index, std::int64_t channel, std::int32_t delta) {
        if (delta != 0) {
          ++run.changed_accumulators;
          run.give(index, static_cast<float>(sum(accumulators[index], delta)) * scales[channel],
                   golden);
        }
      });
      return;
    }
    if (!ratios_) {
      const auto* golden = run.golden_of<std::int32_t>(output);
      each([&](std::int64_t index, std::int64_t /*channel*/, std::int32_t delta) {
        run.changed_accumulators += delta != 0 ? 1 : 0;
        run.give(index, sum(accumulators[index], delta), golden);
      });
      return;
    }
    RequantisedLanes lanes(*ratios_, accumulators, run.golden_of<std::int8_t>(output),
                           run.outputs.front());
    each([&](std::int64_t index, std::int64_t channel, std::int32_t delta) {
      lanes.add(index, channel, delta);
    });
    run.changed_accumulators += lanes.finish();
  }

  static const std::int32_t* golden_accumulators(const ListRun& run) {
    return run.golden.accumulators[run.layer_index].const_data_ptr<std::int32_t>();
  }

  static std::int32_t sum(std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
  }

  /// The weights as [group][input][line][column][output], outputs side by side.
  void follow_weights() const {
    if (version_ == kernel_.weights_version()) {
      return;
    }
    version_ = kernel_.weights_version();
    const std::int64_t taps = shape().kernel[0] * shape().kernel[1];
    weights_.assign(static_cast<std::size_t>(groups_ * group_inputs_ * taps * pitch_), 0);
    const auto* from = kernel_.parameters().weight.const_data_ptr<std::int8_t>();
    for (std::int64_t output = 0; output < shape().out_channels; ++output) {
      const std::int64_t group = output / group_outputs_, of_group = output % group_outputs_;
      for (std::int64_t k = 0; k < group_inputs_ * taps; ++k) {
        weights_[static_cast<std::size_t>((group * group_inputs_ * taps + k) * pitch_ + of_group)] =
            *from++;
      }
    }
  }

  const MatrixKernel& kernel_;
  ValueId input_;
  MatrixGeometry geometry_;
  std::int64_t groups_, group_inputs_, group_outputs_;
  std::int64_t pitch_;  // of a row: whole blocks, unless it is short
  Taps lines_, columns_;
  std::optional<ChannelRatios> ratios_;  // of an int8 output
  double cost_of_change_ = 0.0;
  mutable std::vector<std::int16_t> weights_;
  mutable std::int64_t version_ = -1;
  mutable std::vector<Factor> factors_;
};

}  // namespace

std::unique_ptr<ListKernel> make_matrix_lists(const MatrixKernel& kernel, const Layer& layer,
                                              const Tape& golden) {
  const MatrixKernel::Parameters& parameters = kernel.parameters();
  const ValueId input = kernel.input_of(layer);
  const at::Tensor& in = golden.values[static_cast<std::size_t>(input.value)].toTensor();
  const at::Tensor& out =
      golden.values[static_cast<std::size_t>(layer.outputs.front().value)].toTensor();
  const bool is_plain = in.is_cpu() && in.scalar_type() == c10::kChar &&
                        (!parameters.scale.defined() || parameters.type == c10::ScalarType::Float);
  if (!is_plain || (parameters.shape.is_convolution && in.dim() < 4)) {
    return nullptr;
  }
  return std::make_unique<MatrixLists>(kernel, input,
                                       MatrixGeometry::of(parameters.shape, in, out));
}

}  // namespace tilestrike::dnn
