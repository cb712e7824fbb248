// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an integer network do what its float network does, with the layers that it should have?
#include "dnn/integer/quantise.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

using List = std::vector<std::int64_t>;

c10::IValue list(List numbers) { return c10::IValue(std::move(numbers)); }

bool is_int8(const Network& network, const std::string& layer) {
  return network.info(layer_named(network, layer).outputs.front()).type == c10::kChar;
}

/// Relative difference in the Euclidean norm of the two networks' answers.
double error_of(const Network& network, const Network& integer, const at::Tensor& images) {
  const at::Tensor expected = Executor(network).run(images);
  const at::Tensor found = Executor(integer).run(images);
  EXPECT_EQ(found.scalar_type(), c10::kFloat);
  EXPECT_EQ(found.sizes(), expected.sizes());
  return ((found - expected).norm() / expected.norm()).item<double>();
}

/// int8 values of types and scales that fit together, in every layer.
void expect_sound(const Network& integer, const at::Tensor& images) {
  const Tape tape = Executor(integer).record(images);
  for (std::size_t i = 0; i < integer.values.size(); ++i) {
    const ValueInfo& info = integer.values[i];
    if (tape.values[i].isTensor()) {
      EXPECT_EQ(tape.values[i].toTensor().scalar_type(), info.type) << info.name;
    }
    EXPECT_EQ(info.quantisation.scale > 0.0F, info.type == c10::kChar) << info.name;
  }
}

void expect_close(const Network& network, const Network& integer, const at::Tensor& images,
                  double most = 0.03) {
  expect_sound(integer, images);
  EXPECT_LE(error_of(network, integer, images), most);
}

at::Tensor pictures(std::int64_t count = 16, std::int64_t channels = 3, std::int64_t size = 12) {
  return NetworkMaker::noise({count, channels, size, size}, 1000);
}

TEST(QuantiseTest, ConvolutionBatchNormAndReluBecomeOneLayer) {
  NetworkMaker maker;
  ValueId x = maker.convolution("conv", maker.images(), 3, 8, 3, 1, 1);
  x = maker.batch_norm("bn", x, 8);
  x = maker.call("relu", "aten.relu.default", {x});
  x = maker.call("pool", "aten.max_pool2d.default", {x, list({2, 2}), list({2, 2})});
  x = maker.call("flatten", "aten.flatten.using_ints", {x, c10::IValue(1)});
  const Network network = maker.finish(maker.linear("fc", x, 288, 10));
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(targets_of(integer),
            (std::vector<std::string>{"int8.quantise", "int8.conv2d", "int8.max_pool2d",
                                      "aten.flatten.using_ints", "int8.linear"}));
  const Layer& conv = layer_named(integer, "conv");
  EXPECT_EQ(conv.note, "batch norm 'bn' folded; relu 'relu' fused");
  EXPECT_EQ(conv.source, "made.py:1");
  EXPECT_EQ(integer.info(conv.outputs.front()).name, "relu_out");
  EXPECT_EQ(matrix_kernel(conv)->parameters().low, 0);
  EXPECT_EQ(matrix_kernel(conv)->parameters().high, 127);
  EXPECT_EQ(layer_named(integer, "fc").note, "float output");
  EXPECT_EQ(integer.info(layer_named(integer, "pool").outputs.front()).quantisation.scale,
            integer.info(conv.outputs.front()).quantisation.scale);
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, WeightsAreRoundedPerChannelAndTheBiasInUnitsOfTheAccumulator) {
  NetworkMaker maker;
  at::Tensor weight = NetworkMaker::noise({6, 3, 3, 3}, 1);
  weight.select(0, 1).mul_(1e-3);  // channels of very different size
  weight.select(0, 2).mul_(1e3);
  const at::Tensor bias = NetworkMaker::noise({6}, 2);
  const at::Tensor gamma = at::tensor({1.0F, 0.5F, -2.0F, 0.1F, 1.0F, 3.0F});
  const at::Tensor mean = NetworkMaker::noise({6}, 3), beta = NetworkMaker::noise({6}, 4);
  const at::Tensor variance = at::full({6}, 0.25F);
  ValueId x = maker.call("conv", "aten.conv2d.default",
                         {maker.images(), maker.constant(weight), maker.constant(bias)});
  x = maker.call("bn", "aten.batch_norm.default",
                 {x, maker.constant(gamma), maker.constant(beta), maker.constant(mean),
                  maker.constant(variance), c10::IValue(false), c10::IValue(0.1), c10::IValue(0.0),
                  c10::IValue(true)});
  const Network integer = quantise(maker.finish(x), pictures());
  const Layer& conv = layer_named(integer, "conv");
  const auto& parameters = matrix_kernel(conv)->parameters();
  const double input_scale = integer.info(conv.inputs.front()).quantisation.scale;
  for (int o = 0; o < 6; ++o) {
    const double factor = gamma[o].item<double>() / 0.5;
    const at::Tensor real = weight[o].to(c10::kDouble) * factor;
    const double scale = real.abs().max().item<double>() / 127;
    EXPECT_NEAR(parameters.scale[o].item<double>() / (input_scale * scale), 1.0, 1e-6);
    const at::Tensor stored = parameters.weight[o].to(c10::kDouble);
    EXPECT_EQ(stored.abs().max().item<double>(), 127.0);
    EXPECT_LE((stored * scale - real).abs().max().item<double>(), 0.5000001 * scale);
    const double folded =
        (bias[o].item<double>() - mean[o].item<double>()) * factor + beta[o].item<double>();
    EXPECT_NEAR(parameters.bias[o].item<std::int32_t>(), folded / (input_scale * scale), 0.5001);
  }
}

