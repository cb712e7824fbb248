// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Compiled without fused multiply-add (dnn/CMakeLists.txt).
#include "dnn/spiking/spike_pooling.h"

#include <ATen/ops/empty.h>

#include <bit>
#include <limits>

#include "base/error.h"
#include "dnn/differential/list_kernel.h"
#include "dnn/differential/patch.h"
#include "dnn/differential/pool_windows.h"

namespace tilestrike::dnn {
namespace {

/// What a window gives; `element(index)` is a Change::now.
template <class Element>
std::int32_t pooled(const PoolWindows& windows, std::int64_t output, bool is_float, float divisor,
                    const Element& element) {
  if (!is_float) {
    std::int32_t sum = 0;
    windows.each_input(output, [&](std::int64_t input) { sum += element(input); });
    return static_cast<std::int8_t>(sum);
  }
  float sum = 0.0F;
  windows.each_input(output,
                     [&](std::int64_t input) { sum += std::bit_cast<float>(element(input)); });
  const float result = divisor == 1.0F ? sum : sum / divisor;
  return std::bit_cast<std::int32_t>(result == result ? result
                                                      : std::numeric_limits<float>::quiet_NaN());
}

class PoolingLists final : public ListKernel {
 public:
  PoolingLists(const PoolWindow& window, float divisor, ValueId input, const at::Tensor& in,
               const at::Tensor& out)
      : windows_(window, in, out),
        divisor_(divisor),
        is_float_(in.scalar_type() == c10::kFloat),
        input_(input),
        inputs_(in.numel()),
        outputs_(out.numel()) {}

  double cost(const ListRun& run) const override {
    return kCostOfChange * run.share_of(input_, inputs_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    find_touched(windows_, *changes, outputs_, run.scratch);
    const Elements before(run.golden.row_major(input_));
    const Elements golden(run.golden.row_major(run.layer.outputs.front()));
    const Patched elements(*changes, before,
                           run.scratch.input_marks(static_cast<std::size_t>(inputs_)));
    for (const std::uint32_t output : run.scratch.touched) {
      const std::int32_t now = pooled(windows_, output, is_float_, divisor_,
                                      [&](std::int64_t index) { return elements.at(index); });
      if (now != golden.at(output)) {
        run.outputs.front().push_back({output, now});
      }
    }
  }

 private:
  static constexpr double kCostOfChange = 3.0;
  PoolWindows windows_;
  float divisor_;
  bool is_float_;
  ValueId input_;
  std::int64_t inputs_, outputs_;
};

class PoolingKernel final : public Kernel {
 public:
  explicit PoolingKernel(const SynapseStep& step)
      : output_sizes_(step.output_sizes),
        window_{step.window, step.stride, step.padding_before, step.dilation},
        divisor_(step.kind == SynapseKind::kAveragePool2d
                     ? static_cast<float>(step.window[0] * step.window[1])
                     : 1.0F) {}

  void run(const Layer& layer, Values& values) const override {
    const at::Tensor given = values[layer.inputs.front().value].toTensor();
    const at::Tensor input = given.cpu().contiguous();
    std::vector<std::int64_t> sizes = input.sizes().slice(0, 2).vec();
    sizes.insert(sizes.end(), output_sizes_.begin(), output_sizes_.end());
    const at::Tensor output = at::empty(sizes, input.options());
    const PoolWindows windows(window_, input, output);
    const Elements elements(input);
    const bool is_float = input.scalar_type() == c10::kFloat;
    const auto fill = [&]<class Word>(Word* out) {
      for (std::int64_t i = 0; i < output.numel(); ++i) {
        out[i] = static_cast<Word>(pooled(windows, i, is_float, divisor_,
                                          [&](std::int64_t index) { return elements.at(index); }));
      }
    };
    if (is_float) {
      fill(static_cast<std::int32_t*>(output.mutable_data_ptr()));
    } else {
      fill(static_cast<std::int8_t*>(output.mutable_data_ptr()));
    }
    values[layer.outputs.front().value] = output.to(given.device());
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    const at::Tensor& in = golden.tensor(layer.inputs.front());
    const at::Tensor& out = golden.tensor(layer.outputs.front());
    if (!Elements::suit(in) || !Elements::suit(out)) {
      return nullptr;
    }
    return std::make_unique<PoolingLists>(window_, divisor_, layer.inputs.front(), in, out);
  }

 private:
  Sizes output_sizes_;
  PoolWindow window_;
  float divisor_;
};

}  // namespace

std::shared_ptr<const Kernel> make_spike_pooling(const SynapseStep& step) {
  TS_CHECK(step.output_sizes.size() == 3, "channels, lines and columns: " + step.name);
  return std::make_shared<PoolingKernel>(step);
}

}  // namespace tilestrike::dnn
