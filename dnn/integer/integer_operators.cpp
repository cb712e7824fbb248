// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_operators.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>

#include <utility>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

const at::Tensor& operand(const Layer& layer, const Values& values, std::size_t index = 0) {
  return values[layer.arguments[index].values.front().value].toTensor();
}

/// A kernel whose single output is a function of the layer and the values.
template <class Function>
class FunctionKernel final : public Kernel {
 public:
  explicit FunctionKernel(Function function) : function_(std::move(function)) {}
  void run(const Layer& layer, Values& values) const override {
    values[layer.outputs.front().value] = function_(layer, std::as_const(values));
  }

 private:
  Function function_;
};

template <class Function>
KernelPointer kernel_of(Function function) {
  return std::make_shared<const FunctionKernel<Function>>(std::move(function));
}

class FloatIsland final : public Kernel {
 public:
  FloatIsland(Layer inner, std::vector<IslandInput> inputs, std::vector<Quantisation> outputs)
      : inner_(std::move(inner)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  void run(const Layer& layer, Values& values) const override {
    Values inside(inputs_.size() + outputs_.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const IslandInput& input = inputs_[i];
      const c10::IValue& outer = values[layer.inputs[input.position].value];
      inside[i] =
          input.quantisation.is_int8()
              ? c10::IValue(dequantise_values(outer.toTensor(), input.quantisation, input.type))
              : outer;
    }
    inner_.kernel->run(inner_, inside);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (layer.outputs[i].value < 0) {
        continue;
      }
      c10::IValue& result = inside[inputs_.size() + i];
      values[layer.outputs[i].value] =
          outputs_[i].is_int8() ? c10::IValue(quantise_values(result.toTensor(), outputs_[i]))
                                : std::move(result);
    }
  }

 private:
  Layer inner_;
  std::vector<IslandInput> inputs_;
  std::vector<Quantisation> outputs_;
};

/// Sums of so many elements each, as int8 of another scale and zero point.
at::Tensor rescaled(const at::Tensor& sums, std::int64_t elements, const Rescaling& rescaling) {
  return requantise(rescaling.input_zero == 0
                        ? sums
                        : at::sub(sums.to(c10::kInt), elements * rescaling.input_zero),
                    rescaling.ratio, Clamp{});
}

}  // namespace

KernelPointer make_quantise(Quantisation quantisation) {
  return kernel_of([quantisation](const Layer& layer, const Values& values) {
    return quantise_values(operand(layer, values), quantisation);
  });
}

KernelPointer make_dequantise(Quantisation quantisation, c10::ScalarType type) {
  return kernel_of([quantisation, type](const Layer& layer, const Values& values) {
    return dequantise_values(operand(layer, values), quantisation, type);
  });
}

KernelPointer make_requantise(const Rescaling& rescaling) {
  return kernel_of([rescaling](const Layer& layer, const Values& values) {
    return rescaled(operand(layer, values), 1, rescaling);
  });
}

KernelPointer make_addition(const ScaledAddition& ratios, Clamp clamp) {
  return kernel_of([ratios, clamp](const Layer& layer, const Values& values) {
    return add(operand(layer, values, 0), operand(layer, values, 1), ratios, clamp);
  });
}

KernelPointer make_clamp(Clamp clamp) {
  return kernel_of([clamp](const Layer& layer, const Values& values) {
    return at::clamp(operand(layer, values), clamp.low, clamp.high);
  });
}

KernelPointer make_max_pool2d(const PoolWindow& window) {
  return kernel_of([window](const Layer& layer, const Values& values) {
    const at::Tensor& input = operand(layer, values);
    const auto pool = [&](const at::Tensor& tensor) {
      return at::max_pool2d(tensor, window.kernel, window.stride, window.padding, window.dilation,
                            window.ceil_mode);
    };
    // Pooling of int8 exists on the CPU only; float32 holds the same integers.
    return input.is_cpu() ? pool(input) : pool(input.to(c10::kFloat)).to(c10::kChar);
  });
}

KernelPointer make_average_pool2d(const PoolWindow& window, const Rescaling& rescaling) {
  TS_CHECK(window.kernel[0] * window.kernel[1] <= kMostPooled && !window.ceil_mode,
           "the sums of a window are exact in float32");
  return kernel_of([window, rescaling](const Layer& layer, const Values& values) {
    at::Tensor input = operand(layer, values).to(c10::kFloat);
    if (rescaling.input_zero != 0) {
      // Padding is a real zero, hence differences to the zero point: at most 255, exact as well.
      input = at::sub(input, rescaling.input_zero);
    }
    const at::Tensor sums =
        at::avg_pool2d(input, window.kernel, window.stride, window.padding,
                       /*ceil_mode=*/false, /*count_include_pad=*/true, /*divisor_override=*/1);
    return requantise(sums.to(c10::kInt), rescaling.ratio, Clamp{});
  });
}

KernelPointer make_mean(std::vector<std::int64_t> dimensions, bool keep_dimensions,
                        const Rescaling& rescaling) {
  return kernel_of([dimensions = std::move(dimensions), keep_dimensions, rescaling](
                       const Layer& layer, const Values& values) {
    const at::Tensor& input = operand(layer, values);
    const at::Tensor sums = at::sum(input, dimensions, keep_dimensions, c10::kInt);
    return rescaled(sums, sums.numel() == 0 ? 0 : input.numel() / sums.numel(), rescaling);
  });
}

KernelPointer make_concatenation(std::int64_t dimension,
                                 std::vector<std::optional<Rescaling>> rescalings) {
  return kernel_of(
      [dimension, rescalings = std::move(rescalings)](const Layer& layer, const Values& values) {
        std::vector<at::Tensor> parts;
        parts.reserve(rescalings.size());
        const std::vector<ValueId>& ids = layer.arguments.front().values;
        for (std::size_t i = 0; i < rescalings.size(); ++i) {
          const at::Tensor& part = values[ids[i].value].toTensor();
          parts.push_back(rescalings[i] ? rescaled(part, 1, *rescalings[i]) : part);
        }
        return at::cat(parts, dimension);
      });
}

KernelPointer make_float_island(Layer inner, std::vector<IslandInput> inputs,
                                std::vector<Quantisation> outputs) {
  return std::make_shared<const FloatIsland>(std::move(inner), std::move(inputs),
                                             std::move(outputs));
}

}  // namespace tilestrike::dnn
