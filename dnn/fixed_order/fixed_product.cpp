// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/fixed_order/fixed_product.h"

#include <ATen/ExpandUtils.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <optional>

#include "dnn/differential/batched_product_lists.h"
#include "dnn/differential/fixed_order_lists.h"
#include "dnn/layer_arguments.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

using Form = FixedProduct::Form;

/// What a layer says of its operands.
class Reader {
 public:
  Reader(const Layer& layer, const Network& network)
      : layer_(layer), network_(network), arguments_(layer, network.constants) {}

  std::optional<Form> form() const {
    const std::string name = short_name(layer_.target);
    if (name == "conv2d" || name == "conv1d" || name == "convolution") {
      return convolution();
    }
    if (name == "linear") {
      return product({.shape = {.is_convolution = false}, .has_bias = has("bias")});
    }
    if (name == "mm" || name == "bmm" || name == "matmul") {
      return product({.shape = {.is_convolution = false},
                      .is_transposed = true,
                      .is_batched = dimensions(1) > 2});
    }
    if (name == "addmm" && arguments_.real("beta") == 1.0 && arguments_.real("alpha") == 1.0 &&
        dimensions(0) == 1) {
      return product({.shape = {.is_convolution = false},
                      .input = 1,
                      .weight = 2,
                      .bias = 0,
                      .has_bias = true,
                      .is_transposed = true});
    }
    return std::nullopt;
  }

 private:
  const ValueInfo* info(std::size_t argument) const {
    const Argument& given = layer_.arguments[argument];
    return given.kind == Argument::Kind::kValue ? &network_.info(given.values.front()) : nullptr;
  }
  bool has(std::string_view name) const { return !arguments_.values(name).empty(); }
  std::size_t dimensions(std::size_t argument) const {
    return info(argument) == nullptr ? 0 : info(argument)->sizes.size();
  }
  bool is_float(std::size_t argument) const {
    return info(argument) != nullptr && info(argument)->type == c10::ScalarType::Float;
  }
  /// Whether the operands are float32 tensors, and the bias one number for each output.
  std::optional<Form> checked(const Form& form) const {
    const ValueId output = layer_.outputs.front();
    const bool is_all_float = is_float(form.input) && is_float(form.weight) &&
                              (!form.has_bias || is_float(form.bias)) && output.value >= 0 &&
                              network_.info(output).type == c10::ScalarType::Float;
    const bool has_plain_bias =
        !form.has_bias ||
        (dimensions(form.bias) == 1 && info(form.bias)->sizes.front() == form.shape.out_channels);
    return is_all_float && has_plain_bias ? std::optional(form) : std::nullopt;
  }

  std::optional<Form> product(Form form) const {
    if (dimensions(form.weight) < 2) {
      return std::nullopt;
    }
    const std::vector<std::int64_t>& sizes = info(form.weight)->sizes;
    const std::int64_t last = sizes.back(), other = sizes[sizes.size() - 2];
    form.shape.in_channels = form.is_transposed ? other : last;
    form.shape.out_channels = form.is_transposed ? last : other;
    if (!form.is_batched && (form.shape.in_channels < 1 || form.shape.out_channels < 1)) {
      return std::nullopt;
    }
    return checked(form);
  }

  std::optional<Form> convolution() const {
    const bool is_flat = dimensions(1) == 3;
    if ((dimensions(1) != 4 && !is_flat) || arguments_.boolean("transposed")) {
      return std::nullopt;
    }
    Form form;
    form.has_bias = has("bias");
    const std::vector<std::int64_t>& sizes = info(1)->sizes;  // (O, I / groups, lines, columns)
    const std::int64_t groups = static_cast<std::int64_t>(arguments_.real("groups").value_or(1.0));
    form.shape.groups = groups;
    form.shape.out_channels = sizes[0];
    form.shape.in_channels = sizes[1] * groups;
    form.shape.kernel = {is_flat ? 1 : sizes[2], sizes.back()};
    const auto read = [&](std::string_view name, std::array<std::int64_t, 2>& pair) {
      const auto given = arguments_.integers(name);
      if (!given || given->empty() || given->size() > 2) {
        return false;
      }
      pair[1] = given->back();
      pair[0] = is_flat ? pair[0] : given->front();
      return true;
    };
    if (!read("stride", form.shape.stride) || !read("padding", form.shape.padding) ||
        !read("dilation", form.shape.dilation)) {
      return std::nullopt;
    }
    return checked(form);
  }

  const Layer& layer_;
  const Network& network_;
  LayerArguments arguments_;
};

const float* floats_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

}  // namespace

MatrixGeometry planes_of(const MatrixShape& shape, const at::Tensor& input,
                         const at::Tensor& output) {
  return shape.is_convolution && input.dim() == 3
             ? MatrixGeometry::of(shape, input.unsqueeze(2), output.unsqueeze(2))
             : MatrixGeometry::of(shape, input, output);
}

std::shared_ptr<const Kernel> FixedProduct::make(const Layer& layer, const Network& network,
                                                 std::shared_ptr<const bool> is_on) {
  const std::optional<Form> form = Reader(layer, network).form();
  return form ? std::make_shared<FixedProduct>(*form, layer.kernel, std::move(is_on)) : nullptr;
}

