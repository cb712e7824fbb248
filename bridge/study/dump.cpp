// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/dump.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "bridge/study/trial_dump.h"
#include "bridge/study/word_run.h"
#include "bridge/trial/trial_run.h"
#include "dnn/data.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {
namespace {

using Json = nlohmann::ordered_json;

class Dump {
 public:
  explicit Dump(std::string folder) : folder_(std::move(folder)) { make_folder(folder_); }

  // null for an undefined tensor, else the name of its file.
  Json array(const std::string& name, const at::Tensor& tensor) {
    if (!tensor.defined()) {
      return nullptr;
    }
    dnn::write_npy(folder_ + "/" + name + ".npy", on_host(tensor));
    return name + ".npy";
  }

  void document(const std::string& name, const Json& content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream file(path);
    file << content.dump(2) << "\n";
    if (!file.flush()) {
      fail(ErrorCode::kMachine, "cannot write the file", path, "check the disk and permissions");
    }
  }

 private:
  std::string folder_;
};

Json matrix_layer(Dump& dump, const std::string& prefix, const dnn::MatrixKernel& kernel,
                  const at::Tensor& input, const at::Tensor& weight,
                  const at::Tensor& accumulators) {
  const dnn::MatrixKernel::Parameters& parameters = kernel.parameters();
  const dnn::MatrixShape& shape = parameters.shape;
  Json entry;
  entry["kind"] = shape.is_convolution ? "conv2d" : shape.is_product ? "matmul" : "linear";
  entry["groups"] = shape.groups;
  entry["stride"] = shape.stride;
  entry["padding"] = shape.padding;
  entry["dilation"] = shape.dilation;
  entry["input"] = dump.array(prefix + "input", input);
  entry["weight"] = dump.array(prefix + "weight", weight);
  entry["bias"] = dump.array(prefix + "bias", parameters.bias);
  entry["accumulators"] = dump.array(prefix + "accumulators", accumulators);
  entry["multiplier"] = dump.array(prefix + "multiplier", parameters.multiplier);
  entry["shift"] = dump.array(prefix + "shift", parameters.shift);
  entry["scale"] = dump.array(prefix + "scale", parameters.scale);
  entry["input_zero"] = parameters.input_zero;
  entry["output_zero"] = parameters.output_zero;
  entry["clamp"] = {parameters.low, parameters.high};
  return entry;
}

// The pass to show: the first whose results differ, else the one that the strike met.
const StruckLayer* shown(const std::vector<StruckLayer>& struck, int& pass, std::int64_t met) {
  for (const StruckLayer& layer : struck) {
    if (!layer.changes.empty()) {
      pass = layer.changes.front().pass;
      return &layer;
    }
  }
  pass = static_cast<int>(met);
  return struck.empty() || met < 0 || !struck.front().bound ? nullptr : &struck.front();
}

/// One pass of a layer's product, golden and faulty.
Json struck_pass(Dump& dump, const StruckLayer& chosen, int pass, const dnn::Network& network) {
  const BoundLayer& bound = *chosen.bound;
  const LayerOperands& operands = bound.operands();
  const Tile tile = bound.tiling().tile(pass);
  const auto [rows, depth, columns] = tile.shape;
  at::Tensor a = at::zeros({rows, depth}, c10::TensorOptions(c10::kChar));
  at::Tensor w = at::zeros({depth, columns}, c10::TensorOptions(c10::kChar));
  at::Tensor start = at::zeros({rows, columns}, c10::TensorOptions(c10::kInt));
  at::Tensor golden = at::zeros({rows, columns}, c10::TensorOptions(c10::kInt));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int32_t bias = tile.depth == 0 ? operands.bias(tile.group, tile.column + j) : 0;
      std::int64_t sum = bias;
      for (std::int64_t k = 0; k < depth; ++k) {
        const std::int8_t x = operands.activation(tile.group, tile.row + i, tile.depth + k);
        const std::int8_t y = operands.weight(tile.group, tile.depth + k, tile.column + j);
        a.data_ptr<std::int8_t>()[i * depth + k] = x;
        w.data_ptr<std::int8_t>()[k * columns + j] = y;
        sum += std::int64_t{x} * y;
      }
      start.data_ptr<std::int32_t>()[i * columns + j] = bias;
      golden.data_ptr<std::int32_t>()[i * columns + j] = sim::wrapped(sum);
    }
  }
  at::Tensor wrong = golden.clone();
  for (const sim::OutputChange& change : chosen.changes) {
    if (change.pass == pass) {
      std::int32_t& word = wrong.data_ptr<std::int32_t>()[change.row * columns + change.column];
      word = sim::wrapped(std::int64_t{word} + change.delta());
    }
  }
  Json entry;
  entry["layer"] = network.layers[chosen.layer].name;
  entry["pass"] = pass;
  entry["dataflow"] = bound.mesh_layer().run->config().is_weight_stationary() ? "ws" : "os";
  entry["group"] = tile.group;
  entry["row"] = tile.row;
  entry["depth"] = tile.depth;
  entry["column"] = tile.column;
  entry["activations"] = dump.array("struck_activations", a);
  entry["weights"] = dump.array("struck_weights", w);
  entry["accumulators_in"] = dump.array("struck_accumulators_in", start);
  entry["golden"] = dump.array("struck_golden", golden);
  entry["faulty"] = dump.array("struck_faulty", wrong);
  return entry;
}

class TrialDump final : public RunObserver {
 public:
  explicit TrialDump(std::string folder) : folder_(std::move(folder)) { make_folder(folder_); }

  void on_run(const StruckRun& run) override { changes_ = run.result.changes; }

