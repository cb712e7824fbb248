// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/integer_layers.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "dnn/differential/matrix_lists.h"
#include "dnn/integer/kernels.h"

namespace tilestrike::dnn {
namespace {

constexpr double kExactInFloat64 = 9007199254740992.0;  // 2^53

std::int64_t absolute(std::int64_t value) { return value < 0 ? -value : value; }

/// What the channels of one layer may reach.
struct Reach {
  std::int64_t products = 0;             // max over channels of max|a| * sum|w|
  std::int64_t sums = 0;                 // max over channels of that + |bias|
  std::int64_t channel = 0;              // where `products` is reached
  std::vector<std::int64_t> magnitudes;  // sum|w| by channel
};

Reach reach_of(const at::Tensor& weight, const at::Tensor& bias, std::int64_t most_input) {
  const auto* weights = weight.const_data_ptr<std::int8_t>();
  const std::int32_t* biases = bias.defined() ? bias.const_data_ptr<std::int32_t>() : nullptr;
  const std::int64_t depth = weight.numel() / weight.size(0);
  Reach reach;
  for (std::int64_t channel = 0; channel < weight.size(0); ++channel) {
    std::int64_t magnitude = 0;
    for (std::int64_t i = 0; i < depth; ++i) {
      magnitude += absolute(weights[channel * depth + i]);
    }
    reach.magnitudes.push_back(magnitude);
    const std::int64_t products = most_input * magnitude;
    if (products > reach.products) {
      reach.products = products;
      reach.channel = channel;
    }
    const std::int64_t bias_here = biases == nullptr ? 0 : absolute(biases[channel]);
    reach.sums = std::max(reach.sums, products + bias_here);
  }
  return reach;
}

std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.sizes()) {
    text += (text.empty() ? "" : " x ") + std::to_string(size);
  }
  return text;
}

// -- The self-test: the chosen arithmetic against plain integers on inputs of few pixels
// -----------

/// The layer on few pixels, whatever its dilation and padding: libraries tell dilated from dense
/// and padded from not, and each output still reads every weight. The cost of a self-test is that
/// of some pixels then, and not of an image that grows with the dilation.
MatrixShape test_shape(MatrixShape shape) {
  for (int i = 0; i < 2; ++i) {
    shape.dilation[i] = std::min<std::int64_t>(shape.dilation[i], 2);
    shape.padding[i] = std::min<std::int64_t>(shape.padding[i], 1);
  }
  return shape;
}

/// int8 (2, ...), on the CPU: image 0 drives the worst channel to its bound, image 1 is random.
at::Tensor test_input(const MatrixShape& shape, const at::Tensor& weight, std::int64_t worst,
                      int most_input) {
  const auto least = static_cast<std::int8_t>(-most_input);
  const auto most = static_cast<std::int8_t>(std::min(most_input, 127));
  std::array<std::int64_t, 2> size{1, 1};
  for (int i = 0; i < 2; ++i) {
    size[i] = std::max<std::int64_t>(shape.dilation[i] * (shape.kernel[i] - 1) + 1, 2);
  }
  const std::int64_t pixels = shape.is_convolution ? size[0] * size[1] : 1;
  const std::int64_t count = shape.in_channels * pixels;
  at::Tensor input =
      shape.is_convolution
          ? at::empty({2, shape.in_channels, size[0], size[1]}, at::dtype(c10::kChar))
          : at::empty({2, shape.in_channels}, at::dtype(c10::kChar));
  auto* data = input.mutable_data_ptr<std::int8_t>();
  std::fill_n(data, count, least);
  RandomStream stream(1, 0, Purpose::kTest);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto drawn = static_cast<std::int8_t>(stream.next() >> 56);
    data[count + i] = std::clamp(drawn, least, most);
  }
  const auto* weights = weight.const_data_ptr<std::int8_t>() + worst * shape.depth();
  const std::int64_t group_inputs = shape.in_channels / shape.groups;
  const std::int64_t first = worst / (shape.out_channels / shape.groups) * group_inputs;
  for (std::int64_t c = 0; c < group_inputs; ++c) {
    for (std::int64_t ky = 0; ky < shape.kernel[0]; ++ky) {
      for (std::int64_t kx = 0; kx < shape.kernel[1]; ++kx) {
        const std::int64_t pixel =
            shape.is_convolution ? ky * shape.dilation[0] * size[1] + kx * shape.dilation[1] : 0;
        const bool is_positive = *weights++ > 0;
        data[(first + c) * pixels + pixel] = is_positive ? most : least;
      }
    }
  }
  return input;
}

