// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// core_systemc/bare: whole inferences of eight ticks of a 256 x 256 core through the engine
// `systemc`, a quarter of the axons pending in each tick, from the reset to the readout. `rate`:
// core cycles per second of processor time. core_systemc/secded: the same with SEC-DED on the
// synapses and a cell flipped that is read, and corrected, in some ticks. core_systemc/stepped: the
// same, edge by edge, through the engine `stepped`. core_systemc/strikes, core_closed_form: one
// flip each, uniform over the storage that closed_form covers and over all cycles, of a 1024 x 64
// core of which 784 axons are used, 25 % of them pending in each of eight ticks; `rate`: flips per
// second of processor time, from site and cycle to changed events and readout.
#include "base/error.h"
#include "benchmarks/core_jobs.h"
#include "benchmarks/paired.h"
#include "sim/core/core_engine.h"

namespace tilestrike::sim {
namespace {

void core_cycles(benchmark::State& state, const std::string& name, EccKind ecc, double goal) {
  const CoreRun plain = busy_run("core_256x256", 256, 8);
  CoreConfig config = plain.config();
  config.ecc.synapses = ecc;
  const CoreRun run(config, plain.contents(), plain.feed());
  const CoreSites sites(config);
  const CoreGolden golden(run);
  const auto engine = make_core_engine(name);
  const CellFault flip{0, {CodewordId(32 * 9), 5}, FaultKind::kFlip, {1, 2}};
  CoreJob job{.golden = &golden, .wants_whole = true};
  if (ecc != EccKind::kNone) {
    job.cells = {&flip, 1};
    TS_CHECK(engine->run(job).ecc.corrected > 0, "the codeword is read");
  }
  std::vector<double> rates;
  for (auto _ : state) {
    const double time = processor_seconds([&] { benchmark::DoNotOptimize(engine->run(job)); });
    rates.push_back(static_cast<double>(run.cycles()) / time);
  }
  report_rate(state, median(std::move(rates)), goal);
}

void core_strikes(benchmark::State& state, const std::string& name, std::size_t count,
                  double goal) {
  const CoreRun run = busy_run("core_1024x64", 784, 8);
  const CoreSites sites(run.config());
  const CoreGolden golden(run);
  const auto engine = make_core_engine(name);
  const auto closed_form = make_core_engine("closed_form");
  const auto faults = uniform_flips(run, sites, count, [&](const CoreSite& site) {
    const RegisterFault fault{sites.id_of(site), FaultKind::kFlip, {1, 2}};
    return closed_form->covers({&golden, {&fault, 1}});
  });
  for (std::size_t i = 0; i < 64; ++i) {
    const CoreJob job{&golden, {&faults[i], 1}};
    TS_CHECK(engine->run(job).changes == closed_form->run(job).changes,
             "both engines compute the same");
  }
  std::vector<double> rates;
  std::size_t activated = 0;
  for (auto _ : state) {
    activated = 0;
    const double time = processor_seconds([&] {
      for (const RegisterFault& fault : faults) {
        activated += engine->run({&golden, {&fault, 1}}).activated ? 1 : 0;
      }
    });
    rates.push_back(static_cast<double>(count) / time);
  }
  report_rate(state, median(std::move(rates)), goal);
  state.counters["activated_share"] = static_cast<double>(activated) / static_cast<double>(count);
}

BENCHMARK_CAPTURE(core_cycles, bare, "systemc", EccKind::kNone, 100e6)->Name("core_systemc/bare");
BENCHMARK_CAPTURE(core_cycles, secded, "systemc", EccKind::kSecded, 30e6)
    ->Name("core_systemc/secded");
BENCHMARK_CAPTURE(core_cycles, stepped, "stepped", EccKind::kNone, 100e6)
    ->Name("core_systemc/stepped");
BENCHMARK_CAPTURE(core_strikes, systemc, "systemc", 1024, 1500)->Name("core_systemc/strikes");
BENCHMARK_CAPTURE(core_strikes, closed_form, "closed_form", 16384, 20e3)->Name("core_closed_form");

}  // namespace
}  // namespace tilestrike::sim
