// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do the zoo's spiking networks give the same spikes and membranes, of every layer in every tick,
// in tensors layer by layer, in tensors tick by tick, as runs of cores, and in every machine that
// computes a core edge by edge or in bursts?
#include <ATen/ops/equal.h>
#include <ATen/ops/sum.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "bridge/accelerator/engines.h"
#include "bridge/layout/core_layout.h"
#include "bridge/study/workload.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/spiking/tick_executor.h"
#include "sim/chip/chip_lockstep.h"
#include "sim/chip/chip_run.h"
#include "sim/core/core_drive.h"
#include "sim/core/core_engine.h"
#include "sim/core/core_memory.h"
#include "tests/bridge/watched_core.h"
#include "tests/bridge/zoo.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBatch = 50;

/// What has been compared, to be shown and to be demanded.
struct Compared {
  std::int64_t spikes = 0, membranes = 0, runs = 0;

  void show(const std::string& what) const {
    std::printf("%s: %ld spikes and %ld membranes compared in %ld runs\n", what.c_str(), spikes,
                membranes, runs);
    testing::Test::RecordProperty(what + " spikes", std::to_string(spikes));
  }
};

/// The numbers of one layer of neurons for a batch: (ticks, images, neurons).
struct LayerNumbers {
  at::Tensor spikes;  // int8; undefined: the layer never fires
  at::Tensor membranes;
  std::int64_t neurons = 0;

  std::int64_t place(std::int64_t tick, std::int64_t image, std::int64_t neuron) const {
    return (tick * membranes.size(1) + image) * neurons + neuron;
  }
  bool fires(std::int64_t tick, std::int64_t image, std::int64_t neuron) const {
    return spikes.defined() &&
           spikes.const_data_ptr<std::int8_t>()[place(tick, image, neuron)] != 0;
  }
  /// After the tick; before the first one, zero.
  std::int32_t membrane(std::int64_t tick, std::int64_t image, std::int64_t neuron) const {
    return tick < 0 ? 0 : membranes.const_data_ptr<std::int32_t>()[place(tick, image, neuron)];
  }
};

/// A batch of images in the integer network, layer by layer.
struct Batch {
  at::Tensor encoded;  // (ticks, images, ...), int8
  std::vector<LayerNumbers> layers;
};

Batch record(const dnn::Network& network, const dnn::Inputs& images) {
  const dnn::SpikingPlaces places = dnn::places_of(network);
  const dnn::Tape tape = dnn::Executor(network).record(images);
  Batch batch;
  batch.encoded = tape.tensor(places.encoded).contiguous();
  for (std::size_t layer = 0; layer < places.layers.size(); ++layer) {
    LayerNumbers& numbers = batch.layers.emplace_back();
    if (places.spikes[layer].value >= 0) {
      numbers.spikes = tape.tensor(places.spikes[layer]).contiguous();
    }
    numbers.membranes = tape.tensor(places.membranes[layer]).contiguous();
    numbers.neurons =
        numbers.membranes.numel() / numbers.membranes.size(0) / numbers.membranes.size(1);
  }
  return batch;
}

/// Some layers of a network, one behind another, on a chip.
struct LayersOnChip {
  LayersOnChip(const dnn::IntegerModel& model, std::size_t first_layer, std::size_t layers,
               const sim::CoreConfig& core)
      : first(first_layer) {
    dnn::IntegerModel part = model;
    part.layers.assign(model.layers.begin() + static_cast<std::ptrdiff_t>(first),
                       model.layers.begin() + static_cast<std::ptrdiff_t>(first + layers));
    part.input_sizes = first == 0 ? model.input_sizes : model.layers[first - 1].sizes;
    part.output_sizes = part.layers.back().sizes;
    if (first + layers < model.layers.size()) {
      part.settings.readout = dnn::Readout::kCount;
    }
    ticks = part.settings.ticks;
    layout = core_layout(part, {core});
    chip = std::make_shared<sim::BootedChip>(sim::ChipConfig{core}, layout.contents);
  }

  /// The spikes that the first of these layers reads of an image.
  sim::InputSpikes spikes(const Batch& batch, std::int64_t image) const {
    const at::Tensor& from = first == 0 ? batch.encoded : batch.layers[first - 1].spikes;
    const std::int64_t inputs = from.numel() / from.size(0) / from.size(1);
    sim::InputSpikes all(static_cast<std::size_t>(ticks));
    for (std::int64_t tick = 0; tick < ticks; ++tick) {
      const std::int8_t* row =
          from.const_data_ptr<std::int8_t>() + (tick * from.size(1) + image) * inputs;
      for (std::int64_t i = 0; i < inputs; ++i) {
        if (row[i] != 0) {
          all[static_cast<std::size_t>(tick)].push_back(static_cast<std::int32_t>(i));
        }
      }
    }
    return all;
  }

