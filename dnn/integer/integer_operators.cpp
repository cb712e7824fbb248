// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_operators.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/max_pool2d.h>
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
  FloatIsland(Layer inner, std::vector<float> input_scales, std::vector<float> output_scales)
      : inner_(std::move(inner)),
        input_scales_(std::move(input_scales)),
        output_scales_(std::move(output_scales)) {}

  void run(const Layer& layer, Values& values) const override {
    const std::size_t inputs = input_scales_.size();
    Values inside(inputs + output_scales_.size());
    for (std::size_t i = 0; i < inputs; ++i) {
      const c10::IValue& outer = values[layer.inputs[i].value];
      inside[i] = input_scales_[i] > 0.0F
                      ? c10::IValue(dequantise_values(outer.toTensor(), input_scales_[i]))
                      : outer;
    }
    inner_.kernel->run(inner_, inside);
    for (std::size_t i = 0; i < output_scales_.size(); ++i) {
      if (layer.outputs[i].value < 0) {
        continue;
      }
      c10::IValue& result = inside[inputs + i];
      values[layer.outputs[i].value] =
          output_scales_[i] > 0.0F
              ? c10::IValue(quantise_values(result.toTensor(), output_scales_[i]))
              : std::move(result);
    }
  }

 private:
  Layer inner_;
  std::vector<float> input_scales_, output_scales_;
};

}  // namespace

KernelPointer make_quantise(float scale) {
  return kernel_of([scale](const Layer& layer, const Values& values) {
    return quantise_values(operand(layer, values), scale);
  });
}

KernelPointer make_dequantise(float scale) {
  return kernel_of([scale](const Layer& layer, const Values& values) {
    return dequantise_values(operand(layer, values), scale);
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

KernelPointer make_average_pool2d(const PoolWindow& window, FixedPoint ratio) {
  TS_CHECK(window.kernel[0] * window.kernel[1] <= kMostPooled && !window.ceil_mode,
           "the sums of a window are exact in float32");
  return kernel_of([window, ratio](const Layer& layer, const Values& values) {
    const at::Tensor sums = at::avg_pool2d(
        operand(layer, values).to(c10::kFloat), window.kernel, window.stride, window.padding,
        /*ceil_mode=*/false, /*count_include_pad=*/true, /*divisor_override=*/1);
    return requantise(sums.to(c10::kInt), ratio, Clamp{});
  });
}

KernelPointer make_mean(std::vector<std::int64_t> dimensions, bool keep_dimensions,
                        FixedPoint ratio) {
  return kernel_of([dimensions = std::move(dimensions), keep_dimensions, ratio](
                       const Layer& layer, const Values& values) {
    const at::Tensor sums = at::sum(operand(layer, values), dimensions, keep_dimensions, c10::kInt);
    return requantise(sums, ratio, Clamp{});
  });
}

KernelPointer make_concatenation(std::int64_t dimension,
                                 std::vector<std::optional<FixedPoint>> ratios) {
  return kernel_of(
      [dimension, ratios = std::move(ratios)](const Layer& layer, const Values& values) {
        std::vector<at::Tensor> parts;
        parts.reserve(ratios.size());
        const std::vector<ValueId>& ids = layer.arguments.front().values;
        for (std::size_t i = 0; i < ratios.size(); ++i) {
          const at::Tensor& part = values[ids[i].value].toTensor();
          parts.push_back(ratios[i] ? requantise(part, *ratios[i], Clamp{}) : part);
        }
        return at::cat(parts, dimension);
      });
}

KernelPointer make_float_island(Layer inner, std::vector<float> input_scales,
                                std::vector<float> output_scales) {
  return std::make_shared<const FloatIsland>(std::move(inner), std::move(input_scales),
                                             std::move(output_scales));
}

}  // namespace tilestrike::dnn
