// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// memory_trial: trials of flips in the memories of a 16 x 16 accelerator (256 KiB scratchpad, 64
// KiB accumulators) during ResNet-8, with the struck passes on the SystemC platform (`ratio`: over
// the same trials by formula, medians). Only strikes that the mesh reads: all others cost the same.
// `passes` of a trial and `passes_rate`, passes per second of the whole trial, stand beside.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/random.h"
#include "benchmarks/paired.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/memory_trials.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

constexpr std::size_t kStrikes = 200;

sim::MemoryConfig memory_of(std::vector<sim::MemoryContent> holds, std::int64_t kibibytes,
                            int data_bits) {
  sim::MemoryConfig memory;
  memory.holds = std::move(holds);
  memory.capacity_bytes = kibibytes * 1024;
  memory.row_bytes = 64;
  memory.data_bits = data_bits;
  return memory;
}

void memory_trial(benchmark::State& state, sim::Dataflow dataflow) {
  using sim::MemoryContent;
  torch_call([&] {
    NetworkSource source;
    source.model = TS_SOURCE_FOLDER "/zoo/resnet8.pt2";
    source.images = "fashion_mnist/test";
    source.calibrate = "fashion_mnist/train";
    source.use = 1;
    source.device = "cpu";
    const Workload load = load_workload(source, true);
    const dnn::Executor executor(load.network);
    const dnn::Tape golden = executor.record(load.inputs.narrow(0, 1));
    AcceleratorConfig accelerator;
    accelerator.mesh.dataflow = dataflow;
    accelerator.memory = {
        {"scratchpad", memory_of({MemoryContent::kWeights, MemoryContent::kActivations}, 256, 64)},
        {"accumulator", memory_of({MemoryContent::kAccumulators}, 64, 32)}};
    Mapping mapping(load.network, golden, accelerator);
    MemoryTrials platform(load.network, mapping, sim::builtin_engines().at("systemc"), kTopK);
    MemoryTrials formula(load.network, mapping, sim::builtin_engines().at("closed_form"), kTopK);
    RandomStream random(1, 0, Purpose::kTest);
    std::vector<CellFault> strikes;
    std::int64_t passes = 0;
    while (strikes.size() < kStrikes) {
      CellFault fault;
      fault.memory = strikes.size() % 2;
      const sim::ArrayGeometry geometry(accelerator.memory[fault.memory].second.array());
      fault.bit = geometry.bit_at(geometry.cell_at(random.below(geometry.cells())));
      fault.when.from = static_cast<Cycle>(
          random.below(static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference())));
      fault.when.until = fault.when.from + 1;
      const TrialResult result = platform.run(golden, {{&fault, 1}, {}}, nullptr);
      if (result.passes_simulated > 0) {
        passes += result.passes_simulated;
        strikes.push_back(fault);
      }
    }
    std::vector<double> simulated, computed;
    const auto all = [&](MemoryTrials& trial, std::vector<double>& times) {
      times.push_back(processor_seconds([&] {
        for (const CellFault& fault : strikes) {
          benchmark::DoNotOptimize(trial.run(golden, {{&fault, 1}, {}}, nullptr));
        }
      }));
    };
    for (auto _ : state) {
      in_turn(
          simulated.size(), [&] { all(platform, simulated); }, [&] { all(formula, computed); });
    }
    state.counters["ratio"] = median(simulated) / median(computed);
    state.counters["passes"] = static_cast<double>(passes) / kStrikes;
    state.counters["passes_rate"] = static_cast<double>(passes) / median(simulated);
  });
}

BENCHMARK_CAPTURE(memory_trial, ws, sim::Dataflow::kWeightStationary)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(memory_trial, os, sim::Dataflow::kOutputStationary)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::bridge