/// What the output at (y, x) reads of the planes of a group, in the order of the weights.
void gather(const MatrixShape& shape, const std::int8_t* planes, std::int64_t height,
            std::int64_t width, std::int64_t y, std::int64_t x, std::int8_t padded,
            std::vector<std::int8_t>& read) {
  auto* out = read.data();
  const std::int64_t top = y * shape.stride[0] - shape.padding[0];
  const std::int64_t left = x * shape.stride[1] - shape.padding[1];
  for (std::int64_t c = 0; c < shape.in_channels / shape.groups; ++c) {
    const std::int8_t* plane = planes + c * height * width;
    for (std::int64_t ky = 0; ky < shape.kernel[0]; ++ky) {
      const std::int64_t iy = top + ky * shape.dilation[0];
      for (std::int64_t kx = 0; kx < shape.kernel[1]; ++kx) {
        const std::int64_t ix = left + kx * shape.dilation[1];
        const bool is_inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
        *out++ = is_inside ? plane[iy * width + ix] : padded;
      }
    }
  }
}

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// int32 sums without bias, by definition.
at::Tensor plain_sums(const MatrixShape& shape, const at::Tensor& weight, const at::Tensor& input,
                      int input_zero) {
  const std::int64_t height = shape.is_convolution ? input.size(2) : 1;
  const std::int64_t width = shape.is_convolution ? input.size(3) : 1;
  const auto out_size = [&](int i, std::int64_t size) {
    const std::int64_t reach = shape.dilation[i] * (shape.kernel[i] - 1) + 1;
    return (size + 2 * shape.padding[i] - reach) / shape.stride[i] + 1;
  };
  const std::int64_t out_height = out_size(0, height), out_width = out_size(1, width);
  const std::int64_t out_pixels = out_height * out_width;
  at::Tensor result = shape.is_convolution
                          ? at::empty({input.size(0), shape.out_channels, out_height, out_width},
                                      at::dtype(c10::kInt))
                          : at::empty({input.size(0), shape.out_channels}, at::dtype(c10::kInt));
  auto* out = result.mutable_data_ptr<std::int32_t>();
  const auto* weights = weight.const_data_ptr<std::int8_t>();
  const std::int64_t depth = shape.depth();
  const std::int64_t group_inputs = shape.in_channels / shape.groups;
  const std::int64_t group_outputs = shape.out_channels / shape.groups;
  std::vector<std::int8_t> read(static_cast<std::size_t>(depth));
  for (std::int64_t image = 0; image < input.size(0); ++image) {
    for (std::int64_t group = 0; group < shape.groups; ++group) {
      const auto* planes = input.const_data_ptr<std::int8_t>() +
                           (image * shape.in_channels + group * group_inputs) * height * width;
      for (std::int64_t pixel = 0; pixel < out_pixels; ++pixel) {
        gather(shape, planes, height, width, pixel / out_width, pixel % out_width,
               static_cast<std::int8_t>(input_zero), read);
        for (std::int64_t o = group * group_outputs; o < (group + 1) * group_outputs; ++o) {
          out[(image * shape.out_channels + o) * out_pixels + pixel] =
              dot(weights + o * depth, read.data(), depth);
        }
      }
    }
  }
  return result;
}

// -- The kernel
// -------------------------------------------------------------------------------------

class ExactMatrixKernel final : public MatrixKernel {
 public:
  ExactMatrixKernel(Parameters parameters, const std::string& layer)
      : parameters_(std::move(parameters)) {
    const at::Tensor weight = parameters_.weight.cpu();
    const at::Tensor bias = parameters_.bias.defined() ? parameters_.bias.cpu() : at::Tensor();
    const Reach reach = reach_of(weight, bias, parameters_.most_input);
    if (reach.sums > std::numeric_limits<std::int32_t>::max()) {
      fail(ErrorCode::kUnsupported,
           "layer '" + layer + "': its accumulators could reach " + std::to_string(reach.sums) +
               ", more than int32 holds",
           {}, "split the layer, or make its weights (" + shape_text(weight) + ") smaller");
    }
    bound_ = static_cast<double>(reach.products);
    TS_CHECK(bound_ <= kExactInFloat64, "int32 is narrower than float64's significand");
    if (parameters_.scale.defined()) {
      scale_ = along_channels(parameters_.scale);
    }
    magnitudes_ = reach.magnitudes;
    choose_path(weight, reach, layer);
    path_of_golden_ = path_;
  }

  const Parameters& parameters() const override { return parameters_; }
  ExactPath path() const override { return path_; }
  double bound() const override { return bound_; }
  ValueId input_of(const Layer& layer) const override { return layer.inputs.front(); }

