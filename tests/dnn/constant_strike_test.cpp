// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a network whose constants are struck layer by layer answer as a copy with changed constants
// does, and is nothing left behind?
#include "dnn/constant_strike.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "base/random.h"
#include "dnn/count_different.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

Network zoo(const std::string& name) { return import_pt2(root_folder() + "/zoo/" + name + ".pt2"); }

at::Tensor some_images(std::int64_t count) { return NetworkMaker::noise({count, 1, 28, 28}, 3); }

std::vector<WordFault> drawn_flips(const TensorStores& stores, int per_store) {
  RandomStream random(7, 0, Purpose::kTest);
  std::vector<WordFault> faults;
  for (std::uint32_t i = 0; i < stores.all().size(); ++i) {
    const TensorStore& store = stores.all()[i];
    if (!stores.backing(StoreId(i)).is_constant()) {
      continue;
    }
    for (int k = 0; k < per_store; ++k) {
      const auto bits = static_cast<std::uint64_t>(store.format.bits);
      faults.push_back({.store = StoreId(i),
                        .word = random.below(static_cast<std::uint64_t>(store.words)),
                        .flip = std::uint64_t{1} << random.below(bits - 2)});
    }
  }
  return normalised(faults);
}

void flip_float(float& number, const WordFault& fault) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  bits = static_cast<std::uint32_t>(fault.applied_to(bits));
  std::memcpy(&number, &bits, sizeof bits);
}

TEST(ConstantStrikeTest, AStrikeEqualsACopyChangedWordByWordAndIsUndone) {
  for (const std::string name : {"lenet5", "resnet8"}) {
    Network network = zoo(name);
    Network copy = zoo(name);
    const at::Tensor images = some_images(4);
    TensorStores stores(network, images, kFloat32);
    const Executor executor(network);
    const at::Tensor golden = executor.run(images);
    const auto faults = drawn_flips(stores, 3);
    for (const WordFault& fault : faults) {
      const ValueId id = stores.backing(fault.store).value;
      at::Tensor changed = copy.constants[id.value].toTensor().clone();
      flip_float(changed.mutable_data_ptr<float>()[fault.word], fault);
      copy.constants[id.value] = changed;
    }
    const Network untouched = zoo(name);
    const at::Tensor expected = Executor(copy).run(images);
    EXPECT_GT(count_different(expected, golden), 0);
    for (const int runs : {1, 2, 3}) {
      ConstantStrike strike(stores, faults);
      for (int i = 0; i < runs; ++i) {
        const at::Tensor struck = strike.run(executor, images, i + 1 == runs);
        EXPECT_EQ(count_different(struck, expected), 0) << name << ", inference " << i;
      }
      EXPECT_EQ(strike.changed(), static_cast<std::int64_t>(faults.size()));
      EXPECT_EQ(strike.before() ^ strike.after(), faults.front().flip);
      // These networks have no constant layers: the last inference has given everything back.
      EXPECT_EQ(count_different(executor.run(images), golden), 0);
    }
    EXPECT_EQ(count_different(executor.run(images), golden), 0);
    for (std::size_t i = 0; i < network.constants.size(); ++i) {
      if (network.constants[i].isTensor()) {
        EXPECT_EQ(
            count_different(network.constants[i].toTensor(), untouched.constants[i].toTensor()), 0)
            << name << ' ' << i;
      }
    }
  }
}

TEST(ConstantStrikeTest, ATiedWeightIsOneStoreAndAFaultShowsInBothUses) {
  NetworkMaker maker;
  const ValueId weight = maker.constant(NetworkMaker::noise({6, 6}, 1));
  const ValueId first = maker.call("first", "aten.linear.default", {maker.images(), weight});
  Network network = maker.finish(maker.call("second", "aten.linear.default", {first, weight}));
  const at::Tensor images = NetworkMaker::noise({2, 6}, 2);
  TensorStores stores(network, images, kFloat32);
  EXPECT_EQ(std::ranges::count(stores.all(), TensorRole::kWeight, &TensorStore::role), 1);
  const WordFault fault{.store = StoreId(0), .word = 8, .flip = std::uint64_t{1} << 24};
  at::Tensor changed = NetworkMaker::noise({6, 6}, 1);
  flip_float(changed.mutable_data_ptr<float>()[8], fault);
  const at::Tensor expected = images.matmul(changed.t()).matmul(changed.t());
  const Executor executor(network);
  ConstantStrike strike(stores, {&fault, 1});
  EXPECT_LT(relative_difference(strike.run(executor, images, true), expected), 1e-5);
}

