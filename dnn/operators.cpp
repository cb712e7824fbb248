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
    {"aten.convolution.default", kRename, "aten.conv2d.default", "2-D convolution", "int8"},
    {"aten.linear.default", kCall, "", "fully connected layer", "int8"},
    {"aten.addmm.default", kCall, "", "matrix product plus a bias", "int8"},
    {"aten.mm.default", kCall, "", "matrix product", "int8"},
    {"aten.matmul.default", kCall, "", "matrix product", "int8"},

    // Normalisation.
    {"aten.batch_norm.default", kCall, "", "batch norm with stored statistics", "fused"},
    {"aten._native_batch_norm_legit_no_training.default", kRename, "aten.batch_norm.default",
     "batch norm with stored statistics", "fused"},

    // Pooling.
    {"aten.max_pool2d.default", kCall, "", "2-D max pooling", "int8"},
    {"aten.max_pool2d_with_indices.default", kRename, "aten.max_pool2d.default", "2-D max pooling",
     "int8"},
    {"aten.avg_pool2d.default", kCall, "", "2-D average pooling", "int8"},
    {"aten.adaptive_avg_pool2d.default", kCall, "", "average pooling to a given size", "int8"},
    {"aten._adaptive_avg_pool2d.default", kRename, "aten.adaptive_avg_pool2d.default",
     "average pooling to a given size", "int8"},
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
    {"aten.hardswish.default", kCall, "", "x * hardsigmoid(x)", "float"},
    {"aten.tanh.default", kCall, "", "hyperbolic tangent", "float"},
    {"aten.gelu.default", kCall, "", "x * Phi(x)", "float"},
    {"aten.leaky_relu.default", kCall, "", "x, or a * x where x is negative", "float"},
    {"aten.elu.default", kCall, "", "x, or a * (exp(x) - 1) where x is negative", "float"},
    {"aten.softmax.int", kCall, "", "exponentials, normalised", "float"},
    {"aten._softmax.default", kRename, "aten.softmax.int", "exponentials, normalised", "float"},
    {"aten.log_softmax.int", kCall, "", "logarithm of softmax", "float"},
    {"aten._log_softmax.default", kRename, "aten.log_softmax.int", "logarithm of softmax", "float"},

    // Arithmetic of two values.
    {"aten.add.Tensor", kCall, "", "x + y", "int8"},
    {"aten.sub.Tensor", kCall, "", "x - y", "float"},
    {"aten.mul.Tensor", kCall, "", "x * y", "float"},
    {"aten.div.Tensor", kCall, "", "x / y", "float"},
    {"aten.add.Scalar", kCall, "", "x + number", "float"},
    {"aten.sub.Scalar", kCall, "", "x - number", "float"},
    {"aten.mul.Scalar", kCall, "", "x * number", "float"},
    {"aten.div.Scalar", kCall, "", "x / number", "float"},
    {"aten.cat.default", kCall, "", "concatenation", "int8"},

    // Shapes.
    {"aten.flatten.using_ints", kCall, "", "dimensions made one", "int8"},
    {"aten.reshape.default", kCall, "", "another shape", "int8"},
    {"aten.view.default", kCall, "", "another shape", "int8"},
    {"aten._unsafe_view.default", kRename, "aten.view.default", "another shape", "int8"},
    {"aten.permute.default", kCall, "", "dimensions in another order", "int8"},
    {"aten.transpose.int", kCall, "", "two dimensions exchanged", "int8"},
    {"aten.t.default", kCall, "", "a matrix transposed", "int8"},
    {"aten.unsqueeze.default", kCall, "", "a dimension of size 1 more", "int8"},
    {"aten.squeeze.default", kCall, "", "dimensions of size 1 dropped", "int8"},
    {"aten.squeeze.dim", kCall, "", "a dimension of size 1 dropped", "int8"},
    {"aten.squeeze.dims", kCall, "", "dimensions of size 1 dropped", "int8"},
    {"aten.expand.default", kCall, "", "dimensions of size 1 repeated", "int8"},
    {"aten.contiguous.default", kCall, "", "elements in row-major order", "int8"},
    {"aten.to.dtype", kCall, "", "another element type", "float"},
    {"aten._to_copy.default", kCall, "", "another element type", "float"},
    {"aten.constant_pad_nd.default", kCall, "", "a constant around the edges", "int8"},
    {"aten.pad.default", kCall, "", "padding around the edges", "float"},

    // Nothing at all, in evaluation.
    {"aten.dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.feature_dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.alpha_dropout.default", kIdentity, "", "nothing, in evaluation", ""},
    {"aten.clone.default", kIdentity, "aten.contiguous.default", "a copy, or another layout", ""},
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
  const bool is_in_place = parts.name.size() > 1 && parts.name.back() == '_';
  const auto name = parts.name.substr(0, parts.name.size() - (is_in_place ? 1 : 0));
  return std::string(parts.space) + std::string(name) + std::string(parts.overload);
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
    return list;
  }();
  return all;
}

}  // namespace tilestrike::dnn
