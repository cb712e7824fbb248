// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// lif_scan/TICKS: a layer of 100 000 integer neurons over so many ticks, against the same ticks in
// ATen's operators on int32 tensors, one thread, same currents, same spikes. `ratio`: how many
// times sooner the scan is done.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <vector>

#include "base/error.h"
#include "benchmarks/paired.h"
#include "dnn/spiking/lif_scan.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kNeurons = 100'000;
constexpr std::int32_t kThreshold = 4000, kBias = 10, kShift = 3;

/// What one would write without a scan: leak, charge, clip, fire, soft reset.
at::Tensor by_operators(const at::Tensor& currents, const at::Tensor& threshold,
                        const at::Tensor& bias) {
  at::Tensor membrane = at::zeros(currents.sizes().slice(1), c10::kInt);
  std::vector<at::Tensor> spikes;
  for (std::int64_t t = 0; t < currents.size(0); ++t) {
    membrane.sub_(at::bitwise_right_shift(membrane, kShift)).add_(currents.select(0, t)).add_(bias);
    membrane.clamp_(-kMostCurrent - 1, kMostCurrent);
    const at::Tensor fires = at::ge(membrane, threshold);
    membrane = at::where(fires, membrane.sub(threshold), membrane);
    spikes.push_back(fires.to(c10::kChar));
  }
  return at::stack(spikes);
}

void lif_scan_over(benchmark::State& state, std::int64_t ticks) {
  constexpr double kGoal = 5.0;
  const c10::InferenceMode no_gradients;
  at::set_num_threads(1);
  NeuronParameters neuron;
  neuron.threshold = kThreshold;
  neuron.bias = kBias;
  neuron.leak = kWholeLeak >> kShift;
  neuron.is_soft_reset = true;
  const LayerNeurons layer({24, NeuronOverflow::kSaturate},
                           std::vector<NeuronParameters>(kNeurons, neuron));
  const at::Tensor currents = at::randint(-500, 2000, {ticks, 1, kNeurons}, c10::kInt);
  const at::Tensor threshold = at::zeros({1, kNeurons}, c10::kInt).fill_(kThreshold);
  const at::Tensor bias = at::zeros({1, kNeurons}, c10::kInt).fill_(kBias);
  TS_CHECK(at::equal(lif_scan(currents, layer).spikes, by_operators(currents, threshold, bias)),
           "the same spikes");
  std::vector<double> scan, operators;
  std::size_t turn = 0;
  for (auto _ : state) {
    in_turn(
        turn++,
        [&] {
          scan.push_back(
              seconds([&] { benchmark::DoNotOptimize(lif_scan(currents, layer).spikes); }));
        },
        [&] {
          operators.push_back(
              seconds([&] { benchmark::DoNotOptimize(by_operators(currents, threshold, bias)); }));
        });
    state.SetIterationTime(scan.back());
  }
  const double ours = median(std::move(scan));
  const double ratio = median(std::move(operators)) / ours;
  state.counters["ratio"] = ratio;
  state.counters["goal"] = kGoal;
  state.counters["of_goal"] = ratio / kGoal;
  state.counters["updates_per_second"] = static_cast<double>(ticks * kNeurons) / ours;
}

const bool kRegistered = [] {
  for (const std::int64_t ticks : {8, 100}) {
    benchmark::RegisterBenchmark(("lif_scan/" + std::to_string(ticks)).c_str(),
                                 [ticks](benchmark::State& state) { lif_scan_over(state, ticks); })
        ->UseManualTime()
        ->Iterations(15)
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace tilestrike::dnn
