// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a scan over all ticks the neuron, tick by tick?
#include "dnn/spiking/lif_scan.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/random.h"
#include "dnn/spiking/neuron_kernel.h"
#include "dnn/spiking/scan_element.h"

namespace tilestrike::dnn {
namespace {

std::int32_t drawn(RandomStream& random, std::int64_t least, std::int64_t most) {
  return static_cast<std::int32_t>(least + static_cast<std::int64_t>(random.below(
                                               static_cast<std::uint64_t>(most - least + 1))));
}

/// Small numbers that meet in every mode, or any that the bits hold.
NeuronParameters drawn_neuron(RandomStream& random) {
  const std::int64_t reach = random.below(4) == 0 ? kMostCurrent : 2000;
  NeuronParameters neuron;
  neuron.threshold = drawn(random, -reach / 4, reach);
  neuron.bias = drawn(random, -reach / 8, reach / 8);
  neuron.reset = drawn(random, -reach, reach);
  neuron.leak = drawn(random, 0, random.below(8) == 0 ? 8191 : kWholeLeak);
  neuron.refractory = random.below(2) == 0 ? 0 : drawn(random, 0, 15);
  neuron.is_enabled = random.below(8) != 0;
  neuron.is_soft_reset = random.below(2) == 0;
  neuron.rounding = static_cast<LeakRounding>(random.below(3));
  neuron.holds = random.below(2) == 0;
  return neuron;
}

at::Tensor drawn_currents(RandomStream& random, const std::vector<std::int64_t>& sizes) {
  at::Tensor currents = at::empty(sizes, c10::kInt);
  auto* data = currents.mutable_data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < currents.numel(); ++i) {
    const std::int64_t reach = random.below(16) == 0 ? kMostCurrent : 1500;
    data[i] = drawn(random, -reach, reach);
  }
  return currents;
}

std::vector<NeuronParameters> drawn_neurons(RandomStream& random, std::int64_t count) {
  std::vector<NeuronParameters> neurons;
  while (static_cast<std::int64_t>(neurons.size()) < count) {
    neurons.push_back(drawn_neuron(random));
  }
  return neurons;
}

struct Tally {
  std::int64_t updates = 0, spikes = 0;
};

/// Against step_neuron, of each neuron on its own.
void expect_steps(const at::Tensor& currents, const LayerNeurons& layer, Tally& tally) {
  const Scanned scanned = lif_scan(currents, layer, true);
  const std::int64_t ticks = currents.size(0), images = currents.size(1), size = layer.size();
  const auto* current = currents.const_data_ptr<std::int32_t>();
  for (std::int64_t place = 0; place < images * size; ++place) {
    NeuronState state;
    for (std::int64_t t = 0; t < ticks; ++t) {
      const std::int64_t at = t * images * size + place;
      const NeuronStep step =
          step_neuron(layer.at(place % size), layer.format(), state, current[at]);
      state = step.state;
      ASSERT_EQ(scanned.spikes.const_data_ptr<std::int8_t>()[at], step.fires ? 1 : 0)
          << "neuron " << place << " tick " << t;
      ASSERT_EQ(scanned.membranes.const_data_ptr<std::int32_t>()[at], state.membrane)
          << "neuron " << place << " tick " << t;
      ++tally.updates;
      tally.spikes += step.fires ? 1 : 0;
    }
    ASSERT_EQ(scanned.membrane.const_data_ptr<std::int32_t>()[place], state.membrane);
    ASSERT_EQ(scanned.refractory.const_data_ptr<std::int32_t>()[place], state.refractory);
  }
}

TEST(LifScanTest, IsTheNeuronTickByTickInAllModes) {
  RandomStream random(1, 0, Purpose::kTest);
  Tally tally;
  for (const NeuronOverflow overflow :
       {NeuronOverflow::kWrap, NeuronOverflow::kSaturate, NeuronOverflow::kSymmetric}) {
    for (const int bits : {24, 16, 11, 2}) {
      for (const std::int64_t size : {1, 7, 300}) {
        std::vector<NeuronParameters> neurons = drawn_neurons(random, size);
        const LayerNeurons layer({bits, overflow}, neurons);
        ASSERT_NO_FATAL_FAILURE(expect_steps(drawn_currents(random, {30, 2, size}), layer, tally));
        // The same thresholds, biases and resets, and one neuron's modes.
        for (NeuronParameters& neuron : neurons) {
          const NeuronParameters own = neuron;
          neuron = neurons.front();
          neuron.threshold = own.threshold;
          neuron.bias = own.bias;
          neuron.reset = own.reset;
          neuron.is_enabled = true;
        }
        const LayerNeurons alike({bits, overflow}, neurons);
        EXPECT_TRUE(alike.are_alike());
        ASSERT_NO_FATAL_FAILURE(expect_steps(drawn_currents(random, {30, 2, size}), alike, tally));
      }
    }
  }
  EXPECT_GT(tally.spikes, tally.updates / 50);
  EXPECT_LT(tally.spikes, tally.updates / 2);
}

TEST(LifScanTest, TakesNeuronsOfAnyShapeAndCurrentsOfAnyLayout) {
  RandomStream random(2, 0, Purpose::kTest);
  const LayerNeurons layer({}, drawn_neurons(random, 4 * 3 * 5));
  const at::Tensor currents = drawn_currents(random, {6, 2, 4, 3, 5});
  const Scanned plain = lif_scan(currents.reshape({6, 2, 60}), layer);
  EXPECT_EQ(plain.membranes.defined(), false);
  const at::Tensor turned = currents.transpose(0, 4).contiguous().transpose(0, 4);
  const Scanned shaped = lif_scan(turned, layer);
  EXPECT_EQ(shaped.spikes.sizes(), currents.sizes());
  EXPECT_EQ(shaped.membrane.sizes(), currents.sizes().slice(1));
  EXPECT_TRUE(at::equal(shaped.spikes.reshape({6, 2, 60}), plain.spikes));
}

TEST(LifScanTest, GoesOnWhereAnotherEnded) {
  RandomStream random(3, 0, Purpose::kTest);
  const LayerNeurons layer({16, NeuronOverflow::kSaturate}, drawn_neurons(random, 100));
  const at::Tensor currents = drawn_currents(random, {20, 3, 100});
  const Scanned whole = lif_scan(currents, layer);
  const Scanned first = lif_scan(currents.narrow(0, 0, 7), layer);
  const Scanned rest =
      lif_scan(currents.narrow(0, 7, 13), layer, false, {first.membrane, first.refractory});
  EXPECT_TRUE(at::equal(at::cat({first.spikes, rest.spikes}), whole.spikes));
  EXPECT_TRUE(at::equal(rest.membrane, whole.membrane));
  EXPECT_TRUE(at::equal(rest.refractory, whole.refractory));
}

TEST(LifScanTest, OfCurrentsTheBitsOfAccumulatorsCount) {
  RandomStream random(4, 0, Purpose::kTest);
  const LayerNeurons layer({24, NeuronOverflow::kWrap}, drawn_neurons(random, 50));
  const at::Tensor currents = drawn_currents(random, {9, 2, 50});
  const at::Tensor raised = currents.clone();
  auto* data = raised.mutable_data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < raised.numel(); ++i) {
    const auto high = static_cast<std::uint32_t>(random.below(256)) << kCurrentBits;
    data[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(data[i]) + high);
  }
  EXPECT_FALSE(at::equal(raised, currents));
  EXPECT_TRUE(at::equal(lif_scan(raised, layer).spikes, lif_scan(currents, layer).spikes));
  EXPECT_TRUE(at::equal(lif_scan(raised, layer).membrane, lif_scan(currents, layer).membrane));
}

