// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a NIR file with its side file become the spiking network that it describes?
#include <gtest/gtest.h>

#include "dnn/nir/nir_file.h"
#include "dnn/nir/nir_import.h"
#include "dnn/spiking/check_model.h"
#include "tests/dnn/nir_files.h"

namespace tilestrike::dnn {
namespace {

using Pair = std::array<std::int64_t, 2>;

TEST(NirTest, BothLayoutsAreRead) {
  for (const bool is_old : {false, true}) {
    NirTestFile file = small_nir();
    file.is_old = is_old;
    file.version = is_old ? "0.2.0" : "1.0.8";
    const SpikingModel model = NirFolder().import(file);
    EXPECT_EQ(model.name, "net");
    EXPECT_EQ(model.input_sizes, Sizes({3}));
    EXPECT_EQ(model.output_sizes, Sizes({2}));
    ASSERT_EQ(model.layers.size(), 1U);
    const SpikingLayer& layer = model.layers[0];
    ASSERT_EQ(layer.synapses.size(), 1U);
    EXPECT_EQ(layer.synapses[0].name, "fc");
    EXPECT_EQ(layer.synapses[0].kind, SynapseKind::kLinear);
    EXPECT_EQ(layer.synapses[0].weight_sizes, Sizes({2, 3}));
    EXPECT_EQ(layer.synapses[0].weights,
              std::vector<float>({-0.5F, -0.375F, -0.25F, -0.125F, 0.0F, 0.125F}));
    EXPECT_EQ(layer.synapses[0].bias, std::vector<float>({0.25F, 0.75F}));
    EXPECT_EQ(layer.neurons.kind, NeuronKind::kLif);
    EXPECT_EQ(layer.neurons.name, "lif");
    EXPECT_EQ(layer.neurons.sizes, Sizes({2}));
    EXPECT_EQ(layer.neurons.tau, std::vector<float>({0.01F, 0.01F}));
    EXPECT_EQ(layer.neurons.r, std::vector<float>({2, 2}));
    EXPECT_EQ(layer.neurons.v_reset, std::vector<float>({0, 0}));
    EXPECT_EQ(model.settings.ticks, 8);
    EXPECT_EQ(model.settings.dt, 0.001);
  }
}

TEST(NirTest, BeforeVersionsEdgesWereNumbers) {
  NirTestFile file = nir_line(
      {{"0", input_node({3})}, {"1", affine_node(2, 3)}, {"2", if_node(2)}, {"3", {"Output", {}}}});
  file.version.clear();
  const SpikingModel model = NirFolder().import(file);
  EXPECT_EQ(model.output_sizes, Sizes({2}));
  EXPECT_EQ(model.layers[0].neurons.kind, NeuronKind::kIf);
}

}  // namespace
}  // namespace tilestrike::dnn
