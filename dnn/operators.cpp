// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// To add an operator: one entry below, and a line in tests/dnn/export_operators.py that uses it.
#include "dnn/operators.h"

#include <algorithm>
#include <array>

#include "dnn/import/import.h"

namespace tilestrike::dnn {
namespace {

using enum ImportAs;

constexpr auto kOperators = std::to_array<Operator>({

    // Matrix products, which an accelerator's mesh computes.
    {"aten.conv2d.default", kCall, "", "2-D convolution with groups, stride, dilation", "int8"},
    {"aten.conv2d.padding", kCall, "", "2-D convolution, padding 'same' or 'valid'", "int8"},
    {"aten.convolution.default", kRename, "aten.conv2d.default",
     "convolution of any number of dimensions", "int8"},
    {"aten.conv1d.default", kCall, "", "1-D convolution", "float"},
    {"aten.conv3d.default", kCall, "", "3-D convolution", "float"},
    {"aten.conv_transpose2d.input", kCall, "", "2-D transposed convolution", "float"},
    {"aten.linear.default", kCall, "", "fully connected layer", "int8"},
    {"aten.addmm.default", kCall, "", "matrix product plus a bias", "int8"},
    {"aten.mm.default", kCall, "", "matrix product", "int8"},
    {"aten.matmul.default", kCall, "", "matrix product, of stacks of matrices too", "int8"},
    {"aten.bmm.default", kCall, "", "products of two stacks of matrices", "int8"},
    {"aten.baddbmm.default", kCall, "", "products of two stacks of matrices, plus a bias", "float"},
    {"aten.einsum.default", kCall, "", "products and sums over named dimensions", "float"},
    {"aten.scaled_dot_product_attention.default", kCall, "", "softmax(q k^T / sqrt(d)) v", "int8"},
    {"aten._scaled_dot_product_flash_attention_for_cpu.default", kCall, "",
     "softmax(q k^T / sqrt(d)) v", "float"},

    // Pairs of quantised networks (PT2E).
    {"quantized_decomposed.quantize_per_tensor.default", kCall, "", "float to integers", "int8"},
    {"quantized_decomposed.dequantize_per_tensor.default", kCall, "", "integers to float", "int8"},
    {"quantized_decomposed.quantize_per_channel.default", kCall, "", "float to integers by channel",
     "float"},
    {"quantized_decomposed.dequantize_per_channel.default", kCall, "",
     "integers to float by channel", "fused"},

    // Normalisation.
    {"aten.batch_norm.default", kCall, "", "batch norm with stored statistics", "fused"},
    {"aten._native_batch_norm_legit_no_training.default", kRename, "aten.batch_norm.default",
     "batch norm with stored statistics", "fused"},
    {"aten.layer_norm.default", kCall, "", "zero mean, unit variance over the last dimensions",
     "float"},
    {"aten.native_layer_norm.default", kRename, "aten.layer_norm.default",
     "zero mean, unit variance over the last dimensions", "float"},
    {"aten.group_norm.default", kCall, "", "zero mean, unit variance over groups of channels",
     "float"},
    {"aten.native_group_norm.default", kCall, "",
     "zero mean, unit variance over groups of channels", "float"},
    {"aten.var_mean.correction", kCall, "", "variance and mean over dimensions", "float"},

    // Pooling.
    {"aten.max_pool2d.default", kCall, "", "2-D max pooling", "int8"},
    {"aten.max_pool2d_with_indices.default", kRename, "aten.max_pool2d.default", "2-D max pooling",
     "int8"},
    {"aten.avg_pool2d.default", kCall, "", "2-D average pooling", "int8"},
    {"aten.adaptive_avg_pool2d.default", kCall, "", "average pooling to a given size", "int8"},
    {"aten._adaptive_avg_pool2d.default", kRename, "aten.adaptive_avg_pool2d.default",
     "average pooling to a given size", "int8"},
    {"aten.adaptive_avg_pool1d.default", kCall, "", "1-D average pooling to a given size", "float"},
    {"aten.adaptive_max_pool2d.default", kCall, "", "max pooling to a given size", "float"},
    {"aten.mean.dim", kCall, "", "mean over dimensions", "int8"},
    {"aten.mean.default", kCall, "", "mean over all elements", "float"},

    // Activations.
    {"aten.relu.default", kCall, "", "max(x, 0)", "fused"},
    {"aten.relu6.default", kCall, "", "min(max(x, 0), 6)", "fused"},
    {"aten.hardtanh.default", kCall, "", "x between two bounds", "fused"},
    {"aten.clamp.default", kCall, "", "x between two bounds", "fused"},
    {"aten.clamp_min.default", kCall, "", "x not below a bound", "float"},
    {"aten.clamp_max.default", kCall, "", "x not above a bound", "float"},
    {"aten.sigmoid.default", kCall, "", "1 / (1 + exp(-x))", "float"},
    {"aten.hardsigmoid.default", kCall, "", "relu6(x + 3) / 6", "float"},
    {"aten.silu.default", kCall, "", "x * sigmoid(x)", "float"},
    {"aten.mish.default", kCall, "", "x * tanh(log(1 + exp(x)))", "float"},
    {"aten.hardswish.default", kCall, "", "x * hardsigmoid(x)", "float"},
    {"aten.tanh.default", kCall, "", "hyperbolic tangent", "float"},
    {"aten.gelu.default", kCall, "", "x * Phi(x)", "float"},
    {"aten.leaky_relu.default", kCall, "", "x, or a * x where x is negative", "float"},
    {"aten.prelu.default", kCall, "", "x, or weight * x where x is negative", "float"},
    {"aten.elu.default", kCall, "", "x, or a * (exp(x) - 1) where x is negative", "float"},
    {"aten.softplus.default", kCall, "", "log(1 + exp(x))", "float"},
    {"aten.softmax.int", kCall, "", "exponentials, normalised", "float"},
    {"aten._softmax.default", kRename, "aten.softmax.int", "exponentials, normalised", "float"},
    {"aten.log_softmax.int", kCall, "", "logarithm of softmax", "float"},
    {"aten._log_softmax.default", kRename, "aten.log_softmax.int", "logarithm of softmax", "float"},

    // Arithmetic of one value.
    {"aten.neg.default", kCall, "", "-x", "float"},
    {"aten.abs.default", kCall, "", "magnitude", "float"},
    {"aten.sqrt.default", kCall, "", "square root", "float"},
    {"aten.rsqrt.default", kCall, "", "1 / square root", "float"},
    {"aten.exp.default", kCall, "", "exponential", "float"},
    {"aten.log.default", kCall, "", "natural logarithm", "float"},
    {"aten.log1p.default", kCall, "", "logarithm of 1 + x", "float"},
    {"aten.erf.default", kCall, "", "error function", "float"},
    {"aten.sin.default", kCall, "", "sine", "float"},
    {"aten.cos.default", kCall, "", "cosine", "float"},
    {"aten.floor.default", kCall, "", "largest whole number not above x", "float"},
    {"aten.reciprocal.default", kCall, "", "1 / x", "float"},
    {"aten.square.default", kCall, "", "x * x", "float"},
    {"aten.pow.Tensor_Scalar", kCall, "", "x to a power", "float"},
    {"aten.pow.Tensor_Tensor", kCall, "", "x to the power of y", "float"},
    {"aten.logical_not.default", kCall, "", "whether x is 0", "float"},
    {"aten.bitwise_not.default", kCall, "", "bits inverted; of truths: not", "float"},
    {"aten.sum.dim_IntList", kCall, "", "sum over dimensions", "float"},
    {"aten.sum.default", kCall, "", "sum over all elements", "float"},
    {"aten.amax.default", kCall, "", "maximum over dimensions", "float"},
    {"aten.amin.default", kCall, "", "minimum over dimensions", "float"},
    {"aten.max.dim", kCall, "", "maximum over a dimension, and where", "float"},
    {"aten.any.dim", kCall, "", "whether any over a dimension is not 0", "float"},
    {"aten.cumsum.default", kCall, "", "running sum", "float"},
    {"aten.argmax.default", kCall, "", "where the maximum is", "float"},
    {"aten.sort.default", kCall, "", "in order of size, and from where", "float"},
    {"aten.topk.default", kCall, "", "the k largest, and where", "float"},

    // Arithmetic of two values.
    {"aten.add.Tensor", kCall, "", "x + y", "int8"},
    {"aten.sub.Tensor", kCall, "", "x - y", "float"},
    {"aten.rsub.Scalar", kCall, "", "number - x", "float"},
    {"aten.mul.Tensor", kCall, "", "x * y", "float"},
    {"aten.div.Tensor", kCall, "", "x / y", "float"},
    {"aten.div.Tensor_mode", kCall, "", "x / y, rounded", "float"},
    {"aten.add.Scalar", kCall, "", "x + number", "float"},
    {"aten.sub.Scalar", kCall, "", "x - number", "float"},
    {"aten.mul.Scalar", kCall, "", "x * number", "float"},
    {"aten.div.Scalar", kCall, "", "x / number", "float"},
    {"aten.fmod.Scalar", kCall, "", "remainder with the sign of x", "float"},
    {"aten.remainder.Scalar", kCall, "", "remainder with the sign of the divisor", "float"},
    {"aten.maximum.default", kCall, "", "the larger one", "float"},
    {"aten.minimum.default", kCall, "", "the smaller one", "float"},
    {"aten.eq.Scalar", kCall, "", "x == number", "float"},
    {"aten.ne.Scalar", kCall, "", "x != number", "float"},
    {"aten.lt.Scalar", kCall, "", "x < number", "float"},
    {"aten.le.Scalar", kCall, "", "x <= number", "float"},
    {"aten.gt.Scalar", kCall, "", "x > number", "float"},
    {"aten.ge.Scalar", kCall, "", "x >= number", "float"},
    {"aten.eq.Tensor", kCall, "", "x == y", "float"},
    {"aten.lt.Tensor", kCall, "", "x < y", "float"},
    {"aten.gt.Tensor", kCall, "", "x > y", "float"},
    {"aten.logical_and.default", kCall, "", "both", "float"},
    {"aten.bitwise_and.Tensor", kCall, "", "bits that both have", "float"},
    {"aten.where.self", kCall, "", "one value where a condition holds, another elsewhere", "float"},
    {"aten.where.ScalarSelf", kCall, "", "a number where a condition holds, a value elsewhere",
     "float"},
    {"aten.where.ScalarOther", kCall, "", "a value where a condition holds, a number elsewhere",
     "float"},
    {"aten.masked_fill.Scalar", kCall, "", "a number where a mask is set", "float"},
    {"aten.masked_fill.Tensor", kCall, "", "a number where a mask is set", "float"},
    {"aten.cat.default", kCall, "", "concatenation", "int8"},
    {"aten.stack.default", kCall, "", "values beside each other in a new dimension", "float"},

    // Shapes.
    {"aten.flatten.using_ints", kCall, "", "dimensions made one", "int8"},
    {"aten.unflatten.int", kCall, "", "a dimension made several", "float"},
    {"aten.reshape.default", kCall, "", "another shape", "int8"},
    {"aten.reshape_as.default", kCall, "", "the shape of another value", "float"},
    {"aten.view.default", kCall, "", "another shape", "int8"},
    {"aten.as_strided.default", kRename, "aten.view.default",
     "another shape, or a view by strides of what lies row by row", "float"},
    {"aten._unsafe_view.default", kRename, "aten.view.default", "another shape", "int8"},
    {"aten.permute.default", kCall, "", "dimensions in another order", "int8"},
    {"aten.transpose.int", kCall, "", "two dimensions exchanged", "int8"},
    {"aten.t.default", kCall, "", "a matrix transposed", "int8"},
    {"aten.unsqueeze.default", kCall, "", "a dimension of size 1 more", "int8"},
    {"aten.squeeze.default", kCall, "", "dimensions of size 1 dropped", "int8"},
    {"aten.squeeze.dim", kCall, "", "a dimension of size 1 dropped", "int8"},
    {"aten.squeeze.dims", kCall, "", "dimensions of size 1 dropped", "int8"},
    {"aten.expand.default", kCall, "", "dimensions of size 1 repeated", "int8"},
    {"aten.expand_as.default", kCall, "",
     "dimensions of size 1 repeated, as another value has them", "float"},
    {"aten.repeat.default", kCall, "", "copies beside each other", "float"},
    {"aten.contiguous.default", kCall, "", "elements in row-major order", "int8"},
    {"aten.to.dtype", kCall, "", "another element type", "int8"},
    {"aten._to_copy.default", kCall, "", "another element type", "int8"},
    {"aten.type_as.default", kCall, "", "the element type of another value", "int8"},
    {"aten.constant_pad_nd.default", kCall, "", "a constant around the edges", "int8"},
    {"aten.pad.default", kCall, "", "padding around the edges", "int8"},
    {"aten.roll.default", kCall, "", "elements shifted around", "float"},
    {"aten.flip.default", kCall, "", "elements in the opposite order", "float"},
    {"aten.pixel_shuffle.default", kCall, "", "channels made pixels", "float"},
    {"aten.upsample_nearest2d.vec", kCall, "", "resized, nearest pixel", "float"},
    {"aten.upsample_bilinear2d.vec", kCall, "", "resized, between pixels", "float"},
    {"aten.upsample_bicubic2d.vec", kCall, "", "resized, by cubic curves", "float"},

    // Parts.
    {"aten.slice.Tensor", kCall, "", "a range of a dimension", "float"},
    {"aten.select.int", kCall, "", "one index of a dimension", "float"},
    {"aten.diagonal.default", kCall, "", "where two indices are equal", "float"},
    {"aten.narrow.default", kCall, "", "a range of a dimension", "float"},
    {"aten.chunk.default", kCall, "", "a number of equal parts", "float"},
    {"aten.split.Tensor", kCall, "", "parts of one size", "float"},
    {"aten.split_with_sizes.default", kCall, "", "parts of given sizes", "float"},
    {"aten.unbind.int", kCall, "", "all indices of a dimension", "float"},
    {"aten.index.Tensor", kCall, "", "elements at computed indices", "float"},
    {"aten.index_select.default", kCall, "", "indices of a dimension", "float"},
    {"aten.gather.default", kCall, "", "elements at computed indices of a dimension", "float"},
    {"aten.embedding.default", kCall, "", "rows of a table", "float"},
    {"aten.slice_scatter.default", kCall, "", "with another range of a dimension", "float"},
    {"aten.select_scatter.default", kCall, "", "with another index of a dimension", "float"},
    {"aten.diagonal_scatter.default", kCall, "", "with other elements where two indices are equal",
     "float"},
    {"aten.index_put.default", kCall, "", "with other elements at computed indices", "float"},
    {"aten.copy.default", kCall, "", "the elements of another value", "float"},
    {"aten.fill.Scalar", kCall, "", "one number everywhere", "float"},
    {"aten.fill.Tensor", kCall, "", "one number everywhere", "float"},
    {"aten.zero.default", kCall, "", "zeros", "float"},

    // Made from nothing.
    {"aten.zeros.default", kCall, "", "zeros", "float"},
    {"aten.ones.default", kCall, "", "ones", "float"},
    {"aten.full.default", kCall, "", "one number", "float"},
    {"aten.zeros_like.default", kCall, "", "zeros in the shape of another value", "float"},
    {"aten.ones_like.default", kCall, "", "ones in the shape of another value", "float"},
    {"aten.full_like.default", kCall, "", "one number in the shape of another value", "float"},
    {"aten.new_zeros.default", kCall, "", "zeros of the type of another value", "float"},
    {"aten.new_ones.default", kCall, "", "ones of the type of another value", "float"},
    {"aten.new_full.default", kCall, "", "one number of the type of another value", "float"},
    {"aten.empty.memory_format", kRename, "aten.zeros.default", "memory to write into; zeros here",
     "float"},
    {"aten.empty_strided.default", kRename, "aten.zeros.default",
     "memory to write into; zeros here", "float"},
    {"aten.empty_permuted.default", kRename, "aten.zeros.default",
     "memory to write into; zeros here", "float"},
    {"aten.empty_like.default", kRename, "aten.zeros_like.default",
     "memory to write into; zeros here", "float"},
    {"aten.new_empty.default", kRename, "aten.new_zeros.default",
     "memory to write into; zeros here", "float"},
    {"aten.new_empty_strided.default", kRename, "aten.new_zeros.default",
     "memory to write into; zeros here", "float"},
    {"aten.arange.default", kCall, "", "0, 1, 2, ...", "float"},
    {"aten.arange.start", kCall, "", "whole numbers of a range", "float"},
    {"aten.arange.start_step", kCall, "", "numbers of a range", "float"},
    {"aten.linspace.default", kCall, "", "numbers at equal distances", "float"},
    {"aten.scalar_tensor.default", kCall, "", "a number as a tensor", "float"},
    {"aten.tril.default", kCall, "", "zeros above a diagonal", "float"},
    {"aten.triu.default", kCall, "", "zeros below a diagonal", "float"},

    // Nothing at all, in evaluation.
    {"aten.dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.feature_dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.alpha_dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.clone.default", kCall, "", "a copy, or another layout", "int8"},
    {"aten.lift_fresh_copy.default", kIdentity, "", "a copy of a literal", ""},
    {"aten.alias.default", kIdentity, "", "the same tensor", ""},
    {"aten.detach.default", kIdentity, "", "the same tensor", ""},
    {"aten._assert_tensor_metadata.default", kIgnored, "", "a check of the exporter", ""},

    // Sizes that depend on the batch.
    {"aten.sym_size.int", kCall, "", "the size of a dimension", ""},
    {"_operator.add", kSymbolic, "", "sum of two sizes", ""},
    {"_operator.sub", kSymbolic, "", "difference of two sizes", ""},
    {"_operator.mul", kSymbolic, "", "product of two sizes", ""},
    {"_operator.floordiv", kSymbolic, "", "quotient of two sizes, rounded down", ""},
    {"_operator.mod", kSymbolic, "", "remainder of two sizes", ""},
    {"_operator.truediv", kSymbolic, "", "quotient of two sizes", ""},
    {"torch.sym_max", kSymbolic, "", "the larger size", ""},
    {"torch.sym_min", kSymbolic, "", "the smaller size", ""},
    {"_operator.neg", kSymbolic, "", "a size with the other sign", ""},
    {"_operator.pow", kSymbolic, "", "a size to a power", ""},
    {"_operator.eq", kSymbolic, "", "whether two sizes are equal", ""},
    {"_operator.ne", kSymbolic, "", "whether two sizes differ", ""},
    {"_operator.lt", kSymbolic, "", "whether a size is below another", ""},
    {"_operator.le", kSymbolic, "", "whether a size is not above another", ""},
    {"_operator.gt", kSymbolic, "", "whether a size is above another", ""},
    {"_operator.ge", kSymbolic, "", "whether a size is not below another", ""},
    {"_operator.and_", kSymbolic, "", "both", ""},
    {"_operator.or_", kSymbolic, "", "one of both", ""},
    {"torch.sym_not", kSymbolic, "", "the opposite", ""},
    {"torch.sym_int", kSymbolic, "", "a number without its fraction", ""},
    {"math.trunc", kSymbolic, "", "a number without its fraction", ""},
    {"torch.sym_sqrt", kSymbolic, "", "square root of a size", ""},
    {"torch.sym_float", kSymbolic, "", "a size as a floating-point number", ""},
});

/// "aten.relu_.default" -> {"aten.", "relu_", ".default"}.
struct TargetParts {
  std::string_view space, name, overload;
};
TargetParts parts_of(std::string_view target) {
  const std::size_t begin = target.find('.') + 1;  // 0 when there is no dot
  const std::size_t end = std::min(target.find('.', begin), target.size());
  return {target.substr(0, begin), target.substr(begin, end - begin), target.substr(end)};
}

}  // namespace

std::span<const Operator> operators() { return kOperators; }

std::string functional_form(std::string_view target) {
  const TargetParts parts = parts_of(target);
  std::string name(parts.name);
  if (parts.space == "aten." && name.size() > 1 && name.back() == '_') {
    if (!name.ends_with("__")) {
      name.pop_back();
    } else if (name.starts_with("__i")) {  // of "__iand__" it is "__and__"
      name.erase(2, 1);
    }
  }
  return std::string(parts.space) + name + std::string(parts.overload);
}

std::string short_name(std::string_view target) {
  return std::string(parts_of(functional_form(target)).name);
}

const Operator* find_operator(std::string_view target) {
  const auto found = std::ranges::find(kOperators, functional_form(target), &Operator::target);
  return found == kOperators.end() ? nullptr : &*found;
}

const std::vector<OperatorInfo>& known_operators() {
  static const std::vector<OperatorInfo> all = [] {
    std::vector<OperatorInfo> list;
    for (const Operator& entry : kOperators) {
      list.push_back(
          {std::string(entry.target), std::string(entry.help), std::string(entry.quantised)});
    }
    list.push_back(
        {"any other", "LibTorch's own kernel, if it is functional and deterministic", "float"});
    return list;
  }();
  return all;
}

}  // namespace tilestrike::dnn
