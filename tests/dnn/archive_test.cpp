// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What does the importer say to a damaged archive? Never a crash, always what is wrong and a cure.
#include <ATen/ops/zeros.h>
#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "tests/dnn/changed_archive.h"
#include "tests/dnn/pickled.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

std::string zoo() { return root_folder() + "/zoo/lenet5.pt2"; }
std::string scratch() { return scratch_folder() + "/archive.pt2"; }

void write_changed(const std::string& record, const RecordChange& change) {
  dnn::write_changed(zoo(), scratch(), record, change);
}
void write_changed_json(const std::string& record, const std::function<void(json&)>& change) {
  dnn::write_changed_json(zoo(), scratch(), record, change);
}

std::string import_failure(const std::string& path = scratch()) {
  return failure_of([&] { import_pt2(path); });
}

void expect_says(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}

json& nodes(json& program) { return program["graph_module"]["graph"]["nodes"]; }

TEST(ArchiveTest, UnchangedCopyIsImported) {
  write_changed("", [](std::string bytes) { return bytes; });
  EXPECT_EQ(import_failure(), "");
}

TEST(ArchiveTest, FilesThatAreNoArchives) {
  const std::string folder = scratch_folder();
  expect_says(import_failure(folder + "/missing.pt2"), {"missing.pt2", "no such file", "path"});
  expect_says(import_failure(folder), {folder, "folder", "torch.export.save"});
  write_file(folder + "/text.pt2", "not a zip at all");
  expect_says(import_failure(folder + "/text.pt2"),
              {"text.pt2", "no zip file", "torch.export.save"});
  write_file(folder + "/empty.pt2", "");
  expect_says(import_failure(folder + "/empty.pt2"), {"empty.pt2", "no zip file"});
  {
    caffe2::serialize::PyTorchStreamWriter writer(folder + "/script.pt2");
    writer.writeRecord("data.pkl", "x", 1);
    writer.writeRecord("constants.pkl", "x", 1);
    writer.writeEndOfFile();
  }
  expect_says(import_failure(folder + "/script.pt2"),
              {"script.pt2", "TorchScript", "torch.export.save"});
  {
    caffe2::serialize::PyTorchStreamWriter writer(folder + "/state_dict.pt");
    writer.writeRecord("data.pkl", "cos\nsystem\n(S'exit'\ntR.", 24);
    writer.writeEndOfFile();
  }
  expect_says(import_failure(folder + "/state_dict.pt"),
              {"state_dict.pt", "pickle of torch.save", "any code", "load it into the model",
               "torch.export.save"});
}

TEST(ArchiveTest, TruncationAtAnyLengthIsSaid) {
  const std::string bytes = bytes_of_file(zoo());
  for (std::size_t part = 0; part < 64; ++part) {
    const std::size_t length = part < 8 ? part : bytes.size() * part / 64;
    write_file(scratch(), bytes.substr(0, length));
    expect_says(import_failure(), {scratch(), "torch.export.save"});
  }
  write_file(scratch(), bytes.substr(0, bytes.size() - 1));
  expect_says(import_failure(), {scratch(), "damaged or truncated"});
}

TEST(ArchiveTest, AFlippedBitOfAWeightIsSaid) {
  const std::string bytes = bytes_of_file(zoo());
  std::string weight;
  write_changed("data/weights/weight_4", [&](std::string record) { return weight = record; });
  const std::size_t at = bytes.find(weight);
  ASSERT_NE(at, std::string::npos);
  for (const std::size_t byte : {std::size_t{0}, weight.size() / 2, weight.size() - 1}) {
    std::string struck = bytes;
    struck[at + byte] ^= 4;
    write_file(scratch(), struck);
    expect_says(import_failure(),
                {scratch(), "weight_4", "checksum (CRC-32)", "copy the file again"});
  }
}

TEST(ArchiveTest, BitFlipsNeverCrash) {
  const std::string bytes = bytes_of_file(zoo());
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    RandomStream stream(1, trial, Purpose::kTest);
    std::string struck = bytes;
    // Half of them in the last 32 KiB, where the graph and the directory are.
    const std::uint64_t span = trial % 2 == 0 ? bytes.size() : 32768;
    struck[bytes.size() - 1 - stream.below(span)] ^= static_cast<char>(1U << stream.below(8));
    write_file(scratch(), struck);
    refused += imports_and_runs(scratch()) ? 0 : 1;
  }
  EXPECT_GT(refused, 20);
}

