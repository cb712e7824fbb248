// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_operators.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>

#include <utility>

#include "base/error.h"
#include "dnn/differential/element_lists.h"
#include "dnn/differential/row_lists.h"
#include "dnn/differential/window_lists.h"
#include "dnn/layer_arguments.h"
#include "dnn/operand_use.h"
#include "dnn/operator_kernel.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

const at::Tensor& operand(const Layer& layer, const Values& values, std::size_t index = 0) {
  return values[layer.arguments[index].values.front().value].toTensor();
}

/// A kernel whose single output is a function of the layer and the values; `lists` gives its list
/// kernel.
template <class Function, class Lists>
class FunctionKernel final : public Kernel {
 public:
  FunctionKernel(Function function, Lists lists)
      : function_(std::move(function)), lists_(std::move(lists)) {}
  void run(const Layer& layer, Values& values) const override {
    values[layer.outputs.front().value] = function_(layer, std::as_const(values));
  }
  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override {
    return lists_(layer, network, golden);
  }

 private:
  Function function_;
  Lists lists_;
};

template <class Function, class Lists>
KernelPointer kernel_of(Function function, Lists lists) {
  return std::make_shared<const FunctionKernel<Function, Lists>>(std::move(function),
                                                                 std::move(lists));
}

/// Whether each element is computed by itself.
bool is_pointwise(const Layer& inner) {
  const auto handle = dispatched_operator(inner.target);
  return handle && handle->hasTag(at::Tag::pointwise);
}

/// Whether each row, along the last dimension, is computed by itself.
bool computes_rows(const Layer& inner, std::int64_t dimensions) {
  const Values none;
  const LayerArguments arguments(inner, none);
  const std::string name = short_name(inner.target);
  if (name == "layer_norm") {
    const auto shape = arguments.integers("normalized_shape");
    return shape && shape->size() == 1;
  }
  const auto along = arguments.real("dim");
  return (name == "softmax" || name == "_softmax") && along &&
         (*along == -1.0 || *along == static_cast<double>(dimensions - 1));
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

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override {
    if (layer.outputs.size() != 1 || layer.outputs.front().value < 0) {
      return nullptr;
    }
    if (is_pointwise(inner_)) {
      return make_table_lists(layer, network, golden);
    }
    if (moves_elements(short_name(inner_.target)) && inputs_.front().quantisation.is_int8() &&
        outputs_.front().is_int8()) {
      return make_move_lists(
          layer, network, golden, c10::kFloat,
          [&](const at::Tensor& numbers) { return moved(layer, golden, numbers); },
          table_on_the_way());
    }
    const c10::IValue& output =
        golden.values[static_cast<std::size_t>(layer.outputs.front().value)];
    return output.isTensor() && computes_rows(inner_, output.toTensor().dim())
               ? make_row_lists(layer, network, golden)
               : nullptr;
  }

 private:
  /// The inner layer on other numbers in the place of its first input.
  std::vector<at::Tensor> moved(const Layer& layer, const Tape& golden,
                                const at::Tensor& numbers) const {
    Values inside(inputs_.size() + outputs_.size());
    inside.front() = numbers.to(inputs_.front().type);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      const ValueId outer = layer.inputs[inputs_[i].position];
      inside[i] = golden.values[static_cast<std::size_t>(outer.value)];
    }
    inner_.kernel->run(inner_, inside);
    return {inside[inputs_.size()].toTensor().to(c10::kFloat)};
  }

  ElementTable table_on_the_way() const {
    const at::Tensor numbers = at::arange(-128, 128, at::dtype(c10::kInt)).to(c10::kChar);
    const at::Tensor results = quantise_values(
        dequantise_values(numbers, inputs_.front().quantisation, inputs_.front().type),
        outputs_.front());
    const auto* found = results.const_data_ptr<std::int8_t>();
    return {found, found + results.numel()};
  }

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

ElementTable table_of(const Rescaling& rescaling) {
  ElementTable table;
  for (int element = -128; element < 128; ++element) {
    table.push_back(clamped(rescaling.ratio.scaled(element - rescaling.input_zero), -128, 127));
  }
  return table;
}

}  // namespace

KernelPointer make_quantise(Quantisation quantisation) {
  return kernel_of(
      [quantisation](const Layer& layer, const Values& values) {
        return quantise_values(operand(layer, values), quantisation);
      },
      make_table_lists);
}

KernelPointer make_dequantise(Quantisation quantisation, c10::ScalarType type) {
  return kernel_of(
      [quantisation, type](const Layer& layer, const Values& values) {
        return dequantise_values(operand(layer, values), quantisation, type);
      },
      make_table_lists);
}