/// What a GPU does, on the host: from stored words, whose high bits say nothing.
TEST(LifScanTest, TheElementOfDevicesIsTheScan) {
  RandomStream random(5, 0, Purpose::kTest);
  const std::int64_t size = 70;
  const NeuronFormat format{16, NeuronOverflow::kSymmetric};
  const std::vector<NeuronParameters> neurons = drawn_neurons(random, size);
  const LayerNeurons layer(format, neurons);
  const at::Tensor currents = drawn_currents(random, {12, 3, size});
  const Scanned first = lif_scan(currents.narrow(0, 0, 5), layer);
  const Scanned wanted =
      lif_scan(currents.narrow(0, 5, 7), layer, true, {first.membrane, first.refractory});
  const at::Tensor rest = currents.narrow(0, 5, 7).contiguous();
  std::array<std::vector<std::int32_t>, 6> words;
  for (const NeuronParameters& neuron : neurons) {
    const auto add = [&](std::size_t which, std::int32_t word, int bits) {
      const auto high = static_cast<std::uint32_t>(random.next()) << bits;
      words[which].push_back(static_cast<std::int32_t>(
          (static_cast<std::uint32_t>(word) & ((1U << bits) - 1)) | high));
    };
    add(0, neuron.threshold, kCurrentBits);
    add(1, neuron.bias, kCurrentBits);
    add(2, neuron.reset, kCurrentBits);
    add(3, neuron.leak, kLeakBits);
    add(4, neuron.refractory, kRefractoryBits);
    add(5, modes_of(neuron), kModeBits);
  }
  const NeuronWords stored{words[0].data(), words[1].data(), words[2].data(),
                           words[3].data(), words[4].data(), words[5].data()};
  const at::Tensor spikes = at::empty(rest.sizes(), c10::kChar);
  const at::Tensor membranes = at::empty(rest.sizes(), c10::kInt);
  const at::Tensor membrane = first.membrane.clone(), refractory = first.refractory.clone();
  const ScanArrays arrays{7,
                          3 * size,
                          size,
                          rest.const_data_ptr<std::int32_t>(),
                          spikes.mutable_data_ptr<std::int8_t>(),
                          membranes.mutable_data_ptr<std::int32_t>(),
                          membrane.mutable_data_ptr<std::int32_t>(),
                          refractory.mutable_data_ptr<std::int32_t>()};
  for (std::int64_t place = 0; place < 3 * size; ++place) {
    scan_place(stored, format, arrays, place);
  }
  EXPECT_TRUE(at::equal(spikes, wanted.spikes));
  EXPECT_TRUE(at::equal(membranes, wanted.membranes));
  EXPECT_TRUE(at::equal(membrane, wanted.membrane));
  EXPECT_TRUE(at::equal(refractory, wanted.refractory));
}

