// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a network with several inputs or outputs give PyTorch's own answer, and is what does not fit
// its inputs refused?
#include "dnn/inputs.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/import/torchscript.h"
#include "dnn/input_data.h"
#include "dnn/integer/quantise.h"
#include "dnn/tensor_stores.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

InputFiles files_of(const std::string& model, const std::vector<std::string>& inputs,
                    bool are_named = true) {
  std::vector<InputFile> files;
  for (const std::string& input : inputs) {
    files.push_back({are_named ? input : "", exported() + model + "_" + input + ".npy"});
  }
  return InputFiles(std::move(files));
}

struct Case {
  std::string model;
  std::vector<std::string> inputs;
  std::string output;  // as asked for
  std::string answer;  // the file's
};

std::vector<Case> cases() {
  return {{"text", {"ids", "mask"}, "logits", "logits"},
          {"text", {"ids", "mask"}, "pooled", "pooled"},
          {"text", {"ids", "mask"}, "1", "pooled"},  // by its place
          {"pair", {"left", "right", "is_new"}, "0", "0"},
          {"pair", {"left", "right", "is_new"}, "1.0", "1.0"},
          {"pair", {"left", "right", "is_new"}, "1.1", "1.1"},
          {"unused", {"x", "spare", "kind"}, "", "0"}};
}

TEST(SeveralInputsTest, AnswersEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  for (const Case& one : cases()) {
    const Network network = import_pt2(exported() + one.model + ".pt2", c10::kCPU, one.output);
    const at::Tensor expected = read_npy(exported() + one.model + "_" + one.answer + ".npy");
    for (const bool are_named : {true, false}) {
      const InputData data =
          load_inputs(network, "x.pt2", files_of(one.model, one.inputs, are_named), "", 0);
      EXPECT_EQ(data.inputs.rows(), expected.size(0));
      EXPECT_EQ(count_different(Executor(network).run(data.inputs), expected), 0)
          << one.model << ' ' << one.output;
    }
    std::vector<std::string> backwards(one.inputs.rbegin(), one.inputs.rend());
    const InputData data = load_inputs(network, "x.pt2", files_of(one.model, backwards), "", 0);
    EXPECT_EQ(count_different(Executor(network).run(data.inputs), expected), 0)
        << "names decide, not the order";
  }
}

TEST(SeveralInputsTest, TorchScriptAnswersEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  for (const Case& one : cases()) {
    const InputFiles files = files_of(one.model, one.inputs);
    for (const char* form : {"_traced.pt", "_scripted.pt"}) {
      const Network network = import_torchscript(exported() + one.model + form, load_untyped(files),
                                                 c10::kCPU, one.output);
      const at::Tensor expected = read_npy(exported() + one.model + "_" + one.answer + ".npy");
      EXPECT_EQ(
          count_different(Executor(network).run(load_inputs(network, "x.pt2", files, "").inputs),
                          expected),
          0)
          << one.model << form << ' ' << one.output;
    }
  }
}

TEST(SeveralInputsTest, AnUnknownOutputIsRefusedWithThoseThatThereAre) {
  TS_NEEDS_EXPORTED();
  for (const std::string name : {"logit", "2", "div"}) {
    const std::string message =
        failure_of([&] { import_pt2(exported() + "text.pt2", c10::kCPU, name + "_"); });
    EXPECT_NE(message.find("no output '" + name + "_'"), std::string::npos) << message;
    EXPECT_NE(message.find("its outputs: logits, pooled"), std::string::npos) << message;
  }
  const std::string message = failure_of([&] { import_pt2(exported() + "pair.pt2"); });
  EXPECT_NE(message.find("3 outputs: 0 ("), std::string::npos) << message;
}

TEST(SeveralInputsTest, FilesThatDoNotFitAreRefused) {
  TS_NEEDS_EXPORTED();
  const Network text = import_pt2(exported() + "text.pt2", c10::kCPU, "logits");
  const std::string folder = scratch_folder() + "/";
  const auto failure = [&](const at::Tensor& ids, const at::Tensor& mask) {
    write_npy(folder + "ids.npy", ids);
    write_npy(folder + "mask.npy", mask);
    const InputFiles files({InputFile{"ids", folder + "ids.npy"}, {"mask", folder + "mask.npy"}});
    return failure_of([&] { load_inputs(text, "text.pt2", files, ""); });
  };
  const at::Tensor ids = at::zeros({6, 12}, c10::kLong), mask = at::full({6, 12}, 1.0F);
  EXPECT_EQ(failure(ids, mask), "");
  EXPECT_EQ(failure(ids.to(c10::kInt), mask.to(c10::kDouble)), "");
  const auto expect = [](const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
    }
  };
  expect(failure(mask, mask), {"ids.npy", "float32", "takes int64", "numpy.int64"});
  expect(failure(ids, mask.to(c10::kByte)), {"mask.npy", "bytes", "float32"});
  expect(failure(ids, mask.to(c10::kLong)), {"mask.npy", "Long", "float32"});
  expect(failure(ids, mask.narrow(0, 0, 5)), {"mask.npy", "5 rows", "has 6"});
  expect(failure(ids.narrow(1, 0, 11), mask), {"ids.npy", "(6, 11)", "(N, 12)"});
  const auto given = [&](std::vector<InputFile> files) {
    for (InputFile& file : files) {
      file.path = folder + "ids.npy";
    }
    return failure_of([&] { load_inputs(text, "text.pt2", InputFiles(std::move(files)), ""); });
  };
  const std::string inputs = "ids: int64 (N, 12), mask: float32 (N, 12)";
  expect(given({{"", ""}}),
         {"2 inputs (" + inputs, "text.pt2: the model", "1 file is given", "ids=FILE.npy"});
  expect(given({{"ids", ""}, {"", ""}}), {"some without a name"});
  expect(given({{"ids", ""}, {"masks", ""}}), {"no input 'masks'", inputs});
  expect(given({{"ids", ""}, {"ids", ""}}), {"no file", "input 'mask'"});
}

