// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a float layer computed from lists what it is computed whole, bit for bit, whatever faults make
// of its inputs?
#include "dnn/differential/float_lists.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <limits>

#include "base/random.h"
#include "dnn/count_different.h"
#include "dnn/differential/divergence.h"
#include "dnn/differential/float_elements.h"
#include "dnn/executor.h"
#include "dnn/fixed_order/fixed_order.h"
#include "dnn/import/import.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr double kNoLimit = 1e9;  // but for what lists cannot say, whose cost is infinite
using Given = NetworkMaker::Given;

c10::IValue pair(std::int64_t a, std::int64_t b) { return {std::vector<std::int64_t>{a, b}}; }

/// An operator on x (3, 6, 9, 11), and where it takes two, on another value of that shape.
struct Operator {
  const char* target;
  int operands;
  std::vector<c10::IValue> rest;
};

Network network_of(const Operator& op) {
  NetworkMaker maker;
  const ValueId x = maker.call("x", "aten.neg.default", {maker.images()});
  const ValueId y = maker.call("y", "aten.abs.default", {maker.images()});
  std::vector<Given> given = {x};
  if (op.operands == 2) {
    given.emplace_back(y);
  }
  if (std::string(op.target) == "aten.cat.default") {
    given = {std::vector<ValueId>{x, y, x}};
  }
  given.insert(given.end(), op.rest.begin(), op.rest.end());
  return maker.finish(maker.call("layer", op.target, std::move(given)));
}

class FloatListsTest : public testing::Test {
 protected:
  double uniform() { return static_cast<double>(random_.next() >> 11) / 9007199254740992.0; }

  at::Tensor changed(const at::Tensor& golden, double density, bool with_nan) {
    at::Tensor result = golden.clone(at::MemoryFormat::Contiguous);
    const at::Tensor others = made_up_numbers(result.numel(), random_.next(), with_nan);
    const auto first = static_cast<std::int64_t>(uniform() * static_cast<double>(result.numel()));
    for (std::int64_t i = 0; i < result.numel(); ++i) {
      if (i == first || uniform() < density) {
        result.mutable_data_ptr<float>()[i] = others.const_data_ptr<float>()[i];
      }
    }
    return result;
  }

  /// The last layer, both ways. Returns whether it was computed from lists each time.
  bool expect_lists_give_the_whole(const Network& network, const at::Tensor& images,
                                   const std::string& what, bool with_nan) {
    const Tape golden = Executor(network).record(images);
    const std::size_t last = network.layers.size() - 1;
    Differential forced(network, {kNoLimit, 1.0});
    EXPECT_NE(forced.of(last, golden), nullptr) << what;
    bool are_lists = true;
    for (const double density : {0.0, 0.01, 0.3, 1.0}) {
      for (int k = 0; k < 3; ++k) {
        Divergence whole(network, golden), lists(network, golden, &forced);
        for (const ValueId id : network.layers[last].inputs) {
          if (!network.info(id).is_constant && uniform() < 0.7) {
            const at::Tensor now = changed(golden.tensor(id), density, with_nan);
            EXPECT_EQ(whole.set(id, now), lists.set(id, now));
          }
        }
        whole.run_reading(last, {});
        if (!lists.splice(last, {})) {
          are_lists = false;
          lists.run_reading(last, {});
        }
        EXPECT_EQ(whole.is_changed(network.output), lists.is_changed(network.output)) << what;
        EXPECT_EQ(count_different(whole.output(), lists.output()), 0)
            << what << " at " << density << (with_nan ? ", NaN among them" : "");
      }
    }
    EXPECT_EQ(count_different(Executor(network).run(images), golden.tensor(network.output)), 0)
        << "a run leaves the golden values as they were";
    return are_lists;
  }

  RandomStream random_{41, 0, Purpose::kTest};
};

