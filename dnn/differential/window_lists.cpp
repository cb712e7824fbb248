// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/window_lists.h"

#include <algorithm>
#include <limits>

#include "dnn/differential/patch.h"
#include "dnn/differential/pool_windows.h"

namespace tilestrike::dnn {
namespace {

ValueId input_of(const Layer& layer) { return layer.arguments.front().values.front(); }

bool is_plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == c10::kChar &&
         tensor.numel() < std::numeric_limits<std::int32_t>::max();
}

struct Int8Elements {
  const std::int8_t* data;
  std::int8_t at(std::int64_t index) const { return data[index]; }
};
using PatchedInt8 = Patched<Int8Elements>;

/// `Windows` knows which outputs see an input, and what an output is.
template <class Windows>
class WindowLists final : public ListKernel {
 public:
  WindowLists(Windows windows, ValueId input, std::int64_t inputs, std::int64_t outputs)
      : windows_(std::move(windows)), input_(input), inputs_(inputs), outputs_(outputs) {}

  double cost(const ListRun& run) const override {
    return kCostOfChange * run.share_of(input_, inputs_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    find_touched(windows_, *changes, outputs_, run.scratch);
    const PatchedInt8 elements(*changes, {run.golden_of<std::int8_t>(input_)},
                               run.scratch.input_marks(static_cast<std::size_t>(inputs_)));
    const auto* golden = run.golden_of<std::int8_t>(run.layer.outputs.front());
    for (const std::uint32_t output : run.scratch.touched) {
      run.give(output, windows_.value(output, elements), golden);
    }
  }

 private:
  static constexpr double kCostOfChange = 3.0;
  Windows windows_;
  ValueId input_;
  std::int64_t inputs_, outputs_;
};

struct MaxWindows : PoolWindows {
  using PoolWindows::PoolWindows;
  std::int8_t value(std::int64_t output, const PatchedInt8& elements) const {
    std::int8_t largest = std::numeric_limits<std::int8_t>::min();
    each_input(output,
               [&](std::int64_t input) { largest = std::max(largest, elements.at(input)); });
    return largest;
  }
};

/// The sum of `count` elements, as the integer kernels rescale it.
std::int8_t rescaled(std::int64_t sum, std::int64_t count, const Rescaling& rescaling) {
  return clamped(rescaling.ratio.scaled(sum - count * rescaling.input_zero), -128, 127);
}

struct AverageWindows : PoolWindows {
  AverageWindows(const PoolWindow& window, const Rescaling& given, const at::Tensor& input,
                 const at::Tensor& output)
      : PoolWindows(window, input, output), rescaling(given) {}
  std::int8_t value(std::int64_t output, const PatchedInt8& elements) const {
    std::int64_t sum = 0, count = 0;
    each_input(output, [&](std::int64_t input) {
      sum += elements.at(input);
      ++count;
    });
    return rescaled(sum, count, rescaling);
  }
  Rescaling rescaling;
};

/// Outputs are numbered by the dimensions that stay, in their order.
class MeanWindows {
 public:
  MeanWindows(const std::vector<bool>& is_averaged, const Rescaling& rescaling,
              const at::Tensor& input)
      : rescaling_(rescaling), offsets_{0} {
    std::int64_t stride = 1, out_stride = 1;
    for (std::int64_t i = input.dim() - 1; i >= 0; --i) {
      const std::int64_t size = input.size(i);
      if (is_averaged[static_cast<std::size_t>(i)]) {
        const std::vector<std::int64_t> before = offsets_;
        for (std::int64_t k = 1; k < size; ++k) {
          for (const std::int64_t offset : before) {
            offsets_.push_back(offset + k * stride);
          }
        }
      } else {
        kept_.push_back({size, stride, out_stride});
        out_stride *= size;
      }
      stride *= size;
    }
  }

  template <class Visit>
  void each_output(std::int64_t input, const Visit& visit) const {
    std::int64_t output = 0;
    for (const Kept& kept : kept_) {
      output += input / kept.stride % kept.size * kept.out_stride;
    }
    visit(output);
  }

  std::int8_t value(std::int64_t output, const PatchedInt8& elements) const {
    std::int64_t base = 0, sum = 0;
    for (const Kept& kept : kept_) {
      base += output / kept.out_stride % kept.size * kept.stride;
    }
    for (const std::int64_t offset : offsets_) {
      sum += elements.at(base + offset);
    }
    return rescaled(sum, static_cast<std::int64_t>(offsets_.size()), rescaling_);
  }

 private:
  struct Kept {
    std::int64_t size, stride, out_stride;
  };
  Rescaling rescaling_;
  std::vector<Kept> kept_;
  std::vector<std::int64_t> offsets_;  // of the averaged elements from the first of them
};

template <class Windows>
std::unique_ptr<ListKernel> lists_of(Windows windows, ValueId input, const at::Tensor& in,
                                     const at::Tensor& out) {
  return std::make_unique<WindowLists<Windows>>(std::move(windows), input, in.numel(), out.numel());
}

}  // namespace

std::unique_ptr<ListKernel> make_max_pool_lists(const PoolWindow& window, const Layer& layer,
                                                const Tape& golden) {
  const at::Tensor& in = golden.tensor(input_of(layer));
  const at::Tensor& out = golden.tensor(layer.outputs.front());
  if (!is_plain(in) || !is_plain(out)) {
    return nullptr;
  }
  return lists_of(MaxWindows(window, in, out), input_of(layer), in, out);
}

std::unique_ptr<ListKernel> make_average_pool_lists(const PoolWindow& window,
                                                    const Rescaling& rescaling, const Layer& layer,
                                                    const Tape& golden) {
  const at::Tensor& in = golden.tensor(input_of(layer));
  const at::Tensor& out = golden.tensor(layer.outputs.front());
  if (!is_plain(in) || !is_plain(out)) {
    return nullptr;
  }
  return lists_of(AverageWindows(window, rescaling, in, out), input_of(layer), in, out);
}

std::unique_ptr<ListKernel> make_mean_lists(const std::vector<std::int64_t>& dimensions,
                                            const Rescaling& rescaling, const Layer& layer,
                                            const Tape& golden) {
  const at::Tensor& in = golden.tensor(input_of(layer));
  const at::Tensor& out = golden.tensor(layer.outputs.front());
  if (!is_plain(in) || !is_plain(out) || in.numel() == 0) {
    return nullptr;
  }
  std::vector<bool> is_averaged(static_cast<std::size_t>(in.dim()), dimensions.empty());
  for (const std::int64_t dimension : dimensions) {
    is_averaged[static_cast<std::size_t>(dimension < 0 ? dimension + in.dim() : dimension)] = true;
  }
  return lists_of(MeanWindows(is_averaged, rescaling, in), input_of(layer), in, out);
}

}  // namespace tilestrike::dnn