  std::size_t first;  // of the network's
  std::int64_t ticks = 0;
  CoreLayout layout;
  std::shared_ptr<const sim::BootedChip> chip;
};

/// Membranes of a core at the begin of a chip tick, by the run of the chip.
std::vector<std::int32_t> membranes_at(const sim::CoreRun& run, std::int32_t tick) {
  const std::int32_t first = run.contents().first_tick;
  std::vector<std::int32_t> all(static_cast<std::size_t>(run.config().neurons), 0);
  if (tick > first) {
    const std::vector<NeuronState>& states =
        tick < run.ticks() && run.works_in(tick) ? run.tick(tick).before : run.end();
    std::ranges::transform(states, all.begin(), &NeuronState::membrane);
  }
  return all;
}

/// The run of a chip against the tensors: who fires in each tick, and every membrane after it.
void expect_tensors(const LayersOnChip& on, const sim::ChipRun& run, const Batch& batch,
                    std::int64_t image, Compared& compared) {
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    const CoreShare& share = on.layout.cores[static_cast<std::size_t>(core)];
    const LayerNumbers& numbers = batch.layers[on.first + share.layer];
    const sim::CoreRun& core_run = run.core(core);
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      const std::int64_t local = tick - core_run.contents().first_tick;
      const bool works = 0 <= local && local < on.ticks;
      ASSERT_EQ(core_run.works_in(tick), works) << "core " << core << " in tick " << tick;
      std::vector<std::int32_t> fired;
      std::vector<std::int32_t> membranes(static_cast<std::size_t>(core_run.config().neurons), 0);
      for (std::size_t i = 0; i < share.neurons.size(); ++i) {
        if (works && numbers.fires(local, image, share.neurons[i])) {
          fired.push_back(static_cast<std::int32_t>(i));
        }
        membranes[i] = numbers.membrane(std::min(local, on.ticks - 1), image, share.neurons[i]);
      }
      ASSERT_EQ(core_run.tick(tick).fired, fired) << "core " << core << " in tick " << tick;
      ASSERT_EQ(membranes_at(core_run, tick + 1), membranes)
          << "core " << core << ", tick " << tick;
      compared.spikes += std::ssize(fired);
      compared.membranes += works ? std::ssize(share.neurons) : 0;
    }
  }
  ++compared.runs;
}

std::vector<sim::CoreDeparture> departures_of(const sim::CoreRun& run) {
  std::vector<sim::CoreDeparture> all;
  for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
    for (const sim::CoreOutput& output : run.tick(tick).outputs) {
      all.push_back({tick, output.cycle, output.event});
    }
  }
  return all;
}

/// The run of a chip against all its cores in lockstep, made by an engine: every event and its
/// edge, every membrane at the begin of every tick, the length of every tick, and the answer.
void expect_lockstep(const sim::ChipRun& run, sim::CoreEngine& engine, Compared& compared) {
  std::vector<std::unique_ptr<CoreHistory>> histories;
  const sim::LockstepRun all =
      sim::run_lockstep(run.chip(), run.spikes(), {}, {}, [&](const sim::CoreSites& sites) {
        histories.push_back(std::make_unique<CoreHistory>());
        histories.back()->machine = engine.machine(sites);
        return std::make_unique<WatchedCore>(*histories.back());
      });
  ASSERT_FALSE(all.hung);
  ASSERT_EQ(all.errors, 0U);
  for (std::int32_t tick = -1; tick < run.ticks(); ++tick) {
    ASSERT_EQ(all.lengths[static_cast<std::size_t>(tick + 1)], run.length(tick)) << tick;
  }
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    const sim::CoreRun& expected = run.core(core);
    const CoreHistory& history = *histories[static_cast<std::size_t>(core)];
    ASSERT_EQ(all.departures[static_cast<std::size_t>(core)], departures_of(expected)) << core;
    ASSERT_EQ(std::ssize(history.membranes), run.ticks());
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      ASSERT_EQ(history.membranes[static_cast<std::size_t>(tick)], membranes_at(expected, tick))
          << "core " << core << " at the begin of tick " << tick;
      compared.spikes += std::ssize(expected.tick(tick).fired);
    }
    ASSERT_EQ(membranes_of(*history.machine), membranes_at(expected, run.ticks())) << core;
    ASSERT_EQ(all.readouts[static_cast<std::size_t>(core)], expected.readout()) << core;
    compared.membranes += (run.ticks() + 1) * expected.config().neurons;
  }
  ++compared.runs;
}

