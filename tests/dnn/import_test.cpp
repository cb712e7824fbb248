// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an imported network give PyTorch's own answer, under the names of the user's modules?
#include "dnn/import/import.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/pt2_archive.h"
#include "dnn/import/pt2_graph.h"
#include "dnn/import/torchscript.h"
#include "dnn/operators.h"
#include "dnn/symbolic_kernel.h"
#include "tests/dnn/changed_archive.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

const std::vector<std::string> kModels{"convolutions",
                                       "norms",
                                       "pools",
                                       "shared",
                                       "activations",
                                       "tied",
                                       "shapes",
                                       "arithmetic",
                                       "constants",
                                       "in_place",
                                       "matrices",
                                       "attention",
                                       "window_attention",
                                       "writes",
                                       "parts",
                                       "masks",
                                       "math",
                                       "layers",
                                       "sizes",
                                       "others",
                                       "memory",
                                       "numbers"};

void expect_answer(const std::string& model, const std::string& images, const std::string& answer) {
  const Network network = import_pt2(model);
  const at::Tensor found = Executor(network).run(read_npy(images));
  const at::Tensor expected = read_npy(answer);
  EXPECT_EQ(count_different(found, expected), 0)
      << model << ": largest relative difference " << relative_difference(found, expected);
}

std::vector<std::string> layer_names(const Network& network) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) {
    names.push_back(layer.name);
  }
  return names;
}

class ZooTest : public testing::TestWithParam<std::string> {};
TEST_P(ZooTest, LogitsEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  expect_answer(root_folder() + "/zoo/" + GetParam() + ".pt2", exported() + GetParam() + "_x.npy",
                exported() + GetParam() + ".npy");
}
INSTANTIATE_TEST_SUITE_P(Zoo, ZooTest,
                         testing::Values("lenet5", "resnet8", "mobilenet", "segmenter", "tiny_lm"));

class OperatorsTest : public testing::TestWithParam<std::string> {};
TEST_P(OperatorsTest, LogitsEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  for (const std::string form : {"", "_decomposed"}) {
    const std::string model = exported() + GetParam() + form;
    expect_answer(model + ".pt2", exported() + "x.npy", model + ".npy");
  }
}
INSTANTIATE_TEST_SUITE_P(All, OperatorsTest, testing::ValuesIn(kModels));

struct Arithmetic {
  std::string target;
  std::vector<c10::IValue> operands;
  c10::IValue result;
};

/// Sizes as Python computes them.
const std::vector<Arithmetic> kArithmetic{
    {"_operator.neg", {3}, -3},
    {"_operator.neg", {0.5}, -0.5},
    {"_operator.pow", {3, 4}, 81},
    {"_operator.pow", {2, -1}, 0.5},
    {"_operator.eq", {3, 3}, true},
    {"_operator.ne", {3, 3}, false},
    {"_operator.lt", {2, 3.5}, true},
    {"_operator.le", {3, 3}, true},
    {"_operator.gt", {3, 3}, false},
    {"_operator.ge", {3, 3}, true},
    {"_operator.and_", {true, false}, false},
    {"_operator.or_", {true, false}, true},
    {"torch.sym_not", {true}, false},
    {"torch.sym_int", {-2.5}, -2},
    {"math.trunc", {2.75}, 2},
    {"torch.sym_sqrt", {9}, 3.0},
};

TEST(ImportTest, SizesAreComputedAsPythonComputesThem) {
  for (const Arithmetic& one : kArithmetic) {
    Layer layer;
    layer.target = one.target;
    layer.outputs = {ValueId(0)};
    for (const c10::IValue& operand : one.operands) {
      layer.arguments.push_back({"", Argument::Kind::kConstant, operand, {}});
    }
    ASSERT_EQ(symbolic_operands(one.target), one.operands.size()) << one.target;
    Values values(1);
    make_symbolic_kernel(one.target)->run(layer, values);
    EXPECT_EQ(values[0].tagKind(), one.result.tagKind()) << one.target;
    EXPECT_EQ(values[0], one.result) << one.target;
  }
  EXPECT_NE(failure_of([] {
              Layer layer;
              layer.target = "_operator.pow";
              layer.arguments = {{"", Argument::Kind::kConstant, 10, {}},
                                 {"", Argument::Kind::kConstant, 30, {}}};
              Values values(1);
              make_symbolic_kernel(layer.target)->run(layer, values);
            }).find("beyond all bounds"),
            std::string::npos);
}

