// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do models as people have exported them (given_models.py) give PyTorch's answers?
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/fixed_batch.h"
#include "dnn/import/import.h"
#include "dnn/import/torchscript.h"
#include "dnn/input_data.h"
#include "dnn/tensor_stores.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

std::string output_of(const std::string& model) { return model == "structured" ? "logits[1]" : ""; }

Inputs inputs_of(const Network& network, const std::string& model) {
  const InputFiles files({InputFile{"", exported() + model + "_x.npy"}});
  return load_inputs(network, model, files, "").inputs;
}

class GivenTest : public testing::TestWithParam<std::string> {};
TEST_P(GivenTest, AnswersEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  const std::string model = exported() + GetParam();
  const Network network = import_pt2(model + ".pt2", c10::kCPU, output_of(GetParam()));
  const at::Tensor found = Executor(network).run(inputs_of(network, GetParam()));
  const at::Tensor expected = read_npy(model + ".npy");
  EXPECT_EQ(found.scalar_type(), c10::kFloat);
  EXPECT_EQ(count_different(found, expected), 0) << relative_difference(found, expected);
}
INSTANTIATE_TEST_SUITE_P(All, GivenTest,
                         testing::Values("fixed_1", "fixed_4", "lengths", "auto", "options",
                                         "structured", "spectrum", "bfloat16", "double"),
                         [](const auto& info) { return info.param; });

TEST(FixedBatchTest, OnlyABatchThatIsBuiltInIsFixed) {
  TS_NEEDS_EXPORTED();
  const auto of = [](const std::string& model) {
    return fixed_batch(import_pt2(exported() + model + ".pt2"));
  };
  EXPECT_EQ(of("fixed_1"), 1);
  EXPECT_EQ(of("fixed_4"), 4);
  EXPECT_EQ(of("free_though_fixed"), 0);
  EXPECT_EQ(of("lengths"), 0);
  EXPECT_EQ(of("static"), 0);
}

TEST(FixedBatchTest, ARowHasTheSameAnswerInAnyGroup) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "fixed_4.pt2");
  const Executor executor(network);
  const Inputs all = inputs_of(network, "fixed_4");
  const at::Tensor whole = executor.run(all);
  ASSERT_EQ(whole.size(0), 10);
  EXPECT_EQ(count_different(executor.run(all.narrow(4, 4)), whole.narrow(0, 4, 4)), 0);
  EXPECT_EQ(count_different(executor.run(all.narrow(8, 2)), whole.narrow(0, 8, 2)), 0);
  // A tape is of one group, filled up with its own rows.
  const Tape tape = executor.record(all.narrow(8, 2));
  const at::Tensor answer = tape.values[static_cast<std::size_t>(network.output.value)].toTensor();
  EXPECT_EQ(count_different(answer, at::cat({whole.narrow(0, 8, 2), whole.narrow(0, 8, 2)})), 0);
}

TEST(FixedBatchTest, AnActivationOfOneImageIsAStore) {
  TS_NEEDS_EXPORTED();
  for (const std::string model : {"fixed_1", "fixed_4"}) {
    Network network = import_pt2(exported() + model + ".pt2");
    const Inputs all = inputs_of(network, model);
    const TensorStores stores(network, all.narrow(0, 2), kFloat32);
    std::vector<std::string> found;
    std::uint32_t conv = 0;
    for (std::uint32_t i = 0; i < stores.all().size(); ++i) {
      const TensorStore& store = stores.all()[i];
      if (store.role == TensorRole::kActivation) {
        found.push_back(store.name);
        conv = store.layer == "conv" ? i : conv;
      }
    }
    ASSERT_NE(conv, 0U) << model;
    EXPECT_EQ(stores.all()[conv].words, 3 * 4 * 4) << model;
    EXPECT_GE(found.size(), 4U) << model;
    // It changes the answer of its own row.
    const std::int64_t rows = fixed_batch(network);
    const Executor executor(network);
    const at::Tensor golden = executor.run(all.narrow(0, rows));
    const WordFault fault{
        .store = StoreId(conv), .word = 47, .keep = 0, .flip = 0x42c80000};  // 100.0
    const TensorStores::ImageFaults faults{rows - 1, {&fault, 1}};
    const at::Tensor struck =
        stores.run(executor, all.narrow(0, rows), nullptr, {&faults, 1}, nullptr);
    EXPECT_GT(count_different(struck.narrow(0, rows - 1, 1), golden.narrow(0, rows - 1, 1)), 0);
    EXPECT_EQ(count_different(struck.narrow(0, 0, rows - 1), golden.narrow(0, 0, rows - 1)), 0);
  }
}

TEST(GivenInputsTest, SizesThatMayBeAnyAreSaid) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "lengths.pt2");
  const std::string wrong = scratch_folder() + "/wrong.npy";
  write_npy(wrong, read_npy(exported() + "auto_x.npy"));
  const std::string message = failure_of([&] {
    load_inputs(network, "x.pt2", InputFiles({InputFile{"", wrong}}), "");
  });
  EXPECT_NE(message.find("takes (N, any, 12)"), std::string::npos) << message;
}

TEST(GivenTorchScriptTest, AFrozenFileHasNoTrainingMode) {
  TS_NEEDS_EXPORTED();
  const InputFiles files({InputFile{"", exported() + "frozen_x.npy"}});
  const Network network = import_torchscript(exported() + "frozen.pt", load_untyped(files));
  const at::Tensor found = Executor(network).run(read_npy(exported() + "frozen_x.npy"));
  EXPECT_EQ(count_different(found, read_npy(exported() + "frozen.npy")), 0);
}

}  // namespace
}  // namespace tilestrike::dnn
