// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What does the importer say to a damaged archive? Never a crash, always what is wrong and a cure.
#include <ATen/ops/zeros.h>
#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/random.h"
#include "dnn/executor.h"
#include "dnn/import.h"
#include "tests/dnn/support.h"

// LibTorch's reader leaks its directory when its constructor throws; LeakSanitizer asks here.
extern "C" const char* __lsan_default_suppressions() { return "leak:mz_zip_reader_init"; }

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

const std::string kProgram = "models/model.json";
const std::string kWeights = "data/weights/model_weights_config.json";

std::string zoo() { return root_folder() + "/zoo/lenet5.pt2"; }
std::string scratch() { return scratch_folder() + "/archive.pt2"; }

/// LeNet-5's archive with a record changed, or left out where the change returns nothing.
using Change = std::function<std::optional<std::string>(std::string)>;
void write_changed(const std::string& record, const Change& change) {
  caffe2::serialize::PyTorchStreamReader reader(zoo());
  caffe2::serialize::PyTorchStreamWriter writer(scratch());
  for (const std::string& name : reader.getAllRecords()) {
    if (name == ".data/serialization_id" || name == ".data/version" || name == "version") {
      continue;  // the writer has its own
    }
    const auto [data, size] = reader.getRecord(name);
    std::optional<std::string> bytes(std::in_place, static_cast<const char*>(data.get()), size);
    if (name == record) {
      bytes = change(*bytes);
    }
    if (bytes) {
      writer.writeRecord(name, bytes->data(), bytes->size());
    }
  }
  writer.writeEndOfFile();
}

void write_changed_json(const std::string& record, const std::function<void(json&)>& change) {
  write_changed(record, [&](const std::string& text) {
    json content = json::parse(text);
    change(content);
    return content.dump();
  });
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

/// Imports and runs what can be imported; anything but a Failure is not caught.
bool is_survived() {
  try {
    const Network network = import_pt2(scratch());
    Executor(network).run(at::zeros({2, 1, 28, 28}));
    return true;
  } catch (const Failure&) {
    return false;
  }
}

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
    writer.writeEndOfFile();
  }
  expect_says(import_failure(folder + "/script.pt2"),
              {"script.pt2", "TorchScript", "torch.export.save"});
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
    refused += is_survived() ? 0 : 1;
  }
  EXPECT_GT(refused, 20);
}

/// All places in a JSON document, depth first.
void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  for (json& inner : value) {
    if (value.is_structured()) {
      collect(inner, places);
    }
  }
}

class MutationTest : public testing::TestWithParam<std::string> {};
TEST_P(MutationTest, AnyValueInPlaceOfAnyOtherNeverCrashes) {
  const std::vector<json> strange{nullptr,
                                  true,
                                  -1,
                                  0,
                                  7,
                                  std::int64_t{1} << 40,
                                  std::numeric_limits<std::uint64_t>::max(),
                                  1e300,
                                  "conv2d",
                                  "",
                                  json::array(),
                                  json::array({1, 2, 3}),
                                  json::object(),
                                  {{"as_int", 3}},
                                  {{"as_tensor", {{"name", "relu"}}}}};
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    RandomStream stream(2, trial, Purpose::kTest);
    write_changed_json(GetParam(), [&](json& content) {
      std::vector<json*> places;
      collect(content, places);
      *places[stream.below(places.size())] = strange[stream.below(strange.size())];
    });
    refused += is_survived() ? 0 : 1;
  }
  EXPECT_GT(refused, 60);
}
INSTANTIATE_TEST_SUITE_P(Records, MutationTest, testing::Values(kProgram, kWeights),
                         [](const auto& info) {
                           return info.param == kProgram ? "Graph" : "Weights";
                         });

TEST(ArchiveTest, AnotherSchemaVersionIsRefused) {
  write_changed_json(kProgram, [](json& program) { program["schema_version"]["major"] = 9; });
  expect_says(import_failure(), {scratch(), "schema version 9", "reads 8", "PyTorch 2.13"});
}

