// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/fixed_order/fixed_norm.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>

#include "dnn/differential/list_kernel.h"
#include "dnn/layer_arguments.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

constexpr std::size_t kInput = 0, kGain = 1, kShift = 2, kMean = 3, kVariance = 4;

/// Contiguous; undefined where the argument is None.
at::Tensor operand(const Layer& layer, const Values& values, std::size_t argument) {
  const Argument& given = layer.arguments[argument];
  return given.kind == Argument::Kind::kValue
             ? values[given.values.front().value].toTensor().contiguous()
             : at::Tensor();
}

class FixedNormLists final : public ListKernel {
 public:
  FixedNormLists(const FixedNorm& kernel, ValueId input, const at::Tensor& golden)
      : kernel_(kernel),
        input_(input),
        channels_(golden.size(1)),
        plane_(golden.numel() / golden.size(0) / golden.size(1)),
        elements_(golden.numel()) {}

  double cost(const ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    const auto changed =
        std::ranges::count_if(run.inputs, [](const Changes* input) { return input != nullptr; });
    return changed > 1 || changes == nullptr  // a factor that is computed
               ? std::numeric_limits<double>::infinity()
               : kCostOfChange * static_cast<double>(changes->size()) /
                     static_cast<double>(elements_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    const auto factors = kernel_.factors(run.layer, run.golden.values, channels_);
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    for (const Change& change : *changes) {
      const auto x = std::bit_cast<float>(change.now);
      float now = 0.0F;
      factors[static_cast<std::size_t>(change.index / plane_ % channels_)].apply(&x, 1, &now);
      run.give(change.index, now, golden);
    }
  }

 private:
  static constexpr double kCostOfChange = 12.0;
  const FixedNorm& kernel_;
  ValueId input_;
  std::int64_t channels_, plane_, elements_;
};

}  // namespace

std::shared_ptr<const Kernel> FixedNorm::make(const Layer& layer, const Network& network,
                                              std::shared_ptr<const bool> is_on) {
  if (short_name(layer.target) != "batch_norm") {
    return nullptr;
  }
  const LayerArguments arguments(layer, network.constants);
  const auto is_float = [&](std::size_t argument) {
    const Argument& given = layer.arguments[argument];
    return given.kind == Argument::Kind::kValue
               ? network.info(given.values.front()).type == c10::ScalarType::Float
               : given.constant.isNone();
  };
  const std::optional<double> epsilon = arguments.real("eps");
  const bool has_statistics = !arguments.is_none("running_mean") &&
                              !arguments.is_none("running_var") && !arguments.boolean("training");
  const bool suits = has_statistics && epsilon && is_float(kInput) && is_float(kGain) &&
                     is_float(kShift) && is_float(kMean) && is_float(kVariance);
  return suits ? std::make_shared<FixedNorm>(*epsilon, layer.kernel, std::move(is_on)) : nullptr;
}

std::vector<ScaleAndShift> FixedNorm::factors(const Layer& layer, const Values& values,
                                              std::int64_t channels) const {
  const at::Tensor gain = operand(layer, values, kGain), shift = operand(layer, values, kShift),
                   mean = operand(layer, values, kMean),
                   variance = operand(layer, values, kVariance);
  const auto at = [](const at::Tensor& tensor, std::int64_t channel, float otherwise) {
    return tensor.defined() ? tensor.const_data_ptr<float>()[channel] : otherwise;
  };
  std::vector<ScaleAndShift> all;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    all.push_back(ScaleAndShift::of(at(gain, channel, 1.0F), at(shift, channel, 0.0F),
                                    at(mean, channel, 0.0F), at(variance, channel, 1.0F),
                                    static_cast<float>(epsilon_)));
  }
  return all;
}

void FixedNorm::run(const Layer& layer, Values& values) const {
  const at::Tensor input = operand(layer, values, kInput);
  const at::Tensor mean = operand(layer, values, kMean);
  if (!*is_on_ || input.dim() < 2 || input.numel() == 0 || input.size(1) != mean.numel()) {
    other_->run(layer, values);
    return;
  }
  const std::int64_t channels = input.size(1);
  const std::int64_t plane = input.numel() / input.size(0) / channels;
  const std::vector<ScaleAndShift> all = factors(layer, values, channels);
  at::Tensor output = at::empty(input.sizes(), input.options());
  const auto* from = input.const_data_ptr<float>();
  auto* to = output.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < input.size(0) * channels; ++i) {
    all[static_cast<std::size_t>(i % channels)].apply(from + i * plane, plane, to + i * plane);
  }
  values[layer.outputs.front().value] = output;
}

std::unique_ptr<ListKernel> FixedNorm::lists(const Layer& layer, const Network& /*network*/,
                                             const Tape& golden) const {
  const ValueId input = layer.arguments[kInput].values.front(), output = layer.outputs.front();
  const auto suits = [&](ValueId id) {
    return Elements::suit(golden.values[static_cast<std::size_t>(id.value)]);
  };
  if (!suits(input) || !suits(output) || golden.tensor(input).dim() < 2 ||
      golden.tensor(input).numel() == 0) {
    return nullptr;
  }
  return std::make_unique<FixedNormLists>(*this, input, golden.tensor(input));
}

}  // namespace tilestrike::dnn
