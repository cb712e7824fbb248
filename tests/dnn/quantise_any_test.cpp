// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is whatever a model brings (numbers of other types, layouts, values that are not finite)
// quantised, or left in float with a note?
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

c10::IValue list(std::vector<std::int64_t> numbers) { return c10::IValue(std::move(numbers)); }
c10::IValue number(std::int64_t value) { return c10::IValue(value); }

ValueId cast(NetworkMaker& maker, ValueId x, c10::ScalarType to, const std::string& name = "to") {
  return maker.call(name, "aten.to.dtype", {x, number(static_cast<std::int64_t>(to))});
}

/// Every value has the type that its network says, and the answer is near the float network's.
void expect_close(const Network& network, const Network& integer, const at::Tensor& images,
                  double most = 0.03) {
  const Tape tape = Executor(integer).record(images);
  for (std::size_t i = 0; i < integer.values.size(); ++i) {
    if (tape.values[i].isTensor()) {
      EXPECT_EQ(tape.values[i].toTensor().scalar_type(), integer.values[i].type)
          << integer.values[i].name;
    }
  }
  const at::Tensor expected = Executor(network).run(images);
  const at::Tensor found = Executor(integer).run(images);
  EXPECT_EQ(found.scalar_type(), expected.scalar_type());
  EXPECT_EQ(found.sizes(), expected.sizes());
  EXPECT_LE(relative_difference(found, expected), most);
}

at::Tensor pictures(std::int64_t count = 8) { return NetworkMaker::noise({count, 3, 8, 8}, 1000); }

/// Convolution, batch norm, ReLU, mean and linear layer on numbers of a type between float32 ones;
/// `type` float32: its twin, whose parameters are those of `of_type` as float32.
Network small_network(c10::ScalarType type, c10::ScalarType of_type) {
  NetworkMaker maker;
  const auto parameter = [&](std::vector<std::int64_t> sizes, std::int64_t seed, double about) {
    const at::Tensor drawn = NetworkMaker::noise(std::move(sizes), seed).to(c10::kDouble);
    return maker.constant((drawn * 0.3 + about).to(of_type).to(type));
  };
  const bool is_twin = type == c10::kFloat;
  ValueId x = is_twin ? maker.images() : cast(maker, maker.images(), type);
  x = maker.call("conv", "aten.conv2d.default", {x, parameter({6, 3, 3, 3}, 1, 0.0)});
  const ValueId gamma = parameter({6}, 2, 1.0), beta = parameter({6}, 3, 0.0);
  const ValueId mean = parameter({6}, 4, 0.0), variance = parameter({6}, 5, 2.0);
  x = maker.call("bn", "aten.batch_norm.default",
                 {x, gamma, beta, mean, variance, c10::IValue(false), c10::IValue(0.1),
                  c10::IValue(1e-5), c10::IValue(true)});
  x = maker.call("relu", "aten.relu.default", {x});
  x = maker.call("mean", "aten.mean.dim", {x, list({2, 3})});
  x = maker.call("fc", "aten.linear.default", {x, parameter({4, 6}, 6, 0.0), parameter({4}, 7, 0)});
  return maker.finish(is_twin ? x : cast(maker, x, c10::kFloat, "answer"));
}

TEST(QuantiseAnyTest, NetworksOfOtherRealTypesHaveTheIntegersOfTheirFloat32Twin) {
  for (const c10::ScalarType type : {c10::kHalf, c10::kBFloat16, c10::kDouble}) {
    SCOPED_TRACE(c10::toString(type));
    const Network network = small_network(type, type), twin = small_network(c10::kFloat, type);
    const Network integer = quantise(network, pictures()), wanted = quantise(twin, pictures());
    EXPECT_EQ(targets_of(integer), targets_of(wanted));
    EXPECT_EQ(targets_of(integer), (std::vector<std::string>{"int8.quantise", "int8.conv2d",
                                                             "int8.mean", "int8.linear"}));
    for (const char* name : {"conv", "fc"}) {
      const auto weights = [&](const Network& of) {
        return matrix_kernel(layer_named(of, name))->parameters().weight;
      };
      EXPECT_TRUE(at::equal(weights(integer), weights(wanted))) << name;
    }
    EXPECT_EQ(layer_named(integer, "conv").note, "batch norm 'bn' folded; relu 'relu' fused");
    expect_close(network, integer, pictures());
  }
}

