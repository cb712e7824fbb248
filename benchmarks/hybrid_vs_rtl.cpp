// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// hybrid_vs_rtl: what it costs to see a live transient strike on a 16 x 16 weight-stationary mesh
// through to the network's answer when every pass of the inference runs in RTL, over what it costs
// when only the struck passes do. `ratio`: processor time in the RTL. `end_to_end`: the time of
// every pass in RTL, and nothing else, over that of the whole outcome, golden run included. Every
// pass: one mesh, clock edge by clock edge, from the first preload to the last drain; struck
// passes: golden and faulty mesh, as the engine `rtl` runs them. `sample`: the share of the
// inference's cycles that was run for the first side; each layer's time is scaled by its cycles.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/rand.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "benchmarks/paired.h"
#include "benchmarks/resnet18.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "dnn/executor.h"
#include "dnn/integer/quantise.h"
#include "rtl/engines.h"
#include "rtl/mesh_model.h"
#include "sim/mesh/run_edges.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

double rtl_seconds = 0.0;  // in the engine below

sim::EngineSet engines_with_rtl() {
  sim::EngineSet engines;
  rtl::add_engines(engines);
  return engines;
}

// The engine `rtl`, and the time that is spent in it.
class TimedRtl final : public sim::MeshEngine {
 public:
  bool covers(const sim::MeshJob& job) const override { return rtl_->covers(job); }
  sim::MeshResult run(const sim::MeshJob& job) override {
    sim::MeshResult result;
    rtl_seconds += processor_seconds([&] { result = rtl_->run(job); });
    return result;
  }

 private:
  std::unique_ptr<sim::MeshEngine> rtl_ = engines_with_rtl().make("rtl");
};

sim::EngineSet engines_with_timed_rtl() {
  sim::EngineSet engines = sim::builtin_engines();
  engines.add({.name = "timed_rtl", .make = [] { return std::make_unique<TimedRtl>(); }});
  return engines;
}

// Seconds of every pass of the network, extrapolated from the first `most_cycles` of each layer.
struct EveryPass {
  double seconds = 0.0;
  std::int64_t passes = 0;
  double cycles = 0.0, sampled = 0.0;
};
EveryPass run_every_pass(const dnn::Network& network, const Mapping& mapping,
                         const dnn::Tape& golden, std::int64_t most_cycles) {
  const sim::MeshConfig& config = mapping.accelerator().mesh;
  const sim::MeshSites sites(config);
  rtl::MeshModel mesh(config, sites);
  EveryPass all;
  std::int64_t sum = 0;
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const MeshLayer* layer = mapping.mesh_layer(index);
    if (layer == nullptr) {
      continue;
    }
    const BoundLayer bound(
        *layer, golden.values[static_cast<std::size_t>(layer->input.value)].toTensor(), {});
    const std::int64_t cycles = layer->run->cycles();
    const std::int64_t sampled = std::min(cycles, most_cycles);
    const double seconds = processor_seconds([&] {
      sim::RunEdges edges(*layer->run, bound.operands());
      for (std::int64_t wavefront = 0; wavefront < sampled; ++wavefront) {
        mesh.step(edges.of(wavefront));
        for (int column = 0; column < config.columns; ++column) {
          sum += mesh.collected(column);
        }
      }
    });
    all.seconds += seconds * static_cast<double>(cycles) / static_cast<double>(sampled);
    all.cycles += static_cast<double>(cycles);
    all.sampled += static_cast<double>(sampled);
    all.passes += layer->tiling->passes();
  }
  benchmark::DoNotOptimize(sum);
  return all;
}

void compare(benchmark::State& state, const dnn::Network& network, const dnn::Inputs& image,
             std::int64_t most_cycles, std::size_t strikes) {
  const dnn::Executor executor(network);
  AcceleratorConfig accelerator;  // 16 x 16, weight-stationary
  Mapping mapping(network, executor.record(image), accelerator);
  MeshTrials runner(network, mapping, engines_with_timed_rtl(), "timed_rtl", kTopK);
  const sim::MeshSites sites(accelerator.mesh);
  RandomStream random(1, 0, Purpose::kTest);
  double every = 0.0, struck = 0.0, outcome = 0.0;
  std::size_t live = 0, drawn = 0;
  EveryPass all;
  for (auto _ : state) {
    all = run_every_pass(network, mapping, executor.record(image), most_cycles);
    every += all.seconds;
    for (std::size_t found = 0; found < strikes;) {
      RegisterFault fault;
      fault.site = SiteId(random.below(sites.total_bits()));
      fault.when.from = static_cast<Cycle>(
          random.below(static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference())));
      fault.when.until = fault.when.from + 1;
      rtl_seconds = 0.0;
      bool is_live = false;
      const double seconds = processor_seconds([&] {
        const dnn::Tape golden = executor.record(image);
        is_live = runner.run(golden, {&fault, 1}, nullptr).activated;
      });
      ++drawn;
      if (is_live) {
        ++found;
        ++live;
        struck += rtl_seconds;
        outcome += seconds;
      }
    }
    state.SetIterationTime(all.seconds + outcome);
  }
  every /= static_cast<double>(state.iterations());
  struck /= static_cast<double>(live);
  outcome /= static_cast<double>(live);
  state.counters["ratio"] = every / struck;
  state.counters["end_to_end"] = every / outcome;
  state.counters["passes"] = static_cast<double>(all.passes);
  state.counters["sample"] = all.sampled / all.cycles;
  state.counters["strikes"] = static_cast<double>(live);
  state.counters["live_share"] = static_cast<double>(live) / static_cast<double>(drawn);
  state.counters["ms_every_pass"] = 1e3 * every;
  state.counters["ms_struck"] = 1e3 * struck;
  state.counters["ms_outcome"] = 1e3 * outcome;
}

std::string root() {
  const char* folder = std::getenv("TILESTRIKE_ROOT");
  return folder == nullptr ? TS_SOURCE_FOLDER : folder;
}

void resnet8(benchmark::State& state) {
  torch_call([&] {
    NetworkSource source;
    source.model = root() + "/zoo/resnet8.pt2";
    source.images = "fashion_mnist/test";
    source.calibrate = "fashion_mnist/train";
    source.use = 1;
    source.device = "cpu";
    const Workload load = load_workload(source, true);
    compare(state, load.network, load.inputs.narrow(0, 1), std::int64_t{1} << 40, 200);
  });
}

void resnet18(benchmark::State& state) {
  torch_call([&] {
    const c10::InferenceMode no_gradients;
    const dnn::Inputs image(at::rand({1, 3, 224, 224}, at::detail::createCPUGenerator(1)));
    compare(state, dnn::quantise(dnn::make_resnet18(), image), image, 50'000, 100);
  });
}

BENCHMARK(resnet8)
    ->Name("hybrid_vs_rtl/resnet8")
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(resnet18)
    ->Name("hybrid_vs_rtl/resnet18")
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::bridge