TEST(ConstantStrikeTest, StruckInt8WeightsAndBiasesEqualAnIntegerNetworkMadeOfThem) {
  const at::Tensor images = some_images(4);
  Network network = quantise(zoo("resnet8"), images);
  Network rebuilt = quantise(zoo("resnet8"), images);
  TensorStores stores(network, images, NumberFormat::integer(8));
  const Executor executor(network);
  const at::Tensor golden = executor.run(images);
  const auto faults = drawn_flips(stores, 40);
  for (Layer& layer : rebuilt.layers) {
    const MatrixKernel* kernel = matrix_kernel(layer);
    if (kernel == nullptr) {
      continue;
    }
    MatrixKernel::Parameters parameters = kernel->parameters();
    parameters.weight = parameters.weight.clone();
    parameters.bias = parameters.bias.clone();
    for (const WordFault& fault : faults) {
      const std::string& name = stores.all()[fault.store.value].name;
      if (name == layer.name + ".weight") {
        auto& word = parameters.weight.mutable_data_ptr<std::int8_t>()[fault.word];
        word = static_cast<std::int8_t>(fault.applied_to(static_cast<std::uint8_t>(word)));
      } else if (name == layer.name + ".bias") {
        auto& word = parameters.bias.mutable_data_ptr<std::int32_t>()[fault.word];
        word = static_cast<std::int32_t>(fault.applied_to(static_cast<std::uint32_t>(word)));
      }
    }
    layer.kernel = MatrixKernel::make(std::move(parameters), layer.name);
  }
  const at::Tensor expected = Executor(rebuilt).run(images);
  EXPECT_GT(count_different(expected, golden), 0);
  ConstantStrike strike(stores, faults);
  EXPECT_EQ(count_different(strike.run(executor, images, false), expected), 0);
  EXPECT_EQ(count_different(strike.run(executor, images, true), expected), 0);
  EXPECT_EQ(count_different(executor.run(images), golden), 0);
}

TEST(ConstantStrikeTest, WhatDependsOnAStruckConstantIsComputedAgainAndRestored) {
  NetworkMaker maker;
  const ValueId weight = maker.constant(NetworkMaker::noise({6, 6}, 1));
  const ValueId doubled = maker.call("doubled", "aten.add.Tensor", {weight, weight});
  Network network =
      maker.finish(maker.call("fc", "aten.linear.default", {maker.images(), doubled}));
  network.constant_layers = {network.layers.front()};
  network.layers.erase(network.layers.begin());
  network.constant_layers.front().kernel->run(network.constant_layers.front(), network.constants);
  network.info(doubled).is_constant = true;
  const at::Tensor images = NetworkMaker::noise({2, 6}, 2);
  TensorStores stores(network, images, kFloat32);
  EXPECT_EQ(stores.all().front().words, 36);  // the weight; what is computed from it is not stored
  const Executor executor(network);
  const at::Tensor golden = executor.run(images);
  const WordFault fault{.store = StoreId(0), .word = 8, .flip = std::uint64_t{1} << 24};
  at::Tensor changed = NetworkMaker::noise({6, 6}, 1);
  flip_float(changed.mutable_data_ptr<float>()[8], fault);
  const at::Tensor expected = images.matmul((changed + changed).t());
  {
    ConstantStrike strike(stores, {&fault, 1});
    for (const bool is_last : {false, true}) {
      const at::Tensor answer = strike.run(executor, images, is_last);
      EXPECT_LT(relative_difference(answer, expected), 1e-6);
      EXPECT_GT(count_different(answer, golden), 0);
    }
  }
  EXPECT_EQ(count_different(executor.run(images), golden), 0);
}

TEST(ConstantStrikeTest, StrikesInEveryFormatAreUndone) {
  for (const std::string name : {"fp16", "bf16", "fp8_e4m3", "fp8_e5m2", "int4", "q3.12", "q7.8"}) {
    Network network = zoo("lenet5");
    const at::Tensor images = some_images(3);
    TensorStores stores(network, images, NumberFormat::parse(name).value());
    const Executor executor(network);
    const at::Tensor golden = executor.run(images);
    const auto faults = drawn_flips(stores, 4);
    ConstantStrike strike(stores, faults);
    EXPECT_GT(count_different(strike.run(executor, images, true), golden), 0) << name;
    EXPECT_EQ(count_different(executor.run(images), golden), 0) << name;
  }
}