TEST(QuantiseTest, DecomposedFormsAreTheSameLayers) {
  NetworkMaker maker;
  ValueId x = maker.convolution("conv", maker.images(), 3, 6, 3);
  x = maker.call("relu", "aten.relu.default", {x});
  x = maker.call("mean", "aten.mean.dim", {x, list({-1, -2}), c10::IValue(true)});
  const ValueId size = maker.call("size", "aten.sym_size.int", {x, c10::IValue(0)});
  x = maker.call("view", "aten.view.default",
                 {x, NetworkMaker::Sizes{{-1, 6}, {size, ValueId(-1)}}});
  const ValueId weight = maker.constant(NetworkMaker::noise({4, 6}, 5));
  const ValueId turned = maker.call("t", "aten.t.default", {weight});
  const ValueId bias = maker.constant(NetworkMaker::noise({4}, 6));
  x = maker.call("fc", "aten.addmm.default", {bias, x, turned});
  x = maker.call("softmax", "aten.softmax.int", {x, c10::IValue(1)});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(
      targets_of(integer),
      (std::vector<std::string>{"int8.quantise", "int8.conv2d", "int8.mean", "aten.sym_size.int",
                                "aten.view.default", "int8.linear", "aten.softmax.int"}));
  EXPECT_EQ(layer_named(integer, "softmax").note, "no integer form; stays in float");
  expect_close(network, integer, pictures());
  EXPECT_EQ(Executor(integer).run(pictures(3)).size(0), 3);
}