TEST_F(FloatListsTest, OperatorsGiveWhatTheyGiveWhole) {
  const c10::IValue none, yes(true), no(false), one(std::int64_t{1}), last(std::int64_t{-1});
  const std::vector<Operator> all = {
      {"aten.relu.default", 1, {}},
      {"aten.relu6.default", 1, {}},
      {"aten.hardtanh.default", 1, {0.0, 6.0}},
      {"aten.clamp.default", 1, {-0.5, none}},
      {"aten.leaky_relu.default", 1, {0.1}},
      {"aten.neg.default", 1, {}},
      {"aten.abs.default", 1, {}},
      {"aten.mul.Scalar", 1, {0.3}},
      {"aten.add.Tensor", 2, {}},
      {"aten.sub.Tensor", 2, {}},
      {"aten.mul.Tensor", 2, {}},
      {"aten.div.Tensor", 2, {}},
      {"aten.cat.default", 2, {one}},
      {"aten.cat.default", 2, {last}},
      {"aten.max_pool2d.default", 1, {pair(2, 2), pair(2, 2)}},
      {"aten.max_pool2d.default", 1, {pair(3, 2), pair(2, 1), pair(1, 1), pair(1, 2), yes}},
      {"aten.layer_norm.default", 1, {c10::IValue(std::vector<std::int64_t>{11})}},
      {"aten.softmax.int", 1, {last}},
      {"aten.flatten.using_ints", 1, {one}},
      {"aten.permute.default", 1, {c10::IValue(std::vector<std::int64_t>{0, 2, 3, 1})}}};
  for (const Operator& op : all) {
    const Network network = network_of(op);
    const at::Tensor images = NetworkMaker::noise({3, 6, 9, 11}, 5);
    EXPECT_TRUE(expect_lists_give_the_whole(network, images, op.target, false)) << op.target;
    expect_lists_give_the_whole(network, images, op.target, true);
  }
}

TEST_F(FloatListsTest, AnOperandMayBeSharedByManyElements) {
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{6, 1, 1}, {1, 6, 1, 11}, {11}, {3, 1, 9, 1}}) {
    for (const char* target : {"aten.add.Tensor", "aten.mul.Tensor"}) {
      NetworkMaker maker;
      const ValueId x = maker.call("x", "aten.neg.default", {maker.images()});
      const ValueId shared = maker.constant(NetworkMaker::noise(sizes, 6));
      const Network network = maker.finish(maker.call("layer", target, {x, shared}));
      expect_lists_give_the_whole(network, NetworkMaker::noise({3, 6, 9, 11}, 7), target, false);
    }
  }
}

TEST_F(FloatListsTest, WhatRoundsTwiceOrSumsIsComputedWhole) {
  const std::vector<Operator> all = {{"aten.add.Tensor", 2, {2.0}},
                                     {"aten.sigmoid.default", 1, {}},
                                     {"aten.gelu.default", 1, {}},
                                     {"aten.softmax.int", 1, {c10::IValue(std::int64_t{1})}},
                                     {"aten.avg_pool2d.default", 1, {pair(2, 2), pair(2, 2)}}};
  for (const Operator& op : all) {
    const Network network = network_of(op);
    const Tape golden = Executor(network).record(NetworkMaker::noise({3, 6, 9, 11}, 8));
    Differential lists(network);
    EXPECT_EQ(lists.of(network.layers.size() - 1, golden), nullptr) << op.target;
  }
}

class FloatRunsTest : public FloatListsTest,
                      public testing::WithParamInterface<std::tuple<std::string, bool>> {};

TEST_P(FloatRunsTest, ARunToTheEndIsTheSame) {
  TS_NEEDS_EXPORTED();
  const auto& [model, is_fixed] = GetParam();
  Network network = import_pt2(root_folder() + "/zoo/" + model + ".pt2");
  std::optional<FixedOrder> order;
  if (is_fixed) {
    order.emplace(network);
    EXPECT_EQ(order->left().empty(), model != "vit") << "attention in one operator stays";
  }
  std::vector<std::int64_t> sizes = network.info(network.inputs.front()).sizes;
  sizes.front() = 3;
  const Tape golden = Executor(network).record(NetworkMaker::noise(sizes, 9));
  Differential lists_of(network, {1.0, 0.25});  // what is measured depends on the machine
  int listed = 0;
  for (std::size_t start = 0; start + 1 < network.layers.size(); ++start) {
    const ValueId id = network.layers[start].outputs.front();
    if (id.value < 0 || !Elements::suit(golden.values[static_cast<std::size_t>(id.value)])) {
      continue;
    }
    Divergence whole(network, golden), lists(network, golden, &lists_of);
    const at::Tensor now = changed(golden.tensor(id), 0.0, start % 4 == 0);
    whole.set(id, now);
    lists.set(id, now);
    for (std::size_t index = start + 1; index < network.layers.size(); ++index) {
      whole.run(index);
      const bool is_list = lists.reads_changed(index) && lists.splice(index, {}).has_value();
      listed += is_list ? 1 : 0;
      if (!is_list) {
        lists.run(index);
      }
      ASSERT_EQ(whole.is_alive_after(index), lists.is_alive_after(index));
    }
    EXPECT_EQ(count_different(whole.output(), lists.output()), 0)
        << "from " << network.layers[start].name;
  }
  EXPECT_GT(listed, 10);
}

INSTANTIATE_TEST_SUITE_P(Zoo, FloatRunsTest,
                         testing::Combine(testing::Values("lenet5", "resnet8", "mobilenet", "vit"),
                                          testing::Bool()));

}  // namespace
}  // namespace tilestrike::dnn