TEST(QuantiseAnyTest, FloatLayersReadNumbersOfTheirOwnType) {
  for (const c10::ScalarType type : {c10::kHalf, c10::kBFloat16, c10::kDouble}) {
    SCOPED_TRACE(c10::toString(type));
    NetworkMaker maker;
    const auto weights = [&](std::int64_t seed) {
      return maker.constant(NetworkMaker::noise({6, 6}, seed).to(type));
    };
    ValueId x = cast(maker, maker.images(), type);
    x = maker.call("first", "aten.linear.default", {x, weights(1)});
    const ValueId wide = cast(maker, x, c10::kFloat, "wide");
    x = maker.call("softmax", "aten.softmax.int", {x, number(-1)});
    x = maker.call("second", "aten.linear.default", {x, weights(2)});
    x = maker.call("gelu", "aten.gelu.default", {x});  // its input is int8 for the third, too
    x = maker.call("third", "aten.linear.default", {x, weights(3)});
    x = maker.call("both", "aten.mul.Tensor", {cast(maker, x, c10::kFloat, "narrow"), wide});
    const Network network = maker.finish(x);
    const at::Tensor images = NetworkMaker::noise({5, 6}, 9);
    const Network integer = quantise(network, images);
    EXPECT_EQ(layer_named(integer, "softmax").note,
              "no integer form; stays in float before a quantisation");
    EXPECT_EQ(layer_named(integer, "third").target, "int8.linear");
    expect_close(network, integer, images, 0.05);
  }
}

TEST(QuantiseAnyTest, ALayerThatReadsOneIntegerValueAsTwoTypesGetsBoth) {
  NetworkMaker maker;
  const ValueId x = maker.linear("hidden", maker.images(), 6, 6);
  const ValueId half = cast(maker, x, c10::kHalf);
  const ValueId weight = maker.constant(NetworkMaker::noise({6, 6}, 1).to(c10::kHalf));
  const ValueId reader = maker.call("reader", "aten.linear.default", {half, weight});  // of int8
  const ValueId both = maker.call("both", "aten.mul.Tensor", {x, half});
  const Network network = maker.finish(
      maker.call("total", "aten.mul.Tensor", {cast(maker, reader, c10::kFloat), both}));
  const at::Tensor images = NetworkMaker::noise({5, 6}, 9);
  const Network integer = quantise(network, images);
  EXPECT_EQ(layer_named(integer, "both").inputs.size(), 1U);
  expect_close(network, integer, images, 0.05);
}

TEST(QuantiseAnyTest, AMaskOfMinusInfinityIsAddedInFloat) {
  for (const float mask : {-kInfinity, -1e4F, std::numeric_limits<float>::lowest()}) {
    SCOPED_TRACE(mask);
    NetworkMaker maker;
    const ValueId scores = maker.linear("scores", maker.images(), 6, 6);
    const ValueId is_hidden = maker.call("is_hidden", "aten.gt.Scalar", {scores, c10::IValue(0.8)});
    ValueId x = maker.call("zeros", "aten.zeros_like.default", {scores});
    x = maker.call("mask", "aten.masked_fill.Scalar", {x, is_hidden, c10::IValue(double{mask})});
    x = maker.call("add", "aten.add.Tensor", {scores, x, number(1)});
    x = maker.call("softmax", "aten.softmax.int", {x, number(-1)});
    const Network network = maker.finish(maker.linear("fc", x, 6, 3));
    const at::Tensor images = NetworkMaker::noise({9, 6}, 9);
    const Network integer = quantise(network, images);
    EXPECT_EQ(layer_named(integer, "add").note,
              mask == -kInfinity
                  ? "values that are not finite on the calibration images; stays in float"
                  : "one operand would be rounded away beside the other; stays in float");
    expect_close(network, integer, images);
  }
}