TEST(LifScanTest, WhatIsNoNeuronOrNoCurrentIsRefused) {
  const auto error_of = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "none";
  };
  const auto of_neuron = [&](auto change) {
    std::vector<NeuronParameters> neurons(3);
    change(neurons[2]);
    return error_of([&] { LayerNeurons({}, neurons); });
  };
  EXPECT_EQ(of_neuron([](NeuronParameters&) {}), "none");
  EXPECT_EQ(of_neuron([](NeuronParameters& neuron) { neuron.threshold = 1 << 23; }),
            "neuron 2: threshold is 8388608; it must be a signed number of 24 bits");
  EXPECT_EQ(of_neuron([](NeuronParameters& neuron) { neuron.leak = -1; }),
            "neuron 2: leak is -1; it must be a number of 13 bits; 4096 leaves nothing of a "
            "membrane");
  EXPECT_EQ(of_neuron([](NeuronParameters& neuron) { neuron.refractory = 16; }),
            "neuron 2: refractory is 16; it must be 0 to 15 ticks");
  EXPECT_EQ(error_of([] {
              LayerNeurons({25, NeuronOverflow::kWrap}, {});
            }),
            "a membrane of 25 bits; give 2 to 24 bits");
  const LayerNeurons layer({}, std::vector<NeuronParameters>(3));
  EXPECT_EQ(error_of([&] {
              lif_scan(at::zeros({2, 1, 4}, c10::kInt), layer);
            }),
            "these currents are not those of the layer's neurons; give int32 (ticks, images, "
            "neurons...) on the host, of 3 neurons");
  EXPECT_NE(error_of([&] { lif_scan(at::zeros({2, 1, 3}, c10::kFloat), layer); }), "none");
}

}  // namespace
}  // namespace tilestrike::dnn
