// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a parameter that an integer network reads several times stored once, and struck for all?
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/integer/quantise.h"
#include "dnn/tensor_stores.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kChannels = 4;

at::Tensor images() { return NetworkMaker::noise({2, kChannels, 5, 5}, 3); }

/// One convolution used three times, or three with the same numbers.
Network repeated(bool is_shared, double bias = 0.2) {
  NetworkMaker maker;
  const at::Tensor weight = NetworkMaker::noise({kChannels, kChannels, 3, 3}, 1) * 0.3;
  const at::Tensor shift = NetworkMaker::noise({kChannels}, 2) * bias;
  ValueId weights = maker.constant(weight, "c.weight"), biases = maker.constant(shift, "c.bias");
  ValueId x = maker.images();
  for (const std::string name : {"c", "c_1", "c_2"}) {
    if (!is_shared && name != "c") {
      weights = maker.constant(weight.clone(), name + ".weight");
      biases = maker.constant(shift.clone(), name + ".bias");
    }
    const c10::IValue one(std::vector<std::int64_t>{1, 1});
    x = maker.call(name, "aten.conv2d.default", {x, weights, biases, one, one, one});
    x = maker.call(name + "_relu", "aten.relu.default", {x});
  }
  return maker.finish(maker.call("flat", "aten.flatten.using_ints", {x, c10::IValue(1)}));
}

std::vector<TensorStore> constants_of(const TensorStores& stores) {
  std::vector<TensorStore> constants;
  std::ranges::copy_if(stores.all(), std::back_inserter(constants), [](const TensorStore& store) {
    return store.role != TensorRole::kActivation;
  });
  return constants;
}

StoreId id_of(const TensorStores& stores, const std::string& name) {
  const auto found = std::ranges::find(stores.all(), name, &TensorStore::name);
  EXPECT_NE(found, stores.all().end()) << name;
  return StoreId(static_cast<std::uint32_t>(found - stores.all().begin()));
}

void expect_distinct_names(const TensorStores& stores) {
  std::set<std::string> names;
  for (const TensorStore& store : stores.all()) {
    EXPECT_TRUE(names.insert(store.name).second) << store.name;
  }
}

TEST(SharedWeightsTest, ASharedConvolutionIsOneStoreAndAFlipReachesEveryUse) {
  Network network = quantise(repeated(true), images());
  Network apart = quantise(repeated(false), images());
  TensorStores stores(network, images(), NumberFormat::integer(8));
  TensorStores copies(apart, images(), NumberFormat::integer(8));
  const std::vector<TensorStore> constants = constants_of(stores);
  const auto weights = std::ranges::count(constants, TensorRole::kWeight, &TensorStore::role);
  EXPECT_EQ(weights, 1);
  const TensorStore& weight = stores.all()[id_of(stores, "c.weight").value];
  EXPECT_EQ(weight.words, kChannels * kChannels * 9);
  EXPECT_EQ(weight.layers, (std::vector<std::string>{"c", "c_1", "c_2"}));
  EXPECT_EQ(weight.note, "");
  // Three int32 biases of one float bias: inputs of three scales.
  for (const std::string name : {"c.bias", "c_1.bias", "c_2.bias"}) {
    const TensorStore& bias = stores.all()[id_of(stores, name).value];
    EXPECT_EQ(bias.layers.size(), 1U);
    EXPECT_NE(bias.note.find("one of 3 stored copies of 'c.bias'"), std::string::npos);
  }
  expect_distinct_names(stores);
  EXPECT_EQ(constants_of(copies).size(), 6U);

  const Executor executor(network), plain(apart);
  const at::Tensor golden = executor.run(images());
  ASSERT_EQ(count_different(golden, plain.run(images())), 0);
  const WordFault fault{.store = id_of(stores, "c.weight"), .word = 10, .flip = 0x40};
  std::vector<WordFault> everywhere, once;
  for (const std::string name : {"c.weight", "c_1.weight", "c_2.weight"}) {
    everywhere.push_back({.store = id_of(copies, name), .word = 10, .flip = 0x40});
  }
  everywhere = normalised(everywhere);
  at::Tensor struck, expected, of_one_use;
  {
    ConstantStrike strike(stores, {&fault, 1});
    struck = strike.run(executor, images(), true);
  }
  {
    ConstantStrike strike(copies, everywhere);
    expected = strike.run(plain, images(), true);
  }
  {
    ConstantStrike strike(copies, std::span(everywhere).first(1));
    of_one_use = strike.run(plain, images(), true);
  }
  EXPECT_EQ(count_different(struck, expected), 0);
  EXPECT_GT(count_different(struck, of_one_use), 0);
  EXPECT_EQ(count_different(executor.run(images()), golden), 0) << "undone";
}

