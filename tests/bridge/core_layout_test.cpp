// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do the cores of a chip, with what the layout writes into them, fire and answer as the layers do,
// each computed as it is defined?
#include "bridge/layout/core_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "sim/chip/chip_run.h"

namespace tilestrike::bridge {
namespace {

using dnn::IntegerLayer;
using dnn::IntegerModel;
using dnn::Sizes;
using dnn::SynapseKind;
using dnn::SynapseStep;

std::int64_t volume(const Sizes& sizes) {
  std::int64_t all = 1;
  for (const std::int64_t size : sizes) {
    all *= size;
  }
  return all;
}

SynapseStep linear(std::int64_t inputs, std::int64_t outputs) {
  SynapseStep step;
  step.kind = SynapseKind::kLinear;
  step.input_sizes = {inputs};
  step.output_sizes = {outputs};
  step.weight_sizes = {outputs, inputs};
  return step;
}

SynapseStep window_step(SynapseKind kind, const Sizes& sizes, std::int64_t channels,
                        std::int64_t window, std::int64_t stride, std::int64_t padding,
                        std::int64_t groups) {
  SynapseStep step;
  step.kind = kind;
  step.input_sizes = sizes;
  step.window = {window, window};
  step.stride = {stride, stride};
  step.padding_before = step.padding_after = {padding, padding};
  step.groups = groups;
  step.output_sizes = {channels, (sizes[1] + 2 * padding - window) / stride + 1,
                       (sizes[2] + 2 * padding - window) / stride + 1};
  if (kind == SynapseKind::kConv2d) {
    step.weight_sizes = {channels, sizes[0] / groups, window, window};
  }
  return step;
}

SynapseStep flatten(const Sizes& sizes) {
  SynapseStep step;
  step.kind = SynapseKind::kFlatten;
  step.input_sizes = sizes;
  step.output_sizes = {volume(sizes)};
  return step;
}

/// One step as it is defined, on integers.
std::vector<std::int64_t> apply(const SynapseStep& step, const std::vector<std::int8_t>& weights,
                                const std::vector<std::int64_t>& in) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(volume(step.output_sizes)), 0);
  if (step.kind == SynapseKind::kFlatten) {
    return in;
  }
  if (step.kind == SynapseKind::kLinear) {
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (std::size_t i = 0; i < in.size(); ++i) {
        out[o] += weights[o * in.size() + i] * in[i];
      }
    }
    return out;
  }
  const bool is_sum = step.kind == SynapseKind::kSumPool2d;
  const std::int64_t channels = step.output_sizes[0];
  const std::int64_t height = step.input_sizes[1], width = step.input_sizes[2];
  const std::int64_t depth = is_sum ? 1 : step.weight_sizes[1];
  const std::int64_t of_group = is_sum ? 1 : channels / step.groups;
  std::size_t at = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < step.output_sizes[1]; ++y) {
      for (std::int64_t x = 0; x < step.output_sizes[2]; ++x, ++at) {
        for (std::int64_t k = 0; k < depth * step.window[0] * step.window[1]; ++k) {
          const std::int64_t channel = c / of_group * depth + k / (step.window[0] * step.window[1]);
          const std::int64_t row =
              y * step.stride[0] - step.padding_before[0] + k / step.window[1] % step.window[0];
          const std::int64_t column =
              x * step.stride[1] - step.padding_before[1] + k % step.window[1];
          if (row >= 0 && row < height && column >= 0 && column < width) {
            const std::int64_t weight = is_sum
                                            ? 1
                                            : weights[static_cast<std::size_t>(
                                                  c * depth * step.window[0] * step.window[1] + k)];
            out[at] +=
                weight * in[static_cast<std::size_t>((channel * height + row) * width + column)];
          }
        }
      }
    }
  }
  return out;
}