TEST(ImportTest, EveryOperatorOfTheTableIsTried) {
  TS_NEEDS_EXPORTED();
  std::set<std::string> tried;
  for (const Arithmetic& one : kArithmetic) {
    tried.insert(one.target);
  }
  for (const std::string& model : kModels) {
    for (const std::string form : {"", "_decomposed"}) {
      Pt2Archive archive(exported() + model + form + ".pt2");
      for (const Pt2Node& node : read_pt2_graph(archive.program(), archive.path()).nodes) {
        tried.insert(functional_form(node.target));
      }
    }
  }
  for (const Operator& entry : operators()) {
    const bool is_pt2e = entry.target.starts_with("quantized_decomposed.");  // in pt2e_test.cpp
    EXPECT_TRUE(is_pt2e || tried.contains(std::string(entry.target))) << entry.target;
  }
}

TEST(ImportTest, EveryEntryOfTheTableIsComplete) {
  std::set<std::string> targets;
  for (const OperatorInfo& known : known_operators()) {
    EXPECT_TRUE(targets.insert(known.target).second) << known.target << " is there twice";
    EXPECT_FALSE(known.help.empty()) << known.target;
  }
  for (const Operator& entry : operators()) {
    EXPECT_TRUE(entry.import_as != ImportAs::kRename || !entry.becomes.empty()) << entry.target;
    EXPECT_TRUE(entry.becomes.empty() || targets.contains(std::string(entry.becomes)));
  }
}

TEST(ImportTest, InPlaceFormsAreKnownThroughTheirFunctionalForms) {
  ASSERT_NE(find_operator("aten.add_.Tensor"), nullptr);
  EXPECT_EQ(find_operator("aten.add_.Tensor")->target, "aten.add.Tensor");
  EXPECT_EQ(find_operator("aten.add_.Missing"), nullptr);
  EXPECT_EQ(short_name("aten.relu_.default"), "relu");
  EXPECT_EQ(functional_form("_operator.mul"), "_operator.mul");
  EXPECT_EQ(functional_form("aten.__and__.Tensor"), "aten.__and__.Tensor");
  EXPECT_EQ(functional_form("aten.__iand__.Tensor"), "aten.__and__.Tensor");
}

TEST(ImportTest, NoInPlaceOperatorAndNoIdentitySurvives) {
  TS_NEEDS_EXPORTED();
  for (const std::string& model : kModels) {
    for (const std::string form : {"", "_decomposed"}) {
      const Network network = import_pt2(exported() + model + form + ".pt2");
      for (const Layer& layer : network.layers) {
        EXPECT_EQ(functional_form(layer.target), layer.target) << model;
        const Operator* entry = find_operator(layer.target);
        EXPECT_EQ(entry == nullptr, layer.note.find("not in the table") != std::string::npos);
        EXPECT_NE(entry == nullptr ? ImportAs::kCall : entry->import_as, ImportAs::kIdentity)
            << layer.target;
      }
    }
  }
}

TEST(ImportTest, LayersHaveTheNamesOfModules) {
  const Network network = import_pt2(root_folder() + "/zoo/resnet8.pt2");
  EXPECT_EQ(network.name, "resnet8");
  const std::vector<std::string> names = layer_names(network);
  for (const char* expected : {"conv", "bn", "relu", "stage1.conv1", "stage1.relu1", "stage1.add",
                               "stage2.shortcut.0", "stage3.add", "pool", "flatten", "fc"}) {
    EXPECT_EQ(std::ranges::count(names, expected), 1) << expected;
  }
  EXPECT_EQ(network.layers.front().source, "train_zoo.py:89, x = self.relu(self.bn(self.conv(x)))");
}

