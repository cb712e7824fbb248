// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a spiking network, layer by layer and tick by tick, what plain loops over its model give?
#include "dnn/spiking/spiking_network.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "dnn/count_different.h"
#include "dnn/differential/list_kernel.h"
#include "dnn/executor.h"
#include "dnn/spiking/encoding.h"
#include "dnn/spiking/tick_executor.h"
#include "tests/dnn/spiking_models.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImages = 3;

bool is_equal(const at::Tensor& tensor, const std::vector<float>& plain) {
  const at::Tensor flat = tensor.to(c10::kFloat).contiguous().view(-1);
  return flat.numel() == static_cast<std::int64_t>(plain.size()) &&
         at::equal(flat, at::from_blob(const_cast<float*>(plain.data()), flat.sizes()));
}

/// Of all layers but the last ones of the networks of a test.
struct Tally {
  double spikes = 0.0, places = 0.0;
  void add(const std::vector<float>& all) {
    for (const float spike : all) {
      spikes += spike;
    }
    places += static_cast<double>(all.size());
  }
  double share() const { return spikes / places; }
};

template <class Model>
void expect_plain(const Network& network, const Model& model, const at::Tensor& images,
                  Tally& tally) {
  const PlainRun plain = plain_run(model, images);
  const Tape tape = Executor(network).record(images);
  const SpikingPlaces places = places_of(network);
  ASSERT_EQ(places.layers.size(), model.layers.size());
  EXPECT_EQ(places.ticks, model.settings.ticks);
  for (std::size_t i = 0; i < places.layers.size(); ++i) {
    EXPECT_TRUE(is_equal(tape.tensor(places.currents[i]), plain.currents[i])) << "layer " << i;
    EXPECT_TRUE(is_equal(tape.tensor(places.membranes[i]), plain.membranes[i])) << "layer " << i;
    if (places.spikes[i].value >= 0) {
      EXPECT_TRUE(is_equal(tape.tensor(places.spikes[i]), plain.spikes[i])) << "layer " << i;
    }
    if (i + 1 < places.layers.size()) {
      tally.add(plain.spikes[i]);
    }
  }
  EXPECT_TRUE(is_equal(tape.tensor(network.output), plain.logits));
  EXPECT_TRUE(at::equal(Executor(network).run(images), tape.tensor(network.output)));
}

/// All values of all ticks, all bits.
void expect_same_by_ticks(const Network& network, const at::Tensor& images) {
  const Tape by_layer = Executor(network).record(images);
  const Tape by_tick = TickExecutor(network).record(images);
  for (std::size_t id = 0; id < network.values.size(); ++id) {
    EXPECT_EQ(count_different(by_tick.values[id].toTensor(), by_layer.values[id].toTensor()), 0)
        << network.values[id].name;
  }
}

void expect_alone(const Network& network, const at::Tensor& images) {
  const at::Tensor together = Executor(network).run(images);
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    EXPECT_TRUE(at::equal(Executor(network).run(images.narrow(0, i, 1)), together.narrow(0, i, 1)));
  }
}

template <class Draw>
void expect_plain_loops(std::uint64_t seed, const Draw& draw) {
  RandomStream random(seed, 0, Purpose::kTest);
  Tally tally;
  for (const SpikingChoice& choice : spiking_choices()) {
    SCOPED_TRACE(choice.text());
    const auto model = draw(random, choice);
    const Network network = network_of(model);
    const at::Tensor images = drawn_images(random, model.input_sizes, kImages);
    expect_plain(network, model, images, tally);
    expect_same_by_ticks(network, images);
    expect_alone(network, images);
  }
  EXPECT_GT(tally.share(), 0.15);
  EXPECT_LT(tally.share(), 0.7);
}

TEST(SpikingNetworkTest, FloatIsPlainLoops) { expect_plain_loops(1, &drawn_model); }

TEST(SpikingNetworkTest, IntegerIsPlainLoops) { expect_plain_loops(2, &drawn_integer_model); }

TEST(SpikingNetworkTest, RateGivesTheSpikesThatItsRuleSays) {
  EXPECT_EQ(rate_spikes(0.5F, 8), 4);
  EXPECT_EQ(rate_spikes(0.0624F, 8), 0);
  EXPECT_EQ(rate_spikes(0.0625F, 8), 1);
  EXPECT_EQ(rate_spikes(std::nextafter(0.0625F, 0.0F), 8), 0);
  EXPECT_EQ(rate_spikes(1e-30F, 8), 0);
  EXPECT_EQ(rate_spikes(7.0F, 8), 8);
  EXPECT_EQ(rate_spikes(-7.0F, 8), 0);
  EXPECT_EQ(rate_spikes(std::numeric_limits<float>::quiet_NaN(), 8), 0);
  for (std::int64_t ticks = 1; ticks < 40; ++ticks) {
    for (std::int64_t spikes = 0; spikes <= ticks; ++spikes) {
      std::vector<std::int64_t> at;
      for (std::int64_t tick = 0; tick < ticks; ++tick) {
        if (has_rate_spike(spikes, tick, ticks)) {
          at.push_back(tick);
        }
      }
      ASSERT_EQ(static_cast<std::int64_t>(at.size()), spikes);
      for (std::size_t i = 1; i < at.size(); ++i) {
        ASSERT_GE(at[i] - at[i - 1], ticks / spikes);
        ASSERT_LE(at[i] - at[i - 1], (ticks + spikes - 1) / spikes);
      }
      ASSERT_TRUE(spikes == 0 || at.back() == ticks - 1);
    }
  }
}

