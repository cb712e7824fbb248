// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do torchvision's networks, with random weights at 224 x 224, give PyTorch's own answer?
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

TEST(TorchvisionTest, LogitsAgreeWithPyTorchs) {
  TS_NEEDS_PYTHON();
  write_file(scratch_folder() + "/probe.py",
             "import importlib.util, sys\n"
             "sys.exit(importlib.util.find_spec('torchvision') is None)\n");
  if (!run_python(scratch_folder() + "/probe.py", "")) {
    GTEST_SKIP() << "SKIPPED: torchvision is not installed "
                    "(pip install --no-deps torchvision==0.28.0 pillow)";
  }
  const std::vector<std::string> models{"resnet18", "vgg11", "mobilenet_v2", "mobilenet_v3_small"};
  const std::string folder = scratch_folder() + "/";
  for (const std::string& model : models) {
    ASSERT_TRUE(run_python("python/export_torchvision.py",
                           "--decompose --models " + model + " --out '" + folder + "'"));
    const at::Tensor expected = read_npy(folder + "logits_" + model + ".npy");
    for (const std::string form : {"", "_decomposed"}) {
      const Network network = import_pt2(folder + model + form + ".pt2");
      const at::Tensor found = Executor(network).run(read_npy(folder + "x.npy"));
      const double difference = relative_difference(found, expected);
      std::printf(
          "%s%s: %zu layers, largest relative difference %.3g, %lld of %lld logits differ\n",
          model.c_str(), form.c_str(), network.layers.size(), difference,
          static_cast<long long>(count_different(found, expected)),
          static_cast<long long>(expected.numel()));
      EXPECT_LT(difference, 1e-5);
      std::remove((folder + model + form + ".pt2").c_str());
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
