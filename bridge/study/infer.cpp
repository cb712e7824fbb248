// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Plain inference and inspection of a network: `tilestrike infer`, `inspect` and `list operators`.
#include <ATen/ops/cat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "bridge/reference/full_simulation.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/dump.h"
#include "bridge/study/judging.h"
#include "bridge/study/made_up_image.h"
#include "bridge/study/spiking_workload.h"
#include "bridge/study/study.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "bridge/trial/guard.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/differential/differential.h"
#include "dnn/fixed_batch.h"
#include "dnn/import/import.h"
#include "dnn/integer/quantise.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBatch = 100;

/// "float (32, 10)".
std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.sizes()) {
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  }
  return std::string(c10::toString(tensor.scalar_type())) + " (" + text + ")";
}

at::Tensor run_plain(const Workload& load) {
  const dnn::Executor executor(load.network);
  std::vector<at::Tensor> logits;
  const std::int64_t images = load.images();
  for (std::int64_t first = 0; first < images; first += kBatch) {
    const std::int64_t count = std::min(kBatch, images - first);
    logits.push_back(on_host(executor.run(load.inputs.narrow(first, count))));
  }
  return at::cat(logits);
}

// Every tile through the engine, image by image; compares with the bulk path.
at::Tensor run_all_tiles(const Workload& load, const InferInputs& inputs, InferReport& report) {
  check_takes_one_image(load.network, inputs.model);
  const dnn::Executor executor(load.network);
  const std::unique_ptr<sim::MeshEngine> engine = inputs.engines.make(inputs.engine);
  std::unique_ptr<Mapping> mapping;
  std::vector<at::Tensor> logits;
  for (std::int64_t i = 0; i < load.images(); ++i) {
    const dnn::Inputs image = load.inputs.narrow(i, 1);
    const dnn::Tape golden = executor.record(image);
    if (mapping == nullptr) {
      mapping = std::make_unique<Mapping>(load.network, golden, *inputs.accelerator);
    }
    const FullRun full = simulate_all(load.network, *mapping, *engine, image);
    report.passes += full.passes;
    for (std::size_t layer = 0; layer < golden.accumulators.size(); ++layer) {
      if (golden.accumulators[layer].defined()) {
        report.accumulators += golden.accumulators[layer].numel();
        report.different_accumulators +=
            dnn::count_different(golden.accumulators[layer], full.tape.accumulators[layer]);
      }
    }
    const auto output = static_cast<std::size_t>(load.network.output.value);
    report.different_outputs +=
        dnn::count_different(golden.values[output].toTensor(), full.tape.values[output].toTensor());
    logits.push_back(on_host(full.tape.values[output].toTensor()));
  }
  return at::cat(logits);
}

/// Whether two numbers are the same for a network's user: NaN equals NaN.
double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) {
    return 0.0;
  }
  const double apart = std::abs(a - b);
  return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

void compare(const at::Tensor& logits, const std::string& file, InferReport& report) {
  const at::Tensor all = dnn::read_npy(file);
  if (all.scalar_type() != logits.scalar_type() || all.dim() != logits.dim() ||
      all.size(0) < logits.size(0) || all.sizes().slice(1) != logits.sizes().slice(1)) {
    fail(ErrorCode::kInvalidInput,
         "the expected logits are " + shape_text(all) + ", those of the network " +
             shape_text(logits),
         file, "write the original's logits on the same images as float32");
  }
  const at::Tensor expected = all.narrow(0, 0, logits.size(0)).contiguous();
  const at::Tensor found = logits.contiguous();
  report.compared_logits = found.numel();
  report.different_logits = dnn::count_different(found, expected);
  double apart = 0.0, largest = 0.0;
  for (std::int64_t i = 0; i < found.numel(); ++i) {
    const double a = found.const_data_ptr<float>()[i], b = expected.const_data_ptr<float>()[i];
    apart = std::max(apart, distance(a, b));
    largest = std::isfinite(b) ? std::max(largest, std::abs(b)) : largest;
  }
  report.largest_difference = apart == 0.0 ? 0.0 : apart / largest;
}

/// The metric of the task. Labels that come with a data set may have nothing to do with the model:
/// where nobody says what the task is, that is no error.
void measure(const InferInputs& inputs, const at::Tensor& logits, Workload& load,
             InferReport& report) {
  const bool is_asked = inputs.judge.kind != JudgeKind::kAuto || !inputs.labels.empty();
  if (is_asked || load.labels.defined()) {
    try {
      const std::unique_ptr<Judge> judge = judge_of(inputs.judge, logits, load);
      report.score = score_of(*judge, logits, load.warnings);
      report.metric = judge->metric();
    } catch (const Failure& failure) {
      if (is_asked) {
        throw;
      }
      load.warnings.push_back("no metric: " + failure.errors().front().what +
                              " (--judge says how)");
    }
  }
  report.warnings = load.warnings;
}