class MutationTest : public testing::TestWithParam<std::string> {};
TEST_P(MutationTest, AnyValueInPlaceOfAnyOtherNeverCrashes) {
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    write_mutated(zoo(), scratch(), GetParam(), trial);
    refused += imports_and_runs(scratch()) ? 0 : 1;
  }
  EXPECT_GT(refused, 60);
}
INSTANTIATE_TEST_SUITE_P(Records, MutationTest, testing::Values(kProgramRecord, kWeightsRecord),
                         [](const auto& info) {
                           return info.param == kProgramRecord ? "Graph" : "Weights";
                         });

TEST(ArchiveTest, ValuesNestedTooDeepAreRefused) {
  write_changed(kWeightsRecord, [](std::string text) {
    return text.replace(text.find("\"config\":") + 9, 0,
                        std::string(1 << 20, '[') + "0" + std::string(1 << 20, ']') + ",\"c\":");
  });
  expect_says(import_failure(), {scratch(), "damaged", "nested", "torch.export.save"});
}

TEST(ArchiveTest, AnotherSchemaVersionIsRefused) {
  write_changed_json(kProgramRecord, [](json& program) { program["schema_version"]["major"] = 9; });
  expect_says(import_failure(), {scratch(), "schema version 9", "reads 8", "PyTorch 2.13"});
}

// What torch.save writes of a tensor, of a model whose archive says that one is pickled.
void write_pickled(const std::string& pickle) {
  const std::string saved = scratch_folder() + "/saved.pt";
  const std::string once = scratch_folder() + "/once.pt2";
  dnn::write_changed_json(zoo(), once, kWeightsRecord, [](json& weights) {
    weights["config"]["conv1.weight"]["use_pickle"] = true;
  });
  dnn::write_changed(once, scratch(), "data/weights/weight_0", [&](const std::string& bytes) {
    caffe2::serialize::PyTorchStreamWriter writer(saved);
    writer.writeRecord("data.pkl", pickle.data(), pickle.size());
    writer.writeRecord("data/0", bytes.data(), bytes.size());
    writer.writeEndOfFile();
    return bytes_of_file(saved);
  });
}

TEST(ArchiveTest, APickledTensorIsReadWhereItIsPlain) {
  write_pickled(pickle_of("ctorch._utils\n_rebuild_tensor_v2\n", "FloatStorage", {6, 1, 5, 5}));
  ASSERT_EQ(import_failure(), "");
  const at::Tensor images = at::zeros({2, 1, 28, 28});
  const Network network = import_pt2(scratch());
  EXPECT_EQ(count_different(Executor(network).run(images), Executor(import_pt2(zoo())).run(images)),
            0);
}

TEST(ArchiveTest, APickledTensorOfAnotherClassIsNamedWithTheLineThatHelps) {
  write_pickled(
      "\x80\x02"
      "ctorchao.quantization\nInt8Tensor\n)R.");
  expect_says(import_failure(), {"'conv1.weight'", "class torchao.quantization.Int8Tensor",
                                 "unwrap_tensor_subclass(model)"});
  write_pickled(
      "\x80\x02"
      "cos\nsystem\n)R.");
  expect_says(import_failure(), {"'conv1.weight'", "class os.system", "unwrap"});
  write_pickled(pickle_of("ctorch._utils\n_rebuild_tensor_v2\n", "FloatStorage", {7, 1, 5, 5}));
  expect_says(import_failure(), {"'conv1.weight' reaches beyond its 600 bytes", "data/0"});
  write_changed_json(kWeightsRecord,
                     [](json& weights) { weights["config"]["conv1.weight"]["use_pickle"] = true; });
  expect_says(import_failure(), {"weight_0", "data.pkl", "copy the file again"});
}

class WrittenByTest : public testing::TestWithParam<std::string> {};
TEST_P(WrittenByTest, AnArchiveOfAnOlderPyTorchGivesItsAnswer) {
  const std::string folder = root_folder() + "/tests/dnn/archives/";
  const Network network = import_pt2(folder + GetParam() + ".pt2", c10::kCPU, "logits");
  const at::Tensor found = Executor(network).run(read_npy(folder + "x.npy"));
  EXPECT_LT(relative_difference(found, read_npy(folder + GetParam() + "_y.npy")), 1e-6);
  std::set<std::string> weights;
  for (const ValueInfo& info : network.values) {
    weights.insert(info.parameter);
  }
  for (const char* name : {"conv.weight", "norm.running_var", "up.weight", "scale", "shift"}) {
    EXPECT_TRUE(weights.contains(name)) << name;
  }
  expect_says(failure_of([&] { import_pt2(folder + GetParam() + ".pt2"); }),
              {"3 outputs: logits, parts.0, parts.1", "'output: logits'"});
  EXPECT_EQ(import_pt2(folder + GetParam() + ".pt2", c10::kCPU, "['parts'][0]").output,
            import_pt2(folder + GetParam() + ".pt2", c10::kCPU, "parts.0").output);
}
TEST_P(WrittenByTest, DamageToItNeverCrashes) {
  const std::string bytes =
      bytes_of_file(root_folder() + "/tests/dnn/archives/" + GetParam() + ".pt2");
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    RandomStream stream(3, trial, Purpose::kTest);
    std::string struck =
        bytes.substr(0, trial % 4 == 0 ? stream.below(bytes.size()) : bytes.size());
    if (trial % 4 != 0) {
      struck[stream.below(bytes.size())] ^= static_cast<char>(1U << stream.below(8));
    }
    write_file(scratch(), struck);
    refused += imports_and_runs(scratch()) ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}