TEST(SharedWeightsTest, TheScaleSuitsTheBiasesOfAllUses) {
  // The second use's input is tiny and its bias is not: its scale must hold the bias.
  NetworkMaker maker;
  const ValueId weight = maker.constant(NetworkMaker::noise({4, 4}, 1) * 1e-6, "w");
  const ValueId small = maker.constant(NetworkMaker::noise({4}, 2) * 1e-6, "a");
  const ValueId large = maker.constant(NetworkMaker::noise({4}, 3) + 40.0, "b");
  const ValueId x = maker.call("first", "aten.linear.default", {maker.images(), weight, small});
  Network network =
      quantise(maker.finish(maker.call("second", "aten.linear.default", {x, weight, large})),
               NetworkMaker::noise({2, 4}, 4));
  const TensorStores stores(network, NetworkMaker::noise({2, 4}, 4), NumberFormat::integer(8));
  EXPECT_EQ(stores.all()[id_of(stores, "w").value].layers.size(), 2U);
  const at::Tensor bias = stores.backing(id_of(stores, "b")).words;
  EXPECT_LE(bias.abs().max().item<std::int64_t>(), std::int64_t{1} << 30);
  const at::Tensor answer = Executor(network).run(NetworkMaker::noise({2, 4}, 4));
  const at::Tensor expected = (NetworkMaker::noise({4}, 3) + 40.0).expand({2, 4});
  EXPECT_LT(relative_difference(answer, expected), 1e-2);
}

TEST(SharedWeightsTest, CopiesWithScalesOfTheirOwnHaveNamesOfTheirOwn) {
  NetworkMaker maker;
  const ValueId weight =
      maker.constant(NetworkMaker::noise({kChannels, kChannels, 1, 1}, 1), "c.weight");
  const c10::IValue one(std::vector<std::int64_t>{1, 1}), none(std::vector<std::int64_t>{0, 0});
  ValueId x = maker.images();
  for (const std::string name : {"c", "c_1"}) {  // another batch norm behind each
    x = maker.call(name, "aten.conv2d.default", {x, weight, c10::IValue(), one, none, one});
    x = maker.batch_norm(name + "_norm", x, kChannels);
  }
  Network network = quantise(maker.finish(x), images());
  const TensorStores stores(network, images(), NumberFormat::integer(8));
  for (const std::string name : {"c.weight", "c_1.weight"}) {
    EXPECT_EQ(stores.all()[id_of(stores, name).value].note,
              "one of 2 stored copies of 'c.weight': scales of its own");
  }
  expect_distinct_names(stores);
}

TEST(SharedWeightsTest, ATableInFloatAndItsHeadInInt8AreTwoStores) {
  NetworkMaker maker;
  const ValueId table = maker.constant(NetworkMaker::noise({8, 6}, 1), "head.weight");
  const ValueId scores =
      maker.call("scores", "aten.linear.default",
                 {maker.images(), maker.constant(NetworkMaker::noise({8, 4}, 2))});
  const ValueId best =
      maker.call("best", "aten.argmax.default", {scores, c10::IValue(1), c10::IValue(false)});
  const ValueId row = maker.call("rows", "aten.embedding.default", {table, best});
  Network network = quantise(maker.finish(maker.call("head", "aten.linear.default", {row, table})),
                             NetworkMaker::noise({2, 4}, 4));
  const TensorStores stores(network, NetworkMaker::noise({2, 4}, 4), NumberFormat::integer(8));
  const TensorStore& rows = stores.all()[id_of(stores, "rows.weight").value];
  const TensorStore& head = stores.all()[id_of(stores, "head.weight").value];
  EXPECT_EQ(rows.format, kFloat32);
  EXPECT_EQ(rows.role, TensorRole::kWeight);
  EXPECT_EQ(rows.note, "one of 2 stored copies of 'head.weight': left in float");
  EXPECT_EQ(head.format, NumberFormat::integer(8));
  EXPECT_EQ(head.note, "one of 2 stored copies of 'head.weight': scales of its own");
  expect_distinct_names(stores);
}

}  // namespace
}  // namespace tilestrike::dnn