/// Runs another kernel, and then looks at what is in memory, or throws.
class SpyKernel final : public Kernel {
 public:
  SpyKernel(std::shared_ptr<const Kernel> inner, std::function<void()> look)
      : inner_(std::move(inner)), look_(std::move(look)) {}
  void run(const Layer& layer, Values& values) const override {
    inner_->run(layer, values);
    look_();
  }

 private:
  std::shared_ptr<const Kernel> inner_;
  std::function<void()> look_;
};

/// first (weight 0), second (weight 1), third (weight 0 again, through a view).
struct ThreeLayers {
  Network network;
  at::Tensor images = NetworkMaker::noise({2, 6}, 2);
  at::Tensor weights[2];
  std::vector<WordFault> faults;

  ThreeLayers() {
    NetworkMaker maker;
    const ValueId shared = maker.constant(NetworkMaker::noise({6, 6}, 1));
    const ValueId own = maker.constant(NetworkMaker::noise({6, 6}, 4));
    const ValueId first = maker.call("first", "aten.linear.default", {maker.images(), shared});
    const ValueId second = maker.call("second", "aten.linear.default", {first, own});
    const ValueId turned = maker.call("turned", "aten.t.default", {shared});
    network = maker.finish(maker.call("third", "aten.matmul.default", {second, turned}));
    weights[0] = network.constants[shared.value].toTensor();
    weights[1] = network.constants[own.value].toTensor();
    for (const std::uint32_t store : {0U, 1U}) {
      faults.push_back({.store = StoreId(store), .word = 8, .flip = std::uint64_t{1} << 24});
    }
  }
  bool is_struck(int which) const {
    return count_different(weights[which], NetworkMaker::noise({6, 6}, which == 0 ? 1 : 4)) > 0;
  }
  void spy_on(std::size_t layer, std::function<void()> look) {
    auto& kernel = network.layers[layer].kernel;
    kernel = std::make_shared<SpyKernel>(kernel, std::move(look));
  }
};

TEST(ConstantStrikeTest, AStoreIsStruckFromItsFirstReaderToItsLastOneAndThroughAView) {
  ThreeLayers three;
  TensorStores stores(three.network, three.images, kFloat32);
  std::vector<std::pair<bool, bool>> seen;
  for (std::size_t layer = 0; layer < three.network.layers.size(); ++layer) {
    three.spy_on(layer, [&] { seen.emplace_back(three.is_struck(0), three.is_struck(1)); });
  }
  const Executor executor(three.network);
  ConstantStrike strike(stores, three.faults);
  at::Tensor shared = NetworkMaker::noise({6, 6}, 1), own = NetworkMaker::noise({6, 6}, 4);
  flip_float(shared.mutable_data_ptr<float>()[8], three.faults[0]);
  flip_float(own.mutable_data_ptr<float>()[8], three.faults[1]);
  const at::Tensor expected = three.images.matmul(shared.t()).matmul(own.t()).matmul(shared.t());
  EXPECT_LT(relative_difference(strike.run(executor, three.images, true), expected), 1e-5);
  using Pairs = std::vector<std::pair<bool, bool>>;
  EXPECT_EQ(seen, (Pairs{{true, false}, {true, true}, {true, false}, {true, false}}));
  EXPECT_FALSE(three.is_struck(0) || three.is_struck(1));
}

TEST(ConstantStrikeTest, AnExceptionInTheMiddleLeavesEveryWordAsItWas) {
  for (const std::size_t layer : {0, 1, 2, 3}) {
    ThreeLayers three;
    TensorStores stores(three.network, three.images, kFloat32);
    bool does_throw = false;
    three.spy_on(layer, [&] {
      if (does_throw) {
        EXPECT_TRUE(three.is_struck(0));
        throw std::runtime_error("no memory");
      }
    });
    const Executor executor(three.network);
    const at::Tensor golden = executor.run(three.images);
    {
      ConstantStrike strike(stores, three.faults);
      does_throw = true;
      EXPECT_THROW(strike.run(executor, three.images, true), std::runtime_error);
      does_throw = false;
    }
    EXPECT_FALSE(three.is_struck(0) || three.is_struck(1)) << layer;
    EXPECT_EQ(count_different(executor.run(three.images), golden), 0) << layer;
  }
}

}  // namespace
}  // namespace tilestrike::dnn
