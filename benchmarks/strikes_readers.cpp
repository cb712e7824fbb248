// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// strikes: events of a 28 nm node over the memories of a 16 x 16 accelerator (256 KiB scratchpad,
// 64 KiB accumulators, interleave 4, SEC-DED) during an inference of ResNet-18 at 224 x 224: drawn,
// clustered, cut off, and mapped to codewords, to what those hold at that cycle, and to who reads
// it later. `rate` is strikes per second of one core; `live` the share that somebody reads.
#include <ATen/ops/rand.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "benchmarks/resnet18.h"
#include "bridge/exposure/residency.h"
#include "bridge/schedule/mapping.h"
#include "dnn/executor.h"
#include "dnn/integer/quantise.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::bridge {
namespace {

constexpr std::uint64_t kStrikes = 100'000;  // that are timed together

sim::MemoryConfig memory_of(std::vector<sim::MemoryContent> holds, std::int64_t kibibytes,
                            int banks, int row_bytes, int data_bits) {
  sim::MemoryConfig memory;
  memory.holds = std::move(holds);
  memory.capacity_bytes = kibibytes * 1024;
  memory.banks = banks;
  memory.row_bytes = row_bytes;
  memory.data_bits = data_bits;
  memory.interleave = 4;
  memory.ecc = sim::EccKind::kSecded;
  return memory;
}

/// Who reads a copy on the chip after some cycle: passes [first, last) of a layer on the mesh, at
/// most, or an operator that is not (first = last = 0).
struct Readers {
  std::size_t layer = 0;
  int first_pass = 0, last_pass = 0;
};

/// Who reads an occupant that is no tensor after `cycle`; nullopt: nobody.
std::optional<Readers> readers_of(const Residency& residency, const Occupant& occupant,
                                  Cycle cycle) {
  const MemorySchedule& memory = residency.memory();
  const Placement& placement = residency.placement();
  if (occupant.is_nothing() || occupant.copies == &residency.backing()) {
    return std::nullopt;
  }
  const ScheduledLayer& layer = residency.schedule().layers()[occupant.layer];
  Readers found{occupant.layer, 0, 0};
  if (layer.tiling == nullptr) {
    const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(occupant.index)];
    return block.last_read > cycle ? std::optional(found) : std::nullopt;
  }
  const sim::MeshRun& run = *layer.run;
  if (occupant.copies == &residency.sums()) {
    const std::vector<Cycle>& last = memory.layers()[occupant.layer].result_reads;
    const auto block = static_cast<std::size_t>(occupant.index);
    found.first_pass = static_cast<int>(occupant.index) * layer.tiling->depth_folds();
    found.last_pass = found.first_pass + layer.tiling->depth_folds();
    const std::int64_t row = occupant.offset / (placement.accelerator().mesh.columns * kSumBytes);
    const int output = memory.work()[occupant.layer].outputs.front();
    const Cycle pitch =
        memory.result_pitch(layer.tiling->tile(found.first_pass).shape.columns,
                            placement.tensors()[static_cast<std::size_t>(output)].element_bytes);
    return last[block] + row * pitch > cycle ? std::optional(found) : std::nullopt;
  }
  const int folds = layer.tiling->depth_folds();
  int stride = 1;
  if (occupant.copies == &residency.activations()) {
    const ActivationBlock& block = memory.blocks()[static_cast<std::size_t>(occupant.index)];
    found.first_pass = block.first_pass;
    found.last_pass = block.last_pass;
    if (block.last_read <= cycle) {
      return std::nullopt;
    }
  } else {
    found.first_pass = memory.first_pass_of_tile(occupant.layer, *layer.tiling, occupant.index);
    stride = placement.weight_place(occupant.layer).is_in_turn ? 1 : folds;
    found.last_pass =
        found.first_pass + (stride == 1 ? 1 : (layer.tiling->row_folds() - 1) * folds + 1);
  }
  // Passes before the one that is at work in `cycle` have read what they read.
  const int window = cycle < layer.start ? -1 : run.window_of(cycle - layer.start);
  const bool is_overlapped = run.config().preload == sim::Preload::kOverlapped;
  const int at_work = std::max(0, is_overlapped ? window - 1 : window / 2);
  while (found.first_pass < at_work && found.first_pass < found.last_pass) {
    const int behind = at_work - found.first_pass;
    found.first_pass += (behind + stride - 1) / stride * stride;
  }
  return found.first_pass < found.last_pass ? std::optional(found) : std::nullopt;
}

void strikes(benchmark::State& state) {
  using sim::MemoryContent;
  AcceleratorConfig accelerator;
  accelerator.memory = {
      {"scratchpad",
       memory_of({MemoryContent::kWeights, MemoryContent::kActivations}, 256, 4, 32, 64)},
      {"accumulator", memory_of({MemoryContent::kAccumulators}, 64, 2, 64, 32)}};
  const c10::InferenceMode no_gradients;
  const dnn::Inputs image(at::rand({1, 3, 224, 224}));
  const dnn::Network network = dnn::quantise(dnn::make_resnet18(), image);
  const dnn::Executor executor(network);
  const Mapping mapping(network, executor.record(image), accelerator);
  const Residency residency(mapping.schedule());
  const auto cycles = static_cast<std::uint64_t>(mapping.schedule().cycles_per_inference());
  const sim::ArrayGeometry arrays[] = {sim::ArrayGeometry(accelerator.memory[0].second.array()),
                                       sim::ArrayGeometry(accelerator.memory[1].second.array())};
  sim::TechnologyNode node;
  for (const sim::TechnologyNode& candidate :
       sim::read_technology_nodes(TS_SOURCE_FOLDER "/data/technology_nodes.csv")) {
    node = candidate.name == "28nm" ? candidate : node;
  }
  const sim::ClusterSampler sampler(sim::cluster_law(node, sim::Radiation::kNeutron));
  const auto tap_rows = static_cast<int>(node.tap_rows.value);
  sim::Cluster cluster;
  sim::Upset upset;
  std::uint64_t trial = 0;
  std::uint64_t live = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kStrikes; ++i, ++trial) {
      RandomStream site(1, trial, Purpose::kSite);
      RandomStream shape(1, trial, Purpose::kCluster);
      RandomStream when(1, trial, Purpose::kCycle);
      std::uint64_t index = site.below(arrays[0].cells() + arrays[1].cells());
      const std::size_t memory = index >= arrays[0].cells() ? 1 : 0;
      index -= memory == 1 ? arrays[0].cells() : 0;
      const auto cycle = static_cast<Cycle>(when.below(cycles));
      sampler.draw(shape, cluster);
      sim::place_cluster(cluster, arrays[memory].cell_at(index), arrays[memory], tap_rows, upset);
      sim::sort_by_codeword(upset);
      bool is_live = false;
      const sim::CodewordBit* last = nullptr;
      for (const sim::CodewordBit& bit : upset.bits()) {
        if (last != nullptr && last->codeword == bit.codeword) {
          continue;
        }
        last = &bit;
        const Occupant occupant = residency.at(memory, bit.codeword, cycle);
        is_live = is_live || readers_of(residency, occupant, cycle).has_value();
      }
      live += is_live ? 1 : 0;
    }
  }
  const auto done = static_cast<double>(trial);
  state.counters["rate"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  state.counters["live"] = static_cast<double>(live) / done;
}

BENCHMARK(strikes)->Name("strikes")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tilestrike::bridge
