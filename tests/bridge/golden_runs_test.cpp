// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Golden runs taken together are those of single images, and struck weights computed from them give
// what the network gives that holds the struck words.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "bridge/study/golden_tapes.h"
#include "bridge/study/struck_weights.h"
#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "tests/bridge/small_network.h"

namespace tilestrike::bridge {
namespace {

TEST(GoldenRunsTest, BlocksAreTheRunsOfSingleImages) {
  const dnn::Network network = small_network();
  const dnn::Executor executor(network);
  const dnn::Inputs images(small_pictures());
  for (const std::int64_t bytes : {std::int64_t{1} << 30, std::int64_t{1}}) {
    GoldenTapes tapes(executor, images, bytes);
    const std::vector<ImageId> order{ImageId(0), ImageId(3), ImageId(4), ImageId(7)};
    tapes.expect(order);
    for (const ImageId image : order) {
      const dnn::Tape one = executor.record(images.narrow(image.value, 1));
      const dnn::Tape& found = tapes.of(image);
      for (std::size_t i = 0; i < one.values.size(); ++i) {
        if (one.values[i].isTensor()) {
          EXPECT_EQ(dnn::count_different(one.values[i].toTensor(), found.values[i].toTensor()), 0);
        }
      }
      for (std::size_t i = 0; i < one.accumulators.size(); ++i) {
        if (one.accumulators[i].defined()) {
          EXPECT_EQ(dnn::count_different(one.accumulators[i], found.accumulators[i]), 0);
        }
      }
    }
    EXPECT_EQ(tapes.block() > 1, bytes > 1);  // as many as the memory holds
  }
}

TEST(GoldenRunsTest, StruckWeightsAndBiasesGiveTheStruckNetworksAnswer) {
  dnn::Network network = small_network();
  const dnn::Inputs images(small_pictures());
  dnn::TensorStores stores(network, images, NumberFormat::integer(8));
  const dnn::Executor executor(network);
  const dnn::Tape golden = executor.record(images);
  StruckWeights struck(network, stores);
  RandomStream random(5, 0, Purpose::kTest);
  int changed = 0;
  for (int k = 0; k < 200; ++k) {
    std::vector<WordFault> faults;
    for (std::size_t store = 0; store < stores.all().size(); ++store) {
      const TensorRole role = stores.all()[store].role;
      if ((role == TensorRole::kWeight || role == TensorRole::kBias) && random.below(3) == 0) {
        WordFault fault;
        fault.store = StoreId(store);
        fault.word = random.below(static_cast<std::uint64_t>(stores.all()[store].words));
        fault.flip = std::uint64_t{1} << random.below(role == TensorRole::kWeight ? 8 : 32);
        faults.push_back(fault);
      }
    }
    if (faults.empty()) {
      continue;
    }
    ASSERT_TRUE(struck.takes(faults));
    const StruckWeights::Words words = struck.strike(faults);
    const at::Tensor answer = struck.answer(golden);
    dnn::ConstantStrike strike(stores, faults);
    const at::Tensor expected = strike.run(executor, images, true);
    EXPECT_EQ(dnn::count_different(answer, expected), 0) << "strike " << k;
    EXPECT_EQ(words.changed, strike.changed());
    EXPECT_EQ(words.before, strike.before());
    EXPECT_EQ(words.after, strike.after());
    const at::Tensor before =
        golden.values[static_cast<std::size_t>(network.output.value)].toTensor();
    changed += dnn::count_different(expected, before) > 0 ? 1 : 0;
  }
  EXPECT_GT(changed, 100);
}

}  // namespace
}  // namespace tilestrike::bridge
