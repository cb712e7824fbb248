// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a NIR file with its side file become the spiking network that it describes?
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "dnn/nir/nir_import.h"
#include "dnn/spiking/check_model.h"
#include "tests/dnn/nir_files.h"

namespace tilestrike::dnn {
namespace {

using Pair = std::array<std::int64_t, 2>;
constexpr const char* kReadsMembranes = "ticks: 4\ndt: 0.002\n";

NirTestNode conv_node(const std::vector<std::int64_t>& weight_sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : weight_sizes) {
    count *= size;
  }
  return {"Conv2d",
          {{"weight", floats(weight_sizes, counted(static_cast<std::size_t>(count), -1, 0.125))},
           {"bias",
            doubles({weight_sizes[0]}, counted(static_cast<std::size_t>(weight_sizes[0]), 0.5, 1))},
           {"stride", integers({1, 1})},
           {"padding", integers({0, 0})},
           {"dilation", integers({1, 1})},
           {"groups", number(1)}}};
}

NirTestNode pool_node(const std::string& type, double window, double stride, double padding) {
  return {type,
          {{"kernel_size", integers({window, window})},
           {"stride", integers({stride, stride})},
           {"padding", integers({padding, padding})}}};
}

NirTestNode flatten_node(double first, double last) {
  return {"Flatten", {{"start_dim", number(first)}, {"end_dim", number(last)}}};
}

/// A convolution of a (4, 7, 8) input, as it is imported.
SynapseStep imported(const NirTestNode& conv) {
  const SpikingModel model = NirFolder().import(nir_line({{"input", input_node({4, 7, 8})},
                                                          {"conv", conv},
                                                          {"if", if_node(1)},
                                                          {"output", {"Output", {}}}}));
  EXPECT_EQ(model.layers[0].neurons.sizes, model.layers[0].synapses[0].output_sizes);
  return model.layers[0].synapses[0];
}

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
    EXPECT_EQ(layer.neurons.v_leak, std::vector<float>({0, 0}));
    EXPECT_EQ(layer.neurons.v_threshold, std::vector<float>({1, 1}));
    EXPECT_EQ(layer.neurons.v_reset, std::vector<float>({0, 0}));  // absent
  }
}

TEST(NirTest, EdgesWereNumbersOnce) {
  NirTestFile file = nir_line({{"0", input_node({3})},
                               {"1", affine_node(2, 3)},
                               {"10", if_node(2)},
                               {"2", {"Output", {}}}});
  file.version.clear();
  file.is_old = file.has_numbered_edges = true;
  const SpikingModel model = NirFolder().import(file);
  EXPECT_EQ(model.output_sizes, Sizes({2}));
  EXPECT_EQ(model.layers[0].neurons.kind, NeuronKind::kIf);
  EXPECT_EQ(model.layers[0].neurons.name, "10");
}

TEST(NirTest, ConvolutionsHaveStridesPaddingsDilationsAndGroups) {
  NirTestNode conv = conv_node({6, 4, 3, 2});
  SynapseStep step = imported(conv);
  EXPECT_EQ(step.kind, SynapseKind::kConv2d);
  EXPECT_EQ(step.output_sizes, Sizes({6, 5, 7}));
  EXPECT_EQ(step.window, Pair({3, 2}));
  EXPECT_EQ(step.weights.size(), 144U);
  EXPECT_EQ(step.weights[143], -1 + 143 * 0.125F);
  EXPECT_EQ(step.bias, std::vector<float>({0.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F}));

  conv.values["stride"] = integers({2, 3});
  conv.values["padding"] = integers({1, 2});
  conv.values["dilation"] = integers({2, 1});
  conv.values["input_shape"] = integers({7, 8});
  step = imported(conv);
  EXPECT_EQ(step.stride, Pair({2, 3}));
  EXPECT_EQ(step.dilation, Pair({2, 1}));
  EXPECT_EQ(step.padding_before, Pair({1, 2}));
  EXPECT_EQ(step.padding_after, Pair({1, 2}));
  EXPECT_EQ(step.output_sizes, Sizes({6, 3, 4}));

  conv = conv_node({6, 2, 3, 2});
  conv.values["groups"] = number(2);
  conv.values["stride"] = number(2);  // one for both
  conv.values["padding"] = number(1);
  step = imported(conv);
  EXPECT_EQ(step.groups, 2);
  EXPECT_EQ(step.stride, Pair({2, 2}));
  EXPECT_EQ(step.output_sizes, Sizes({6, 4, 5}));
}

