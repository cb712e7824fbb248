// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is each sum taken in the order that docs/differential.md names, whatever the batch, and is a
// layer computed from lists what it is computed whole, bit for bit, infinities and all?
#include "dnn/fixed_order/fixed_order.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "dnn/count_different.h"
#include "dnn/differential/divergence.h"
#include "dnn/executor.h"
#include "dnn/fixed_order/fixed_product.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr double kNoLimit = 1e9;  // but for what lists cannot say, whose cost is infinite

class FixedOrderTest : public testing::Test {
 protected:
  struct Case {
    std::int64_t images = 1, in = 1, out = 1, height = 1, width = 1, groups = 1;
    std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
    bool has_bias = true;
  };

  std::int64_t below(std::uint64_t end) { return static_cast<std::int64_t>(random_.below(end)); }

  Case drawn_case(int k) {
    Case drawn;
    drawn.images = 1 + below(3);
    drawn.groups = k % 3 == 0 ? 1 + below(9) : 1;
    drawn.in = drawn.groups * (k % 6 == 3 ? 1 : 1 + below(9));
    drawn.out = drawn.groups * (k % 6 == 3 ? 1 + below(2) : 1 + below(37));
    for (std::size_t i = 0; i < 2; ++i) {
      drawn.kernel[i] = 1 + below(4);
      drawn.stride[i] = 1 + below(3);
      drawn.padding[i] = below(static_cast<std::uint64_t>(drawn.kernel[i]) + 1);
      drawn.dilation[i] = 1 + below(3);
    }
    drawn.height = drawn.dilation[0] * (drawn.kernel[0] - 1) + 1 + below(12);
    drawn.width = drawn.dilation[1] * (drawn.kernel[1] - 1) + 1 + below(12);
    drawn.has_bias = k % 4 != 0;
    return drawn;
  }

  /// Mostly plain; with `specials` some that faults of exponents make: infinities, NaN of any
  /// payload and sign, zeros of both signs, numbers that are not normal, and large ones.
  at::Tensor drawn(std::vector<std::int64_t> sizes, bool has_specials) {
    at::Tensor tensor = NetworkMaker::noise(std::move(sizes), ++drawn_).contiguous();
    auto* data = tensor.mutable_data_ptr<float>();
    for (std::int64_t i = 0; has_specials && i < tensor.numel(); ++i) {
      if (below(8) == 0) {
        data[i] = special();
      }
    }
    return tensor;
  }
  float special() {
    constexpr std::uint32_t kBits[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
                                       0x7fa12345, 0xffe00001, 0x80000000, 0x00000000,
                                       0x00000001, 0x807fffff, 0x7f7fffff, 0xff000000};
    return std::bit_cast<float>(kBits[random_.below(std::size(kBits))]);
  }

  Network convolution(const Case& c, bool has_specials) {
    NetworkMaker maker;
    const ValueId weight =
        maker.constant(drawn({c.out, c.in / c.groups, c.kernel[0], c.kernel[1]}, has_specials));
    const NetworkMaker::Given bias =
        c.has_bias ? NetworkMaker::Given(maker.constant(drawn({c.out}, has_specials)))
                   : NetworkMaker::Given(c10::IValue());
    const auto pair = [](const std::array<std::int64_t, 2>& two) {
      return c10::IValue(std::vector<std::int64_t>{two[0], two[1]});
    };
    const ValueId out = maker.call("layer", "aten.conv2d.default",
                                   {maker.images(), weight, bias, pair(c.stride), pair(c.padding),
                                    pair(c.dilation), c10::IValue(c.groups)});
    return maker.finish(out);
  }

  at::Tensor pictures(const Case& c, bool has_specials) {
    return drawn({c.images, c.in, c.height, c.width}, has_specials);
  }

