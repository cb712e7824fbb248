// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the integers of a spiking network those that the formulas of docs/spiking.md give, and does
// an integer membrane stay as near to the float one as its roundings allow?
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "dnn/spiking/integer_model.h"
#include "tests/dnn/spiking_layers.h"
#include "tests/scratch_files.h"

namespace tilestrike::dnn {
namespace {

std::string refusal(const SpikingModel& model, const ConversionOptions& options = {}) {
  return errors_of([&] { to_integer(model, options); });
}

/// A layer of two LIF neurons with three inputs.
SpikingLayer lif_layer() {
  SpikingLayer layer;
  layer.synapses = {linear_step(3, 2, {0.5F, -1.0F, 0.25F, 0.75F, 0.1F, -0.3F}, {0.125F, -0.5F})};
  layer.neurons = neurons_like(NeuronKind::kLif, {2});
  return layer;
}

TEST(ToIntegerTest, LeakyNeuronsFollowTheFormulas) {
  SpikingLayer layer = lif_layer();
  layer.neurons.tau = {0.01F, 0.004F};
  layer.neurons.r = {2.0F, 3.0F};
  layer.neurons.v_leak = {0.5F, -0.25F};
  layer.neurons.v_threshold = {1.0F, 0.7F};
  layer.neurons.v_reset = {-0.2F, 0.1F};
  const IntegerModel model = to_integer(model_of({layer}));
  const IntegerLayer& integer = model.layers[0];
  const auto& weights = layer.synapses[0].weights;
  double most = 0;
  const auto leak = [&](std::size_t i) {
    return 0.001 / static_cast<double>(layer.neurons.tau[i]);
  };
  for (std::size_t k = 0; k < 6; ++k) {
    most = std::max(most, std::abs(weights[k] * leak(k / 3) * layer.neurons.r[k / 3]));
  }
  const double scale = 127 / most;
  EXPECT_DOUBLE_EQ(integer.scale, scale);
  for (std::size_t k = 0; k < 6; ++k) {
    EXPECT_EQ(integer.weights[k],
              std::lrint(scale * weights[k] * leak(k / 3) * layer.neurons.r[k / 3]));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const NeuronParameters& neuron = integer.neurons[i];
    EXPECT_EQ(neuron.threshold, std::floor(scale * layer.neurons.v_threshold[i]) + 1);
    EXPECT_EQ(neuron.reset, std::lrint(scale * layer.neurons.v_reset[i]));
    EXPECT_EQ(neuron.bias, std::lrint(scale * leak(i) *
                                      (layer.neurons.r[i] * layer.synapses[0].bias[i] +
                                       layer.neurons.v_leak[i])));
    EXPECT_EQ(neuron.leak, std::lrint(4096 * leak(i)));
    EXPECT_EQ(neuron.rounding, LeakRounding::kFloor);
    EXPECT_EQ(neuron.refractory, 0);
    EXPECT_TRUE(neuron.is_enabled);
    EXPECT_FALSE(neuron.is_soft_reset);
  }
  // 4096 * 0.1 = 409.6 is 410: tau becomes 9.990 ms, 0.098 % less.
  EXPECT_EQ(integer.note, "leaks in steps of 1/4096 change tau by up to -0.098 %");
  EXPECT_EQ(model.output_factor, 1.0 / 16);
}

TEST(ToIntegerTest, ChargesAndCurrentsOfNeuronsWithoutALeak) {
  SpikingLayer layer = lif_layer();
  layer.neurons = neurons_like(NeuronKind::kIf, {2});
  layer.neurons.r = {2.0F, 2.0F};
  SpikingModel model = model_of({layer});
  const IntegerModel charges = to_integer(model);
  EXPECT_DOUBLE_EQ(charges.layers[0].scale, 127 / 2.0);
  EXPECT_EQ(charges.layers[0].neurons[0].threshold, 64);  // floor(63.5) + 1
  EXPECT_EQ(charges.layers[0].neurons[0].leak, 0);
  EXPECT_EQ(charges.layers[0].neurons[0].bias, 16);  // 63.5 * 2 * 0.125 = 15.875
  EXPECT_EQ(charges.layers[0].note, "");
  model.settings.spike_as = SpikeAs::kCurrent;
  const IntegerModel currents = to_integer(model);
  EXPECT_DOUBLE_EQ(currents.layers[0].scale, 127 / (2.0 * 0.001));
  EXPECT_EQ(currents.layers[0].neurons[0].threshold, 63501);
  EXPECT_EQ(currents.layers[0].weights, charges.layers[0].weights);
}

TEST(ToIntegerTest, AThresholdIsStrict) {
  SpikingLayer layer;
  layer.synapses = {linear_step(1, 1, {1.0F})};
  layer.neurons = neurons_like(NeuronKind::kIf, {1}, 0, 1.0F);
  // One spike moves V to 127 = S v_th, which is not above it.
  EXPECT_EQ(to_integer(model_of({layer})).layers[0].neurons[0].threshold, 128);
  // The smallest ones too are above 0, so that no neuron fires without input.
  for (const float threshold : {0.0F, -0.0F, 1e-30F, 0.001F}) {
    layer.neurons = neurons_like(NeuronKind::kIf, {1}, 0, threshold);
    EXPECT_EQ(to_integer(model_of({layer})).layers[0].neurons[0].threshold, 1) << threshold;
  }
}

TEST(ToIntegerTest, SoftResetsSubtractTheThreshold) {
  SpikingLayer layer = lif_layer();
  layer.neurons.v_reset = {5.0F, 5.0F};  // not used
  SpikingModel model = model_of({layer});
  model.settings.reset = ResetKind::kSoft;
  const NeuronParameters neuron = to_integer(model).layers[0].neurons[1];
  EXPECT_TRUE(neuron.is_soft_reset);
  EXPECT_EQ(neuron.reset, 0);
}

/// Both membranes of random inputs: each time step adds half a unit for each rounded number, less
/// than one for the rounded leak, and what the leak's own rounding is of the membrane.
TEST(ToIntegerTest, MembranesStayNearTheFloatOnes) {
  std::mt19937 random(7);
  for (int run = 0; run < 200; ++run) {
    const std::int64_t inputs = 1 + run % 9;
    SpikingLayer layer;
    layer.synapses = {linear_step(inputs, 1,
                                  random_floats(static_cast<std::size_t>(inputs), -1, 1, random),
                                  random_floats(1, -0.5, 0.5, random))};
    layer.neurons = neurons_like(NeuronKind::kLi, {1});
    layer.neurons.tau = random_floats(1, 0.001, 0.02, random);
    layer.neurons.v_leak = random_floats(1, -1, 1, random);
    SpikingModel model = model_of({layer}, Readout::kMembrane);
    model.settings.ticks = 64;
    const IntegerModel integer = to_integer(model);
    const IntegerLayer& converted = integer.layers[0];
    EXPECT_DOUBLE_EQ(integer.output_factor, 1 / (converted.scale * 64));
    const double leak = 0.001 / static_cast<double>(layer.neurons.tau[0]);
    NeuronState state;
    double v = 0, error = 0;
    for (int tick = 0; tick < 64; ++tick) {
      double current = layer.synapses[0].bias[0];
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(inputs); ++i) {
        if (random() % 2 != 0) {
          current += layer.synapses[0].weights[i];
          sum += converted.weights[i];
        }
      }
      const NeuronParameters& neuron = converted.neurons[0];
      error += 0.5 * static_cast<double>(inputs) + 0.5 + 1 +
               std::abs(state.membrane) * std::abs(neuron.leak / 4096.0 - leak) + 1e-6;
      v += leak * (layer.neurons.v_leak[0] - v + current);
      const NeuronStep step = step_neuron(neuron, converted.format, state, sum);
      state = step.state;
      ASSERT_FALSE(step.fires);
      ASSERT_LE(std::abs(state.membrane - converted.scale * v), error) << run << ", " << tick;
    }
  }
}

TEST(ToIntegerTest, TheFloatNetworkFiresWhereTheIntegerOneDoes) {
  // Weights and thresholds that integers hold as they are: both agree in every spike.
  std::mt19937 random(3);
  SpikingLayer layer;
  std::vector<float> weights(12 * 5);
  for (float& weight : weights) {
    weight = static_cast<float>(static_cast<int>(random() % 255) - 127) / 64;
  }
  weights[0] = 127.0F / 64;
  layer.synapses = {linear_step(12, 5, weights)};
  layer.neurons = neurons_like(NeuronKind::kIf, {5}, 0, 3.5F);
  layer.neurons.v_reset.assign(5, -0.25F);
  const IntegerModel model = to_integer(model_of({layer}));
  std::vector<double> v(5, 0);
  std::vector<NeuronState> states(5);
  int fired = 0;
  for (int tick = 0; tick < 500; ++tick) {
    const std::uint32_t spikes = random();
    for (std::size_t i = 0; i < 5; ++i) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < 12; ++k) {
        v[i] += (spikes >> k & 1) != 0 ? weights[i * 12 + k] : 0.0;
        sum += (spikes >> k & 1) != 0 ? model.layers[0].weights[i * 12 + k] : 0;
      }
      const NeuronStep step =
          step_neuron(model.layers[0].neurons[i], model.layers[0].format, states[i], sum);
      states[i] = step.state;
      ASSERT_EQ(step.fires, v[i] > 3.5);
      v[i] = step.fires ? -0.25 : v[i];
      fired += step.fires ? 1 : 0;
      ASSERT_EQ(step.state.membrane, 64 * v[i]);
    }
  }
  EXPECT_GT(fired, 50);
}

