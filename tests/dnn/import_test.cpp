// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an imported network give PyTorch's own answer?
#include "dnn/import.h"

#include <gtest/gtest.h>

#include "dnn/data.h"
#include "dnn/executor.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

at::Tensor answer(const Network& network, const at::Tensor& images) {
  return Executor(network).run(images);
}

class ZooTest : public testing::TestWithParam<const char*> {};

TEST_P(ZooTest, LogitsEqualPyTorchsBitForBit) {
  TS_NEEDS_PYTHON();
  const std::string model = root_folder() + "/zoo/" + GetParam() + ".pt2";
  const std::string folder = scratch_folder();
  const DataSet data = load_data("fashion_mnist/test", "", 64);
  write_npy(folder + "/x.npy", data.images);
  ASSERT_TRUE(run_python("python/reference_logits.py", "'" + model + "' --images '" + folder +
                                                           "/x.npy' --out '" + folder +
                                                           "/y.npy' --batch 64"));
  const at::Tensor expected = read_npy(folder + "/y.npy");
  const at::Tensor found = answer(import_pt2(model), data.images);
  EXPECT_EQ(count_different(found, expected), 0)
      << "relative difference " << relative_difference(found, expected);
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooTest, testing::Values("lenet5", "resnet8"));

}  // namespace
}  // namespace tilestrike::dnn