TEST(ImportTest, NamesAreUniqueByNumbering) {
  TS_NEEDS_EXPORTED();
  for (const std::string& model : kModels) {
    const std::vector<std::string> names =
        layer_names(import_pt2(exported() + model + "_decomposed.pt2"));
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << model;
  }
  const std::vector<std::string> shared = layer_names(import_pt2(exported() + "shared.pt2"));
  EXPECT_EQ(shared, (std::vector<std::string>{"a", "relu", "b", "relu_1", "c", "flatten", "fc"}));
}

TEST(ImportTest, ShapesHaveTheBatchOpen) {
  const Network network = import_pt2(root_folder() + "/zoo/lenet5.pt2");
  EXPECT_EQ(network.info(network.inputs.front()).sizes, (std::vector<std::int64_t>{-1, 1, 28, 28}));
  EXPECT_EQ(network.info(network.output).sizes, (std::vector<std::int64_t>{-1, 10}));
  for (std::size_t i = 0; i < network.values.size(); ++i) {
    EXPECT_EQ(network.values[i].is_constant, !network.constants[i].isNone());
    EXPECT_FALSE(network.values[i].is_constant && network.constants[i].toTensor().requires_grad());
  }
}

TEST(ImportTest, TiedWeightsShareTheirBytes) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "tied.pt2");
  const auto weight_of = [&](const std::string& name) {
    const auto layer = std::ranges::find(network.layers, name, &Layer::name);
    return network.constants[layer->arguments[1].values.front().value].toTensor();
  };
  EXPECT_EQ(weight_of("a").const_data_ptr(), weight_of("b").const_data_ptr());
  EXPECT_EQ(weight_of("linear").stride(0), 384);  // a slice of a wider matrix
}

TEST(ImportTest, BothFormsOfOneModelHaveTheSameLayers) {
  TS_NEEDS_EXPORTED();
  for (const std::string model : {"convolutions", "norms", "pools"}) {
    const Network plain = import_pt2(exported() + model + ".pt2");
    const Network decomposed = import_pt2(exported() + model + "_decomposed.pt2");
    EXPECT_EQ(layer_names(plain), layer_names(decomposed));
    for (std::size_t i = 0; i < plain.layers.size(); ++i) {
      const std::string& target = plain.layers[i].target;
      if (target != "aten.flatten.using_ints") {  // a view, in the other form
        EXPECT_EQ(target, decomposed.layers[i].target);
      }
    }
  }
}

TEST(ImportTest, AFixedBatchServesOthersWhereNothingHasItBuiltIn) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "static.pt2");
  EXPECT_EQ(network.info(network.output).sizes, (std::vector<std::int64_t>{-1, 10}));
  expect_answer(exported() + "static.pt2", exported() + "x.npy", exported() + "static.npy");
}

TEST(ImportTest, WhatIsWrittenInPlaceKeepsItsStrides) {
  TS_NEEDS_EXPORTED();
  expect_answer(exported() + "columns.pt2", exported() + "x.npy", exported() + "columns.npy");
}

TEST(ImportTest, WhatTheAnswerDoesNotNeedIsNotRefused) {
  TS_NEEDS_EXPORTED();
  const std::string model = exported() + "random_beside.pt2";
  const at::Tensor found =
      Executor(import_pt2(model, c10::kCPU, "0")).run(read_npy(exported() + "x.npy"));
  EXPECT_EQ(count_different(found, read_npy(exported() + "random_beside.npy")), 0);
  EXPECT_NE(failure_of([&] { import_pt2(model, c10::kCPU, "1"); }).find("draws random numbers"),
            std::string::npos);
}

TEST(ImportTest, OneOfSeveralOutputsIsTakenByItsName) {
  TS_NEEDS_EXPORTED();
  const std::string model = exported() + "two_outputs.pt2";
  const Network network = import_pt2(model, c10::kCPU, "linear");
  EXPECT_EQ(network.info(network.output).sizes, (std::vector<std::int64_t>{-1, 10}));
  const std::string message = failure_of([&] { import_pt2(model, c10::kCPU, "logits"); });
  EXPECT_NE(message.find("no output 'logits'"), std::string::npos) << message;
  EXPECT_NE(message.find("its outputs: 0 (linear), 1 (inputs_0)"), std::string::npos) << message;
}

