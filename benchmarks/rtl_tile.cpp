// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// rtl_tile/N/bare: whole passes of a weight-stationary N x N mesh, 64 rows, through the Verilated
// RTL, clock edge by clock edge from the first preload to the last drain, results collected.
// rtl_tile/N/struck: the same with one flip in each, uniform over all registers and cycles. `rate`:
// PE-cycles per second of processor time, a PE-cycle being one PE in one clock of the whole pass.
// systemc_tile/N/bare and /struck: the same passes and flips through the engine `systemc`.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/random.h"
#include "rtl/mesh_model.h"
#include "sim/mesh/engine_set.h"
#include "sim/mesh/run_edges.h"

namespace tilestrike::rtl {
namespace {

constexpr int kRows = 64;

class RandomTile final : public sim::Operands {
 public:
  explicit RandomTile(int size) : size_(size) {
    RandomStream random(3, 0, Purpose::kTest);
    for (int i = 0; i < kRows * size; ++i) {
      numbers_.push_back(static_cast<std::int8_t>(random.next()));
    }
  }
  void activations(int, int first, int count, std::int8_t* out) const override {
    std::copy_n(&numbers_[static_cast<std::size_t>(first * size_)], count * size_, out);
  }
  void weights(int, int first, int count, std::int8_t* out) const override {
    std::copy_n(&numbers_[static_cast<std::size_t>(first * size_)], count * size_, out);
  }
  void accumulators(int, int, int, std::int32_t*) const override {}

 private:
  const int size_;
  std::vector<std::int8_t> numbers_;
};

void rtl_tile(benchmark::State& state, int size, bool is_struck) {
  const sim::MeshConfig config{size, size};
  const sim::MeshSites sites(config);
  const sim::MeshRun run(config, {{kRows, size, size}});
  const RandomTile operands(size);
  MeshModel mesh(config, sites);
  // What stands at the edges is laid out beforehand: the rate is that of the RTL.
  struct Edge {
    std::vector<std::int8_t> activations;
    std::vector<std::int32_t> vertical, load;
    bool valid, propagate;
  };
  std::vector<Edge> edges;
  sim::RunEdges source(run, operands);
  for (std::int64_t wavefront = 0; wavefront < run.cycles(); ++wavefront) {
    const sim::EdgeValues edge = source.of(wavefront);
    edges.push_back({{edge.activations, edge.activations + size},
                     {edge.vertical, edge.vertical + size},
                     {edge.load, edge.load + size},
                     edge.valid,
                     edge.propagate});
  }
  RandomStream random(4, 0, Purpose::kTest);
  std::int64_t passes = 0;
  std::int64_t sum = 0;
  for (auto _ : state) {
    const RegisterFault fault = {
        SiteId(random.below(sites.total_bits())),
        FaultKind::kFlip,
        {1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))), 0}};
    for (Cycle cycle = 1; cycle <= run.cycles(); ++cycle) {
      const Edge& edge = edges[static_cast<std::size_t>(cycle - 1)];
      mesh.step({edge.activations.data(), edge.vertical.data(), edge.load.data(), edge.valid,
                 edge.propagate});
      if (is_struck && cycle == fault.when.from) {
        mesh.strike(fault);
      }
      for (int column = 0; column < size; ++column) {
        sum += mesh.collected(column);
      }
    }
    ++passes;
  }
  benchmark::DoNotOptimize(sum);
  state.counters["rate"] = benchmark::Counter(
      static_cast<double>(passes) * static_cast<double>(run.cycles()) * size * size,
      benchmark::Counter::kIsRate);
}

void systemc_tile(benchmark::State& state, int size, bool is_struck) {
  const sim::MeshConfig config{size, size};
  const sim::MeshSites sites(config);
  const sim::MeshRun run(config, {{kRows, size, size}});
  const RandomTile operands(size);
  const auto engine = sim::builtin_engines().make("systemc");
  RandomStream random(4, 0, Purpose::kTest);
  std::int64_t passes = 0;
  for (auto _ : state) {
    const Cycle cycle =
        1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles())));
    const RegisterFault fault = {
        SiteId(random.below(sites.total_bits())), FaultKind::kFlip, {cycle, cycle + 1}};
    sim::MeshJob job;
    job.run = &run;
    job.operands = &operands;
    job.wants_outputs = true;
    if (is_struck) {
      job.faults = {&fault, 1};
    }
    benchmark::DoNotOptimize(engine->run(job));
    ++passes;
  }
  state.counters["rate"] = benchmark::Counter(
      static_cast<double>(passes) * static_cast<double>(run.cycles()) * size * size,
      benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(rtl_tile, bare8, 8, false)->Name("rtl_tile/8/bare");
BENCHMARK_CAPTURE(rtl_tile, struck8, 8, true)->Name("rtl_tile/8/struck");
BENCHMARK_CAPTURE(rtl_tile, bare16, 16, false)->Name("rtl_tile/16/bare");
BENCHMARK_CAPTURE(rtl_tile, struck16, 16, true)->Name("rtl_tile/16/struck");
BENCHMARK_CAPTURE(rtl_tile, bare32, 32, false)->Name("rtl_tile/32/bare");
BENCHMARK_CAPTURE(rtl_tile, struck32, 32, true)->Name("rtl_tile/32/struck");

BENCHMARK_CAPTURE(systemc_tile, bare8, 8, false)->Name("systemc_tile/8/bare");
BENCHMARK_CAPTURE(systemc_tile, struck8, 8, true)->Name("systemc_tile/8/struck");
BENCHMARK_CAPTURE(systemc_tile, bare16, 16, false)->Name("systemc_tile/16/bare");
BENCHMARK_CAPTURE(systemc_tile, struck16, 16, true)->Name("systemc_tile/16/struck");
BENCHMARK_CAPTURE(systemc_tile, bare32, 32, false)->Name("systemc_tile/32/bare");
BENCHMARK_CAPTURE(systemc_tile, struck32, 32, true)->Name("systemc_tile/32/struck");

}  // namespace
}  // namespace tilestrike::rtl