  at::Tensor accumulate(const at::Tensor& input, const at::Tensor& /*right*/) const override {
    const at::Tensor result = sums(parameters_.shape, input);
    return to_accumulators(result, layout_of(result), parameters_.bias);
  }

  at::Tensor requantise(const at::Tensor& accumulators) const override {
    if (scale_.defined()) {
      return at::mul(accumulators, scale_).to(parameters_.type);
    }
    if (!parameters_.multiplier.defined()) {
      return accumulators;
    }
    return dnn::requantise(accumulators, layout_of(accumulators), parameters_.multiplier,
                           parameters_.shift, {parameters_.low, parameters_.high},
                           parameters_.output_zero);
  }

  std::int64_t weights_version() const override { return version_; }

  void weights_changed(std::span<const WordFault> faults) const override {
    ++version_;
    if (!parameters_.weight.is_cpu()) {  // float64, which holds any int8 weights
      operand_.copy_(parameters_.weight);
      return;
    }
    if (path_ == ExactPath::kFloat32) {
      follow<float>(faults);
    } else {
      follow<double>(faults);
    }
    bound_ = static_cast<double>(parameters_.most_input *
                                 *std::max_element(magnitudes_.begin(), magnitudes_.end()));
    const ExactPath needed = bound_ > kExactInFloat32 ? ExactPath::kFloat64 : path_of_golden_;
    if (needed != path_) {
      path_ = needed;
      operand_ = parameters_.weight.to(needed == ExactPath::kFloat32 ? c10::kFloat : c10::kDouble);
    }
  }

  void run(const Layer& layer, Values& values) const override {
    values[layer.outputs.front().value] = requantise(accumulators_of(layer, values));
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    return make_matrix_lists(*this, layer, golden);
  }

 private:
  at::Tensor along_channels(const at::Tensor& per_channel) const {
    return parameters_.shape.is_convolution ? per_channel.view({-1, 1, 1}) : per_channel;
  }

  ChannelLayout layout_of(const at::Tensor& tensor) const {
    return ChannelLayout::around(tensor, tensor.dim() - (parameters_.shape.is_convolution ? 3 : 1));
  }

  /// The integer sums as floating point; exact, or within 0.5 of exact.
  at::Tensor sums(const MatrixShape& shape, const at::Tensor& input) const {
    if (shape.is_convolution && input.dim() > 4) {  // ticks lead
      const at::Tensor result = sums(shape, input.flatten(0, input.dim() - 4));
      std::vector<std::int64_t> sizes = input.sizes().slice(0, input.dim() - 3).vec();
      sizes.insert(sizes.end(), result.sizes().begin() + 1, result.sizes().end());
      return result.reshape(sizes);
    }
    at::Tensor values = input.to(operand_.scalar_type());
    if (parameters_.input_zero != 0 && (shape.padding[0] != 0 || shape.padding[1] != 0)) {
      const std::array<std::int64_t, 4> sides{shape.padding[1], shape.padding[1], shape.padding[0],
                                              shape.padding[0]};
      values = at::constant_pad_nd(values, sides, parameters_.input_zero);
      return at::conv2d(values, operand_, {}, shape.stride, std::array<std::int64_t, 2>{0, 0},
                        shape.dilation, shape.groups);
    }
    return shape.is_convolution ? at::conv2d(values, operand_, {}, shape.stride, shape.padding,
                                             shape.dilation, shape.groups)
                                : at::linear(values, operand_);
  }

  /// float32 where it is exact in every order of adding: on the CPU, where neither a reduced
  /// precision nor a fast transform is chosen behind our back (the self-test looks). Elsewhere
  /// float64, whose sums are rounded to nearest and so survive even a transform.
  void choose_path(const at::Tensor& weight, const Reach& reach, const std::string& layer) {
    const c10::InferenceMode no_gradients;
    const MatrixShape shape = test_shape(parameters_.shape);
    const at::Tensor input = test_input(shape, weight, reach.channel, parameters_.most_input);
    const at::Tensor expected = plain_sums(shape, weight, input, parameters_.input_zero);
    if (parameters_.weight.is_cpu() && reach.products <= kExactInFloat32) {
      path_ = ExactPath::kFloat32;
      operand_ = parameters_.weight.to(c10::kFloat);
      if (agrees(shape, input, expected)) {
        return;
      }
    }
    path_ = ExactPath::kFloat64;
    operand_ = parameters_.weight.to(c10::kDouble);
    if (!agrees(shape, input, expected)) {
      fail(ErrorCode::kMachine,
           "layer '" + layer + "': the matrix arithmetic of device " +
               parameters_.weight.device().str() + " does not give exact integers",
           {}, "use device cpu, or another LibTorch");
    }
  }

