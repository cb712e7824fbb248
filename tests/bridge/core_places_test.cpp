// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is what a cell of a core is said to hold what the network has there?
#include "bridge/study/core_places.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bridge/accelerator/core_arrays.h"
#include "sim/ecc/ecc_code.h"
#include "tests/bridge/spiking_example.h"

namespace tilestrike::bridge {
namespace {

/// Layers on cores 0 and 1: conv -> lif1 of 32 neurons on 0 and 1, fc -> lif2 of 5 behind them.
class CorePlacesTest : public testing::Test {
 protected:
  CorePlacesTest() : model_(example_.model()), sites_(example_.accelerator.core) {
    example_.accelerator.core.ecc.parameters = sim::EccKind::kSecded;
    layout_ = core_layout(model_, chip_config(example_.accelerator));
    places_ = CorePlaces::open(example_.inputs(), example_.accelerator);
  }

  HeldInCore held_in(std::size_t core, const sim::CoreSite& site) const {
    const sim::CoreBlock& array = sites_.block(site.storage);
    return places_->held_in(memory_of(site.storage),
                            codeword_bit(array, cell_of(array, core, site)));
  }
  std::size_t memory_of(sim::CoreStorage storage) const {
    const std::string& name = sites_.block(storage).name;
    return static_cast<std::size_t>(
        std::ranges::find(places_->memories(), name,
                          &std::pair<std::string, sim::MemoryConfig>::first) -
        places_->memories().begin());
  }
  /// Words of parameters and membranes have eight lanes, as those of synapses.
  static sim::CoreSite parameter(int neuron, int bit) {
    return {sim::CoreStorage::kParameters, static_cast<std::uint32_t>(neuron / 8),
            neuron % 8 * 96 + bit};
  }