class CoreLayoutTest : public testing::Test {
 protected:
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(end)));
  }

  // Appends a layer; weights of zero are frequent.
  void add(IntegerModel& model, std::vector<SynapseStep> steps, bool fires = true) {
    IntegerLayer layer;
    layer.name = "layer" + std::to_string(model.layers.size());
    for (const SynapseStep& step : steps) {
      if (step.has_weights()) {
        for (std::int64_t i = volume(step.weight_sizes); i > 0; --i) {
          layer.weights.push_back(static_cast<std::int8_t>(below(3) == 0 ? 0 : below(256) - 128));
        }
      }
    }
    layer.sizes = steps.back().output_sizes;
    layer.synapses = std::move(steps);
    for (std::int64_t i = volume(layer.sizes); i > 0; --i) {
      NeuronParameters neuron;
      neuron.threshold = static_cast<std::int32_t>(below(200));
      neuron.bias = static_cast<std::int32_t>(below(41)) - 20;
      neuron.leak = static_cast<std::int32_t>(below(1024));
      neuron.is_enabled = fires;
      neuron.is_soft_reset = below(2) == 0;
      neuron.refractory = static_cast<std::int32_t>(below(4) == 0 ? below(3) : 0);
      layer.neurons.push_back(neuron);
    }
    if (model.layers.empty()) {
      model.input_sizes = layer.synapses.front().input_sizes;
    }
    model.output_sizes = layer.sizes;
    model.layers.push_back(std::move(layer));
  }

  IntegerModel model_of(int trial) {
    IntegerModel model;
    model.name = "net";
    model.settings.ticks = 3 + trial % 4;
    model.settings.readout = trial % 2 == 0 ? dnn::Readout::kMembrane : dnn::Readout::kCount;
    const bool fires = trial % 2 == 1;
    if (trial % 3 == 0) {
      const std::int64_t hidden = 20 + below(40);
      add(model, {linear(10 + below(50), hidden)});
      add(model, {linear(hidden, 5 + below(30))}, fires);
      return model;
    }
    const Sizes image{1 + below(2), 7 + below(4), 7 + below(4)};
    add(model, {window_step(SynapseKind::kConv2d, image, 2 * (1 + below(4)), 1 + below(3),
                            1 + below(2), below(2), 1)});
    Sizes sizes = model.layers.back().sizes;
    if (trial % 3 == 2) {
      const SynapseStep pool = window_step(SynapseKind::kSumPool2d, sizes, sizes[0], 2, 2, 0, 1);
      add(model, {pool, window_step(SynapseKind::kConv2d, pool.output_sizes, 4, 2, 1, 1,
                                    below(2) == 0 ? 2 : 1)});
      sizes = model.layers.back().sizes;
    }
    add(model, {flatten(sizes), linear(volume(sizes), 3 + below(10))}, fires);
    return model;
  }

  dnn::IntegerModel beside(IntegerModel model) {
    IntegerModel with;
    with.name = model.name;
    with.settings = model.settings;
    add(with, {linear(3, volume(model.input_sizes))});
    with.layers[0].is_beside_cores = true;
    with.layers[0].float_synapses = std::exchange(with.layers[0].synapses, {});
    for (IntegerLayer& layer : model.layers) {
      with.layers.push_back(std::move(layer));
    }
    with.output_sizes = model.output_sizes;
    return with;
  }

  using Trains = std::vector<std::vector<std::int64_t>>;  // by tick: 0 or 1 of each

  Trains spikes(std::int64_t ticks, std::int64_t inputs) {
    Trains all(static_cast<std::size_t>(ticks));
    for (auto& tick : all) {
      for (std::int64_t i = 0; i < inputs; ++i) {
        tick.push_back(below(3) == 0 ? 1 : 0);
      }
    }
    return all;
  }

  // Spikes of a layer from those of the layer before; the membranes after the last tick.
  Trains run(const IntegerLayer& layer, const Trains& in, std::vector<std::int32_t>& membranes) {
    std::vector<NeuronState> states(layer.neurons.size());
    Trains out;
    for (std::vector<std::int64_t> values : in) {
      for (const SynapseStep& step : layer.synapses) {
        values = apply(step, layer.weights, values);
      }
      std::vector<std::int64_t>& fired = out.emplace_back();
      for (std::size_t i = 0; i < states.size(); ++i) {
        const NeuronStep step = step_neuron(layer.neurons[i], layer.format, states[i],
                                            static_cast<std::int32_t>(values[i]));
        states[i] = step.state;
        fired.push_back(step.fires ? 1 : 0);
        spikes_ += step.fires ? 1 : 0;
      }
    }
    membranes.clear();
    for (const NeuronState& state : states) {
      membranes.push_back(state.membrane);
    }
    return out;
  }

  // Of a layer on the cores, by local tick.
  static Trains fired(const CoreLayout& layout, const sim::ChipRun& run, std::size_t layer,
                      std::size_t neurons, std::int64_t ticks) {
    Trains all;
    for (std::int64_t local = 0; local < ticks; ++local) {
      std::vector<std::int64_t>& tick = all.emplace_back(neurons, 0);
      for (std::size_t core = 0; core < layout.cores.size(); ++core) {
        if (layout.cores[core].layer != layer) {
          continue;
        }
        const auto at = static_cast<std::int32_t>(
            local + static_cast<std::int64_t>(layer - layout.first_layer));
        for (const std::int32_t lane : run.core(static_cast<std::int32_t>(core)).tick(at).fired) {
          tick[static_cast<std::size_t>(
              layout.cores[core].neurons[static_cast<std::size_t>(lane)])] = 1;
        }
      }
    }
    return all;
  }

  void expect_holds_all(const IntegerModel& model, const CoreLayout& layout,
                        const sim::CoreConfig& core) {
    std::vector<std::multiset<std::int64_t>> held(model.layers.size());
    for (const CoreShare& share : layout.cores) {
      ASSERT_LE(share.neurons.size(), static_cast<std::size_t>(core.neurons));
      ASSERT_LE(share.axons.size(), static_cast<std::size_t>(core.axons));
      ASSERT_TRUE(std::ranges::is_sorted(share.neurons));
      held[share.layer].insert(share.neurons.begin(), share.neurons.end());
    }
    for (std::size_t i = layout.first_layer; i < model.layers.size(); ++i) {
      ASSERT_EQ(held[i].size(), model.layers[i].neurons.size());
      ASSERT_EQ(std::set<std::int64_t>(held[i].begin(), held[i].end()).size(), held[i].size());
      copied_ += layout.layers[i].cores > 1 ? 1 : 0;
    }
  }

  void expect_equal(const IntegerModel& model, const sim::ChipConfig& config) {
    const CoreLayout layout = core_layout(model, config);
    ASSERT_NO_FATAL_FAILURE(expect_holds_all(model, layout, config.core));
    const auto inputs = static_cast<std::int64_t>(layout.contents.inputs.size());
    Trains trains = spikes(model.settings.ticks, inputs);
    sim::InputSpikes input;
    for (const auto& tick : trains) {
      std::vector<std::int32_t>& one = input.emplace_back();
      for (std::int64_t i = 0; i < inputs; ++i) {
        if (tick[static_cast<std::size_t>(i)] != 0) {
          one.push_back(static_cast<std::int32_t>(i));
        }
      }
    }
    const auto chip = std::make_shared<const sim::BootedChip>(config, layout.contents);
    const sim::ChipRun run(chip, input);
    ASSERT_EQ(run.ticks(), model.settings.ticks + layout.levels() - 1);
    std::vector<std::int32_t> membranes;
    for (std::size_t i = layout.first_layer; i < model.layers.size(); ++i) {
      trains = this->run(model.layers[i], trains, membranes);
      ASSERT_EQ(fired(layout, run, i, model.layers[i].neurons.size(), model.settings.ticks), trains)
          << "layer " << i;
    }
    if (model.settings.readout == dnn::Readout::kMembrane) {
      ASSERT_EQ(layout.outputs.size(), membranes.size());
      for (std::size_t i = 0; i < membranes.size(); ++i) {
        ASSERT_EQ(run.readout()[i], membranes[static_cast<std::size_t>(layout.outputs[i])]);
      }
      return;
    }
    const auto outputs = run.outputs();
    for (std::size_t tick = 0; tick < trains.size(); ++tick) {
      std::vector<std::int64_t> counts(trains[tick].size(), 0);
      const auto at = tick + static_cast<std::size_t>(layout.levels()) - 1;
      for (const sim::ChipOutput& output : outputs[at]) {
        counts[static_cast<std::size_t>(output.output)] = output.events;
      }
      ASSERT_EQ(counts, trains[tick]);
    }
  }

  static std::string error_of(const IntegerModel& model, const sim::ChipConfig& config) {
    try {
      core_layout(model, config);
    } catch (const Failure& failure) {
      return failure.errors().front().text();
    }
    return "none";
  }

  RandomStream random_{86, 0, Purpose::kTest};
  std::int64_t spikes_ = 0, copied_ = 0;
};

