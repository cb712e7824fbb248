// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// closed_form_faults: strikes on a pass between two others by formula, of a 16x16 mesh and 64 rows
// (OS: depth 64), uniform over all registers and over the cycles of the pass, `valid` and
// `propagate` included. `rate`: faults per second and core with the result's memory kept; from site
// and cycle to the sorted changes of the results. systemc_tile: the same strikes through the engine
// `systemc`; both in turn. `rate_engine`: through the engine `closed_form`, a new result each time.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/error.h"
#include "benchmarks/paired.h"
#include "benchmarks/ready_passes.h"
#include "sim/mesh/closed_form.h"
#include "sim/mesh/engine_set.h"

namespace tilestrike::sim {
namespace {

constexpr std::size_t kStrikes = 16384;
constexpr std::size_t kSystemCStrikes = 256;  // of them
constexpr int kTurns = 101;

void closed_form_faults(benchmark::State& state, Dataflow dataflow) {
  const MeshRun run(config_of(dataflow), std::vector<PassShape>(3, shape_of(dataflow)));
  const ReadyOperands operands;
  const MeshSites sites(run.config());
  const std::vector<RegisterFault> faults = uniform_strikes(run, kStrikes);
  ClosedForm closed_form;
  MeshResult result;
  const auto closed_form_engine = builtin_engines().make("closed_form");
  const auto systemc = builtin_engines().make("systemc");
  MeshJob job;
  job.run = &run;
  job.operands = &operands;
  std::size_t changed = 0;
  for (std::size_t i = 0; i < kSystemCStrikes; ++i) {
    job.faults = {&faults[i], 1};
    TS_CHECK(systemc->run(job).changes == closed_form_engine->run(job).changes,
             "both sides compute the same");
  }
  const auto through = [&](MeshEngine& engine, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      job.faults = {&faults[i], 1};
      benchmark::DoNotOptimize(engine.run(job));
    }
  };
  std::vector<double> formula_times, engine_times, systemc_times;
  for (auto _ : state) {
    in_turn(
        formula_times.size(),
        [&] {
          changed = 0;
          formula_times.push_back(processor_seconds([&] {
            for (const RegisterFault& fault : faults) {
              job.faults = {&fault, 1};
              TS_CHECK(closed_form.has_formula(job, sites), "every flip has a formula");
              closed_form.compute(result);
              changed += result.changes.empty() ? 0 : 1;
            }
          }));
          engine_times.push_back(
              processor_seconds([&] { through(*closed_form_engine, kStrikes); }));
        },
        [&] {
          systemc_times.push_back(processor_seconds([&] { through(*systemc, kSystemCStrikes); }));
        });
    state.SetIterationTime(formula_times.back());
  }
  const auto rate = [](std::size_t count, const std::vector<double>& times) {
    return static_cast<double>(count) / median(times);
  };
  state.counters["rate"] = rate(kStrikes, formula_times);
  state.counters["rate_engine"] = rate(kStrikes, engine_times);
  state.counters["rate_systemc_tile"] = rate(kSystemCStrikes, systemc_times);
  state.counters["changed"] = static_cast<double>(changed) / static_cast<double>(kStrikes);
}

BENCHMARK_CAPTURE(closed_form_faults, ws, Dataflow::kWeightStationary)
    ->Name("closed_form_faults/ws")
    ->UseManualTime()
    ->Iterations(kTurns)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(closed_form_faults, os, Dataflow::kOutputStationary)
    ->Name("closed_form_faults/os")
    ->UseManualTime()
    ->Iterations(kTurns)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::sim