TEST(ImportTest, AFaultOnAWeightReachesWhatIsMadeOfIt) {
  TS_NEEDS_EXPORTED();
  Network network = import_pt2(exported() + "constants.pt2");
  ASSERT_FALSE(network.constant_layers.empty());
  const at::Tensor images = read_npy(exported() + "x.npy");
  const at::Tensor before = Executor(network).run(images);
  for (std::size_t i = 0; i < network.values.size(); ++i) {
    if (network.values[i].parameter == "gain") {
      network.constants[i].toTensor().mul_(2);
    }
  }
  for (const Layer& layer : network.constant_layers) {
    EXPECT_FALSE(layer.name.empty());
    layer.kernel->run(layer, network.constants);
  }
  const at::Tensor after = Executor(network).run(images);
  EXPECT_EQ(count_different(after, before.mul(2)), 0);  // all of it is multiplied by the gain
}

TEST(ImportTest, ATransposedWeightShowsTheWeightsOwnMemory) {
  TS_NEEDS_EXPORTED();
  const Network network = import_pt2(exported() + "matrices.pt2");
  int shown = 0;
  for (const Layer& layer : network.constant_layers) {
    if (layer.target == "aten.t.default") {
      const at::Tensor weight = network.constants[layer.inputs.front().value].toTensor();
      const at::Tensor view = network.constants[layer.outputs.front().value].toTensor();
      EXPECT_TRUE(view.is_alias_of(weight));
      EXPECT_FALSE(network.info(layer.inputs.front()).parameter.empty());
      ++shown;
    }
  }
  EXPECT_GE(shown, 1);
}

TEST(ImportTest, AnyValueInPlaceOfAnyOtherNeverCrashes) {
  TS_NEEDS_EXPORTED();
  int refused = 0;
  for (const std::string model :
       {"shapes", "shapes_decomposed", "matrices", "constants", "convolutions", "in_place"}) {
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
      const std::string changed = scratch_folder() + "/changed.pt2";
      write_mutated(exported() + model + ".pt2", changed, kProgramRecord, trial);
      refused += imports_and_runs(changed) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 200);
}

std::vector<NamedInput> like_images() { return {{"", at::zeros({1, 3, 8, 8})}}; }

class TorchScriptTest : public testing::TestWithParam<std::string> {};
TEST_P(TorchScriptTest, LogitsEqualPyTorchsBitForBit) {
  TS_NEEDS_EXPORTED();
  const std::string model = exported() + GetParam();
  ASSERT_TRUE(is_torchscript(model + ".pt"));
  const Network network = import_torchscript(model + ".pt", like_images());
  EXPECT_EQ(network.info(network.output).sizes, (std::vector<std::int64_t>{-1, 10}));
  const at::Tensor found = Executor(network).run(read_npy(exported() + "x.npy"));
  const at::Tensor expected = read_npy(model + ".npy");
  EXPECT_EQ(count_different(found, expected), 0)
      << "largest relative difference " << relative_difference(found, expected);
}
INSTANTIATE_TEST_SUITE_P(All, TorchScriptTest,
                         testing::Values("convolutions_traced", "norms_traced", "in_place_traced",
                                         "shapes_traced", "window_attention_traced",
                                         "attention_traced", "convolutions_scripted",
                                         "norms_scripted", "pools_scripted", "shared_scripted",
                                         "tied_scripted"),
                         [](const auto& info) { return info.param; });

TEST(TorchScriptTest, LayersHaveTheNamesOfTheirWeights) {
  TS_NEEDS_EXPORTED();
  const std::vector<std::string> names =
      layer_names(import_torchscript(exported() + "shared_scripted.pt", like_images()));
  for (const char* expected : {"a", "b", "c", "fc", "relu", "relu_1"}) {
    EXPECT_EQ(std::ranges::count(names, expected), 1) << expected;
  }
}