TEST(NirTest, PaddingMayHaveAName) {
  NirTestNode conv = conv_node({2, 4, 4, 3});
  conv.values["padding"] = text("same");
  conv.values["dilation"] = integers({1, 2});
  SynapseStep step = imported(conv);
  EXPECT_EQ(step.output_sizes, Sizes({2, 7, 8}));
  EXPECT_EQ(step.padding_before, Pair({1, 2}));
  EXPECT_EQ(step.padding_after, Pair({2, 2}));
  conv.values["padding"] = text("valid");
  step = imported(conv);
  EXPECT_EQ(step.output_sizes, Sizes({2, 4, 4}));
  EXPECT_EQ(step.padding_before, Pair({0, 0}));
}

TEST(NirTest, PoolingAndFlatten) {
  const NirTestFile file = nir_line({{"input", input_node({2, 9, 9})},
                                     {"sum", pool_node("SumPool2d", 3, 2, 1)},
                                     {"average", pool_node("AvgPool2d", 2, 2, 0)},
                                     {"flat", flatten_node(0, -1)},
                                     {"fc", affine_node(6, 8)},
                                     {"if", if_node(6)},
                                     {"output", output_node({6})}});
  const SpikingModel model = NirFolder().import(file);
  const auto& steps = model.layers[0].synapses;
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[0].kind, SynapseKind::kSumPool2d);
  EXPECT_EQ(steps[0].padding_after, Pair({1, 1}));
  EXPECT_EQ(steps[0].output_sizes, Sizes({2, 5, 5}));
  EXPECT_EQ(steps[1].kind, SynapseKind::kAveragePool2d);
  EXPECT_EQ(steps[1].window, Pair({2, 2}));
  EXPECT_EQ(steps[1].output_sizes, Sizes({2, 2, 2}));
  EXPECT_EQ(steps[2].kind, SynapseKind::kFlatten);
  EXPECT_EQ(steps[2].output_sizes, Sizes({8}));
}

TEST(NirTest, FlattenCountsDimensionsWithoutABatch) {
  const auto flattened = [](double first, double last) {
    return NirFolder()
        .import(nir_line({{"input", input_node({4, 7, 8})},
                          {"conv", conv_node({2, 4, 3, 3})},
                          {"if", if_node(1)},
                          {"flat", flatten_node(first, last)},
                          {"output", {"Output", {}}}}))
        .output_sizes;
  };
  EXPECT_EQ(flattened(0, -1), Sizes({60}));
  EXPECT_EQ(flattened(1, 2), Sizes({2, 30}));
  EXPECT_EQ(flattened(-3, -2), Sizes({10, 6}));
  EXPECT_EQ(flattened(1, 1), Sizes({2, 5, 6}));
}

TEST(NirTest, ParametersAreOneNumberOrOneForEachNeuron) {
  using Type = NirTestValue::Type;
  NirTestFile file = nir_line({{"input", input_node({4, 7, 8})},
                               {"conv", conv_node({2, 4, 7, 7})},
                               {"lif", lif_node(1)},
                               {"output", output_node({2, 1, 2})}});
  auto& values = file.nodes["lif"].values;
  values["tau"] = number(0.25, Type::kFloat64);
  values["r"] = floats({1}, {3});
  values["v_threshold"] = floats({2, 1, 2}, {1, 2, 3, 4});
  values["v_reset"] = number(-0.5, Type::kFloat32);
  values["v_leak"] = number(2);  // an integer
  const FloatNeurons neurons = NirFolder().import(file).layers[0].neurons;
  EXPECT_EQ(neurons.sizes, Sizes({2, 1, 2}));
  EXPECT_EQ(neurons.tau, std::vector<float>(4, 0.25F));
  EXPECT_EQ(neurons.r, std::vector<float>(4, 3.0F));
  EXPECT_EQ(neurons.v_threshold, std::vector<float>({1, 2, 3, 4}));
  EXPECT_EQ(neurons.v_reset, std::vector<float>(4, -0.5F));
  EXPECT_EQ(neurons.v_leak, std::vector<float>(4, 2.0F));
}

TEST(NirTest, ALeakyIntegratorMayBeTheLast) {
  NirTestNode li = lif_node(2);
  li.type = "LI";
  li.values.erase("v_threshold");
  NirTestFile file = small_nir();
  file.nodes["lif"] = li;
  const SpikingModel model = NirFolder().import(file, kReadsMembranes);
  EXPECT_EQ(model.layers[0].neurons.kind, NeuronKind::kLi);
  EXPECT_EQ(model.layers[0].neurons.tau, std::vector<float>({0.01F, 0.01F}));
  EXPECT_TRUE(model.layers[0].neurons.v_threshold.empty());
}