INSTANTIATE_TEST_SUITE_P(All, WrittenByTest, testing::Values("torch_2_6", "torch_2_8"),
                         [](const auto& info) { return info.param; });

TEST(ArchiveTest, OtherArchivesOfPyTorchAreNamed) {
  const auto write = [](const std::vector<std::string>& records) {
    caffe2::serialize::PyTorchStreamWriter writer(scratch());
    for (const std::string& record : records) {
      writer.writeRecord(record, "{}", 2);
    }
    writer.writeEndOfFile();
  };
  write({"data/aotinductor/model/model.so"});
  expect_says(import_failure(), {"AOTInductor", "torch.export.save"});
  write({"models/encoder.json", "models/head.json"});
  expect_says(import_failure(), {"2 programs: encoder, head", "by itself"});
}

TEST(ArchiveTest, MissingWeightsAreNamed) {
  write_changed_json(kWeightsRecord, [](json& weights) { weights["config"].erase("fc1.bias"); });
  expect_says(import_failure(), {"no weight 'fc1.bias'", "torch.export.save"});
  write_changed("data/weights/weight_0", [](const std::string&) { return std::nullopt; });
  expect_says(import_failure(), {"no record", "data/weights/weight_0", "copy the file again"});
  write_changed(kProgramRecord, [](const std::string&) { return std::nullopt; });
  expect_says(import_failure(), {"no exported program", kProgramRecord});
}

TEST(ArchiveTest, WeightsThatReachBeyondTheirBytesAreNamed) {
  const auto expect_beyond = [](const std::function<void(json&)>& change) {
    write_changed_json(kWeightsRecord, [&](json& weights) {
      change(weights["config"]["conv1.weight"]["tensor_meta"]);
    });
    expect_says(import_failure(),
                {"'conv1.weight' reaches beyond its 600 bytes", "copy the file again"});
  };
  expect_beyond([](json& meta) { meta["sizes"][0] = {{"as_int", std::int64_t{1} << 40}}; });
  expect_beyond([](json& meta) { meta["sizes"][0] = {{"as_int", -6}}; });
  expect_beyond([](json& meta) { meta["strides"][0] = {{"as_int", INT64_MAX}}; });
  expect_beyond([](json& meta) { meta["strides"][3] = {{"as_int", -1}}; });
  expect_beyond([](json& meta) { meta["storage_offset"] = {{"as_int", 1}}; });
  expect_beyond([](json& meta) { meta["dtype"] = 8; });
  write_changed("data/weights/weight_0", [](std::string bytes) { return bytes.substr(0, 596); });
  expect_says(import_failure(), {"'conv1.weight' reaches beyond its 596 bytes"});
}

TEST(ArchiveTest, WeightsOfAnotherTypeOrShapeThanTheGraphsAreNamed) {
  write_changed_json(kWeightsRecord, [](json& weights) {
    weights["config"]["conv1.weight"]["tensor_meta"]["dtype"] = 4;
  });
  expect_says(import_failure(), {"'conv1.weight'", "another shape or type"});
  write_changed_json(kWeightsRecord, [](json& weights) {
    weights["config"]["conv1.weight"]["tensor_meta"]["dtype"] = 27;
  });
  expect_says(import_failure(), {"'conv1.weight'", "type with code 27", "float64"});
}