TEST(ToIntegerTest, ScalesAreLoweredUntilAllFits) {
  SpikingLayer layer = lif_layer();
  layer.neurons = neurons_like(NeuronKind::kIf, {2}, 0, 1000.0F);
  const IntegerLayer high = to_integer(model_of({layer})).layers[0];
  EXPECT_DOUBLE_EQ(high.scale, 127);  // 127 000 fits 24 bits
  const IntegerLayer low = to_integer(model_of({layer}), {16, NeuronOverflow::kSaturate}).layers[0];
  EXPECT_NEAR(low.scale, 32.767, 1e-6);
  EXPECT_EQ(low.neurons[0].threshold, 32767);
  EXPECT_EQ(low.note, "scale lowered from 127 to 32.767, so that a threshold fits");
  EXPECT_EQ(low.format.membrane_bits, 16);
  EXPECT_EQ(low.format.overflow, NeuronOverflow::kSaturate);

  layer.neurons = neurons_like(NeuronKind::kIf, {2});
  layer.neurons.v_reset = {0, -2000.0F};
  const IntegerLayer reset = to_integer(model_of({layer}), {16}).layers[0];
  EXPECT_EQ(reset.neurons[1].reset, -32767);
  layer.neurons.v_reset = {0, 0};
  layer.synapses[0].bias = {100000.0F, 0};
  const IntegerLayer bias = to_integer(model_of({layer})).layers[0];
  EXPECT_EQ(bias.neurons[0].bias, (1 << 23) - 1);
  EXPECT_NE(bias.note.find("a bias fits"), std::string::npos);
}