TEST(QuantiseTest, ResidualAdditionTakesTheReluAfterIt) {
  NetworkMaker maker;
  const ValueId stem = maker.convolution("stem", maker.images(), 3, 8, 3, 1, 1);
  const ValueId branch = maker.convolution("branch", stem, 8, 8, 3, 1, 1);
  ValueId x = maker.call("add", "aten.add.Tensor", {branch, stem});
  x = maker.call("relu", "aten.relu.default", {x});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(targets_of(integer),
            (std::vector<std::string>{"int8.quantise", "int8.conv2d", "int8.conv2d", "int8.add",
                                      "int8.dequantise"}));
  EXPECT_EQ(layer_named(integer, "add").note, "relu 'relu' fused");
  EXPECT_GE(Executor(integer).run(pictures()).min().item<float>(), 0.0F);
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, AnActivationThatIsNotTheOnlyReaderIsALayerOfItsOwn) {
  NetworkMaker maker;
  const ValueId conv = maker.convolution("conv", maker.images(), 3, 8, 3, 1, 1);
  const ValueId bounded =
      maker.call("clamp", "aten.clamp.default", {conv, c10::IValue(-0.5), c10::IValue(0.75)});
  const ValueId x = maker.call("add", "aten.add.Tensor", {conv, bounded});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(layer_named(integer, "clamp").target, "int8.clamp");
  EXPECT_EQ(integer.info(layer_named(integer, "clamp").outputs.front()).quantisation.scale,
            integer.info(layer_named(integer, "conv").outputs.front()).quantisation.scale);
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, Relu6IsAClampInTheScaleOfItsOutput) {
  NetworkMaker maker;
  ValueId x = maker.convolution("depthwise", maker.images(), 3, 3, 3, 2, 1, 3);
  x = maker.call("relu6", "aten.hardtanh.default", {x, c10::IValue(0.0), c10::IValue(6.0)});
  x = maker.call("pool", "aten.adaptive_avg_pool2d.default", {x, list({2, 3})});
  const Network network = maker.finish(x);
  const at::Tensor images = pictures() * 20.0;
  const Network integer = quantise(network, images);
  const Layer& conv = layer_named(integer, "depthwise");
  EXPECT_FLOAT_EQ(integer.info(conv.outputs.front()).quantisation.scale, 6.0F / 127);
  EXPECT_EQ(matrix_kernel(conv)->parameters().low, 0);
  EXPECT_EQ(matrix_kernel(conv)->parameters().high, 127);
  EXPECT_EQ(matrix_kernel(conv)->parameters().shape.groups, 3);
  EXPECT_EQ(layer_named(integer, "pool").target, "int8.average_pool2d");
  expect_close(network, integer, images);
}

