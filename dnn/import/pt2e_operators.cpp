// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/pt2e_operators.h"

#include <ATen/ops/add.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <torch/library.h>

namespace tilestrike::dnn {
namespace {

at::Tensor quantize_per_tensor(const at::Tensor& input, double scale, std::int64_t zero_point,
                               std::int64_t quant_min, std::int64_t quant_max,
                               at::ScalarType dtype) {
  const at::Tensor rounded = at::round(at::mul(input, 1.0 / scale));
  return at::clamp(at::add(rounded, zero_point), quant_min, quant_max).to(dtype);
}

at::Tensor dequantize_per_tensor(const at::Tensor& input, double scale, std::int64_t zero_point,
                                 std::int64_t quant_min, std::int64_t quant_max,
                                 at::ScalarType dtype, std::optional<at::ScalarType> out_dtype) {
  (void)quant_min, (void)quant_max, (void)dtype;
  return at::mul(at::sub(input.to(out_dtype.value_or(at::kFloat)), zero_point), scale);
}

/// One number per channel, shaped to go along `axis`.
at::Tensor along(const at::Tensor& per_channel, const at::Tensor& input, std::int64_t axis) {
  TORCH_CHECK(axis >= 0 && axis < input.dim() && per_channel.numel() == input.size(axis),
              "scales or zero points do not fit axis ", axis);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(input.dim()), 1);
  sizes[static_cast<std::size_t>(axis)] = input.size(axis);
  return per_channel.view(sizes);
}

at::Tensor quantize_per_channel(const at::Tensor& input, const at::Tensor& scales,
                                const at::Tensor& zero_points, std::int64_t axis,
                                std::int64_t quant_min, std::int64_t quant_max,
                                at::ScalarType dtype) {
  const at::Tensor rounded = at::round(at::mul(input, at::reciprocal(along(scales, input, axis))));
  return at::clamp(at::add(rounded, along(zero_points, input, axis)), quant_min, quant_max)
      .to(dtype);
}

at::Tensor dequantize_per_channel(const at::Tensor& input, const at::Tensor& scales,
                                  const std::optional<at::Tensor>& zero_points, std::int64_t axis,
                                  std::int64_t quant_min, std::int64_t quant_max,
                                  at::ScalarType dtype, std::optional<at::ScalarType> out_dtype) {
  (void)quant_min, (void)quant_max, (void)dtype;
  const at::Tensor shifted = zero_points && zero_points->defined()
                                 ? at::sub(input, along(*zero_points, input, axis))
                                 : input;
  return at::mul(shifted, along(scales, input, axis)).to(out_dtype.value_or(at::kFloat));
}

bool define_all() {
  // Lives as long as the process: LibTorch forgets the operators with it.
  static torch::Library library(torch::Library::FRAGMENT, "quantized_decomposed", std::nullopt,
                                __FILE__, __LINE__);
  const auto define = [](const char* name, const char* schema, auto* function) {
    const c10::OperatorName full{std::string("quantized_decomposed::") + name, ""};
    if (!c10::Dispatcher::singleton().findSchema(full)) {
      library.def((std::string(name) + schema).c_str(), function);
    }
  };
  define("quantize_per_tensor",
         "(Tensor input, float scale, int zero_point, int quant_min, int quant_max, ScalarType "
         "dtype) -> Tensor",
         &quantize_per_tensor);
  define("dequantize_per_tensor",
         "(Tensor input, float scale, int zero_point, int quant_min, int quant_max, ScalarType "
         "dtype, *, ScalarType? out_dtype=None) -> Tensor",
         &dequantize_per_tensor);
  define("quantize_per_channel",
         "(Tensor input, Tensor scales, Tensor zero_points, int axis, int quant_min, int "
         "quant_max, ScalarType dtype) -> Tensor",
         &quantize_per_channel);
  define("dequantize_per_channel",
         "(Tensor input, Tensor scales, Tensor? zero_points, int axis, int quant_min, int "
         "quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> Tensor",
         &dequantize_per_channel);
  return true;
}

}  // namespace

void define_pt2e_operators() {
  static const bool is_defined = define_all();
  (void)is_defined;
}

}  // namespace tilestrike::dnn
