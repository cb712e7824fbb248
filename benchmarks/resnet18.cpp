// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/resnet18.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

class Maker {
 public:
  Maker() {
    network_.inputs = {network_.add_value({"x", {-1, 3, 224, 224}, c10::kFloat, false, {}, {}})};
  }

  /// Stages of basic blocks, or of bottlenecks whose last convolution widens fourfold.
  Network make(const std::string& name, const std::array<int, 4>& blocks, bool has_bottlenecks) {
    network_.name = name;
    ValueId x =
        relu("relu", norm("bn1", convolution("conv1", network_.inputs.front(), 3, 64, 7, 2), 64));
    x = layer("maxpool", "aten.max_pool2d.default",
              {value(x), pair(3), pair(2), pair(1), pair(1), constant(false)}, 4);
    std::int64_t channels = 64;
    for (int stage = 1; stage <= 4; ++stage) {
      const std::int64_t width = std::int64_t{64} << (stage - 1);
      for (int block = 0; block < blocks[stage - 1]; ++block) {
        const std::string place = "layer" + std::to_string(stage) + "." + std::to_string(block);
        const std::int64_t stride = stage > 1 && block == 0 ? 2 : 1;
        x = has_bottlenecks ? bottleneck(place, x, channels, width, stride)
                            : basic_block(place, x, channels, width, stride);
        channels = has_bottlenecks ? 4 * width : width;
      }
    }
    x = layer("avgpool", "aten.adaptive_avg_pool2d.default", {value(x), pair(1)}, 4);
    x = layer("flatten", "aten.flatten.using_ints", {value(x), constant(1), constant(-1)}, 2);
    network_.output = layer("fc", "aten.linear.default",
                            {value(x), value(weight("fc.weight", {1000, channels})),
                             value(stored("fc.bias", at::zeros({1000})))},
                            2);
    return std::move(network_);
  }

 private:
  static Argument value(ValueId id) { return {"", Argument::Kind::kValue, {}, {id}}; }
  static Argument constant(c10::IValue given) {
    return {"", Argument::Kind::kConstant, std::move(given), {}};
  }
  static Argument pair(std::int64_t number) {
    return constant(std::vector<std::int64_t>{number, number});
  }

  ValueId stored(const std::string& name, const at::Tensor& tensor) {
    const ValueId id =
        network_.add_value({name, tensor.sizes().vec(), c10::kFloat, true, {}, name});
    network_.constants[id.value] = tensor;
    return id;
  }

  ValueId weight(const std::string& name, std::vector<std::int64_t> sizes) {
    double depth = 1.0;
    for (std::size_t i = 1; i < sizes.size(); ++i) {
      depth *= static_cast<double>(sizes[i]);
    }
    const at::Tensor drawn = at::randn(sizes, at::detail::createCPUGenerator(++drawn_));
    return stored(name, drawn.mul(std::sqrt(2.0 / depth)).contiguous());
  }

  ValueId layer(const std::string& name, const std::string& target, std::vector<Argument> arguments,
                std::size_t dimensions) {
    Layer made;
    made.name = name;
    made.target = target;
    const auto schema = dispatched_operator(target)->schema();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      arguments[i].name = schema.arguments()[i].name();
      for (const ValueId id : arguments[i].values) {
        if (std::ranges::find(made.inputs, id) == made.inputs.end()) {
          made.inputs.push_back(id);
        }
      }
    }
    made.arguments = std::move(arguments);
    std::vector<std::int64_t> sizes(dimensions, 1);
    sizes.front() = -1;
    made.outputs = {network_.add_value({name, sizes, c10::kFloat, false, {}, {}})};
    made.kernel = make_operator_kernel(made);
    network_.layers.push_back(std::move(made));
    return network_.layers.back().outputs.front();
  }

  ValueId convolution(const std::string& name, ValueId x, std::int64_t in, std::int64_t out,
                      std::int64_t kernel, std::int64_t stride) {
    return layer(name, "aten.conv2d.default",
                 {value(x), value(weight(name + ".weight", {out, in, kernel, kernel})),
                  constant(c10::IValue()), pair(stride), pair(kernel / 2), pair(1), constant(1)},
                 4);
  }

  ValueId norm(const std::string& name, ValueId x, std::int64_t channels) {
    return layer(name, "aten.batch_norm.default",
                 {value(x), value(stored(name + ".weight", at::ones({channels}))),
                  value(stored(name + ".bias", at::zeros({channels}))),
                  value(stored(name + ".running_mean", at::zeros({channels}))),
                  value(stored(name + ".running_var", at::ones({channels}))), constant(false),
                  constant(0.1), constant(1e-5), constant(false)},
                 4);
  }

  ValueId relu(const std::string& name, ValueId x) {
    return layer(name, "aten.relu.default", {value(x)}, 4);
  }

  ValueId basic_block(const std::string& name, ValueId x, std::int64_t in, std::int64_t out,
                      std::int64_t stride) {
    ValueId y = convolution(name + ".conv1", x, in, out, 3, stride);
    y = relu(name + ".relu", norm(name + ".bn1", y, out));
    y = norm(name + ".bn2", convolution(name + ".conv2", y, out, out, 3, 1), out);
    return residual(name, x, y, in, out, stride);
  }

  ValueId bottleneck(const std::string& name, ValueId x, std::int64_t in, std::int64_t width,
                     std::int64_t stride) {
    ValueId y = convolution(name + ".conv1", x, in, width, 1, 1);
    y = relu(name + ".relu", norm(name + ".bn1", y, width));
    y = convolution(name + ".conv2", y, width, width, 3, stride);
    y = relu(name + ".relu_1", norm(name + ".bn2", y, width));
    const std::int64_t out = 4 * width;
    y = norm(name + ".bn3", convolution(name + ".conv3", y, width, out, 1, 1), out);
    return residual(name, x, y, in, out, stride);
  }

  ValueId residual(const std::string& name, ValueId x, ValueId y, std::int64_t in, std::int64_t out,
                   std::int64_t stride) {
    if (stride != 1 || in != out) {
      x = norm(name + ".downsample.1", convolution(name + ".downsample.0", x, in, out, 1, stride),
               out);
    }
    y = layer(name + ".add", "aten.add.Tensor", {value(y), value(x), constant(1)}, 4);
    return relu(name + ".relu_2", y);
  }

  Network network_;
  std::uint64_t drawn_ = 0;
};

}  // namespace

Network make_resnet18() { return Maker().make("resnet18", {2, 2, 2, 2}, false); }
Network make_resnet50() { return Maker().make("resnet50", {3, 4, 6, 3}, true); }

}  // namespace tilestrike::dnn