TEST(ArchiveTest, PickledWeightsAreRefused) {
  write_changed_json(kWeights,
                     [](json& weights) { weights["config"]["conv1.weight"]["use_pickle"] = true; });
  expect_says(import_failure(), {"'conv1.weight'", "pickle", "plain tensors"});
}

TEST(ArchiveTest, MissingWeightsAreNamed) {
  write_changed_json(kWeights, [](json& weights) { weights["config"].erase("fc1.bias"); });
  expect_says(import_failure(), {"no weight 'fc1.bias'", "torch.export.save"});
  write_changed("data/weights/weight_0", [](const std::string&) { return std::nullopt; });
  expect_says(import_failure(), {"no record data/weights/weight_0", "copy the file again"});
  write_changed(kProgram, [](const std::string&) { return std::nullopt; });
  expect_says(import_failure(), {"no exported program", kProgram});
}

TEST(ArchiveTest, WeightsThatReachBeyondTheirBytesAreNamed) {
  const auto expect_beyond = [](const std::function<void(json&)>& change) {
    write_changed_json(
        kWeights, [&](json& weights) { change(weights["config"]["conv1.weight"]["tensor_meta"]); });
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
  write_changed_json(kWeights, [](json& weights) {
    weights["config"]["conv1.weight"]["tensor_meta"]["dtype"] = 4;
  });
  expect_says(import_failure(), {"'conv1.weight'", "another shape or type"});
  write_changed_json(kWeights, [](json& weights) {
    weights["config"]["conv1.weight"]["tensor_meta"]["dtype"] = 10;
  });
  expect_says(import_failure(), {"'conv1.weight'", "type with code 10", "float32"});
}

TEST(ArchiveTest, GraphsThatDoNotHangTogetherAreSaid) {
  write_changed_json(kProgram,
                     [](json& program) { std::swap(nodes(program)[0], nodes(program)[1]); });
  expect_says(import_failure(),
              {"aten.relu.default", "layer 'relu1'", "reads 'conv2d'", "nothing before"});

  write_changed_json(kProgram, [](json& program) {
    nodes(program)[1]["outputs"][0]["as_tensor"]["name"] = "conv2d";
  });
  expect_says(import_failure(), {"two values have the name 'conv2d'"});

  write_changed_json(kProgram, [](json& program) {
    program["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]
           ["name"] = "nowhere";
  });
  expect_says(import_failure(), {"nothing computes its output 'nowhere'", "copy the file again"});

  write_changed_json(kProgram, [](json& program) { nodes(program)[0]["inputs"].erase(1); });
  expect_says(import_failure(), {"'weight' of aten.conv2d.default", "layer 'conv1'", "missing"});

  write_changed_json(kProgram, [](json& program) {
    nodes(program)[0]["inputs"][3]["arg"] = {{"as_string", "two"}};
  });
  expect_says(import_failure(), {"aten.conv2d.default", "layer 'conv1'", "as_string", "int"});

  write_changed_json(kProgram, [](json& program) {
    program["graph_module"]["graph"]["tensor_values"].erase("relu");
  });
  expect_says(import_failure(), {"what shape the value 'relu' has"});
}

TEST(ArchiveTest, AnUnknownOperatorIsNamedWithItsLayerAndSourceLine) {
  write_changed_json(kProgram, [](json& program) {
    nodes(program)[1]["target"] = "torch.ops.aten.frobnicate.default";
  });
  expect_says(import_failure(),
              {"aten.frobnicate.default", "layer 'relu1'",
               "train_zoo.py:41, x = self.pool1(self.relu1(self.conv1(x)))", "dnn/operators.cpp"});
}

TEST(ArchiveTest, ALayerThatCannotBeComputedIsNamedWhenItIsRun) {
  const Network network = import_pt2(zoo());
  const std::string message = failure_of([&] { Executor(network).run(at::zeros({1, 1, 20, 20})); });
  expect_says(message, {"train_zoo.py:44", "layer 'fc1' (aten.linear.default)", "shape", "images"});
}

}  // namespace
}  // namespace tilestrike::dnn