TEST(ToIntegerTest, AReadMembraneCannotLeaveItsRange) {
  for (const int bits : {16, 20, 24}) {
    SpikingLayer layer;
    std::mt19937 random(5);
    layer.synapses = {
        linear_step(100, 4, random_floats(400, -1, 1, random), random_floats(4, -1, 1, random))};
    layer.neurons = neurons_like(NeuronKind::kIf, {4});
    SpikingModel model = model_of({layer}, Readout::kMembrane);
    model.settings.ticks = 100;
    const IntegerLayer integer = to_integer(model, {bits}).layers[0];
    double most = 0;
    for (std::int64_t neuron = 0; neuron < 4; ++neuron) {
      double sum = std::abs(integer.neurons[static_cast<std::size_t>(neuron)].bias);
      for (const Synapse& synapse : synapses_of(integer, neuron)) {
        sum += std::abs(synapse.weight);
      }
      most = std::max(most, 100 * sum);
      EXPECT_FALSE(integer.neurons[static_cast<std::size_t>(neuron)].is_enabled);
    }
    EXPECT_LT(most, std::ldexp(1.0, bits - 1));
    if (bits < 24) {  // lowered, but not more than it must be
      EXPECT_GT(most, 0.9 * std::ldexp(1.0, bits - 1));
      EXPECT_NE(integer.note.find("ticks (sum of weights + bias) fits the membrane"),
                std::string::npos);
    } else {
      EXPECT_EQ(integer.note, "its threshold is not used: the membrane is read");
    }
  }
}

