// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the synapses of a neuron what its layer's steps do to one spike?
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dnn/spiking/integer_model.h"
#include "tests/dnn/spiking_layers.h"

namespace tilestrike::dnn {
namespace {

std::vector<double> linear(const SynapseStep& step, const std::vector<double>& weights,
                           const std::vector<double>& in) {
  const auto outputs = static_cast<std::size_t>(step.weight_sizes[0]);
  const auto inputs = static_cast<std::size_t>(step.weight_sizes[1]);
  std::vector<double> out(count_of(step.output_sizes), 0.0);
  for (std::size_t row = 0; row < in.size() / inputs; ++row) {
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        out[row * outputs + o] += weights[o * inputs + i] * in[row * inputs + i];
      }
    }
  }
  return out;
}

/// A channel of the input under the window of output (y, x); `weights`: of the window, or none.
double under_window(const SynapseStep& step, const double* weights, const double* in,
                    std::int64_t y, std::int64_t x) {
  double sum = 0;
  for (std::int64_t i = 0; i < step.window[0]; ++i) {
    for (std::int64_t j = 0; j < step.window[1]; ++j) {
      const std::int64_t row = y * step.stride[0] + i * step.dilation[0] - step.padding_before[0];
      const std::int64_t column =
          x * step.stride[1] + j * step.dilation[1] - step.padding_before[1];
      if (row >= 0 && row < step.input_sizes[1] && column >= 0 && column < step.input_sizes[2]) {
        sum += (weights == nullptr ? 1.0 : weights[i * step.window[1] + j]) *
               in[row * step.input_sizes[2] + column];
      }
    }
  }
  return sum;
}

