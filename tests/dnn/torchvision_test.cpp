// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do torchvision's networks, with random weights at 224 x 224, give PyTorch's own answer?
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "dnn/count_different.h"
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
  struct Case {
    std::string model;
    bool is_decomposed = false;
    int images = 1;
  };
  const std::vector<Case> cases{{"resnet18", true, 2},
                                {"mobilenet_v3_small", true, 2},
                                {"vgg11"},
                                {"mobilenet_v2", true},
                                {"mobilenet_v3_large"},
                                {"shufflenet_v2_x1_0", true},
                                {"resnet50"},
                                {"resnext50_32x4d"},
                                {"densenet121"},
                                {"vit_b_16"},
                                {"swin_t", true}};
  const std::string folder = scratch_folder() + "/";
  for (const Case& one : cases) {
    ASSERT_TRUE(run_python("python/export_torchvision.py",
                           std::string(one.is_decomposed ? "--decompose" : "") + " --images " +
                               std::to_string(one.images) + " --models " + one.model + " --out '" +
                               folder + "'"));
    for (const std::string form : {"", "_decomposed"}) {
      if (!form.empty() && !one.is_decomposed) {
        continue;
      }
      const std::string name = one.model + form;
      const at::Tensor expected = read_npy(folder + "logits_" + name + ".npy");
      const Network network = import_pt2(folder + name + ".pt2");
      const at::Tensor found = Executor(network).run(read_npy(folder + "x.npy"));
      const double difference = relative_difference(found, expected);
      const std::int64_t different = count_different(found, expected);
      std::printf(
          "%s: %zu layers and %zu of weights alone, largest relative difference %.3g, "
          "%lld of %lld logits differ\n",
          name.c_str(), network.layers.size(), network.constant_layers.size(), difference,
          static_cast<long long>(different), static_cast<long long>(expected.numel()));
      std::fflush(stdout);
      EXPECT_EQ(different, 0) << name;
      EXPECT_GT(expected.abs().max().item<float>(), 0.0F) << name;
      std::remove((folder + name + ".pt2").c_str());
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
