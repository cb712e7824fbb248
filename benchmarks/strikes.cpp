// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// strikes/codewords: strikes drawn over two arrays (256 KiB and 64 KiB, SEC-DED (72,64)),
// clustered, cut off at edges and well taps, and mapped to codewords; each strike from random
// streams of its own. `rate` is strikes per second of one core.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "base/random.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::sim {
namespace {

constexpr std::uint64_t kStrikes = 100'000;  // that are timed together

void strikes_to_codewords(benchmark::State& state, const char* node_name, int interleave) {
  const ArrayGeometry arrays[] = {ArrayGeometry({256 * 1024, 4, 128, 64, 8, interleave}),
                                  ArrayGeometry({64 * 1024, 2, 128, 64, 8, interleave})};
  const std::uint64_t cells = arrays[0].cells() + arrays[1].cells();
  const TechnologyNode node = [&] {
    for (const TechnologyNode& candidate :
         read_technology_nodes(TS_SOURCE_FOLDER "/data/technology_nodes.csv")) {
      if (candidate.name == node_name) {
        return candidate;
      }
    }
    fail(ErrorCode::kNotFound, std::string("no technology node is named '") + node_name + "'");
  }();
  const ClusterSampler sampler(cluster_law(node, Radiation::kNeutron));
  const auto tap_rows = static_cast<int>(node.tap_rows.value);
  Cluster cluster;
  Upset upset;
  std::uint64_t trial = 0;
  std::uint64_t upset_cells = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kStrikes; ++i, ++trial) {
      RandomStream site(1, trial, Purpose::kSite);
      RandomStream shape(1, trial, Purpose::kCluster);
      std::uint64_t index = site.below(cells);
      const bool is_second = index >= arrays[0].cells();
      index -= is_second ? arrays[0].cells() : 0;
      const ArrayGeometry& array = arrays[is_second ? 1 : 0];
      sampler.draw(shape, cluster);
      place_cluster(cluster, array.cell_at(index), array, tap_rows, upset);
      sort_by_codeword(upset);
      benchmark::DoNotOptimize(upset.bits().data());
      upset_cells += static_cast<std::uint64_t>(upset.size());
    }
  }
  const auto strikes = static_cast<double>(trial);
  state.counters["rate"] = benchmark::Counter(strikes, benchmark::Counter::kIsRate);
  state.counters["cells"] = static_cast<double>(upset_cells) / strikes;  // per strike
}

BENCHMARK_CAPTURE(strikes_to_codewords, 28nm, "28nm", 4)
    ->Name("strikes/codewords/28nm")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(strikes_to_codewords, 5nm, "5nm", 4)
    ->Name("strikes/codewords/5nm")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::sim