/// Reads the arrays of a core with ECC, and counts what the decoder found.
class CountingReader final : public sim::CoreReader {
 public:
  void read(sim::CoreStorage array, std::size_t first, std::size_t words,
            std::uint64_t* limbs) override {
    const std::size_t bytes = 8 * core->sites().block(array).limbs;
    std::vector<sim::CodewordFinding> findings;
    core->array(array).read_bytes(
        first * bytes, {reinterpret_cast<std::uint8_t*>(limbs), words * bytes}, findings);
    found += std::ssize(findings);
  }
  const sim::MemoryCore* core = nullptr;
  std::int64_t found = 0;
};

/// The run of a chip against each core by itself, in bursts, fed as in the run.
void expect_bursts(const sim::ChipRun& run, bool is_in_memories, Compared& compared) {
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    const sim::CoreRun& expected = run.core(core);
    const sim::CoreSites& sites = expected.core().sites();
    CountingReader reader;
    std::unique_ptr<sim::CoreMachine> machine;
    if (is_in_memories) {
      auto memories = std::make_unique<sim::MemoryCore>(sites, reader);
      reader.core = memories.get();
      machine = std::move(memories);
    } else {
      machine = std::make_unique<sim::BurstCore>(sites);
    }
    machine->set_state(expected.core().state());
    sim::CoreDrive drive(expected, *machine);
    while (!drive.is_over()) {
      if (drive.next().edge == 1 && drive.next().tick >= 0) {
        ASSERT_EQ(membranes_of(*machine), membranes_at(expected, drive.next().tick))
            << "core " << core << " at the begin of tick " << drive.next().tick;
        compared.membranes += expected.config().neurons;
      }
      ASSERT_GT(drive.advance(std::numeric_limits<std::int32_t>::max()), 0);
    }
    ASSERT_FALSE(drive.is_hung());
    ASSERT_EQ(drive.departures(), departures_of(expected)) << core;
    ASSERT_EQ(drive.readout(), expected.readout()) << core;
    ASSERT_EQ(drive.edges(), expected.cycles()) << core;
    ASSERT_EQ(reader.found, 0) << "nothing was struck";
    for (std::int32_t tick = 0; tick < run.ticks(); ++tick) {
      compared.spikes += std::ssize(expected.tick(tick).fired);
    }
  }
  ++compared.runs;
}

/// A zoo network, and what of it fits cores of 256 x 256: of the fully connected ones not the first
/// layer, which has 784 inputs; of the other not the last.
struct ZooCase {
  const char* name;
  std::size_t layers;
  std::size_t small_first, small_layers;
};
constexpr ZooCase kZoo[] = {{"snn_small", 2, 1, 1}, {"snn_fc", 2, 1, 1}, {"snn_conv", 3, 0, 2}};

Workload spiking_workload(const std::string& name, std::int64_t images) {
  NetworkSource source;
  source.model = zoo_path(name, ".nir");
  source.images = "fashion_mnist/test";
  source.use = images;
  source.device = "cpu";
  return load_workload(source, true);
}

class SpikingZooTest : public testing::Test {
 protected:
  /// Calls with a batch of images, and the batch as the network has it.
  template <typename Visit>
  static void each_batch(const Workload& load, const Visit& visit) {
    for (std::int64_t first = 0; first < load.images(); first += kBatch) {
      const dnn::Inputs images = load.inputs.narrow(first, std::min(kBatch, load.images() - first));
      ASSERT_NO_FATAL_FAILURE(visit(images, record(load.network, images)));
    }
  }

  /// The same on both sizes of cores: the layers that fit, a run for each image.
  template <typename Visit>
  static void each_run(const ZooCase& zoo, const Workload& load, const sim::CoreArrayEcc& ecc,
                       const Visit& visit) {
    for (const char* size : {"core_1024x64", "core_256x256"}) {
      SCOPED_TRACE(std::string(zoo.name) + " on " + size);
      const bool is_small = std::string(size) == "core_256x256";
      sim::CoreConfig core = sim::core_named(size);
      core.ecc = ecc;
      const LayersOnChip on(*load.spiking, is_small ? zoo.small_first : 0,
                            is_small ? zoo.small_layers : zoo.layers, core);
      each_batch(load, [&](const dnn::Inputs& images, const Batch& batch) {
        for (std::int64_t image = 0; image < images.rows(); ++image) {
          const sim::ChipRun run(on.chip, on.spikes(batch, image));
          ASSERT_NO_FATAL_FAILURE(visit(on, run, batch, image)) << "image " << image;
        }
      });
    }
  }
};