TEST(QuantiseTest, FloatLayersStandBetweenConversionsAndSaySo) {
  NetworkMaker maker;
  ValueId x = maker.convolution("conv1", maker.images(), 3, 8, 3, 1, 1);
  x = maker.call("hardswish", "aten.hardswish.default", {x});
  // Squeeze and excite.
  ValueId s = maker.call("squeeze", "aten.adaptive_avg_pool2d.default", {x, list({1, 1})});
  s = maker.convolution("excite", s, 8, 8, 1);
  s = maker.call("hardsigmoid", "aten.hardsigmoid.default", {s});
  x = maker.call("scale", "aten.mul.Tensor", {x, s});
  x = maker.convolution("conv2", x, 8, 4, 3);
  x = maker.call("sigmoid", "aten.sigmoid.default", {x});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  const auto note = [&](const std::string& name) { return layer_named(integer, name).note; };
  EXPECT_EQ(note("conv1"), "float output");
  EXPECT_EQ(note("hardswish"), "no integer form; stays in float before a quantisation");
  EXPECT_EQ(note("excite"), "float output");
  EXPECT_EQ(note("hardsigmoid"), "no integer form; stays in float");
  EXPECT_EQ(note("scale"),
            "no integer form; stays in float between a dequantisation and a quantisation");
  EXPECT_EQ(note("sigmoid"), "no integer form; stays in float");
  EXPECT_TRUE(is_int8(integer, "squeeze"));
  EXPECT_FALSE(is_int8(integer, "hardsigmoid"));
  EXPECT_EQ(layer_named(integer, "scale").target, "aten.mul.Tensor");
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, LayersWithoutAnIntegerFormNameTheReason) {
  NetworkMaker maker;
  ValueId x = maker.batch_norm("bn", maker.images(), 3);
  x = maker.convolution("conv", x, 3, 4, 3, 1, 1);
  x = maker.call("add", "aten.add.Tensor", {x, maker.constant(NetworkMaker::noise({4, 1, 1}, 9))});
  x = maker.call("pool", "aten.adaptive_avg_pool2d.default", {x, list({5, 5})});
  x = maker.call(
      "avg", "aten.avg_pool2d.default",
      {x, list({3, 3}), list({2, 2}), list({1, 1}), c10::IValue(false), c10::IValue(false)});
  x = maker.convolution("last", x, 4, 2, 1);
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  const auto note = [&](const std::string& name) { return layer_named(integer, name).note; };
  EXPECT_EQ(note("bn"),
            "batch norm without a layer to fold it into; stays in float before a quantisation");
  EXPECT_EQ(note("add"), "adds a constant; stays in float");
  EXPECT_EQ(note("pool"), "averages over windows of different sizes; stays in float");
  EXPECT_EQ(note("avg"),
            "averages over windows of different sizes; stays in float before a quantisation");
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, AveragePoolingWithPaddingThatCountsIsInteger) {
  NetworkMaker maker;
  ValueId x = maker.convolution("conv", maker.images(), 3, 4, 3, 1, 1);
  x = maker.call("avg", "aten.avg_pool2d.default", {x, list({3, 3}), list({2, 2}), list({1, 1})});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(layer_named(integer, "avg").target, "int8.average_pool2d");
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, ConcatenationPassesOperandsOfItsOwnScaleThrough) {
  NetworkMaker maker;
  ValueId big = maker.convolution("big", maker.images(), 3, 4, 3, 1, 1);
  big = maker.call("relu", "aten.relu.default", {big});
  const ValueId weight = maker.constant(NetworkMaker::noise({4, 3, 1, 1}, 11) * 0.01);
  const ValueId small = maker.call("small", "aten.conv2d.default", {maker.images(), weight});
  const ValueId x = maker.call("cat", "aten.cat.default",
                               {std::vector<ValueId>{small, big, small}, c10::IValue(1)});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(layer_named(integer, "cat").target, "int8.cat");
  const Tape tape = Executor(integer).record(pictures());
  const auto value = [&](const std::string& layer) {
    return tape.values[layer_named(integer, layer).outputs.front().value].toTensor();
  };
  EXPECT_TRUE(at::equal(value("cat").narrow(1, 4, 4), value("big")));
  EXPECT_TRUE(at::equal(value("cat").narrow(1, 0, 4), value("cat").narrow(1, 8, 4)));
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, SamePaddingAndMovesStayInInt8) {
  NetworkMaker maker;
  const ValueId weight = maker.constant(NetworkMaker::noise({4, 3, 3, 5}, 12) * 0.3);
  ValueId x = maker.call(
      "conv", "aten.conv2d.padding",
      {maker.images(), weight, c10::IValue(), list({1, 1}), c10::IValue("same"), list({2, 1})});
  x = maker.call("permute", "aten.permute.default", {x, list({0, 2, 3, 1})});
  x = maker.linear("mix", x, 4, 6);
  x = maker.call("turn", "aten.transpose.int", {x, c10::IValue(1), c10::IValue(3)});
  x = maker.call("relu", "aten.relu.default", {x});
  x = maker.call("flat", "aten.reshape.default", {x, list({-1, 6 * 12 * 12})});
  const Network network = maker.finish(maker.linear("fc", x, 864, 5));
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(matrix_kernel(layer_named(integer, "conv"))->parameters().shape.padding,
            (std::array<std::int64_t, 2>{2, 2}));
  for (const char* name : {"conv", "permute", "mix", "turn", "relu", "flat"}) {
    EXPECT_TRUE(is_int8(integer, name)) << name;
  }
  expect_close(network, integer, pictures());
}

TEST(QuantiseTest, PaddingOnOneSideOnlyStaysInFloat) {
  NetworkMaker maker;
  const ValueId weight = maker.constant(NetworkMaker::noise({4, 3, 2, 2}, 12) * 0.3);
  const ValueId x = maker.call(
      "conv", "aten.conv2d.padding",
      {maker.images(), weight, c10::IValue(), list({1, 1}), c10::IValue("same"), list({1, 1})});
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  EXPECT_EQ(layer_named(integer, "conv").note,
            "padding that differs between two sides; stays in float");
  EXPECT_EQ(error_of(network, integer, pictures()), 0.0);
}

