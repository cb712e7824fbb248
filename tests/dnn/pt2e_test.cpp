// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Networks that torchao has quantised (PT2E).
#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImages = 1000, kBatch = 100;

class Pt2e : public ::testing::TestWithParam<const char*> {};

at::Tensor run(const Network& network, const at::Tensor& images) {
  const Executor executor(network);
  std::vector<at::Tensor> logits;
  for (std::int64_t first = 0; first < images.size(0); first += kBatch) {
    logits.push_back(executor.run(images.narrow(0, first, kBatch)));
  }
  return at::cat(logits);
}

/// As kernels of our own, `quantized_decomposed` gives what PyTorch gives, to the bit.
TEST_P(Pt2e, FloatFormIsBitEqualToTheOriginal) {
  TS_NEEDS_PYTHON();
  at::set_num_threads(1);
  const std::string style = GetParam(), folder = scratch_folder(),
                    stem = folder + "/lenet5_" + style;
  run_python("python/export_pt2e.py", "--model lenet5 --zoo " + root_folder() + "/zoo --style " +
                                          style + " --out " + folder);
  if (!std::filesystem::exists(stem + ".npy")) {
    GTEST_SKIP() << "SKIPPED: no torchao 0.18 (pip install --no-deps torchao==0.18.*)";
  }
  const Network network = import_pt2(stem + ".pt2");
  const at::Tensor images = load_data("fashion_mnist/test", "", kImages).images;
  const at::Tensor original = read_npy(stem + ".npy");
  EXPECT_EQ(count_different(run(network, images), original), 0);

  // Its scales are not replaced by others behind the user's back.
  const std::string message = failure_of([&] { quantise(network, images); });
  EXPECT_NE(message.find("quantised already"), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(Styles, Pt2e, ::testing::Values("mobile", "x86"));

}  // namespace
}  // namespace tilestrike::dnn