/// What a step makes of numbers, forward, in plain loops over outputs.
std::vector<double> forward(const SynapseStep& step, const std::vector<double>& weights,
                            const std::vector<double>& in) {
  if (step.kind == SynapseKind::kFlatten) {
    return in;
  }
  if (step.kind == SynapseKind::kLinear) {
    return linear(step, weights, in);
  }
  const bool is_conv = step.kind == SynapseKind::kConv2d;
  const std::int64_t channels = step.output_sizes[0], area = step.window[0] * step.window[1];
  const std::int64_t depth = is_conv ? step.weight_sizes[1] : 1;
  const std::int64_t plane = step.input_sizes[1] * step.input_sizes[2];
  std::vector<double> out;
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t from = is_conv ? c / (channels / step.groups) * depth : c;
    for (std::int64_t y = 0; y < step.output_sizes[1]; ++y) {
      for (std::int64_t x = 0; x < step.output_sizes[2]; ++x) {
        double sum = 0;
        for (std::int64_t d = 0; d < depth; ++d) {
          sum += under_window(step, is_conv ? weights.data() + (c * depth + d) * area : nullptr,
                              in.data() + (from + d) * plane, y, x);
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

/// Compares synapses_of with one spike on each input.
void compare(const IntegerLayer& layer, const Sizes& input_sizes) {
  std::vector<std::map<std::int64_t, std::int32_t>> synapses;
  for (std::int64_t neuron = 0; neuron < layer.size(); ++neuron) {
    std::int64_t before = -1;
    synapses.emplace_back();
    for (const Synapse& synapse : synapses_of(layer, neuron)) {
      EXPECT_GT(synapse.input, before);  // by input, each once
      EXPECT_NE(synapse.weight, 0);
      EXPECT_LE(std::abs(synapse.weight), 127);
      before = synapse.input;
      synapses.back()[synapse.input] = synapse.weight;
    }
  }
  const std::vector<double> weights(layer.weights.begin(), layer.weights.end());
  for (std::size_t input = 0; input < count_of(input_sizes); ++input) {
    std::vector<double> values(count_of(input_sizes), 0.0);
    values[input] = 1.0;
    for (const SynapseStep& step : layer.synapses) {
      values = forward(step, weights, values);
    }
    ASSERT_EQ(values.size(), synapses.size());
    for (std::size_t neuron = 0; neuron < values.size(); ++neuron) {
      const auto found = synapses[neuron].find(static_cast<std::int64_t>(input));
      ASSERT_EQ(found == synapses[neuron].end() ? 0 : found->second, values[neuron])
          << "neuron " << neuron << ", input " << input;
    }
  }
}

SynapseStep conv_step(Sizes sizes, Sizes weight_sizes, std::int64_t groups, std::mt19937& random) {
  SynapseStep conv;
  conv.kind = SynapseKind::kConv2d;
  conv.name = "conv";
  conv.input_sizes = std::move(sizes);
  conv.weight_sizes = std::move(weight_sizes);
  conv.window = {conv.weight_sizes[2], conv.weight_sizes[3]};
  conv.groups = groups;
  conv.weights = random_floats(count_of(conv.weight_sizes), -1, 1, random);
  return conv;
}

IntegerLayer converted(std::vector<SynapseStep> steps) {
  SpikingLayer layer;
  layer.neurons = neurons_like(NeuronKind::kIf, steps.back().output_sizes);
  layer.synapses = std::move(steps);
  return to_integer(model_of({layer})).layers[0];
}

TEST(SynapsesTest, Linear) {
  std::mt19937 random(1);
  compare(converted({linear_step(7, 4, random_floats(28, -1, 1, random))}), {7});
  SynapseStep rows = linear_step(5, 2, random_floats(10, -1, 1, random));
  rows.input_sizes = {3, 5};
  rows.output_sizes = {3, 2};
  compare(converted({rows}), {3, 5});
}

TEST(SynapsesTest, ConvolutionsOfAllKinds) {
  std::mt19937 random(2);
  for (const std::int64_t groups : {1, 2}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t dilation : {1, 2}) {
        SynapseStep conv = conv_step({4, 6, 7}, {6, 4 / groups, 3, 2}, groups, random);
        conv.stride = {stride, 3 - stride};
        conv.dilation = {dilation, 1};
        conv.padding_before = {1, 0};
        conv.padding_after = {2, 1};
        const SynapseStep step = slid(conv, 6);
        compare(converted({step, flatten_step(step.output_sizes)}), {4, 6, 7});
      }
    }
  }
}

TEST(SynapsesTest, SumsAndAveragesFold) {
  std::mt19937 random(4);
  const SynapseStep sum = pool_step(SynapseKind::kSumPool2d, {2, 6, 6}, 2, 2);
  const SynapseStep average = pool_step(SynapseKind::kAveragePool2d, {2, 6, 6}, 2, 2);
  const SynapseStep flat = flatten_step(sum.output_sizes);
  const SynapseStep linear = linear_step(18, 3, random_floats(54, -1, 1, random));
  const IntegerLayer sums = converted({sum, flat, linear});
  const IntegerLayer averages = converted({average, flat, linear});
  compare(sums, {2, 6, 6});
  compare(averages, {2, 6, 6});
  EXPECT_EQ(sums.weights, averages.weights);
  EXPECT_DOUBLE_EQ(averages.scale, 4 * sums.scale);  // each weight is a fourth
  EXPECT_EQ(averages.synapses[0].kind, SynapseKind::kSumPool2d);
}

TEST(SynapsesTest, OverlappingSumsLowerTheScale) {
  std::mt19937 random(6);
  const SynapseStep first = pool_step(SynapseKind::kSumPool2d, {1, 8, 8}, 2, 2, 1);
  const SynapseStep second = pool_step(SynapseKind::kSumPool2d, first.output_sizes, 3, 1, 1);
  SynapseStep conv = conv_step(second.output_sizes, {2, 1, 3, 3}, 1, random);
  for (float& weight : conv.weights) {
    weight = std::abs(weight);
  }
  const IntegerLayer layer = converted({first, second, slid(conv, 2)});
  compare(layer, {1, 8, 8});
  std::int32_t most = 0;
  for (std::int64_t neuron = 0; neuron < layer.size(); ++neuron) {
    for (const Synapse& synapse : synapses_of(layer, neuron)) {
      most = std::max(most, synapse.weight);
    }
  }
  EXPECT_LE(most, 127);
  EXPECT_GT(most, 110);
  EXPECT_NE(layer.note.find("weights of overlapping sums fit 8 bits"), std::string::npos);
}

TEST(SynapsesTest, ZerosAreLeftOut) {
  const IntegerLayer layer = converted({linear_step(3, 1, {1.0F, 0.001F, 0.0F})});
  ASSERT_EQ(synapses_of(layer, 0).size(), 1U);
  EXPECT_EQ(synapses_of(layer, 0)[0].input, 0);
  EXPECT_EQ(synapses_of(layer, 0)[0].weight, 127);
}

}  // namespace
}  // namespace tilestrike::dnn
