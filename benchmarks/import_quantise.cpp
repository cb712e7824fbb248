// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// import_quantise: a network brought to int8, calibration included, over one inference of its
// calibration images, in turn. `ratio` is that of the medians; the goal is kGoal, and `of_goal` is
// how far it is used up. ResNet-50 is made here, so that its archive is not read; few images, for
// then what does not grow with them (weights, self-tests) counts most.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/paired.h"
#include "benchmarks/resnet18.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/quantise.h"

namespace tilestrike::dnn {
namespace {

constexpr double kGoal = 3.0;
constexpr std::int64_t kBatch = 50;  // as calibration has it

void compare(benchmark::State& state, const std::function<Network()>& import,
             const at::Tensor& images) {
  at::set_num_threads(1);
  const Network network = import();
  const Executor executor(network);
  std::vector<double> quantising, inferring;
  for (auto _ : state) {
    const auto quantise_it = [&] {
      quantising.push_back(seconds([&] { quantise(import(), images, {.batch = kBatch}); }));
    };
    const auto infer = [&] {
      inferring.push_back(seconds([&] {
        for (std::int64_t first = 0; first < images.size(0); first += kBatch) {
          executor.run(images.narrow(0, first, std::min(kBatch, images.size(0) - first)));
        }
      }));
    };
    in_turn(quantising.size(), quantise_it, infer);
    state.SetIterationTime(quantising.back());
  }
  const double ratio = median(quantising) / median(inferring);
  state.counters["ratio"] = ratio;
  state.counters["of_goal"] = ratio / kGoal;
  state.counters["s_quantise"] = median(quantising);
  state.counters["s_inference"] = median(inferring);
}

void zoo(benchmark::State& state) {
  const char* named = std::getenv("TILESTRIKE_ROOT");
  const std::string root = named == nullptr ? TS_SOURCE_FOLDER : named;
  compare(
      state, [&] { return import_pt2(root + "/zoo/resnet8.pt2"); },
      load_data("fashion_mnist/train", "", 1000).images);
}

void resnet50(benchmark::State& state) {
  const Network made = make_resnet50();
  compare(
      state, [&] { return made; },
      at::randn({100, 3, 64, 64}, at::detail::createCPUGenerator(std::uint64_t{1})));
}

BENCHMARK(zoo)->Name("import_quantise/resnet8")->UseManualTime()->Iterations(5);
BENCHMARK(resnet50)->Name("import_quantise/resnet50")->UseManualTime()->Iterations(5);

}  // namespace
}  // namespace tilestrike::dnn
