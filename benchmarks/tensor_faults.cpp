// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// flips_b1, flips_b32: random bit flips of ResNet-18's float32 weights, one inference at 224 x 224
// and the undoing of the flips, over the inference alone; interleaved, `ratio` is that of the
// medians. activation_flips_b32: flips over all activations of a batch. `ns_per_fault` is what an
// inference with faults takes longer; `draw_ns_per_fault` (drawing and sorting the faults) is not
// part of the ratio.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "benchmarks/paired.h"
#include "benchmarks/resnet18.h"
#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::dnn {
namespace {

constexpr int kSets = 4;  // of faults, used in turn

/// The network, its stores and some images, made once for all benchmarks.
struct Bench {
  Network network = make_resnet18();
  at::Tensor images =
      at::randn({32, 3, 224, 224}, at::detail::createCPUGenerator(std::uint64_t{1}));
  TensorStores stores{network, images.narrow(0, 0, 2), kFloat32};
  Executor executor{network};

  static Bench& one() {
    at::set_num_threads(1);
    static const c10::InferenceMode no_gradients;
    static Bench bench;
    return bench;
  }
};

/// `count` flips of different bits, uniform over the stores that are meant; sorted.
std::vector<WordFault> draw(const TensorStores& stores, bool are_constants, std::uint64_t count,
                            std::uint64_t set) {
  std::vector<std::uint64_t> first;  // bit of each store
  std::uint64_t bits = 0;
  for (std::uint32_t i = 0; i < stores.all().size(); ++i) {
    const bool is_meant = are_constants ? stores.all()[i].role == TensorRole::kWeight
                                        : stores.all()[i].role == TensorRole::kActivation;
    first.push_back(bits);
    bits += is_meant ? static_cast<std::uint64_t>(stores.all()[i].words) * 32 : 0;
  }
  RandomStream stream(1, set, Purpose::kTest);
  std::vector<std::uint64_t> drawn = draw_without_replacement(stream, bits, count);
  std::sort(drawn.begin(), drawn.end());
  std::vector<WordFault> faults;
  faults.reserve(drawn.size());
  std::size_t store = 0;
  for (const std::uint64_t bit : drawn) {
    while (store + 1 < first.size() && first[store + 1] <= bit) {
      ++store;
    }
    WordFault fault;
    fault.store = StoreId(static_cast<std::uint32_t>(store));
    fault.word = (bit - first[store]) / 32;
    fault.flip = std::uint64_t{1} << (bit % 32);
    if (!faults.empty() && faults.back().store == fault.store && faults.back().word == fault.word) {
      faults.back() = compose(faults.back(), fault);
    } else {
      faults.push_back(fault);
    }
  }
  return faults;
}

struct FaultSets {
  std::vector<std::vector<WordFault>> sets;
  double draw_seconds = 0.0;  // of one

  FaultSets(const TensorStores& stores, bool are_constants, std::uint64_t count) {
    draw_seconds = seconds([&] {
                     for (std::uint64_t set = 0; set < kSets; ++set) {
                       sets.push_back(draw(stores, are_constants, count, set));
                     }
                   }) /
                   kSets;
  }
};

void flips(benchmark::State& state, std::int64_t batch, std::uint64_t count) {
  Bench& bench = Bench::one();
  const at::Tensor images = bench.images.narrow(0, 0, batch);
  const FaultSets faults(bench.stores, true, count);
  const at::Tensor golden = bench.executor.run(images);
  std::vector<double> plain, struck;
  std::size_t used = 0;
  bool is_changed = false;
  for (auto _ : state) {
    const auto run_plain = [&] {
      plain.push_back(seconds([&] { benchmark::DoNotOptimize(bench.executor.run(images)); }));
    };
    const auto run_struck = [&] {
      const std::vector<WordFault>& set = faults.sets[used++ % kSets];
      at::Tensor answer;
      std::int64_t changed = 0;
      struck.push_back(seconds([&] {
        ConstantStrike strike(bench.stores, set);
        answer = strike.run(bench.executor, images, true);
        changed = strike.changed();
      }));
      TS_CHECK(changed == static_cast<std::int64_t>(set.size()), "every flip lands");
      is_changed = is_changed || count_different(answer, golden) > 0;
    };
    in_turn(plain.size(), run_plain, run_struck);
    state.SetIterationTime(struck.back());
  }
  TS_CHECK(is_changed, "the flips reach the answer");
  TS_CHECK(count_different(bench.executor.run(images), golden) == 0, "all flips are undone");
  const auto faults_in_all = static_cast<double>(count);
  state.counters["ratio"] = median(struck) / median(plain);
  state.counters["ns_per_fault"] = 1e9 * (median(struck) - median(plain)) / faults_in_all;
  state.counters["draw_ns_per_fault"] = 1e9 * faults.draw_seconds / faults_in_all;
  state.counters["ms_inference"] = 1e3 * median(plain);
}

void activation_flips(benchmark::State& state, std::int64_t batch, std::uint64_t count) {
  Bench& bench = Bench::one();
  const at::Tensor images = bench.images.narrow(0, 0, batch);
  const FaultSets faults(bench.stores, false, count / static_cast<std::uint64_t>(batch));
  const at::Tensor golden = bench.executor.run(images);
  std::vector<double> plain, struck;
  std::size_t used = 0;
  bool is_changed = false;
  for (auto _ : state) {
    std::vector<TensorStores::ImageFaults> strikes;
    for (std::int64_t row = 0; row < batch; ++row) {
      strikes.push_back({row, faults.sets[used++ % kSets]});
    }
    const auto run_plain = [&] {
      plain.push_back(seconds([&] { benchmark::DoNotOptimize(bench.executor.run(images)); }));
    };
    const auto run_struck = [&] {
      at::Tensor answer;
      struck.push_back(
          seconds([&] { answer = bench.stores.run(bench.executor, images, nullptr, strikes); }));
      is_changed = is_changed || count_different(answer, golden) > 0;
    };
    in_turn(plain.size(), run_plain, run_struck);
    state.SetIterationTime(struck.back());
  }
  TS_CHECK(is_changed, "the flips reach the answer");
  state.counters["ratio"] = median(struck) / median(plain);
  state.counters["ns_per_fault"] =
      1e9 * (median(struck) - median(plain)) / static_cast<double>(count);
  state.counters["draw_ns_per_fault"] =
      1e9 * faults.draw_seconds * static_cast<double>(batch) / static_cast<double>(count);
  state.counters["ms_inference"] = 1e3 * median(plain);
}

BENCHMARK_CAPTURE(flips, b1, 1, 100'000)->Name("flips_b1")->UseManualTime()->MinTime(8.0);
BENCHMARK_CAPTURE(flips, b32, 32, 100'000)->Name("flips_b32")->UseManualTime()->Iterations(5);
BENCHMARK_CAPTURE(activation_flips, b32, 32, 100'000)
    ->Name("activation_flips_b32")
    ->UseManualTime()
    ->Iterations(7);

/// From one to ten million faults, batch 1.
void flips_table(benchmark::State& state) {
  flips(state, 1, static_cast<std::uint64_t>(state.range(0)));
}
BENCHMARK(flips_table)
    ->Name("flips_table")
    ->RangeMultiplier(10)
    ->Range(1, 10'000'000)
    ->UseManualTime()
    ->Iterations(9);

}  // namespace
}  // namespace tilestrike::dnn