TEST(QuantiseTest, ChannelsOfZerosAndBiasesFarLargerThanTheWeightsAreHarmless) {
  NetworkMaker maker;
  at::Tensor weight = NetworkMaker::noise({5, 3, 3, 3}, 13);
  weight.select(0, 1).zero_();      // a dead channel with a bias
  weight.select(0, 2).zero_();      // and one without
  weight.select(0, 3).mul_(1e-20);  // all but dead
  const ValueId bias = maker.constant(at::tensor({0.5F, 2.0F, 0.0F, -3.0F, 0.1F}));
  ValueId x =
      maker.call("conv", "aten.conv2d.default", {maker.images(), maker.constant(weight), bias});
  x = maker.convolution("next", x, 5, 4, 3);
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  expect_close(network, integer, pictures());

  NetworkMaker dead;
  const ValueId zeros = dead.constant(at::zeros({2, 3, 1, 1}));
  ValueId y = dead.call("conv", "aten.conv2d.default", {dead.images(), zeros});
  y = dead.call("relu", "aten.relu.default", {y});
  const Network nothing = dead.finish(y);
  const Network integer_nothing = quantise(nothing, pictures());
  EXPECT_EQ(Executor(integer_nothing).run(pictures()).abs().max().item<float>(), 0.0F);
}

TEST(QuantiseTest, ImagesOfZerosGiveANetworkThatRuns) {
  NetworkMaker maker;
  ValueId x = maker.convolution("conv", maker.images(), 3, 4, 3);
  x = maker.call("flatten", "aten.flatten.using_ints", {x, c10::IValue(1)});
  const Network network = maker.finish(maker.linear("fc", x, 400, 3));
  const Network integer = quantise(network, at::zeros({1, 3, 12, 12}));
  expect_close(network, integer, at::zeros({2, 3, 12, 12}));
}

TEST(QuantiseTest, WhatCannotBeQuantisedIsRefusedWithItsName) {
  NetworkMaker maker;
  const ValueId x = maker.convolution("conv", maker.images(), 3, 4, 3);
  const Network network = maker.finish(x);
  const auto failure = [&](const Network& given, const at::Tensor& images) {
    return failure_of([&] { quantise(given, images); });
  };
  EXPECT_NE(failure(network, at::zeros({0, 3, 12, 12})).find("no calibration images"),
            std::string::npos);
  EXPECT_NE(failure(network, at::Tensor()).find("no calibration images"), std::string::npos);
  EXPECT_NE(failure(network, pictures().to(c10::kDouble)).find("type Double, not Float"),
            std::string::npos);
  at::Tensor broken = pictures();
  broken.view({-1})[5] = std::numeric_limits<float>::quiet_NaN();
  const std::string text = failure(network, broken);
  EXPECT_NE(text.find("'x' is not finite"), std::string::npos) << text;
  EXPECT_NE(text.find("look for NaN"), std::string::npos) << text;

  NetworkMaker infinite;
  const ValueId weight =
      infinite.constant(at::full({2, 3, 1, 1}, std::numeric_limits<float>::max()));
  const ValueId y = infinite.call("conv", "aten.conv2d.default", {infinite.images(), weight});
  EXPECT_NE(failure(infinite.finish(y), pictures()).find("'conv_out' is not finite"),
            std::string::npos);
}

TEST(QuantiseTest, ALayerThatInt32CannotHoldIsRefusedByName) {
  NetworkMaker maker;
  const std::int64_t depth = 140000;
  const ValueId weight = maker.constant(at::full({1, depth}, 0.01F));
  const ValueId x = maker.call("wide", "aten.linear.default", {maker.images(), weight});
  const Network network = maker.finish(x);
  const std::string text = failure_of([&] {
    quantise(network, NetworkMaker::noise({2, depth}, 3));
  });
  EXPECT_NE(text.find("layer 'wide'"), std::string::npos) << text;
  EXPECT_NE(text.find("int32"), std::string::npos) << text;
}

TEST(QuantiseTest, AnOutputThatIgnoresTheImagesIsRefused) {
  NetworkMaker maker;
  const ValueId x =
      maker.call("relu", "aten.relu.default", {maker.constant(NetworkMaker::noise({2, 3}, 3))});
  const Network network = maker.finish(x);
  EXPECT_NE(failure_of([&] { quantise(network, pictures()); }).find("does not depend"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::dnn