TEST_F(CoreLayoutTest, ChipsFireAsLayersDo) {
  int fits = 0;
  for (int trial = 0; trial < 300; ++trial) {
    sim::ChipConfig config{sim::core_named(trial % 4 == 0   ? "core_64x16"
                                           : trial % 4 == 1 ? "core_128x32"
                                           : trial % 4 == 2 ? "core_256x64"
                                                            : "core_1024x64")};
    config.core.destinations = 16384;
    IntegerModel model = model_of(trial);
    if (trial % 5 == 4) {
      model = beside(std::move(model));
    }
    if (trial % 4 == 0 && model.layers.back().synapses.back().input_sizes[0] > 64) {
      config.core = sim::core_named("core_1024x16");
      config.core.destinations = 16384;
    }
    if (error_of(model, config) == "none") {
      ASSERT_NO_FATAL_FAILURE(expect_equal(model, config)) << trial;
      ++fits;
    }
  }
  std::printf("%d networks, %ld spikes, %ld layers on several cores\n", fits, spikes_, copied_);
  EXPECT_GT(fits, 250);
  EXPECT_GT(spikes_, 20'000);
  EXPECT_GT(copied_, 200);
}

// By hand. 8 x 12 x 12 outputs of 5 x 5 windows of 28 x 28: blocks of 64 neurons, of which 18 are
// enough: 8 x 2 x 4, for 4 x 4 x 4 has fewer channels and 8 x 4 x 2 fewer columns.
TEST_F(CoreLayoutTest, CutsAreTheFewestThatFit) {
  IntegerModel model;
  model.name = "net";
  model.settings.ticks = 4;
  add(model, {window_step(SynapseKind::kConv2d, {1, 28, 28}, 8, 5, 2, 0, 1)});
  add(model, {flatten({8, 12, 12}), linear(8 * 12 * 12, 10)}, false);
  for (std::int8_t& weight : model.layers[0].weights) {
    weight = 1;
  }
  for (std::size_t i = 0; i < model.layers[1].weights.size(); ++i) {
    model.layers[1].weights[i] = i % 1152 < 1000 ? 1 : 0;  // 1000 inputs that count
  }
  sim::ChipConfig config{sim::core_named("core_1024x64")};
  const CoreLayout layout = core_layout(model, config);
  ASSERT_EQ(layout.layers.size(), 2U);
  const LayerOnCores& conv = layout.layers[0];
  EXPECT_EQ(conv.cores, 18);
  EXPECT_EQ((std::vector<std::int64_t>{conv.block_channels, conv.block_rows, conv.block_columns}),
            (std::vector<std::int64_t>{8, 2, 4}));
  EXPECT_EQ(conv.axons, 18 * 7 * 11);  // windows of 2 x 4 outputs, two apart
  EXPECT_EQ(conv.synapses, 1152 * 25);
  EXPECT_EQ(conv.synapse_bits, 18 * 7 * 11 * 64 * 8);
  EXPECT_EQ(conv.all_synapse_bits, 18 * 1024 * 64 * 8);
  EXPECT_EQ(conv.most_destinations, 1);
  EXPECT_EQ(conv.destinations, 1000);
  const LayerOnCores& last = layout.layers[1];
  EXPECT_EQ(last.first_core, 18);
  EXPECT_EQ(last.cores, 1);
  EXPECT_EQ(last.axons, 1000);
  EXPECT_EQ(last.destinations, 0);
  EXPECT_EQ(layout.contents.readout.size(), 1U);
  EXPECT_EQ(layout.contents.cores[0].destinations[0].core, 18);
  // Fewer axons: 256 hold the windows of 9 x 27 inputs, not of 11 x 27.
  config.core = sim::core_named("core_256x512");
  model.layers.pop_back();
  const LayerOnCores narrow = core_layout(model, config).layers[0];
  EXPECT_EQ(
      (std::vector<std::int64_t>{narrow.block_channels, narrow.block_rows, narrow.block_columns}),
      (std::vector<std::int64_t>{8, 3, 12}));
}

TEST_F(CoreLayoutTest, WhatDoesNotFitIsNamed) {
  sim::ChipConfig config{sim::core_named("core_16x16")};
  IntegerModel model;
  model.name = "net";
  model.settings.ticks = 4;
  add(model, {linear(17, 4)});
  std::ranges::fill(model.layers[0].weights, std::int8_t{1});
  EXPECT_EQ(error_of(model, config),
            "core: neuron 0 of layer 'layer0' has 17 inputs; a core has 16 axons; take cores with "
            "more axons (up to 1024), or a layer with fewer inputs per neuron");
  config.core = sim::core_named("core_32x16");
  model.layers[0].format.membrane_bits = 16;
  EXPECT_EQ(error_of(model, config),
            "net: layer 'layer0' has membranes of 16 bits, the core of 24, or another overflow; "
            "convert the network for the core's membranes");
  model.layers[0].format.membrane_bits = 24;
  model.settings.ticks = 65536;
  EXPECT_EQ(error_of(model, config), "net: 65536 ticks; give 1 to 65535");
  model.settings.ticks = 4;
  add(model, {linear(4, 255 * 16 + 1)}, false);
  std::ranges::fill(model.layers[1].weights, std::int8_t{1});
  EXPECT_EQ(error_of(model, config),
            "net: with layer 'layer1' the network takes 257 cores; events can name 255; take cores "
            "with more neurons or axons");
}

TEST_F(CoreLayoutTest, TablesAndReadoutsThatDoNotFitAreNamed) {
  sim::ChipConfig config{sim::core_named("core_32x16")};
  IntegerModel model;
  model.name = "net";
  model.settings.ticks = 4;
  add(model, {linear(17, 4)});
  add(model, {linear(4, 17 * 16)}, false);
  std::ranges::fill(model.layers[1].weights, std::int8_t{1});
  EXPECT_EQ(error_of(model, config),
            "net: a core of layer 'layer0' needs 68 destinations, up to 17 for a neuron; its table "
            "has 64 entries, of which a route names all but one; give the cores 128 destinations");
  config.core.destinations = 128;
  EXPECT_EQ(error_of(model, config), "none");
  model.layers[1].is_beside_cores = true;
  EXPECT_EQ(error_of(model, config),
            "net: layer 'layer1' is computed beside the cores, behind layers on them; let analogue "
            "values enter the first layer alone");
  model.layers.erase(model.layers.begin());
  EXPECT_EQ(error_of(model, config),
            "net: no layer is on the cores; encode inputs as rates, or take a network with more "
            "than one layer");
  IntegerModel wide;
  wide.name = "net";
  wide.settings.ticks = 1;
  wide.settings.readout = dnn::Readout::kCount;
  add(wide, {linear(4, 1025)});
  EXPECT_EQ(error_of(wide, config),
            "net: layer 'layer0' has 1025 outputs whose spikes the host reads; an event can name "
            "1024");
}

}  // namespace
}  // namespace tilestrike::bridge