void FixedProduct::run(const Layer& layer, Values& values) const {
  const auto tensor = [&](ValueId id) { return values[id.value].toTensor(); };
  if (!*is_on_) {
    other_->run(layer, values);
    return;
  }
  const at::Tensor input = tensor(input_of(layer)), weight = tensor(weight_of(layer));
  const at::Tensor bias = form_.has_bias ? tensor(bias_of(layer)).contiguous() : at::Tensor();
  const at::Tensor output = form_.is_batched ? products(input, weight)
                                             : sums(input.contiguous(), weight.contiguous(), bias);
  if (output.defined()) {
    values[layer.outputs.front().value] = output;
  } else {
    other_->run(layer, values);  // says what is wrong with the sizes
  }
}

const PackedWeights& FixedProduct::packed(const at::Tensor& weight, const at::Tensor& bias) const {
  if (packed_ == nullptr) {
    packed_ = std::make_unique<PackedWeights>(form_.shape);
  }
  const std::int64_t outputs = form_.shape.out_channels, depth = form_.shape.depth();
  packed_->follow(weight.const_data_ptr<float>(), form_.is_transposed ? 1 : depth,
                  form_.is_transposed ? outputs : 1, floats_of(bias));
  return *packed_;
}

/// Empty: the input is too small, or not of the layer's channels. What leads the channels of a
/// convolution over images (their numbers; of a spiking network ticks, too) stays as it is.
std::vector<std::int64_t> FixedProduct::output_sizes(const at::Tensor& input) const {
  const MatrixShape& shape = form_.shape;
  std::vector<std::int64_t> sizes = input.sizes().vec();
  const std::size_t sides = shape.is_convolution ? (sizes.size() == 3 ? 1 : 2) : 0;
  const std::size_t channels = sizes.size() - 1 - sides;
  if (input.numel() == 0 || sizes[channels] != shape.in_channels) {
    return {};
  }
  sizes[channels] = shape.out_channels;
  for (std::size_t i = 0; i < sides; ++i) {
    const std::size_t side = i + 2 - sides;  // of one dimension: the columns
    const std::int64_t reach = shape.dilation[side] * (shape.kernel[side] - 1) + 1;
    const std::int64_t room = sizes[channels + 1 + i] + 2 * shape.padding[side] - reach;
    if (room < 0) {
      return {};
    }
    sizes[channels + 1 + i] = room / shape.stride[side] + 1;
  }
  return sizes;
}

at::Tensor FixedProduct::sums(const at::Tensor& input, const at::Tensor& weight,
                              const at::Tensor& bias) const {
  const bool has_images = !form_.shape.is_convolution || input.dim() == weight.dim() ||
                          (weight.dim() == 4 && input.dim() > 4);
  const std::vector<std::int64_t> sizes =
      has_images ? output_sizes(input) : std::vector<std::int64_t>();
  if (sizes.empty()) {
    return {};
  }
  at::Tensor output = at::empty(sizes, input.options());
  const MatrixGeometry planes = planes_of(form_.shape, input, output);
  if (sums_ == nullptr || !(sums_->planes() == planes)) {
    sums_ = std::make_unique<FixedSums>(form_.shape, planes);
  }
  const auto* from = input.const_data_ptr<float>();
  auto* to = output.mutable_data_ptr<float>();
  if (!sums_->prefers_channels()) {
    sums_->all(from, packed(weight, bias), to);
    return output;
  }
  for (std::int64_t image = 0; image < planes.images; ++image) {
    for (std::int64_t channel = 0; channel < planes.outputs; ++channel) {
      sums_->channel_sums(from, floats_of(weight) + channel * form_.shape.depth(),
                          bias.defined() ? floats_of(bias)[channel] : 0.0F, image, channel, to);
      to += planes.out_pixels();
    }
  }
  return output;
}

at::Tensor FixedProduct::products(const at::Tensor& left, const at::Tensor& right) const {
  if (left.dim() < 2 || right.dim() < 2) {
    return {};
  }
  const at::IntArrayRef l = left.sizes(), r = right.sizes();
  const std::int64_t rows = l[l.size() - 2], depth = l.back(), columns = r.back();
  if (r[r.size() - 2] != depth || left.numel() == 0 || right.numel() == 0) {
    return {};
  }
  std::vector<std::int64_t> batch =
      at::infer_size(l.slice(0, l.size() - 2), r.slice(0, r.size() - 2));
  const auto expanded = [&](const at::Tensor& tensor, std::int64_t m, std::int64_t n) {
    std::vector<std::int64_t> sizes = batch;
    sizes.insert(sizes.end(), {m, n});
    return tensor.expand(sizes).contiguous();
  };
  const at::Tensor a = expanded(left, rows, depth), b = expanded(right, depth, columns);
  std::vector<std::int64_t> sizes = batch;
  sizes.insert(sizes.end(), {rows, columns});
  at::Tensor output = at::empty(sizes, left.options());
  auto* to = output.mutable_data_ptr<float>();
  for (std::int64_t row = 0; row < output.numel() / columns; ++row) {
    product_row(floats_of(a) + row * depth, floats_of(b) + row / rows * depth * columns, depth,
                columns, to + row * columns);
  }
  return output;
}

std::unique_ptr<ListKernel> FixedProduct::lists(const Layer& layer, const Network& /*network*/,
                                                const Tape& golden) const {
  return form_.is_batched ? make_batched_product_lists(*this, layer, golden)
                          : make_fixed_order_lists(*this, layer, golden);
}

const FixedProduct* fixed_product(const Layer& layer) {
  return dynamic_cast<const FixedProduct*>(layer.kernel.get());
}

}  // namespace tilestrike::dnn
