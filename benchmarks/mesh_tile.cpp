// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// mesh_tile: one pass of a 16x16 mesh, 64 rows (OS: depth 64), with all outputs, through the
// SystemC engine, over the same pass in plain C++ in wavefront order. mesh_tile_struck: a transient
// strike, uniform over all registers and over the cycles of a pass between two others, through
// SystemC, over the same plain pass. Both sides are interleaved; `ratio` is that of the medians.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "benchmarks/paired.h"
#include "benchmarks/ready_passes.h"
#include "sim/mesh/edge_inputs.h"
#include "sim/mesh/engine_set.h"
#include "sim/mesh/wavefront_mesh.h"

namespace tilestrike::sim {
namespace {

constexpr std::size_t kCalls = 64;  // that are timed together
constexpr int kBatches = 4000;      // of calls
constexpr std::size_t kStrikes = 4096;

// One pass and nothing else: no faults, no engine, no memory taken per pass.
class PlainPass {
 public:
  PlainPass(const MeshRun& run, const Operands& operands)
      : run_(run),
        inputs_(run, operands),
        mesh_(run, 0, kSize),
        leaving_(kStreamed * kSize),
        outputs_(static_cast<std::size_t>(run.passes()[0].rows) * kSize) {}

  const std::vector<std::int32_t>& run() {
    const bool ws = run_.config().is_weight_stationary();
    for (int index = 0; index < run_.windows(); ++index) {
      const Window window = run_.window(index);
      inputs_.enter(window);
      inputs_.fetch_load();
      inputs_.fetch_stream(0, window.length);
      const bool has_results = (ws ? window.streams : window.drains) >= 0;
      mesh_.advance(window, inputs_, 0, window.length, has_results ? leaving_.data() : nullptr);
      if (has_results) {
        for (int row = 0; row < run_.passes()[0].rows; ++row) {  // OS drains the last row first
          std::copy_n(&leaving_[static_cast<std::size_t>((ws ? row : kSize - 1 - row) * kSize)],
                      kSize, &outputs_[static_cast<std::size_t>(row * kSize)]);
        }
      }
    }
    return outputs_;
  }

 private:
  const MeshRun& run_;
  EdgeInputs inputs_;
  WavefrontMesh mesh_;
  std::vector<std::int32_t> leaving_, outputs_;
};

// Seconds per call, of many.
template <class Call>
double seconds_per_call(const Call& call) {
  const double all = seconds([&] {
    for (std::size_t i = 0; i < kCalls; ++i) {
      call();
    }
  });
  return all / static_cast<double>(kCalls);
}

template <class Ours, class Plain>
void compare(benchmark::State& state, const Ours& ours, const Plain& plain) {
  std::vector<double> ours_times, plain_times;
  for (auto _ : state) {
    in_turn(
        ours_times.size(), [&] { ours_times.push_back(seconds_per_call(ours)); },
        [&] { plain_times.push_back(seconds_per_call(plain)); });
    state.SetIterationTime(ours_times.back());
  }
  const double ours_median = median(ours_times);
  const double plain_median = median(plain_times);
  state.counters["ratio"] = ours_median / plain_median;
  state.counters["us_systemc"] = 1e6 * ours_median;
  state.counters["us_plain"] = 1e6 * plain_median;
}

void mesh_tile(benchmark::State& state, Dataflow dataflow) {
  const MeshRun run(config_of(dataflow), {shape_of(dataflow)});
  const ReadyOperands operands;
  PlainPass plain(run, operands);
  const auto engine = builtin_engines().make("systemc");
  MeshJob job;
  job.run = &run;
  job.operands = &operands;
  job.wants_outputs = true;
  TS_CHECK(engine->run(job).outputs[0] == plain.run(), "both sides compute the same");
  compare(
      state, [&] { benchmark::DoNotOptimize(engine->run(job)); },
      [&] { benchmark::DoNotOptimize(plain.run()); });
}

void mesh_tile_struck(benchmark::State& state, Dataflow dataflow) {
  const MeshRun single(config_of(dataflow), {shape_of(dataflow)});
  const MeshRun run(config_of(dataflow), std::vector<PassShape>(3, shape_of(dataflow)));
  const ReadyOperands operands;
  PlainPass plain(single, operands);
  const auto engine = builtin_engines().make("systemc");
  const std::vector<RegisterFault> faults = uniform_strikes(run, kStrikes);
  MeshJob job;
  job.run = &run;
  job.operands = &operands;
  std::size_t next = 0;
  std::size_t changed = 0;
  std::size_t runs = 0;
  compare(
      state,
      [&] {
        job.faults = {&faults[next++ % kStrikes], 1};
        changed += engine->run(job).changes.empty() ? 0 : 1;
        ++runs;
      },
      [&] { benchmark::DoNotOptimize(plain.run()); });
  state.counters["changed"] = static_cast<double>(changed) / static_cast<double>(runs);
}

BENCHMARK_CAPTURE(mesh_tile, ws, Dataflow::kWeightStationary)
    ->Name("mesh_tile/ws")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(mesh_tile, os, Dataflow::kOutputStationary)
    ->Name("mesh_tile/os")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(mesh_tile_struck, ws, Dataflow::kWeightStationary)
    ->Name("mesh_tile_struck/ws")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(mesh_tile_struck, os, Dataflow::kOutputStationary)
    ->Name("mesh_tile_struck/os")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tilestrike::sim