  SpikingExample example_;
  dnn::IntegerModel model_;
  sim::CoreSites sites_;
  CoreLayout layout_;
  std::unique_ptr<CorePlaces> places_;
};

TEST_F(CorePlacesTest, WeightsAreThoseOfTheModel) {
  const std::size_t last = layout_.cores.size() - 1;  // linear: axon a is input a
  int used = 0;
  for (std::uint32_t axon = 0; axon < 32; ++axon) {
    for (int neuron = 0; neuron < 16; ++neuron) {
      const HeldInCore held =
          held_in(last, {sim::CoreStorage::kSynapses,
                         axon * 2 + static_cast<std::uint32_t>(neuron / 8), neuron % 8 * 8 + 3});
      EXPECT_EQ(held.core, static_cast<std::int64_t>(last));
      EXPECT_EQ(held.layer, model_.layers[1].name);
      EXPECT_EQ(held.field, "synapse");
      EXPECT_EQ(held.is_used, held.neuron >= 0 && held.input >= 0);
      EXPECT_EQ(held.neuron >= 0, neuron < SpikingExample::kClasses);
      if (held.is_used) {
        ++used;
        const auto weight = static_cast<std::size_t>(held.neuron * 32 + held.input);
        EXPECT_EQ(held.value, static_cast<std::uint8_t>(model_.layers[1].weights[weight]));
      } else {
        EXPECT_EQ(held.value, 0U);
      }
    }
  }
  EXPECT_EQ(used, 32 * SpikingExample::kClasses);
}

TEST_F(CorePlacesTest, ParametersAreThoseOfTheirNeuron) {
  for (const int neuron : {0, 3, 8, 15}) {
    const HeldInCore held = held_in(0, parameter(neuron, 5));
    EXPECT_EQ(held.field, "threshold");
    EXPECT_EQ(held.layer, "lif1");
    EXPECT_EQ(held.input, -1);
    ASSERT_TRUE(held.is_used);
    const NeuronParameters& own = model_.layers[0].neurons[static_cast<std::size_t>(held.neuron)];
    EXPECT_EQ(held.value, static_cast<std::uint64_t>(own.threshold));
    EXPECT_EQ(held_in(0, parameter(neuron, 24)).field, "bias");
    EXPECT_EQ(held_in(0, parameter(neuron, 24)).value,
              static_cast<std::uint32_t>(own.bias) & 0xFFFFFFU);
    EXPECT_EQ(held_in(0, parameter(neuron, 72 + 7)).value, static_cast<std::uint64_t>(own.leak));
  }
  EXPECT_EQ(held_in(0, parameter(11, 29)).place, "parameters[1] lane 3 bias bit 5");
}

TEST_F(CorePlacesTest, CheckBitsAreThoseOfTheCode) {
  const sim::CoreBlock& array = sites_.block(sim::CoreStorage::kParameters);
  const std::size_t memory = memory_of(sim::CoreStorage::kParameters);
  const sim::EccCode& code = sim::EccCode::make(sim::EccKind::kSecded, 64);
  for (std::uint64_t codeword = 0; codeword < 24; ++codeword) {
    sim::BitString data;
    for (int bit = 0; bit < 64; ++bit) {
      const HeldInCore held = places_->held_in(memory, {CodewordId(codeword), bit});
      const sim::CoreSite site = site_of(array, {0, CodewordId(codeword), bit});
      const int of_field = site.bit % 96 - sites_.field_of(site).first;
      if (((held.value.value() >> of_field) & 1U) != 0) {
        data.flip(bit);
      }
    }
    const sim::BitString encoded = code.encode(data);
    for (int bit = 64; bit < 72; ++bit) {
      const HeldInCore held = places_->held_in(memory, {CodewordId(codeword), bit});
      EXPECT_TRUE(held.is_check);
      EXPECT_EQ(held.field, "parameters");
      EXPECT_EQ(held.value, encoded.test(bit) ? 1U : 0U);
      EXPECT_EQ(held.neuron, -1) << "of several";
      EXPECT_EQ(held.place, places_->held_in(memory, {CodewordId(codeword), 0}).place);
      EXPECT_EQ(held.is_used, true);
    }
  }
}

// Five neurons of eight lanes are used.
TEST_F(CorePlacesTest, ACodewordIsUsedWhereABitOfItIs) {
  const std::size_t memory = memory_of(sim::CoreStorage::kParameters);
  const std::uint64_t first = 24 * (layout_.cores.size() - 1);  // of the last core: two words of 12
  for (std::uint64_t codeword = 0; codeword < 24; ++codeword) {
    const bool is_used = codeword * 64 / 96 < 5;
    EXPECT_EQ(places_->held_in(memory, {CodewordId(first + codeword), 70}).is_used, is_used)
        << codeword;
  }
}

TEST_F(CorePlacesTest, DestinationsAreOfTheNeuronThatSendsThere) {
  const std::size_t memory = memory_of(sim::CoreStorage::kDestinations);
  for (std::size_t core = 0; core < layout_.cores.size(); ++core) {
    const sim::CoreContents& contents = layout_.contents.cores[core];
    std::vector<std::int64_t> senders(64, -1);
    for (std::size_t i = 0; i < contents.routes.size(); ++i) {
      for (std::int32_t k = 0; k < contents.routes[i].count; ++k) {
        senders.at(static_cast<std::size_t>(contents.routes[i].first + k)) =
            layout_.cores[core].neurons.at(i);
      }
    }
    for (std::size_t entry = 0; entry < 64; ++entry) {
      const HeldInCore held = places_->held_in(memory, {CodewordId(core * 64 + entry), 3});
      EXPECT_EQ(held.neuron, senders[entry]);
      EXPECT_EQ(held.is_used, senders[entry] >= 0);
    }
    EXPECT_EQ(std::ranges::count(senders, -1) == 64, core + 1 == layout_.cores.size())
        << "the last core is read";
  }
}

TEST_F(CorePlacesTest, WhatInferencesWriteHasNoValue) {
  const HeldInCore held = held_in(1, {sim::CoreStorage::kMembranes, 1, 4 * 24 + 23});
  EXPECT_EQ(held.place, "membranes[1] lane 4 bit 23");
  EXPECT_EQ(held.neuron, layout_.cores[1].neurons.at(12));
  EXPECT_FALSE(held.value);
}

}  // namespace
}  // namespace tilestrike::bridge