  /// The three loops.
  static at::Tensor naive(const Case& c, const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& bias, at::IntArrayRef out_sizes) {
    at::Tensor out = at::zeros_like(x).resize_(out_sizes);
    const auto at = [](const at::Tensor& t, std::int64_t a, std::int64_t b, std::int64_t y,
                       std::int64_t x) {
      return t.const_data_ptr<float>()[((a * t.size(1) + b) * t.size(2) + y) * t.size(3) + x];
    };
    std::int64_t index = 0;
    for (std::int64_t n = 0; n < out.size(0); ++n) {
      for (std::int64_t o = 0; o < c.out; ++o) {
        for (std::int64_t oy = 0; oy < out.size(2); ++oy) {
          for (std::int64_t ox = 0; ox < out.size(3); ++ox) {
            volatile float sum = bias.defined() ? bias.const_data_ptr<float>()[o] : 0.0F;
            for (std::int64_t i = 0; i < c.in / c.groups; ++i) {
              for (std::int64_t ky = 0; ky < c.kernel[0]; ++ky) {
                for (std::int64_t kx = 0; kx < c.kernel[1]; ++kx) {
                  const std::int64_t y = oy * c.stride[0] - c.padding[0] + ky * c.dilation[0];
                  const std::int64_t xx = ox * c.stride[1] - c.padding[1] + kx * c.dilation[1];
                  if (y < 0 || y >= c.height || xx < 0 || xx >= c.width) {
                    continue;
                  }
                  const std::int64_t channel = o / (c.out / c.groups) * (c.in / c.groups) + i;
                  const volatile float product =
                      at(weight, o, i, ky, kx) * at(x, n, channel, y, xx);
                  sum = sum + product;
                }
              }
            }
            const float result = sum;
            out.mutable_data_ptr<float>()[index++] =
                std::isnan(result) ? std::bit_cast<float>(0x7fc00000) : result;
          }
        }
      }
    }
    return out;
  }

  static at::Tensor constant(const Network& network, std::size_t argument) {
    const Argument& given = network.layers.front().arguments[argument];
    return given.kind == Argument::Kind::kValue
               ? network.constants[given.values.front().value].toTensor()
               : at::Tensor();
  }

  /// Changes some elements, one at least; into anything.
  at::Tensor changed(const at::Tensor& golden, double density, bool has_specials) {
    at::Tensor result = golden.clone(at::MemoryFormat::Contiguous);
    auto* data = result.mutable_data_ptr<float>();
    const std::int64_t first = below(static_cast<std::uint64_t>(result.numel()));
    for (std::int64_t i = 0; i < result.numel(); ++i) {
      if (i == first || static_cast<double>(below(1000)) < 1000.0 * density) {
        data[i] = has_specials && below(4) == 0 ? special() : 1.25F * data[i] + 0.5F;
      }
    }
    return result;
  }

  void expect_lists_give_the_whole(const Network& network, const at::Tensor& images,
                                   bool has_specials) {
    const Tape golden = Executor(network).record(images);
    Differential forced(network, {kNoLimit, 1.0});
    ASSERT_NE(forced.of(0, golden), nullptr);
    for (const double density : {0.0, 0.01, 0.2, 1.0}) {
      Divergence whole(network, golden), lists(network, golden, &forced);
      const at::Tensor now = changed(images, density, has_specials);
      EXPECT_EQ(whole.set(network.inputs.front(), now), lists.set(network.inputs.front(), now));
      whole.run_reading(0, {});
      EXPECT_TRUE(lists.splice(0, {}).has_value());
      EXPECT_EQ(whole.is_changed(network.output), lists.is_changed(network.output));
      EXPECT_EQ(count_different(whole.output(), lists.output()), 0) << "at " << density;
    }
    EXPECT_EQ(count_different(Executor(network).run(images), golden.tensor(network.output)), 0)
        << "a run leaves the golden values as they were";
  }

  RandomStream random_{31, 0, Purpose::kTest};
  std::int64_t drawn_ = 100;
};

TEST_F(FixedOrderTest, SumsAreTakenAsTheThreeLoopsTakeThem) {
  const c10::InferenceMode no_gradients;
  for (int k = 0; k < 60; ++k) {
    const Case c = drawn_case(k);
    const bool has_specials = k % 2 == 1;
    Network network = convolution(c, has_specials);
    const FixedOrder order(network);
    EXPECT_TRUE(order.left().empty());
    const at::Tensor x = pictures(c, has_specials);
    const at::Tensor found = Executor(network).run(x);
    const at::Tensor expected =
        naive(c, x, constant(network, 1), constant(network, 2), found.sizes());
    EXPECT_EQ(count_different(found, expected), 0) << "case " << k;
  }
}

