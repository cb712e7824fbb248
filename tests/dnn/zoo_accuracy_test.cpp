// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How good are the zoo's networks on all test images, in float and in int8?
#include <ATen/ops/argmax.h>
#include <gtest/gtest.h>

#include <iostream>

#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

/// In percent.
double accuracy(const Network& network, const DataSet& data) {
  const Executor executor(network);
  const std::int64_t count = data.images.size(0), batch = 500;
  std::int64_t right = 0;
  for (std::int64_t first = 0; first < count; first += batch) {
    const at::Tensor answers = executor.run(data.images.narrow(0, first, batch)).argmax(1);
    right += answers.eq(data.labels.narrow(0, first, batch)).sum().item<std::int64_t>();
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(count);
}

struct Expected {
  const char* name;
  double least;  // percent in float
};

class ZooAccuracyTest : public testing::TestWithParam<Expected> {};

TEST_P(ZooAccuracyTest, Int8IsWithinHalfAPointOfFloatOnAllTestImages) {
  const Network network =
      import_pt2(root_folder() + "/zoo/" + std::string(GetParam().name) + ".pt2");
  const DataSet test = load_data("fashion_mnist/test", "");
  ASSERT_EQ(test.images.size(0), 10000);
  const Network integer =
      quantise(network, load_data("fashion_mnist/train", "", RowChoice::spread(1000)).images);
  const double in_float = accuracy(network, test), in_int8 = accuracy(integer, test);
  std::cout << GetParam().name << ": float " << in_float << " %, int8 " << in_int8
            << " % of 10000 test images\n";
  EXPECT_GE(in_float, GetParam().least);
  EXPECT_NEAR(in_int8, in_float, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooAccuracyTest,
                         testing::Values(Expected{"lenet5", 89.0}, Expected{"resnet8", 91.0},
                                         Expected{"mobilenet", 92.0}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tilestrike::dnn