TEST(NirTest, WhatEndsInWeightsIsAddedUp) {
  NirTestFile file = nir_line({{"input", input_node({3})},
                               {"fc", affine_node(4, 3)},
                               {"if", if_node(4)},
                               {"last", {"Linear", {{"weight", floats({2, 4}, counted(8, 0, 1))}}}},
                               {"output", output_node({2})}});
  SpikingModel model = NirFolder().import(file, kReadsMembranes);
  ASSERT_EQ(model.layers.size(), 2U);
  EXPECT_TRUE(model.layers[1].synapses[0].bias.empty());
  EXPECT_EQ(model.layers[1].neurons.name, "last");
  EXPECT_EQ(model.layers[1].neurons.kind, NeuronKind::kIf);
  EXPECT_TRUE(never_fires(model.layers[1].neurons));
  EXPECT_EQ(model.layers[1].neurons.r, std::vector<float>({1, 1}));
  model = NirFolder().import(file, std::string(kReadsMembranes) + "spike_as: current\n");
  EXPECT_EQ(model.layers[1].neurons.r, std::vector<float>({500, 500}));  // times dt is 1
}

TEST(NirTest, IdentitiesAreDroppedAndEdgesComeInAnyOrder) {
  NirTestFile file = nir_line({{"z", input_node({3})},
                               {"same", {"Identity", {{"shape", integers({3})}}}},
                               {"m", affine_node(2, 3)},
                               {"again", {"Identity", {}}},
                               {"b", if_node(2)},
                               {"a", output_node({2})}});
  std::ranges::reverse(file.edges);
  std::swap(file.edges[0], file.edges[2]);
  const SpikingModel model = NirFolder().import(file);
  ASSERT_EQ(model.layers.size(), 1U);
  ASSERT_EQ(model.layers[0].synapses.size(), 1U);
  EXPECT_EQ(model.layers[0].synapses[0].name, "m");
}

TEST(NirTest, LocksOfOthersDoNotMatterAndNothingIsPrinted) {
  const NirFolder folder;
  const std::string path = folder.write(small_nir());
  const int file = open(path.c_str(), O_RDWR);
  ASSERT_EQ(flock(file, LOCK_EX | LOCK_NB), 0);
  testing::internal::CaptureStderr();
  EXPECT_EQ(import_nir(path).layers.size(), 1U);
  folder.folder().write("net.nir", "no HDF5");
  EXPECT_NE(errors_of([&] { import_nir(path); }), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  close(file);
}

TEST(NirTest, TheSideFileSaysTheRest) {
  const SpikingSettings settings =
      NirFolder()
          .import(small_nir(),
                  "ticks: 12\ndt: 5e-4\nspike_as: current\nreset: soft\nencode: constant\n"
                  "readout: first_spike\n")
          .settings;
  EXPECT_EQ(settings.ticks, 12);
  EXPECT_EQ(settings.dt, 0.0005);
  EXPECT_EQ(settings.spike_as, SpikeAs::kCurrent);
  EXPECT_EQ(settings.reset, ResetKind::kSoft);
  EXPECT_EQ(settings.encode, Encoding::kConstant);
  EXPECT_EQ(settings.readout, Readout::kFirstSpike);
}

TEST(NirTest, OverridesGoOverTheSideFile) {
  const NirFolder folder;
  const std::string path = folder.write(small_nir());
  Value overrides = Value::map();
  overrides.set("ticks", Value::of("99"));
  SpikingSettings settings = import_nir(path, overrides).settings;
  EXPECT_EQ(settings.ticks, 99);
  EXPECT_EQ(settings.readout, Readout::kCount);
  std::filesystem::remove(folder.folder().path("net.spiking.yaml"));
  overrides.set("readout", Value::of("count"));
  EXPECT_EQ(folder.without_folder(errors_of([&] { import_nir(path, overrides); })),
            "net.spiking.yaml: dt: this key is required; add 'dt: ...' (length of a time step, in "
            "the unit of the file's tau)");
  overrides.set("dt", Value::of("0.001"));
  settings = import_nir(path, overrides).settings;
  EXPECT_EQ(settings.dt, 0.001);
}

TEST(NirTest, WrongSideFilesAreToldByLine) {
  const NirFolder folder;
  EXPECT_EQ(folder.errors_of_import(small_nir(), "ticks: 0\nreedout: count\n"),
            "net.spiking.yaml:1:8: ticks: 0 is out of range; allowed: 1 to 65535\n"
            "net.spiking.yaml:2:1: reedout: unknown key; did you mean 'readout'?\n"
            "net.spiking.yaml:1:1: dt: this key is required; add 'dt: ...' (length of a time step, "
            "in the unit of the file's tau)");
  EXPECT_NE(folder.errors_of_import(small_nir(), "").find("ticks: this key is required"),
            std::string::npos);
  EXPECT_NE(folder.errors_of_import(small_nir(), "ticks: 8\ndt: 0\n").find("dt: 0 is out of range"),
            std::string::npos);
  EXPECT_NE(folder.errors_of_import(small_nir(), "[1]").find("found a list"), std::string::npos);
  EXPECT_NE(folder.errors_of_import(small_nir(), "ticks: 8\ndt: 1\nreset: tender\n")
                .find("reset: 'tender' is not a choice; allowed: hard, soft"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::dnn