TEST_F(FixedOrderTest, AnImageGivesTheSameInAnyBatch) {
  const c10::InferenceMode no_gradients;
  for (int k = 0; k < 12; ++k) {
    Case c = drawn_case(k);
    c.images = 7;
    Network network = convolution(c, false);
    const FixedOrder order(network);
    const at::Tensor x = pictures(c, false);
    const at::Tensor together = Executor(network).run(x);
    for (std::int64_t i = 0; i < c.images; ++i) {
      EXPECT_EQ(count_different(Executor(network).run(x.narrow(0, i, 1)), together.narrow(0, i, 1)),
                0);
    }
  }
}

TEST_F(FixedOrderTest, ListsGiveWhatTheWholeConvolutionGives) {
  for (int k = 0; k < 40; ++k) {
    const Case c = drawn_case(k);
    Network network = convolution(c, false);
    const FixedOrder order(network);
    expect_lists_give_the_whole(network, pictures(c, false), k % 2 == 1);
  }
}

TEST_F(FixedOrderTest, AStruckChannelIsWhatTheStruckLayerGives) {
  for (int k = 0; k < 40; ++k) {
    const Case c = drawn_case(k);
    Network network = convolution(c, false);
    const FixedOrder order(network);
    const at::Tensor x = pictures(c, false);
    const Tape golden = Executor(network).record(x);
    Differential forced(network, {kNoLimit, 1.0});
    const at::Tensor weight = constant(network, 1), bias = constant(network, 2);
    const std::int64_t word = below(static_cast<std::uint64_t>(weight.numel()));
    const std::int64_t channel = word / (weight.numel() / c.out);
    weight.mutable_data_ptr<float>()[word] = k % 2 == 0 ? special() : 3.0F;
    std::vector<std::int64_t> channels = {channel};
    if (bias.defined() && channel != c.out - 1) {
      bias.mutable_data_ptr<float>()[c.out - 1] += 1.0F;
      channels.push_back(c.out - 1);
    }
    Divergence whole(network, golden), lists(network, golden, &forced);
    whole.run_reading(0, {});
    ASSERT_TRUE(lists.splice_channels(0, channels).has_value());
    EXPECT_EQ(count_different(whole.output(), lists.output()), 0) << "case " << k;
    EXPECT_EQ(whole.is_changed(network.output), lists.is_changed(network.output));
  }
}

TEST_F(FixedOrderTest, ProductsOfEveryFormSumByDepth) {
  const c10::InferenceMode no_gradients;
  struct Form {
    const char* target;
    std::vector<std::int64_t> left, right;
    bool has_bias, is_transposed;
  };
  const std::vector<Form> forms = {{"aten.linear.default", {5, 33}, {40, 33}, true, true},
                                   {"aten.linear.default", {2, 3, 17}, {3, 17}, false, true},
                                   {"aten.mm.default", {4, 19}, {19, 21}, false, false},
                                   {"aten.addmm.default", {4, 19}, {19, 21}, true, false},
                                   {"aten.bmm.default", {3, 6, 9}, {3, 9, 18}, false, false},
                                   {"aten.matmul.default", {2, 3, 6, 9}, {3, 9, 2}, false, false}};
  for (const Form& form : forms) {
    NetworkMaker maker;
    const at::Tensor right = drawn(form.right, false), left = drawn(form.left, false);
    const std::int64_t outputs = form.is_transposed ? form.right[0] : form.right.back();
    const at::Tensor bias = drawn({outputs}, false);
    const ValueId weight = maker.constant(right), added = maker.constant(bias);
    std::vector<NetworkMaker::Given> given = {maker.images(), weight};
    if (form.has_bias) {
      given.insert(form.is_transposed ? given.end() : given.begin(), added);
    }
    Network network = maker.finish(maker.call("layer", form.target, std::move(given)));
    FixedOrder order(network);
    ASSERT_NE(fixed_product(network.layers.front()), nullptr) << form.target;
    const at::Tensor found = Executor(network).run(left);
    order.set_on(false);
    const at::Tensor torch = Executor(network).run(left);
    order.set_on(true);
    ASSERT_EQ(found.sizes(), torch.sizes());
    EXPECT_LT(relative_difference(found, torch), 1e-5) << form.target;
    const std::int64_t depth = form.left.back(), rows = form.left[form.left.size() - 2];
    for (std::int64_t i = 0; i < found.numel(); ++i) {
      const std::int64_t row = i / outputs, n = i % outputs;
      const std::int64_t product =
          form.right.size() > 2 ? row / rows % form.right[form.right.size() - 3] : 0;
      volatile float sum = form.has_bias ? bias.const_data_ptr<float>()[n] : 0.0F;
      for (std::int64_t k = 0; k < depth; ++k) {
        const std::int64_t place =
            form.is_transposed ? n * depth + k : (product * depth + k) * outputs + n;
        const volatile float both =
            left.const_data_ptr<float>()[row * depth + k] * right.const_data_ptr<float>()[place];
        sum = sum + both;
      }
      ASSERT_EQ(found.const_data_ptr<float>()[i], sum) << form.target << " " << i;
    }
    if (form.right.size() == 2 || form.left.size() == form.right.size()) {  // no broadcasting
      expect_lists_give_the_whole(network, left, true);
    }
  }
}