TEST(SpikingNetworkTest, CountsNumbersThatEncodingClamps) {
  at::Tensor images = at::zeros({2, 3});
  EXPECT_EQ(count_outside_unit(images), 0);
  images.mutable_data_ptr<float>()[1] = 1.001F;
  images.mutable_data_ptr<float>()[2] = -0.001F;
  images.mutable_data_ptr<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  images.mutable_data_ptr<float>()[5] = 1.0F;
  EXPECT_EQ(count_outside_unit(images), 3);
}

TEST(SpikingNetworkTest, StrikesOfMembranesGoOnFromTheStruckOne) {
  RandomStream random(3, 0, Purpose::kTest);
  std::int64_t with_other_spikes = 0;
  for (const SpikingChoice& choice : spiking_choices()) {
    SCOPED_TRACE(choice.text());
    const bool is_integer = random.below(2) == 0;
    const Network network = is_integer ? network_of(drawn_integer_model(random, choice))
                                       : network_of(drawn_model(random, choice));
    const SpikingPlaces places = places_of(network);
    const at::Tensor images =
        drawn_images(random, choice.has_convolutions ? Sizes{2, 9, 8} : Sizes{12}, kImages);
    const Tape golden = Executor(network).record(images);
    const Layer& layer = network.layers[places.layers[1]];
    const NeuronKernel& neurons = *neuron_kernel(layer);
    const std::int64_t size = golden.tensor(places.membranes[1]).numel() / choice.ticks;
    for (int trial = 0; trial < 10; ++trial) {
      const auto place = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size)));
      const auto tick =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(choice.ticks)));
      const int bit = static_cast<int>(
          random.below(static_cast<std::uint64_t>(neurons.membrane_format().bits)));
      WordFault fault;
      fault.flip = std::uint64_t{1} << bit;
      const MembraneStrike strike{tick, fault};
      const NeuronSeries series = neurons.series_of(layer, golden.values, place, {&strike, 1});
      EXPECT_EQ(series.changed, 1);
      EXPECT_EQ(series.before ^ series.after, fault.flip);
      const Tape struck = TickExecutor(network).record(
          images, [&](std::int64_t at, std::size_t index, Values& values, ScanState* state) {
            if (at != tick || index != places.layers[1]) {
              return;
            }
            // All kinds of membrane have 32 bits in memory; an integer's sign is extended.
            auto* words = static_cast<std::int32_t*>(state->membrane.mutable_data_ptr()) + place;
            *words = is_integer ? sign_extended(*words ^ static_cast<std::int32_t>(fault.flip),
                                                choice.membrane_bits)
                                : *words ^ static_cast<std::int32_t>(fault.flip);
            const at::Tensor& now = values[places.membranes[1].value].toTensor();
            static_cast<std::int32_t*>(now.mutable_data_ptr())[place] = *words;
          });
      bool has_other_spikes = false;
      for (std::int64_t t = 0; t < choice.ticks; ++t) {
        const auto at = [&](const Tape& tape, ValueId id) {
          return Elements(tape.tensor(id)).at(t * size + place);
        };
        const auto i = static_cast<std::size_t>(t);
        EXPECT_EQ(series.membranes[i], at(struck, places.membranes[1])) << "tick " << t;
        EXPECT_EQ(series.spikes[i], at(struck, places.spikes[1])) << "tick " << t;
        EXPECT_TRUE(t > tick || series.spikes[i] == at(golden, places.spikes[1]));
        has_other_spikes |= series.spikes[i] != at(golden, places.spikes[1]);
      }
      with_other_spikes += has_other_spikes ? 1 : 0;
    }
  }
  EXPECT_GT(with_other_spikes, 20);
}

TEST(SpikingNetworkTest, WhatCannotBeIsRefused) {
  RandomStream random(4, 0, Purpose::kTest);
  SpikingChoice choice;
  SpikingModel model = drawn_model(random, choice);
  EXPECT_EQ(failure_of([&] {
              Executor(network_of(model)).run(at::zeros({2, 13}));
            }),
            "images: the images have the shape (2, 13), and the model takes (12) behind their "
            "number; bring them into the shape of the model's input");
  model.settings.encode = Encoding::kConstant;
  EXPECT_NE(failure_of([&] { Executor(network_of(model)).run(at::zeros({2, 13})); }), "");
  FloatNeurons& last = model.layers.back().neurons;
  last.kind = NeuronKind::kLi;
  last.tau = last.v_leak = last.r;
  model.settings.readout = Readout::kCount;
  EXPECT_EQ(failure_of([&] { network_of(model); }),
            "the last neurons of 'drawn' never fire, and its readout is count; set `readout: "
            "membrane` in the side file, or in `spiking` of the scenario");
  choice.has_convolutions = true;
  IntegerModel integer = drawn_integer_model(random, choice);
  integer.layers[1].synapses[0].window = {12, 11};
  EXPECT_EQ(failure_of([&] { network_of(integer); }),
            "layer 'neurons1': the sums of 'sums' may reach 132 spikes, more than int8 holds; "
            "pool in smaller windows, with neurons between them");
  integer = drawn_integer_model(random, choice);
  integer.layers[1].synapses.pop_back();
  EXPECT_NE(failure_of([&] { network_of(integer); }).find("has no weights before its neurons"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::dnn