TEST(SeveralInputsTest, NumbersThatATypeCannotHoldAreRefused) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "unused.pt2");
  InputFiles files = files_of("unused", {"x", "spare", "kind"});
  files.all()[2].path = scratch_folder() + "/kind.npy";
  write_npy(files.all()[2].path, at::full({6}, 256, c10::kLong));
  const std::string message = failure_of([&] { load_inputs(network, "x.pt2", files, ""); });
  EXPECT_NE(message.find("int64 numbers that uint8 cannot hold"), std::string::npos) << message;
}

TEST(SeveralInputsTest, EveryInputOfFloatingPointIsAStoreOfItsOwn) {
  TS_NEEDS_EXPORTED();
  Network network = import_pt2(exported() + "pair.pt2", c10::kCPU, "1.0");
  const Inputs inputs =
      load_inputs(network, "x.pt2", files_of("pair", {"left", "right", "is_new"}), "").inputs;
  TensorStores stores(network, inputs, kFloat32);
  std::vector<std::string> names;
  std::uint32_t right = 0;
  for (std::uint32_t i = 0; i < stores.all().size(); ++i) {
    const TensorStore& store = stores.all()[i];
    if (store.layer == "input") {
      EXPECT_EQ(store.words, 3 * 8 * 8);
      names.push_back(store.name);
      right = store.name == "input.right" ? i : right;
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"input.left", "input.right"}));
  // A flip in row 4 of `right` is what a changed file gives, and changes no other row.
  const WordFault fault{.store = StoreId(right), .word = 100, .flip = std::uint64_t{1} << 24};
  const TensorStores::ImageFaults faults{4, {&fault, 1}};
  const Executor executor(network);
  const at::Tensor golden = executor.run(inputs);
  std::vector<TensorStores::ImageStrike> struck;
  const at::Tensor answer = stores.run(executor, inputs, nullptr, {&faults, 1}, &struck);
  EXPECT_EQ(struck.front().changed, 1);
  std::vector<at::Tensor> changed = inputs.tensors();
  changed[1] = changed[1].clone();
  auto* words = reinterpret_cast<std::uint32_t*>(changed[1].mutable_data_ptr<float>());
  words[4 * 3 * 8 * 8 + 100] ^= std::uint32_t{1} << 24;
  EXPECT_EQ(count_different(answer, executor.run(Inputs(changed))), 0);
  EXPECT_EQ(count_different(answer.narrow(0, 0, 4), golden.narrow(0, 0, 4)), 0);
  EXPECT_EQ(count_different(answer.narrow(0, 4, 1), golden.narrow(0, 4, 1)), 1);
  EXPECT_EQ(count_different(executor.run(inputs), golden), 0) << "the images are as before";
}

TEST(SeveralInputsTest, NumbersOfTokensAreNoStore) {
  TS_NEEDS_EXPORTED();
  Network network = import_pt2(exported() + "text.pt2", c10::kCPU, "logits");
  const Inputs inputs = load_inputs(network, "x.pt2", files_of("text", {"ids", "mask"}), "").inputs;
  const TensorStores stores(network, inputs, kFloat32);
  EXPECT_EQ(std::ranges::count(stores.all(), "input.ids", &TensorStore::name), 0);
  EXPECT_EQ(std::ranges::count(stores.all(), "input.mask", &TensorStore::name), 1);
  EXPECT_EQ(std::ranges::count(stores.all(), "embedding.weight", &TensorStore::name), 1);
}

TEST(SeveralInputsTest, AnIntegerNetworkHasTheSameInputs) {
  TS_NEEDS_EXPORTED();
  for (const auto& [model, names, output] :
       {std::tuple("text", std::vector<std::string>{"ids", "mask"}, "logits"),
        std::tuple("pair", std::vector<std::string>{"left", "right", "is_new"}, "0")}) {
    const Network network = import_pt2(exported() + model + ".pt2", c10::kCPU, output);
    const Inputs inputs = load_inputs(network, "x.pt2", files_of(model, names), "").inputs;
    const Network integer = quantise(network, inputs);
    ASSERT_EQ(integer.inputs.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(integer.info(integer.inputs[i]).name, names[i]);
      EXPECT_EQ(integer.info(integer.inputs[i]).type, network.info(network.inputs[i]).type);
    }
    std::int64_t matrices = 0;
    for (const Layer& layer : integer.layers) {
      matrices += matrix_kernel(layer) != nullptr ? 1 : 0;
    }
    EXPECT_GE(matrices, 3) << model;
    EXPECT_LT(relative_difference(Executor(integer).run(inputs), Executor(network).run(inputs)),
              0.1)
        << model;
  }
}

}  // namespace
}  // namespace tilestrike::dnn