TEST_F(FixedOrderTest, BothOperandsOfAProductMayChange) {
  NetworkMaker maker;
  const ValueId left = maker.call("left", "aten.neg.default", {maker.images()});
  const ValueId right =
      maker.call("right", "aten.transpose.int", {maker.images(), c10::IValue(-1), c10::IValue(-2)});
  Network network = maker.finish(maker.call("layer", "aten.matmul.default", {left, right}));
  network.info(right).sizes = {-1, 3, 5, 7};
  const FixedOrder order(network);
  ASSERT_NE(fixed_product(network.layers.back()), nullptr);
  const Tape golden = Executor(network).record(drawn({2, 3, 7, 5}, false));
  Differential forced(network, {kNoLimit, 1.0});
  for (const double density : {0.0, 0.05, 1.0}) {
    for (const bool has_left : {false, true}) {
      Divergence whole(network, golden), lists(network, golden, &forced);
      for (const ValueId id : has_left ? std::vector{left, right} : std::vector{right}) {
        const at::Tensor now = changed(golden.tensor(id), density, true);
        whole.set(id, now);
        lists.set(id, now);
      }
      whole.run_reading(2, {});
      ASSERT_TRUE(lists.splice(2, {}).has_value());
      EXPECT_EQ(count_different(whole.output(), lists.output()), 0);
      EXPECT_TRUE(whole.is_changed(network.output));
    }
  }
}

TEST_F(FixedOrderTest, ABatchNormIsAProductAndASum) {
  const c10::InferenceMode no_gradients;
  NetworkMaker maker;
  Network network = maker.finish(maker.batch_norm("norm", maker.images(), 5));
  FixedOrder order(network);
  const at::Tensor x = drawn({2, 5, 4, 7}, true);
  const at::Tensor found = Executor(network).run(x);
  const auto numbers = [&](std::size_t argument) {
    return constant(network, argument).const_data_ptr<float>();
  };
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t c = i / 28 % 5;
    const volatile float scale = numbers(1)[c] / std::sqrt(numbers(4)[c] + 1e-5F);
    const volatile float below_mean = numbers(3)[c] * scale;
    const volatile float shift = numbers(2)[c] - below_mean;
    const volatile float product = x.const_data_ptr<float>()[i] * scale;
    const float sum = product + shift;
    const auto bits = std::isnan(sum) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(sum);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found.const_data_ptr<float>()[i]), bits);
  }
  expect_lists_give_the_whole(network, drawn({2, 5, 4, 7}, false), true);
}

TEST_F(FixedOrderTest, OffItIsPyTorchAgain) {
  const c10::InferenceMode no_gradients;
  const Case c = {.images = 2, .in = 16, .out = 32, .height = 14, .width = 14, .kernel = {3, 3}};
  Network network = convolution(c, false);
  const at::Tensor x = pictures(c, false);
  const at::Tensor before = Executor(network).run(x);
  FixedOrder order(network);
  const at::Tensor fixed = Executor(network).run(x);
  EXPECT_GT(count_different(before, fixed), 0) << "another order gives other last bits";
  EXPECT_LT(relative_difference(fixed, before), 1e-5);
  order.set_on(false);
  EXPECT_EQ(count_different(before, Executor(network).run(x)), 0);
}

}  // namespace
}  // namespace tilestrike::dnn