TEST(TorchScriptTest, WhatIsNoStraightLineIsRefused) {
  TS_NEEDS_EXPORTED();
  const auto failure = [](const std::string& file) {
    return failure_of([&] { import_torchscript(exported() + file, like_images()); });
  };
  EXPECT_NE(failure("training_scripted.pt").find("model.eval()"), std::string::npos);
  EXPECT_NE(failure("branch_scripted.pt").find("for other images"), std::string::npos);
  EXPECT_NE(failure("missing.pt").find("cannot be loaded"), std::string::npos);
  for (const char* part : {"'rate'", "type int", "default"}) {
    EXPECT_NE(failure("scaled.pt").find(part), std::string::npos) << failure("scaled.pt");
  }
  for (const char* part : {"'3'", "quantised by FX or eager mode", "packed", "convert_pt2e"}) {
    EXPECT_NE(failure("packed.pt").find(part), std::string::npos) << part;
  }
  EXPECT_FALSE(is_torchscript(exported() + "shapes.pt2"));
}

struct Refusal {
  std::string model;
  std::vector<std::string> says;  // the thing, the place, the cure
};
class RefusedTest : public testing::TestWithParam<Refusal> {};
TEST_P(RefusedTest, WithTheThingThePlaceAndACure) {
  TS_NEEDS_EXPORTED();
  const std::string path = exported() + GetParam().model + ".pt2";
  const std::string message = failure_of([&] { import_pt2(path); });
  EXPECT_TRUE(message.starts_with(path)) << message;
  for (const std::string& part : GetParam().says) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedTest,
    testing::Values(
        Refusal{"of_a_library",
                {"tilestrike_test.own.default", "layer 'block'",
                 "operator_models.py:", "library 'tilestrike_test'", "PyTorch's own"}},
        Refusal{"cond", {"higher_order.cond", "one thing or another", "torch.where"}},
        Refusal{"random", {"aten.randn_like.default", "draws random numbers", "as an input"}},
        Refusal{"random_attention", {"at random (dropout_p)", "self.training"}},
        Refusal{"of_the_batch", {"statistics from the batch", "track_running_stats=True"}},
        Refusal{"batch_norm_in_training",
                {"aten.batch_norm.default", "layer '", "training mode", "model.eval()"}},
        Refusal{"norm_counts", {"batch norm '1'", "training mode", "model.eval()"}},
        Refusal{"as_many_as", {"aten.index.Tensor", "as many elements as", "torch.where"}},
        Refusal{"number_of_image", {"aten.item.default", "makes a number", "torch.where"}},
        Refusal{"autocast", {"number formats of autocast", "run_decompositions()"}},
        Refusal{"writes_buffer",
                {"aten.add_.Tensor", "'b_calls'", "self.calls.add_(1)", "in-place"}},
        Refusal{"writes_input", {"aten.relu_.default", "an input or a weight", "inplace=False"}},
        Refusal{"writes_part",
                {"aten.relu_.default", "writes into 'conv2d'", "view that aten.chunk.default",
                 "part.relu_()", "clone"}},
        Refusal{"two_outputs", {"2 outputs: 0 (linear), 1 (inputs_0)", "'output: 0'", "--output"}},
        Refusal{"mean_output", {"output 'mean'", "no row for each image", "batch"}},
        Refusal{"table", {"input 'table' is 8", "not the batch", "buffer"}},
        Refusal{"no_images", {"'mul' does not depend on the images", "logits"}},
        Refusal{"training", {"aten.dropout.default", "layer '1'", "training mode", "model.eval()"}},
        Refusal{"series_first",
                {"input 'x' is always 7", "dimension 1 is free", "x.transpose(0, 1)"}},
        Refusal{"series_answer",
                {"no row for each image", "the batch is its dimension 1", "y.transpose(0, 1)"}},
        Refusal{"decided", {"'argmax'", "Long", "decision", "returns its logits"}},
        Refusal{"complex_input", {"'x' holds complex numbers", "torch.view_as_complex"}},
        Refusal{"number_input", {"'x' is a single number", "buffer"}}),
    [](const auto& info) { return info.param.model; });

}  // namespace
}  // namespace tilestrike::dnn
