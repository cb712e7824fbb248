// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// executor: ResNet-8 run layer by layer with a hook on each, over the same operators called one
// after the other in plain C++, interleaved. `ratio` is that of the medians.
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/add.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "benchmarks/paired.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"

namespace tilestrike::dnn {
namespace {

constexpr double kEpsilon = 1e-5, kMomentum = 0.1;

/// ResNet-8 of python/train_zoo.py, written out.
class PlainResNet8 {
 public:
  explicit PlainResNet8(const Network& network) {
    for (std::size_t i = 0; i < network.values.size(); ++i) {
      if (network.values[i].is_constant) {
        tensors_[network.values[i].name] = network.constants[i].toTensor();
      }
    }
    stem_ = convolution("conv", "bn", 1, 1);
    first_ = {convolution("stage1_conv1", "stage1_bn1", 1, 1),
              convolution("stage1_conv2", "stage1_bn2", 1, 1),
              {}};
    second_ = {convolution("stage2_conv1", "stage2_bn1", 2, 1),
               convolution("stage2_conv2", "stage2_bn2", 1, 1),
               convolution("stage2_shortcut_0", "stage2_shortcut_1", 2, 0)};
    third_ = {convolution("stage3_conv1", "stage3_bn1", 2, 1),
              convolution("stage3_conv2", "stage3_bn2", 1, 1),
              convolution("stage3_shortcut_0", "stage3_shortcut_1", 2, 0)};
    weight_ = tensors_.at("p_fc_weight");
    bias_ = tensors_.at("p_fc_bias");
  }

  at::Tensor run(const at::Tensor& images) const {
    const c10::InferenceMode no_gradients;
    at::Tensor x = at::relu(apply(stem_, images));
    x = apply(first_, x);
    x = apply(second_, x);
    x = apply(third_, x);
    return at::linear(at::flatten(at::adaptive_avg_pool2d(x, {1, 1}), 1), weight_, bias_);
  }

 private:
  struct Convolution {
    at::Tensor weight, gain, shift, mean, variance;
    std::int64_t stride = 1, padding = 1;
  };
  struct Block {
    Convolution first, second, shortcut;  // no shortcut: the identity
  };

  Convolution convolution(const std::string& conv, const std::string& norm, std::int64_t stride,
                          std::int64_t padding) const {
    return {tensors_.at("p_" + conv + "_weight"),
            tensors_.at("p_" + norm + "_weight"),
            tensors_.at("p_" + norm + "_bias"),
            tensors_.at("b_" + norm + "_running_mean"),
            tensors_.at("b_" + norm + "_running_var"),
            stride,
            padding};
  }
  static at::Tensor apply(const Convolution& c, const at::Tensor& x) {
    const at::Tensor y =
        at::conv2d(x, c.weight, {}, {c.stride, c.stride}, {c.padding, c.padding}, {1, 1}, 1);
    return at::batch_norm(y, c.gain, c.shift, c.mean, c.variance, false, kMomentum, kEpsilon,
                          false);
  }
  static at::Tensor apply(const Block& block, const at::Tensor& x) {
    const at::Tensor identity = block.shortcut.weight.defined() ? apply(block.shortcut, x) : x;
    const at::Tensor inner = at::relu(apply(block.first, x));
    return at::relu(at::add(apply(block.second, inner), identity));
  }

  std::map<std::string, at::Tensor> tensors_;
  Convolution stem_;
  Block first_, second_, third_;
  at::Tensor weight_, bias_;
};

void executor(benchmark::State& state, std::int64_t batch) {
  const char* named = std::getenv("TILESTRIKE_ROOT");
  const std::string root = named == nullptr ? TS_SOURCE_FOLDER : named;
  const Network network = import_pt2(root + "/zoo/resnet8.pt2");
  const at::Tensor images = load_data("fashion_mnist/test", "", batch).images;
  const Executor with_hooks(network);
  const PlainResNet8 plain(network);
  std::size_t layers = 0;
  const Hook hook = [&layers](std::size_t, Values&) { ++layers; };
  TS_CHECK(count_different(with_hooks.run(images, hook), plain.run(images)) == 0,
           "both sides compute the same");
  std::vector<double> ours, theirs;
  for (auto _ : state) {
    const auto run_ours = [&] { ours.push_back(seconds([&] { with_hooks.run(images, hook); })); };
    const auto run_theirs = [&] { theirs.push_back(seconds([&] { plain.run(images); })); };
    in_turn(ours.size(), run_ours, run_theirs);
    state.SetIterationTime(ours.back());
  }
  const double ours_median = median(ours);
  const double theirs_median = median(theirs);
  state.counters["ratio"] = ours_median / theirs_median;
  state.counters["us_executor"] = 1e6 * ours_median;
  state.counters["us_plain"] = 1e6 * theirs_median;
}

BENCHMARK_CAPTURE(executor, b1, 1)->Name("executor/resnet8/b1")->UseManualTime()->MinTime(2.0);
BENCHMARK_CAPTURE(executor, b32, 32)->Name("executor/resnet8/b32")->UseManualTime()->MinTime(2.0);

}  // namespace
}  // namespace tilestrike::dnn