InferReport infer_checked(const InferInputs& inputs) {
  if (!inputs.engine.empty() && (!inputs.int8 || !inputs.accelerator)) {
    fail(ErrorCode::kInvalidInput, "tiles of the mesh hold int8 operands", "--engine",
         "add --int8 and --accelerator NAME");
  }
  Workload load = load_workload(inputs, inputs.int8);
  InferReport report;
  report.images = load.images();
  report.device = load.network.device.str();
  const auto start = std::chrono::steady_clock::now();
  const at::Tensor logits =
      inputs.engine.empty() ? run_plain(load) : run_all_tiles(load, inputs, report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (std::string& note : answer_notes(load.network, logits)) {
    load.warnings.push_back(std::move(note));
  }
  if (inputs.int8 && is_nir(inputs.model)) {
    report.import_errors = import_errors_of(inputs, load);
  }
  measure(inputs, logits, load, report);
  if (!inputs.expect.empty()) {
    compare(logits, inputs.expect, report);
  }
  if (!inputs.out.empty()) {
    dnn::write_npy(inputs.out, logits);
  }
  if (!inputs.dump.empty()) {
    const std::int64_t group = dnn::fixed_batch(load.network);
    const std::int64_t count = std::min(group > 0 ? group : kDumpedImages, report.images);
    dump_layers(inputs.dump, load.network,
                dnn::Executor(load.network).record(load.inputs.narrow(0, count)));
    if (count < report.images) {
      report.warnings.push_back("the dump holds the first " + std::to_string(count) +
                                " images only");
    }
  }
  return report;
}

}  // namespace

InferReport infer(const InferInputs& inputs) {
  return torch_call([&] { return infer_checked(inputs); });
}

namespace {

/// Says of the layers that read int8 which of them are computed whole, however little differs.
void note_layers_without_lists(const dnn::Network& network, const dnn::Tape& tape,
                               std::vector<LayerSummary>& layers) {
  dnn::Differential differential(network);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool reads_int8 = std::ranges::any_of(network.layers[i].inputs, [&](dnn::ValueId id) {
      const c10::IValue& value = tape.values[static_cast<std::size_t>(id.value)];
      return !network.info(id).is_constant && value.isTensor() &&
             value.toTensor().scalar_type() == c10::kChar;
    });
    if (reads_int8 && differential.of(i, tape) == nullptr) {
      std::string& note = layers[i].note;
      note += (note.empty() ? "" : "; ") + std::string("computed whole where an input differs");
    }
  }
}

}  // namespace

std::vector<LayerSummary> inspect(const NetworkSource& source,
                                  const std::optional<AcceleratorConfig>& accelerator) {
  return torch_call([&] {
    const dnn::Network network = network_on_cpu(source);
    const dnn::Inputs image = made_up_image(network);
    if (!accelerator) {
      return summarise(network, dnn::Executor(network).record(image), nullptr);
    }
    check_takes_one_image(network, source.model);
    const dnn::Network integer = dnn::quantise(network, image);
    const dnn::Tape tape = dnn::Executor(integer).record(image);
    const Mapping mapping(integer, tape, *accelerator);
    std::vector<LayerSummary> layers = summarise(integer, tape, &mapping);
    note_layers_without_lists(integer, tape, layers);
    const std::unique_ptr<Guard> guard = Guard::make(accelerator->guard);
    for (std::size_t i = 0; guard != nullptr && i < layers.size(); ++i) {
      if (const MeshLayer* on_mesh = mapping.mesh_layer(i)) {
        layers[i].guard_overhead = guard->overhead(on_mesh->tiling->gemm());
      }
    }
    return layers;
  });
}

TensorList inspect_tensors(const NetworkSource& source, const NumberFormat& format) {
  return torch_call([&] {
    dnn::Network network = network_on_cpu(source);
    const dnn::Inputs image = made_up_image(network);
    if (format == NumberFormat::integer(8) && is_nir(source.model)) {
      NetworkSource on_cpu = source;
      on_cpu.device = "cpu";
      network = integer_network(integer_model(on_cpu), on_cpu);
    } else if (format == NumberFormat::integer(8)) {
      network = dnn::quantise(network, image);
    }
    const dnn::TensorStores stores(network, image, format);
    return TensorList{stores.all(), stores.unstruck()};
  });
}

std::vector<OperatorSummary> list_operators() {
  std::vector<OperatorSummary> all;
  for (const dnn::OperatorInfo& known : dnn::known_operators()) {
    all.push_back({known.target, known.help, known.quantised});
  }
  return all;
}

}  // namespace tilestrike::bridge