TEST(QuantiseAnyTest, AViewOfAttentionCopiesWhereTheIntegersLieOtherwise) {
  NetworkMaker maker;
  const auto heads = [&](const std::string& name) {
    ValueId x = maker.linear(name, maker.images(), 16, 16);
    x = maker.call(name + "_view", "aten.view.default", {x, list({-1, 7, 4, 4})});
    return maker.call(name + "_heads", "aten.transpose.int", {x, number(1), number(2)});
  };
  const ValueId q = heads("q"), k = heads("k"), v = heads("v");
  ValueId x =
      maker.call("attention", "aten.scaled_dot_product_attention.default",
                 {q, k, v, c10::IValue(), c10::IValue(0.0), c10::IValue(false), c10::IValue(0.5)});
  x = maker.call("back", "aten.transpose.int", {x, number(1), number(2)});
  // PyTorch's attention answers in an order that makes this a view; a plain product does not.
  x = maker.call("view", "aten.view.default", {x, list({-1, 7, 16})});
  const Network network = maker.finish(maker.linear("out", x, 16, 5));
  const at::Tensor images = NetworkMaker::noise({4, 7, 16}, 9);
  const Network integer = quantise(network, images);
  EXPECT_EQ(layer_named(integer, "view").target, "aten.view.default");
  EXPECT_EQ(layer_named(integer, "attention.matmul_v").target, "int8.matmul");
  expect_close(network, integer, images, 0.05);
}

TEST(QuantiseAnyTest, OperandsInAnyLayoutGiveOneAnswer) {
  NetworkMaker maker;
  ValueId x = maker.call("permute", "aten.permute.default", {maker.images(), list({0, 2, 3, 1})});
  x = maker.linear("mix", x, 3, 5);
  x = maker.call("back", "aten.permute.default", {x, list({0, 3, 1, 2})});
  x = maker.convolution("conv", x, 5, 4, 3);
  const Network network = maker.finish(x);
  const Network integer = quantise(network, pictures());
  expect_close(network, integer, pictures());
  const at::Tensor last = pictures().contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::equal(Executor(integer).run(last), Executor(integer).run(pictures())));
}

TEST(QuantiseAnyTest, ValuesThatAreNoRealNumbersPassThroughFloatLayers) {
  NetworkMaker maker;
  const ValueId is_large = maker.call("is_large", "aten.gt.Scalar", {maker.images(), number(0)});
  const ValueId share = maker.call(  // a mean of truths, as float32
      "share", "aten.mean.dim", {is_large, list({1}), c10::IValue(true), number(6)});
  const ValueId order = maker.call("order", "aten.argsort.default", {maker.images()});
  const ValueId index = cast(maker, order, c10::kFloat, "index");
  ValueId x = maker.linear("hidden", maker.images(), 6, 6);
  x = maker.call("sum", "aten.add.Tensor", {x, index, number(1)});
  x = maker.call("scaled", "aten.mul.Tensor", {x, share});
  const Network network = maker.finish(maker.linear("fc", x, 6, 3));
  // Whole numbers up to 127 are int8 as they are: they keep their order.
  at::Tensor images = (NetworkMaker::noise({9, 6}, 9) * 20.0).round();
  images.view(-1)[0].fill_(127.0);
  expect_close(network, quantise(network, images), images);
}

TEST(QuantiseAnyTest, OneCalibrationImageIsEnoughForAnyBatch) {
  // With one image the two operands have one shape, with more they do not.
  NetworkMaker maker;
  const ValueId hidden = maker.linear("hidden", maker.images(), 6, 6);
  ValueId x = maker.call("first", "aten.slice.Tensor",
                         {hidden, number(0), number(0), number(1), number(1)});
  x = maker.call("add", "aten.add.Tensor", {hidden, x, number(1)});
  const Network network = maker.finish(maker.linear("fc", x, 6, 3));
  const at::Tensor images = NetworkMaker::noise({7, 6}, 9);
  const Network integer = quantise(network, images.narrow(0, 0, 1));
  EXPECT_EQ(layer_named(integer, "add").target, "int8.add");
  EXPECT_EQ(Executor(integer).run(images).sizes(), Executor(network).run(images).sizes());
  expect_close(network, integer, images.narrow(0, 0, 1));
}

TEST(QuantiseAnyTest, NumbersBeyondFloat32AreRefusedByName) {
  NetworkMaker maker;
  ValueId x = cast(maker, maker.images(), c10::kDouble);
  x = maker.call("huge", "aten.mul.Scalar", {x, c10::IValue(1e300)});
  const ValueId weight = maker.constant(NetworkMaker::noise({3, 6}, 1).to(c10::kDouble));
  const Network network = maker.finish(maker.call("fc", "aten.linear.default", {x, weight}));
  const std::string text = failure_of([&] { quantise(network, NetworkMaker::noise({2, 6}, 3)); });
  EXPECT_NE(text.find("'huge_out' is not finite"), std::string::npos) << text;
}

}  // namespace
}  // namespace tilestrike::dnn
