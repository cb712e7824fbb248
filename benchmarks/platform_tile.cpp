// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// platform_tile: one pass of a 16x16 mesh, 64 rows (OS: depth 64), on the platform: operands
// written into SEC-DED memories, read through them as they enter, sums read, added and written
// back, and one strike armed, uniform over the cells that hold something and over the pass's
// cycles. Over the bare mesh's pass through the SystemC engine, its operands lying ready. Both
// sides are interleaved; `ratio` is that of the medians.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "benchmarks/paired.h"
#include "sim/mesh/engine_set.h"
#include "tests/sim/tile_program.h"

namespace tilestrike::sim {
namespace {

constexpr int kSize = 16;
constexpr int kStreamed = 64;
constexpr std::size_t kCalls = 64;  // that are timed together
constexpr int kBatches = 1000;      // of calls
constexpr std::size_t kStrikes = 4096;

struct Ready final : Operands {
  std::vector<std::int8_t> a = std::vector<std::int8_t>(kStreamed * kSize), w = a;
  void activations(int, int first, int count, std::int8_t* out) const override {
    std::memcpy(out, &a[static_cast<std::size_t>(first * kSize)],
                static_cast<std::size_t>(count * kSize));
  }
  void weights(int, int first, int count, std::int8_t* out) const override {
    std::memcpy(out, &w[static_cast<std::size_t>(first * kSize)],
                static_cast<std::size_t>(count * kSize));
  }
  void accumulators(int, int, int, std::int32_t*) const override {}
};

MemoryConfig memory_of(std::int64_t bytes, int row, int data_bits) {
  MemoryConfig config;
  config.capacity_bytes = bytes;
  config.row_bytes = row;
  config.data_bits = data_bits;
  config.ecc = EccKind::kSecded;
  return config;
}

void platform_tile(benchmark::State& state, Dataflow dataflow) {
  MeshConfig mesh;
  mesh.rows = kSize;
  mesh.columns = kSize;
  mesh.dataflow = dataflow;
  const bool ws = dataflow == Dataflow::kWeightStationary;
  const PassShape shape =
      ws ? PassShape{kStreamed, kSize, kSize} : PassShape{kSize, kStreamed, kSize};
  const MeshRun run(mesh, {shape});
  RandomStream random(1, 0, Purpose::kTest);
  Ready ready;
  for (std::size_t i = 0; i < ready.a.size(); ++i) {
    ready.a[i] = static_cast<std::int8_t>(random.next());
    ready.w[i] = static_cast<std::int8_t>(random.next());
  }
  const std::vector<std::int32_t> sums(static_cast<std::size_t>(shape.rows * kSize), 7);
  const TileOperands operands{
      ready.a, std::span(ready.w).first(static_cast<std::size_t>(shape.depth * kSize)), sums};
  // Operands in one memory, as a scratchpad has them.
  const std::vector<MemoryConfig> memories = {memory_of(256 * 1024, 16, 64),
                                              memory_of(64 * 1024, 64, 32)};
  Platform platform(memories);
  TileProgram program(run, operands, {0, 0}, {0, 128 * 1024}, {1, 0});

  std::vector<PlatformStrike> strikes(kStrikes);
  for (PlatformStrike& strike : strikes) {
    const std::uint64_t words[] = {operands.activations.size() / 8, operands.weights.size() / 8,
                                   sums.size()};
    std::uint64_t word = random.below(words[0] * 72 + words[1] * 72 + words[2] * 39);
    const bool is_sum = word >= (words[0] + words[1]) * 72;
    word -= is_sum ? (words[0] + words[1]) * 72 : 0;
    strike.memory = is_sum ? 1 : 0;
    strike.bit.bit = static_cast<int>(word % (is_sum ? 39 : 72));
    word /= is_sum ? 39 : 72;
    strike.bit.codeword =
        CodewordId(is_sum || word < words[0] ? word : word - words[0] + 128 * 1024 / 8);
    strike.when.from = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))) +
                       program.mesh_start();
  }

  const auto engine = builtin_engines().make("systemc");
  MeshJob job;
  job.run = &run;
  job.operands = &ready;
  job.wants_outputs = true;
  std::size_t next = 0;
  std::uint64_t corrected = 0;
  Cycle origin = 0;
  const auto ours = [&] {
    PlatformStrike strike = strikes[next++ % kStrikes];
    strike.when.from += origin;
    platform.arm({&strike, 1});
    program.restart();
    const PlatformReport report = platform.run(program, DueAction::kStop, origin);
    corrected += report.reads[0].corrected + report.reads[1].corrected;
    origin += program.cycles();
  };
  const auto bare = [&] { benchmark::DoNotOptimize(engine->run(job)); };

  ours();  // SEC-DED corrects any one bit: both sides compute the same
  std::vector<std::int32_t> found_sums(sums.size());
  std::vector<CodewordFinding> findings;
  platform.array(1).read_bytes(
      0, {reinterpret_cast<std::uint8_t*>(found_sums.data()), sums.size() * 4}, findings);
  std::vector<std::int32_t> expected = engine->run(job).outputs[0];
  for (std::int32_t& word : expected) {
    word += 7;
  }
  TS_CHECK(found_sums == expected, "both sides compute the same");

  std::vector<double> our_times, bare_times;
  const auto timed = [](std::vector<double>& times, const auto& call) {
    times.push_back(seconds([&] {
                      for (std::size_t i = 0; i < kCalls; ++i) {
                        call();
                      }
                    }) /
                    static_cast<double>(kCalls));
  };
  for (auto _ : state) {
    in_turn(
        our_times.size(), [&] { timed(our_times, ours); }, [&] { timed(bare_times, bare); });
    state.SetIterationTime(our_times.back());
  }
  const double our_median = median(our_times);
  const double bare_median = median(bare_times);
  state.counters["ratio"] = our_median / bare_median;
  state.counters["us_platform"] = 1e6 * our_median;
  state.counters["us_mesh"] = 1e6 * bare_median;
  state.counters["corrected"] = static_cast<double>(corrected) / static_cast<double>(next);
}

BENCHMARK_CAPTURE(platform_tile, ws, Dataflow::kWeightStationary)
    ->Name("platform_tile/ws")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(platform_tile, os, Dataflow::kOutputStationary)
    ->Name("platform_tile/os")
    ->UseManualTime()
    ->Iterations(kBatches)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tilestrike::sim
