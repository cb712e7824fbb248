// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/bridge/tiny_network.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "base/random.h"
#include "dnn/data.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kImageSide = 6, kKernelSide = 3, kPooledSide = 2;

/// Normal numbers, the same at each call of one `seed` (Box and Muller, Annals of Mathematical
/// Statistics 29, 1958).
at::Tensor normal(const std::vector<std::int64_t>& sizes, double deviation, std::uint64_t seed) {
  at::Tensor tensor = at::empty(sizes, c10::kFloat);
  RandomStream random(seed, 0, Purpose::kTest);
  float* numbers = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    const double radius = std::sqrt(-2.0 * std::log1p(-random.unit()));
    const double angle = 2.0 * std::numbers::pi * random.unit();
    numbers[i] = static_cast<float>(deviation * radius * std::cos(angle));
  }
  return tensor;
}

/// A layer with a weight and a bias, which `call` computes.
torch::jit::Module layer_of(const std::string& name,
                            const std::shared_ptr<torch::jit::CompilationUnit>& unit,
                            const std::vector<std::int64_t>& sizes, const std::string& call,
                            std::uint64_t seed) {
  torch::jit::Module layer(c10::QualifiedName("__torch__." + name), unit);
  double inputs = 1.0;
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    inputs *= static_cast<double>(sizes[i]);
  }
  const at::Tensor weight = normal(sizes, 1.0 / std::sqrt(inputs), seed);
  layer.register_parameter("weight", weight, /*is_buffer=*/false);
  layer.register_parameter("bias", normal({sizes.front()}, 0.1, seed + 1), /*is_buffer=*/false);
  layer.define("def forward(self, x):\n    return " + call + "(x, self.weight, self.bias)\n");
  return layer;
}

}  // namespace

TinyFiles write_tiny_network(const std::string& folder, const TinyNetwork& network) {
  const at::NoGradGuard no_gradients;
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module tiny(c10::QualifiedName("__torch__.Tiny"), unit);
  tiny.register_attribute("training", c10::BoolType::get(), false);
  tiny.register_module(
      "conv",
      layer_of("Conv", unit, {network.channels, 1, kKernelSide, kKernelSide}, "torch.conv2d", 1));
  tiny.register_module(
      "fc",
      layer_of("Linear", unit, {network.classes, network.channels * kPooledSide * kPooledSide},
               "torch.linear", 3));
  tiny.define(R"(
def forward(self, x):
    x = torch.relu(self.conv.forward(x))
    x = torch.max_pool2d(x, [2, 2], [2, 2])
    return self.fc.forward(torch.flatten(x, 1))
)");
  const at::Tensor images = normal({network.images, 1, kImageSide, kImageSide}, 1.0, 5);
  at::Tensor labels = at::argmax(tiny.forward({images}).toTensor(), 1);
  auto* label = labels.data_ptr<std::int64_t>();
  for (std::int64_t image = 3; image < network.images; image += 4) {
    label[image] = (label[image] + 1) % network.classes;
  }
  const std::string name =
      fmt::format("{}/tiny_{}_{}_{}", folder, network.channels, network.classes, network.images);
  const TinyFiles files{name + ".pt", name + "_images.npy", name + "_labels.npy"};
  tiny.save(files.model);
  dnn::write_npy(files.images, images);
  dnn::write_npy(files.labels, labels);
  return files;
}

}  // namespace tilestrike::bridge