TEST(ToIntegerTest, ANetworkThatEndsInWeightsAddsThemUp) {
  SpikingLayer layer = lif_layer();
  layer.neurons = neurons_like(NeuronKind::kIf, {2}, 0, std::numeric_limits<float>::infinity());
  const IntegerModel model = to_integer(model_of({layer}, Readout::kMembrane));
  EXPECT_EQ(model.layers[0].note, "");
  EXPECT_FALSE(model.layers[0].neurons[0].is_enabled);
  EXPECT_EQ(model.layers[0].neurons[0].leak, 0);
  EXPECT_DOUBLE_EQ(model.output_factor, 1 / (127.0 * 16));
}

TEST(ToIntegerTest, ConstantInputsStayBesideTheCores) {
  SpikingLayer layer = lif_layer();
  layer.synapses.insert(layer.synapses.begin(), flatten_step({1, 1, 3}));
  layer.synapses[1].input_sizes = {3};
  SpikingModel model = model_of({layer, lif_layer()});
  model.layers[1].synapses[0] = linear_step(2, 2, {1, 2, 3, 4});
  model.settings.encode = Encoding::kConstant;
  const IntegerModel integer = to_integer(model);
  const IntegerLayer& first = integer.layers[0];
  EXPECT_TRUE(first.is_beside_cores);
  EXPECT_TRUE(first.weights.empty());
  EXPECT_TRUE(first.synapses.empty());
  ASSERT_EQ(first.float_synapses.size(), 2U);
  EXPECT_TRUE(first.float_synapses[1].bias.empty());  // it is in the neurons
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(first.float_synapses[1].weights[i], layer.synapses[1].weights[i] * 0.1F);
  }
  EXPECT_DOUBLE_EQ(first.scale, 127 / (0.001 / static_cast<double>(0.01F)));
  EXPECT_EQ(first.neurons[0].bias, 16);
  EXPECT_FALSE(integer.layers[1].is_beside_cores);
}

TEST(ToIntegerTest, WhatIntegersCannotHoldIsRefused) {
  SpikingLayer layer = lif_layer();
  layer.neurons.v_threshold[1] = -0.5F;
  EXPECT_EQ(refusal(model_of({layer})),
            "net: layer 'n': the threshold of neuron 1 is -0.5, so that it fires without any "
            "input; a threshold must be 0 or more");
  layer = lif_layer();
  layer.synapses[0].weights.assign(6, 0.0F);
  EXPECT_NE(refusal(model_of({layer})).find("all its weights are zero"), std::string::npos);
  layer = lif_layer();
  layer.neurons.v_threshold[1] = 1e9F;
  EXPECT_NE(
      refusal(model_of({layer})).find("at a scale at which a threshold fits, all its weights"),
      std::string::npos);
  EXPECT_EQ(refusal(model_of({lif_layer()}), {25}),
            "net: membranes of 25 bits; 2 to 24 bits are supported");
}

TEST(ToIntegerTest, SharedWeightsNeedOneGain) {
  SpikingLayer layer;
  SynapseStep conv;
  conv.kind = SynapseKind::kConv2d;
  conv.name = "conv";
  conv.input_sizes = {1, 3, 3};
  conv.weight_sizes = {2, 1, 2, 2};
  conv.window = {2, 2};
  conv.weights = {1, 2, 3, 4, 5, 6, 7, 8};
  layer.synapses = {slid(conv, 2)};
  layer.neurons = neurons_like(NeuronKind::kLif, {2, 2, 2});
  for (std::size_t i = 4; i < 8; ++i) {
    layer.neurons.tau[i] = 0.02F;  // a channel of its own
  }
  const IntegerLayer integer = to_integer(model_of({layer})).layers[0];
  EXPECT_EQ(integer.weights[3], 127);
  EXPECT_EQ(integer.weights[7], 127);  // 8 * half the gain is 4
  EXPECT_EQ(integer.neurons[7].leak, 205);
  layer.neurons.tau[5] = 0.01F;
  EXPECT_EQ(refusal(model_of({layer})),
            "net: layer 'n': neurons that share the weights of 'conv' have different r or tau, and "
            "so different gains: 0.05 and 0.1; give all neurons of a channel one r and one tau");
}

}  // namespace
}  // namespace tilestrike::dnn