  /// At batch 2 and 32: libraries choose their algorithm by the batch, too.
  bool agrees(const MatrixShape& shape, const at::Tensor& input, const at::Tensor& expected) const {
    for (const std::int64_t copies : {1, 16}) {
      std::vector<std::int64_t> repeats(static_cast<std::size_t>(input.dim()), 1);
      repeats[0] = copies;
      const at::Tensor result =
          sums(shape, input.repeat(repeats).to(parameters_.weight.device())).contiguous();
      repeats.resize(static_cast<std::size_t>(expected.dim()), 1);
      if (!at::equal(to_accumulators(result, layout_of(result), {}).cpu(),
                     expected.repeat(repeats))) {
        return false;
      }
    }
    return true;
  }

  /// Copies struck weights into the operand, which still holds the old ones.
  template <class Real>
  void follow(std::span<const WordFault> faults) const {
    const auto* weights = parameters_.weight.const_data_ptr<std::int8_t>();
    Real* operand = operand_.mutable_data_ptr<Real>();
    const std::int64_t depth = parameters_.shape.depth();
    for (const WordFault& fault : faults) {
      const auto word = static_cast<std::int64_t>(fault.word);
      magnitudes_[word / depth] +=
          absolute(weights[word]) - absolute(static_cast<std::int64_t>(operand[word]));
      operand[word] = static_cast<Real>(weights[word]);
    }
  }

  Parameters parameters_;
  ExactPath path_of_golden_ = ExactPath::kFloat64;
  // What follows the weights when they are struck:
  mutable ExactPath path_ = ExactPath::kFloat64;
  mutable double bound_ = 0.0;
  mutable std::int64_t version_ = 0;
  mutable std::vector<std::int64_t> magnitudes_;  // sum|w| by channel
  mutable at::Tensor operand_;                    // the weights as `path_` wants them
  at::Tensor scale_;  // shaped to go along the channels; undefined: int8 output
};

}  // namespace

FixedPoint FixedPoint::of(double ratio) {
  if (!std::isfinite(ratio) || ratio <= 0.0) {
    fail(ErrorCode::kUnsupported,
         "requantisation by " + std::to_string(ratio) + " has no fixed-point form", {},
         "a ratio of scales is finite and positive; look for constant or non-finite activations");
  }
  int exponent = 0;
  const double fraction = std::frexp(ratio, &exponent);  // in [0.5, 1)
  auto multiplier = static_cast<std::int64_t>(std::nearbyint(std::ldexp(fraction, 31)));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  const int shift = 31 - exponent;
  if (shift < 0 || shift > kMostShift) {
    fail(ErrorCode::kUnsupported,
         "requantisation by " + std::to_string(ratio) + " needs a shift of " +
             std::to_string(shift) + ", outside 0 to " + std::to_string(kMostShift),
         {}, "scales of neighbouring layers must lie within a factor of 2^31");
  }
  return {static_cast<std::int32_t>(multiplier), shift};
}

std::shared_ptr<const MatrixKernel> MatrixKernel::make(Parameters parameters,
                                                       const std::string& layer) {
  const MatrixShape& shape = parameters.shape;
  TS_CHECK(shape.groups >= 1 && shape.in_channels % shape.groups == 0 &&
               shape.out_channels % shape.groups == 0,
           "the groups divide the channels: " + layer);
  TS_CHECK(parameters.weight.scalar_type() == c10::kChar && parameters.weight.is_contiguous() &&
               parameters.weight.numel() == shape.out_channels * shape.depth() &&
               shape.out_channels >= 1 && shape.depth() >= 1,
           "the weights fit the shape: " + layer);
  TS_CHECK(!(parameters.scale.defined() && parameters.multiplier.defined()) &&
               parameters.multiplier.defined() == parameters.shift.defined(),
           "an output is int8, float, or the accumulators: " + layer);
  return std::make_shared<const ExactMatrixKernel>(std::move(parameters), layer);
}

at::Tensor MatrixKernel::accumulators_of(const Layer& layer, const Values& values) const {
  const ValueId right = weight_of(layer);
  return accumulate(values[input_of(layer).value].toTensor(),
                    right.value < 0 ? at::Tensor() : values[right.value].toTensor());
}

const MatrixKernel* matrix_kernel(const Layer& layer) {
  return dynamic_cast<const MatrixKernel*>(layer.kernel.get());
}

}  // namespace tilestrike::dnn