KernelPointer make_requantise(const Rescaling& rescaling) {
  return kernel_of(
      [rescaling](const Layer& layer, const Values& values) {
        return rescaled(operand(layer, values), 1, rescaling);
      },
      make_table_lists);
}

KernelPointer make_addition(const ScaledAddition& ratios, Clamp clamp) {
  return kernel_of(
      [ratios, clamp](const Layer& layer, const Values& values) {
        return add(operand(layer, values, 0), operand(layer, values, 1), ratios, clamp);
      },
      [ratios, clamp](const Layer& layer, const Network& /*network*/, const Tape& golden) {
        return make_addition_lists(ratios, clamp, layer, golden);
      });
}

KernelPointer make_clamp(Clamp clamp) {
  return kernel_of(
      [clamp](const Layer& layer, const Values& values) {
        return at::clamp(operand(layer, values), clamp.low, clamp.high);
      },
      make_table_lists);
}

KernelPointer make_max_pool2d(const PoolWindow& window) {
  return kernel_of(
      [window](const Layer& layer, const Values& values) {
        const at::Tensor& input = operand(layer, values);
        const auto pool = [&](const at::Tensor& tensor) {
          return at::max_pool2d(tensor, window.kernel, window.stride, window.padding,
                                window.dilation, window.ceil_mode);
        };
        // Pooling of int8 exists on the CPU only; float32 holds the same integers.
        return input.is_cpu() ? pool(input) : pool(input.to(c10::kFloat)).to(c10::kChar);
      },
      [window](const Layer& layer, const Network& /*network*/, const Tape& golden) {
        return make_max_pool_lists(window, layer, golden);
      });
}

KernelPointer make_average_pool2d(const PoolWindow& window, const Rescaling& rescaling) {
  TS_CHECK(window.kernel[0] * window.kernel[1] <= kMostPooled && !window.ceil_mode,
           "the sums of a window are exact in float32");
  return kernel_of(
      [window, rescaling](const Layer& layer, const Values& values) {
        at::Tensor input = operand(layer, values).to(c10::kFloat);
        if (rescaling.input_zero != 0) {
          // Padding is a real zero, hence differences to the zero point: at most 255, exact as
          // well.
          input = at::sub(input, rescaling.input_zero);
        }
        const at::Tensor sums =
            at::avg_pool2d(input, window.kernel, window.stride, window.padding,
                           /*ceil_mode=*/false, /*count_include_pad=*/true, /*divisor_override=*/1);
        return requantise(sums.to(c10::kInt), rescaling.ratio, Clamp{});
      },
      [window, rescaling](const Layer& layer, const Network& /*network*/, const Tape& golden) {
        return make_average_pool_lists(window, rescaling, layer, golden);
      });
}

KernelPointer make_mean(std::vector<std::int64_t> dimensions, bool keep_dimensions,
                        const Rescaling& rescaling) {
  return kernel_of(
      [dimensions, keep_dimensions, rescaling](const Layer& layer, const Values& values) {
        const at::Tensor& input = operand(layer, values);
        const at::Tensor sums = at::sum(input, dimensions, keep_dimensions, c10::kInt);
        return rescaled(sums, sums.numel() == 0 ? 0 : input.numel() / sums.numel(), rescaling);
      },
      [dimensions, rescaling](const Layer& layer, const Network& /*network*/, const Tape& golden) {
        return make_mean_lists(dimensions, rescaling, layer, golden);
      });
}

KernelPointer make_concatenation(std::int64_t dimension,
                                 std::vector<std::optional<Rescaling>> rescalings) {
  return kernel_of(
      [dimension, rescalings](const Layer& layer, const Values& values) {
        std::vector<at::Tensor> parts;
        parts.reserve(rescalings.size());
        const std::vector<ValueId>& ids = layer.arguments.front().values;
        for (std::size_t i = 0; i < rescalings.size(); ++i) {
          const at::Tensor& part = values[ids[i].value].toTensor();
          parts.push_back(rescalings[i] ? rescaled(part, 1, *rescalings[i]) : part);
        }
        return at::cat(parts, dimension);
      },
      [dimension, rescalings](const Layer& layer, const Network& /*network*/, const Tape& golden) {
        std::vector<ElementTable> tables;
        for (const std::optional<Rescaling>& rescaling : rescalings) {
          tables.push_back(rescaling ? table_of(*rescaling) : ElementTable());
        }
        return make_concatenation_lists(dimension, std::move(tables), layer, golden);
      });
}

KernelPointer make_float_island(Layer inner, std::vector<IslandInput> inputs,
                                std::vector<Quantisation> outputs) {
  return std::make_shared<const FloatIsland>(std::move(inner), std::move(inputs),
                                             std::move(outputs));
}

}  // namespace tilestrike::dnn
