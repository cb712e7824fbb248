// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// core_rtl/bare: inferences of two ticks of a 256 x 256 core through the Verilated RTL, clock edge
// by clock edge, a quarter of the axons pending in each. core_rtl/struck: the same with one flip in
// each, uniform over all storage and cycles. `rate`: core cycles per second of processor time.
#include "benchmarks/core_jobs.h"
#include "benchmarks/paired.h"
#include "rtl/core_model.h"
#include "sim/core/core_drive.h"

namespace tilestrike::rtl {
namespace {

void core_rtl(benchmark::State& state, bool is_struck) {
  const sim::CoreRun run = sim::busy_run("core_256x256", 256, 2);
  const sim::CoreSites sites(run.config());
  CoreModel core(sites);
  sim::CoreState start(sites);
  boot(run.contents(), start);
  const auto faults =
      sim::uniform_flips(run, sites, 1024, [](const sim::CoreSite&) { return true; });
  std::vector<double> rates;
  std::size_t next = 0;
  for (auto _ : state) {
    core.set_state(start);
    std::span<const RegisterFault> strike;
    if (is_struck) {
      strike = {&faults[next++ % faults.size()], 1};
    }
    sim::CoreDrive drive(run, core, strike);
    const double time = processor_seconds([&] { drive.run(); });
    rates.push_back(static_cast<double>(drive.edges()) / time);
    benchmark::DoNotOptimize(drive.readout());
  }
  sim::report_rate(state, median(std::move(rates)), 10e6);
}

BENCHMARK_CAPTURE(core_rtl, bare, false)->Name("core_rtl/bare");
BENCHMARK_CAPTURE(core_rtl, struck, true)->Name("core_rtl/struck");

}  // namespace
}  // namespace tilestrike::rtl
