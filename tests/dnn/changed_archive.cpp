// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/changed_archive.h"

#include <ATen/ops/zeros.h>
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/import/zip_file.h"

// LibTorch's reader leaks its directory when its constructor throws; LeakSanitizer asks here.
extern "C" const char* __lsan_default_suppressions() { return "leak:mz_zip_reader_init"; }

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

/// Of all records, with its slash: the newer layouts have one.
std::string folder_of(const ZipFile& zip) {
  const std::string first = zip.names().front();
  return zip.has("serialized_exported_program.json") ? "" : first.substr(0, first.find('/') + 1);
}

/// All places in a JSON document, depth first.
void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  if (value.is_structured()) {
    for (json& inner : value) {
      collect(inner, places);
    }
  }
}

const std::vector<json>& strange_values() {
  static const std::vector<json> values{nullptr,
                                        true,
                                        -1,
                                        0,
                                        7,
                                        std::int64_t{1} << 40,
                                        -(std::int64_t{1} << 62),
                                        std::numeric_limits<std::uint64_t>::max(),
                                        1e300,
                                        "conv2d",
                                        "",
                                        json::array(),
                                        json::array({1, 2, 3}),
                                        json::object(),
                                        {{"as_int", 3}},
                                        {{"as_int", -(std::int64_t{1} << 62)}},
                                        {{"as_ints", {std::int64_t{1} << 40, 0}}},
                                        {{"as_tensor", {{"name", "relu"}}}}};
  return values;
}

}  // namespace

std::vector<std::string> records_of(const std::string& archive) {
  const ZipFile zip(archive);
  std::vector<std::string> names = zip.names();
  for (std::string& name : names) {
    name.erase(0, folder_of(zip).size());
  }
  return names;
}

void write_changed(const std::string& from, const std::string& to, const std::string& record,
                   const RecordChange& change) {
  ZipFile zip(from);
  caffe2::serialize::PyTorchStreamWriter writer(to);
  for (const std::string& name : records_of(from)) {
    if (name == ".data/serialization_id" || name == ".data/version" || name == "version") {
      continue;  // the writer has its own
    }
    std::optional<std::string> bytes = zip.read_text(folder_of(zip) + name);
    if (name == record) {
      bytes = change(*bytes);
    }
    if (bytes) {
      writer.writeRecord(name, bytes->data(), bytes->size());
    }
  }
  writer.writeEndOfFile();
}

void write_changed_json(const std::string& from, const std::string& to, const std::string& record,
                        const std::function<void(json&)>& change) {
  write_changed(from, to, record, [&](const std::string& text) {
    json content = json::parse(text);
    change(content);
    return content.dump();
  });
}

void write_mutated(const std::string& from, const std::string& to, const std::string& record,
                   std::uint64_t trial) {
  RandomStream stream(2, trial, Purpose::kTest);
  write_changed_json(from, to, record, [&](json& content) {
    // Two thirds in the nodes, where there are any.
    const bool is_in_nodes = trial % 3 > 0 && content.contains("graph_module");
    std::vector<json*> places;
    collect(is_in_nodes ? content["graph_module"]["graph"]["nodes"] : content, places);
    *places[stream.below(places.size())] = strange_values()[stream.below(strange_values().size())];
  });
}

Inputs zeros_for(const Network& network, std::int64_t batch) {
  std::vector<at::Tensor> tensors;
  for (const ValueId id : network.inputs) {
    std::vector<std::int64_t> sizes = network.info(id).sizes;
    for (std::int64_t& size : sizes) {
      size = size == -1 ? batch : std::abs(size);  // free ones as in the example
    }
    tensors.push_back(at::zeros(sizes, network.info(id).type));
  }
  return Inputs(std::move(tensors));
}

bool imports_and_runs(const std::string& path) {
  try {
    const Network network = import_pt2(path);
    Executor(network).run(zeros_for(network, 2));
    return true;
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace tilestrike::dnn
