// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on a float network that are computed from golden runs give what the struck network gives,
// bit for bit.
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <optional>

#include "base/random.h"
#include "bridge/study/struck_activations.h"
#include "bridge/study/struck_floats.h"
#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/fixed_order/fixed_order.h"
#include "tests/dnn/network_maker.h"

namespace tilestrike::bridge {
namespace {

using dnn::NetworkMaker;
using dnn::ValueId;

/// A grouped and a depthwise convolution, a norm, one head that is called twice, a residual sum,
/// pooling, and what has no lists.
dnn::Network float_network() {
  const auto list = [](std::vector<std::int64_t> numbers) {
    return c10::IValue(std::move(numbers));
  };
  NetworkMaker maker;
  ValueId x = maker.convolution("first", maker.images(), 3, 12, 3, 1, 1);
  x = maker.batch_norm("norm", x, 12);
  x = maker.call("relu", "aten.relu.default", {x});
  ValueId y = maker.convolution("grouped", x, 12, 12, 3, 1, 1, 3);
  y = maker.convolution("depthwise", y, 12, 12, 3, 1, 1, 12);
  x = maker.call("residual", "aten.add.Tensor", {x, y});
  x = maker.call("pool", "aten.max_pool2d.default", {x, list({2, 2}), list({2, 2})});
  x = maker.call("gelu", "aten.gelu.default", {x});
  x = maker.call("flat", "aten.flatten.using_ints", {x, c10::IValue(std::int64_t{1})});
  const ValueId weight = maker.constant(NetworkMaker::noise({48, 48}, 91) * 0.2, "shared.weight");
  const ValueId bias = maker.constant(NetworkMaker::noise({48}, 92), "shared.bias");
  x = maker.call("shared", "aten.linear.default", {x, weight, bias});
  x = maker.call("relu_1", "aten.relu.default", {x});
  x = maker.call("shared_1", "aten.linear.default", {x, weight, bias});
  dnn::Network network = maker.finish(maker.linear("head", x, 48, 5));
  const dnn::Tape tape = dnn::Executor(network).record(NetworkMaker::noise({2, 3, 4, 4}, 90));
  for (std::size_t i = 0; i < network.values.size(); ++i) {
    if (!network.values[i].is_constant) {
      network.values[i].sizes = tape.values[i].toTensor().sizes().vec();
      network.values[i].sizes.front() = -1;
    }
  }
  return network;
}

class StruckFloatsTest : public testing::TestWithParam<bool> {
 protected:
  StruckFloatsTest() {
    if (GetParam()) {
      order_.emplace(network_);
    }
    stores_.emplace(network_, images_, kFloat32);
  }

  /// Of stores of these roles, sorted, at most one of each store.
  std::vector<WordFault> drawn_faults(bool on_activations, std::uint64_t one_in) {
    std::vector<WordFault> faults;
    for (std::size_t store = 0; store < stores_->all().size(); ++store) {
      const bool is_activation = stores_->all()[store].role == TensorRole::kActivation;
      if (is_activation == on_activations && random_.below(one_in) == 0) {
        WordFault fault;
        fault.store = StoreId(store);
        fault.word = random_.below(static_cast<std::uint64_t>(stores_->all()[store].words));
        fault.flip = std::uint64_t{1} << random_.below(32);
        faults.push_back(fault);
      }
    }
    return faults;
  }

  dnn::Network network_ = float_network();
  std::optional<dnn::FixedOrder> order_;
  dnn::Inputs images_{NetworkMaker::noise({5, 3, 4, 4}, 93)};
  std::optional<dnn::TensorStores> stores_;
  RandomStream random_{61, 0, Purpose::kTest};
};

TEST_P(StruckFloatsTest, StruckConstantsGiveTheStruckNetworksAnswer) {
  const dnn::Executor executor(network_);
  const std::vector<dnn::Tape> golden = {executor.record(images_.narrow(0, 3)),
                                         executor.record(images_.narrow(3, 2))};
  StruckFloats struck(executor, *stores_, order_.has_value());
  int changed = 0;
  for (int k = 0; k < 300; ++k) {
    const std::vector<WordFault> faults = drawn_faults(false, k % 2 == 0 ? 4 : 12);
    if (faults.empty()) {
      continue;
    }
    ASSERT_TRUE(struck.takes(faults));
    struck.choose(faults, golden.front());
    std::vector<at::Tensor> answers, expected;
    {
      dnn::ConstantStrike strike(*stores_, faults);
      for (std::size_t part = 0; part < golden.size(); ++part) {
        answers.push_back(strike.run(
            [&](const dnn::Hook& after) { return struck.answer(golden[part], after).clone(); },
            part == 1));
      }
    }
    dnn::ConstantStrike strike(*stores_, faults);
    expected.push_back(strike.run(executor, images_.narrow(0, 3), false));
    expected.push_back(strike.run(executor, images_.narrow(3, 2), true));
    for (std::size_t part = 0; part < golden.size(); ++part) {
      EXPECT_EQ(dnn::count_different(answers[part], expected[part]), 0) << "strike " << k;
      changed +=
          dnn::count_different(expected[part], golden[part].tensor(network_.output)) > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(changed, 200);
}

TEST_P(StruckFloatsTest, StruckActivationsGiveTheStruckRunsAnswer) {
  const dnn::Executor executor(network_);
  const dnn::Tape golden = executor.record(images_);
  StruckActivations struck(network_, *stores_);
  int changed = 0;
  for (int k = 0; k < 300; ++k) {
    std::vector<std::vector<WordFault>> faults;
    std::vector<dnn::TensorStores::ImageFaults> strikes;
    for (std::int64_t row = 0; row < images_.rows(); ++row) {
      faults.push_back(drawn_faults(true, k % 3 == 0 ? 3 : 20));
    }
    for (std::int64_t row = 0; row < images_.rows(); ++row) {
      strikes.push_back({row, faults[static_cast<std::size_t>(row)]});
      ASSERT_TRUE(struck.takes(strikes.back().faults));
    }
    std::vector<dnn::TensorStores::ImageStrike> found, expected;
    const at::Tensor answer = struck.answer(golden, strikes, found);
    const at::Tensor whole = stores_->run(executor, images_, &golden, strikes, &expected);
    EXPECT_EQ(dnn::count_different(answer, whole), 0) << "round " << k;
    changed += dnn::count_different(whole, golden.tensor(network_.output)) > 0 ? 1 : 0;
    for (std::size_t i = 0; i < strikes.size(); ++i) {
      EXPECT_EQ(found[i].changed, expected[i].changed);
      EXPECT_EQ(found[i].before, expected[i].before);
      EXPECT_EQ(found[i].after, expected[i].after);
    }
  }
  EXPECT_GT(changed, 200);
}

INSTANTIATE_TEST_SUITE_P(Arithmetics, StruckFloatsTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "FixedOrder" : "PyTorch";
                         });

}  // namespace
}  // namespace tilestrike::bridge