TEST_F(SpikingZooTest, TickByTickEqualsLayerByLayer) {
  for (const ZooCase& zoo : kZoo) {
    SCOPED_TRACE(zoo.name);
    const Workload load = spiking_workload(zoo.name, proof_size(1000, 60));
    const dnn::SpikingPlaces places = dnn::places_of(load.network);
    ASSERT_EQ(places.layers.size(), zoo.layers);
    Compared compared;
    each_batch(load, [&](const dnn::Inputs& images, const Batch& batch) {
      const dnn::Tape other = dnn::TickExecutor(load.network).record(images);
      ASSERT_TRUE(at::equal(other.tensor(places.encoded), batch.encoded));
      for (std::size_t layer = 0; layer < places.layers.size(); ++layer) {
        const LayerNumbers& numbers = batch.layers[layer];
        ASSERT_TRUE(at::equal(other.tensor(places.membranes[layer]), numbers.membranes)) << layer;
        compared.membranes += numbers.membranes.numel();
        if (numbers.spikes.defined()) {
          ASSERT_TRUE(at::equal(other.tensor(places.spikes[layer]), numbers.spikes)) << layer;
          compared.spikes += numbers.spikes.sum().item<std::int64_t>();
        }
      }
      ++compared.runs;
    });
    compared.show(std::string(zoo.name) + " tick by tick");
    EXPECT_GT(compared.spikes, 100 * load.images()) << "a network that hardly fires proves little";
  }
}

TEST_F(SpikingZooTest, CoresFireAsTheNetwork) {
  for (const ZooCase& zoo : kZoo) {
    const Workload load = spiking_workload(zoo.name, proof_size(1000, 60));
    Compared compared;
    each_run(zoo, load, {}, [&](const auto& on, const auto& run, const auto& batch, auto image) {
      expect_tensors(on, run, batch, image, compared);
    });
    compared.show(std::string(zoo.name) + " as runs of cores");
    EXPECT_EQ(compared.runs, 2 * load.images());
    EXPECT_GT(compared.spikes, 100 * load.images());
  }
}

TEST_F(SpikingZooTest, CoresInBurstsAndWithEccAreTheSame) {
  for (const ZooCase& zoo : kZoo) {
    const Workload load = spiking_workload(zoo.name, proof_size(1000, 4));
    Compared bursts, memories;
    each_run(zoo, load, {}, [&](const auto&, const auto& run, const auto&, auto) {
      expect_bursts(run, false, bursts);
    });
    const sim::CoreArrayEcc ecc{sim::EccKind::kSecded, sim::EccKind::kSecded};
    each_run(zoo, load, ecc, [&](const auto&, const auto& run, const auto&, auto) {
      expect_bursts(run, true, memories);
    });
    bursts.show(std::string(zoo.name) + " in bursts");
    memories.show(std::string(zoo.name) + " in memories with ECC");
    EXPECT_GT(bursts.spikes, 100 * load.images());
    EXPECT_EQ(memories.spikes, bursts.spikes);
  }
}

TEST_F(SpikingZooTest, AllCoresInLockstepAreTheSameInEveryMachine) {
  const sim::EngineSet engines = engines_of_this_build();
  std::vector<std::string> stepping;
  for (const std::string& name : engines.names_of_cores()) {
    const std::unique_ptr<sim::CoreEngine> engine = engines.at(name).make_core();
    Compared compared;
    for (const ZooCase& zoo : kZoo) {
      const Workload load = spiking_workload(zoo.name, proof_size(1000, 2));
      each_run(zoo, load, {}, [&](const auto&, const auto& run, const auto&, auto) {
        const sim::CoreJob job{&run.golden(0)};
        const bool has_machine = engine->machine(run.chip().core_sites()) != nullptr;
        if (name == "closed_form") {
          ASSERT_FALSE(has_machine) << "it steps now: it belongs in here";
          return;
        }
        ASSERT_TRUE(engine->covers(job)) << name << " does not cover a shipped size";
        expect_lockstep(run, *engine, compared);
      });
    }
    if (name != "closed_form") {
      stepping.push_back(name);
      compared.show("in lockstep, " + name);
      EXPECT_EQ(compared.runs, 6 * proof_size(1000, 2));
      EXPECT_GT(compared.spikes, 2000 * proof_size(1000, 2));
    }
  }
  for (const char* name : {"systemc", "stepped"}) {
    EXPECT_EQ(std::ranges::count(stepping, name), 1) << name;
  }
}

}  // namespace
}  // namespace tilestrike::bridge