TEST(ArchiveTest, GraphsThatDoNotHangTogetherAreSaid) {
  write_changed_json(kProgramRecord,
                     [](json& program) { std::swap(nodes(program)[0], nodes(program)[1]); });
  expect_says(import_failure(),
              {"aten.relu.default", "layer 'relu1'", "reads 'conv2d'", "nothing before"});

  write_changed_json(kProgramRecord, [](json& program) {
    nodes(program)[1]["outputs"][0]["as_tensor"]["name"] = "conv2d";
  });
  expect_says(import_failure(), {"two values have the name 'conv2d'"});

  write_changed_json(kProgramRecord, [](json& program) {
    program["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]
           ["name"] = "nowhere";
  });
  expect_says(import_failure(), {"nothing computes its output 'nowhere'", "copy the file again"});

  for (const json& spec : {json::object(), json("x"), json::array()}) {
    write_changed_json(kProgramRecord, [&](json& program) {
      program["graph_module"]["signature"]["output_specs"][0] = spec;
    });
    expect_says(import_failure(), {"not an output: ", "copy the file again"});
  }

  write_changed_json(kProgramRecord, [](json& program) { nodes(program)[0]["inputs"].erase(1); });
  expect_says(import_failure(), {"'weight' of aten.conv2d.default", "layer 'conv1'", "missing"});

  write_changed_json(kProgramRecord, [](json& program) {
    nodes(program)[0]["inputs"][3]["arg"] = {{"as_string", "two"}};
  });
  expect_says(import_failure(), {"aten.conv2d.default", "layer 'conv1'", "as_string", "int"});

  write_changed_json(kProgramRecord, [](json& program) {
    nodes(program)[0]["inputs"][3]["arg"] = {{"as_ints", {std::int64_t{1} << 40, 1}}};
  });
  expect_says(import_failure(), {"'stride' of aten.conv2d.default", "layer 'conv1'", "as_ints"});

  write_changed_json(kProgramRecord, [](json& program) {
    program["graph_module"]["graph"]["tensor_values"].erase("relu");
  });
  expect_says(import_failure(), {"what shape the value 'relu' has"});
}

TEST(ArchiveTest, ACycleIsSaid) {
  write_changed_json(kProgramRecord, [](json& program) {
    json& first = nodes(program)[0]["inputs"][0]["arg"]["as_tensor"]["name"];
    first = nodes(program)[4]["outputs"][0]["as_tensor"]["name"];  // of a layer that reads it
  });
  expect_says(import_failure(),
              {"aten.conv2d.default", "layer 'conv1'", "which nothing before it computes"});
}

TEST(ArchiveTest, ObjectsOfTheUsersClassesAreRefused) {
  write_changed_json(kProgramRecord, [](json& program) {
    json& specs = program["graph_module"]["signature"]["input_specs"];
    specs[0] = {{"custom_obj",
                 {{"arg", {{"name", "p"}, {"class_fqn", "Mine"}}}, {"custom_obj_name", "mine"}}}};
  });
  expect_says(import_failure(), {scratch(), "'custom_obj'", "plain tensors"});
}

TEST(ArchiveTest, ConstantsBeyondAllMemoryAreRefused) {
  // A constant of 2^40 elements that a few bytes of the graph ask for.
  write_changed_json(kProgramRecord, [](json& program) {
    json& graph = program["graph_module"]["graph"];
    const json sizes = {{"as_ints", {1 << 20, 1 << 20}}};
    json zeros = graph["nodes"][0];
    zeros["target"] = "torch.ops.aten.zeros.default";
    zeros["inputs"] = {{{"name", "size"}, {"arg", sizes}, {"kind", 1}}};
    zeros["outputs"] = {{{"as_tensor", {{"name", "zeros"}}}}};
    graph["tensor_values"]["zeros"] = graph["tensor_values"]["relu"];
    graph["nodes"].insert(graph["nodes"].begin(), zeros);
  });
  expect_says(import_failure(), {scratch(), "aten.zeros.default", "more than 2147483648 elements"});
  // A weight and its shape in the graph that claim as many.
  write_changed_json(kProgramRecord, [](json& program) {
    json& tensors = program["graph_module"]["graph"]["tensor_values"];
    tensors["p_conv1_weight"]["sizes"][0] = {{"as_int", std::int64_t{1} << 40}};
  });
  expect_says(import_failure(), {scratch(), "'conv1.weight'", "another shape or type"});
}

TEST(ArchiveTest, AnUnknownOperatorIsNamedWithItsLayerAndSourceLine) {
  write_changed_json(kProgramRecord, [](json& program) {
    nodes(program)[1]["target"] = "torch.ops.aten.frobnicate.default";
  });
  expect_says(import_failure(),
              {"aten.frobnicate.default", "layer 'relu1'",
               "train_zoo.py:41, x = self.pool1(self.relu1(self.conv1(x)))", "has no operator"});
}

TEST(ArchiveTest, ALayerThatCannotBeComputedIsNamedWhenItIsRun) {
  const Network network = import_pt2(zoo());
  const std::string message = failure_of([&] { Executor(network).run(at::zeros({1, 1, 20, 20})); });
  expect_says(message, {"train_zoo.py:44", "layer 'fc1' (aten.linear.default)", "shape", "images"});
}

}  // namespace
}  // namespace tilestrike::dnn