  bool wants_layers() const override { return true; }
  void on_layer(const TouchedLayer& layer) override {
    StruckLayer& struck = struck_.emplace_back();
    struck.layer = layer.layer;
    if (layer.bound != nullptr) {
      struck.bound = *layer.bound;
    }
    struck.accumulators = layer.accumulators;
    struck.output = layer.output;
    struck.changes = std::exchange(changes_, {});
  }

  bool wants_values() const override { return true; }
  void on_words(const WordRun& run) override {
    dump_layers(folder_, run.network, run.golden);
    dump_words(folder_, run);
    for (const auto& [layer, output] : run.faulty) {
      struck_.emplace_back();
      struck_.back().layer = layer;
      struck_.back().output = output;
    }
    dump_struck(folder_, run.network, struck_, -1);
    struck_.clear();
  }

  void on_end(const TrialRun& run) override {
    dump_layers(folder_, run.network, run.golden);
    dump_struck(folder_, run.network, struck_, run.result.pass);
    struck_.clear();
  }

 private:
  std::string folder_;
  std::vector<sim::OutputChange> changes_;  // of the run that is not put together yet
  std::vector<StruckLayer> struck_;
};

}  // namespace

std::unique_ptr<RunObserver> dump_of_trial(const std::string& folder) {
  return std::make_unique<TrialDump>(folder);
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fail(ErrorCode::kMachine, "cannot make the folder: " + error.message(), folder,
         "name a folder that can be written");
  }
}

void dump_layers(const std::string& folder, const dnn::Network& network, const dnn::Tape& tape) {
  Dump dump(folder);
  Json layers = Json::array();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const dnn::Layer& layer = network.layers[i];
    const std::string prefix = fmt::format("{:03}_", i);
    const auto tensor = [&](dnn::ValueId id) {
      const bool is_there =
          id.value >= 0 && tape.values[static_cast<std::size_t>(id.value)].isTensor();
      return is_there ? tape.values[static_cast<std::size_t>(id.value)].toTensor() : at::Tensor();
    };
    Json entry;
    if (const dnn::MatrixKernel* kernel = dnn::matrix_kernel(layer)) {
      const dnn::ValueId right = kernel->weight_of(layer);
      entry = matrix_layer(
          dump, prefix, *kernel, tensor(kernel->input_of(layer)),
          right.value < 0 ? kernel->parameters().weight : kernel->weight_from(tensor(right)),
          tape.accumulators[i]);
    } else {
      entry["kind"] = layer.target;
    }
    entry["index"] = i;
    entry["name"] = layer.name;
    entry["note"] = layer.note;
    if (!layer.outputs.empty()) {
      entry["output"] = dump.array(prefix + "output", tensor(layer.outputs.front()));
    }
    layers.push_back(std::move(entry));
  }
  dump.document("layers.json", layers);
}

void dump_words(const std::string& folder, const WordRun& run) {
  Dump dump(folder);
  const auto array = [&](const std::string& name, auto&& number_of, std::size_t first,
                         std::size_t last) {
    at::Tensor numbers =
        at::zeros({static_cast<std::int64_t>(last - first)}, c10::TensorOptions(c10::kLong));
    for (std::size_t i = first; i < last; ++i) {
      numbers.mutable_data_ptr<std::int64_t>()[i - first] = static_cast<std::int64_t>(number_of(i));
    }
    return dump.array(name, numbers);
  };
  Json stores = Json::array();
  for (std::size_t first = 0; first < run.faults.size();) {
    const StoreId id = run.faults[first].store;
    std::size_t last = first;
    while (last < run.faults.size() && run.faults[last].store == id) {
      ++last;
    }
    const TensorStore& store = run.stores[id.value];
    const auto of_fault = [&](std::uint64_t WordFault::*member) {
      return [&run, member](std::size_t i) { return run.faults[i].*member; };
    };
    const std::string prefix = fmt::format("struck_{:03}_", id.value);
    Json entry = {{"store", store.name},
                  {"role", name_of(store.role)},
                  {"layer", store.layer},
                  {"bits", store.format.bits},
                  {"row", run.row}};
    entry["word"] = array(prefix + "word", of_fault(&WordFault::word), first, last);
    entry["keep"] = array(prefix + "keep", of_fault(&WordFault::keep), first, last);
    entry["flip"] = array(prefix + "flip", of_fault(&WordFault::flip), first, last);
    entry["before"] = nullptr;
    entry["after"] = nullptr;
    if (last <= run.before.size()) {
      const std::uint64_t bits = store.format.all_bits();
      entry["before"] = array(
          prefix + "before", [&](std::size_t i) { return run.before[i]; }, first, last);
      entry["after"] = array(
          prefix + "after",
          [&](std::size_t i) { return run.faults[i].applied_to(run.before[i]) & bits; }, first,
          last);
    }
    stores.push_back(std::move(entry));
    first = last;
  }
  dump.document("struck_words.json", stores);
}

void dump_struck(const std::string& folder, const dnn::Network& network,
                 const std::vector<StruckLayer>& struck, std::int64_t met) {
  Dump dump(folder);
  Json faulty = Json::array();
  for (const StruckLayer& layer : struck) {
    const std::string prefix = fmt::format("faulty_{:03}_", layer.layer);
    faulty.push_back({{"index", layer.layer},
                      {"name", network.layers[layer.layer].name},
                      {"accumulators", dump.array(prefix + "accumulators", layer.accumulators)},
                      {"output", dump.array(prefix + "output", layer.output)}});
  }
  dump.document("faulty.json", faulty);

  int pass = -1;
  if (const StruckLayer* chosen = shown(struck, pass, met)) {
    dump.document("struck_pass.json", struck_pass(dump, *chosen, pass, network));
  }
}

}  // namespace tilestrike::bridge
