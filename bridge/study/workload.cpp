// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/workload.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/spiking_workload.h"
#include "bridge/study/start_cache.h"
#include "dnn/count_different.h"
#include "dnn/data_files.h"
#include "dnn/fixed_batch.h"
#include "dnn/import/import.h"
#include "dnn/import/torchscript.h"
#include "dnn/input_data.h"
#include "dnn/integer/given_quantisation.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"

namespace tilestrike::bridge {
namespace {

constexpr std::size_t kMostKeptAnswers = std::size_t{64} << 20;  // bytes that are worth a file

/// Whether chosen rows are those of `images` at the same places, as far as it goes: one set may be
/// the start of the other.
bool is_same_data(const dnn::InputData& chosen, const dnn::RowChoice& choice,
                  const dnn::Inputs& images) {
  const auto is_same = [&](const at::Tensor& a, const at::Tensor& b) {
    if (a.sizes().slice(1) != b.sizes().slice(1)) {
      return false;
    }
    for (std::int64_t i = 0; i < a.size(0); ++i) {
      const std::int64_t row = choice.row(i, chosen.total);
      if (row < b.size(0) && dnn::count_different(a.narrow(0, i, 1), b.narrow(0, row, 1)) != 0) {
        return false;
      }
    }
    return true;
  };
  return std::ranges::equal(chosen.inputs.tensors(), images.tensors(), is_same);
}

std::string inputs_hash(const dnn::Inputs& inputs) {
  if (inputs.tensors().size() == 1) {
    return tensor_hash(inputs.tensors().front());
  }
  std::string all;
  for (const at::Tensor& tensor : inputs.tensors()) {
    all += tensor_hash(tensor) + " ";
  }
  return content_hash(all);
}

/// The ranges of a float network's values over the images that fix its int8 scales.
Calibration calibration_of(const dnn::Network& network, const NetworkSource& source,
                           const InputFiles& files, const dnn::Inputs& images) {
  const auto choice = dnn::RowChoice::spread(source.calibrate_use);
  const dnn::InputData given = dnn::load_inputs(network, source.model, files, "", choice);
  Calibration found;
  if (is_same_data(given, choice, images)) {
    found.warnings.emplace_back(
        "the int8 scales come from the evaluation images themselves; name training images in "
        "data.calibrate");
  }
  if (given.inputs.rows() < given.total) {
    found.warnings.emplace_back(
        fmt::format("int8 scales from {} of {} images, spread evenly over them "
                    "(data.calibrate_use)",
                    given.inputs.rows(), given.total));
  }
  found.images_hash = inputs_hash(given.inputs);
  found.values = dnn::calibration(network, given.inputs);
  return found;
}

/// The same, from the cache where it is there.
Calibration calibration_for(const dnn::Network& network, const NetworkSource& source,
                            const dnn::Inputs& images) {
  const InputFiles& files = source.calibrate.empty() ? source.images : source.calibrate;
  const StartCache cache(source.cache);
  std::string key;
  if (cache.is_on()) {
    key = fmt::format("{} {} {} {} {}", content_hash_of_file(source.model), source.output,
                      network.device.str(), source.calibrate_use, inputs_hash(images));
    for (const InputFile& file : files.all()) {
      key += " " + file.name + " " + content_hash_of_file(dnn::path_of_images(file.path));
    }
  }
  if (const auto kept = cache.find("scales", key)) {
    return Calibration::of(*kept);
  }
  Calibration found = calibration_of(network, source, files, images);
  cache.keep("scales", key, found.kept());
  return found;
}

/// Two golden runs of the same images, the first of which has the number `first`.
void check_golden(const at::Tensor& answer, const at::Tensor& again, std::int64_t first) {
  if (dnn::count_different(answer, again) != 0) {
    fail(ErrorCode::kMachine, "two golden runs of the same images differ",
         fmt::format("images from {}", first),
         "the device or its libraries are not deterministic; try `device: cpu`");
  }
  for (const float number : floats(answer)) {
    if (!std::isfinite(number)) {
      fail(ErrorCode::kInvalidInput, "the golden run gives a NaN or infinite output",
           fmt::format("images from {}", first),
           "check the model, its number format and the images");
    }
  }
}

/// What happens to the images on their way into the network.
void tell_conversions(Workload& load) {
  const std::int64_t group = dnn::fixed_batch(load.network);
  if (group > 1) {
    load.warnings.push_back(
        fmt::format("the model was exported for batches of {} alone: images run in groups of {}, "
                    "the last of which is filled up with its own images",
                    group, group));
  }
  for (const dnn::ValueId id : load.network.inputs) {
    const dnn::ValueInfo& info = load.network.info(id);
    if (c10::isFloatingType(info.type) && info.type != c10::kFloat) {
      load.warnings.push_back(
          fmt::format("the numbers of the input '{}' are converted to the "
                      "type that the model takes, {}",
                      info.name, c10::toString(info.type)));
    }
  }
}

}  // namespace

void check_takes_one_image(const dnn::Network& network, const std::string& model) {
  check_has_no_ticks(network, model);
  const std::int64_t group = dnn::fixed_batch(network);
  if (group > 1) {
    fail(ErrorCode::kUnsupported,
         fmt::format("the model was exported for batches of {} alone, and the mesh is given one "
                     "image at a time",
                     group),
         model,
         "export it for one image (its example inputs with one row each), or with a free batch "
         "dimension: dynamic_shapes=({0: torch.export.Dim(\"batch\", min=1)},)");
  }
}

dnn::Network import_network(const NetworkSource& source) {
  if (is_nir(source.model)) {
    return import_spiking(source);
  }
  if (!source.spiking.is_null()) {
    fail(ErrorCode::kInvalidInput, "spiking: the model is no spiking network",
         source.spiking.place.text(), "leave it out, or name a .nir file");
  }
  const c10::Device device = dnn::device_of(source.device);
  if (!dnn::is_torchscript(source.model)) {
    return dnn::import_pt2(source.model, device, source.output);
  }
  if (source.images.empty()) {
    fail(ErrorCode::kInvalidInput, "a TorchScript file does not say what its inputs look like",
         source.model, "add images, whose shape it takes: --images FILE.npy");
  }
  const std::vector<dnn::NamedInput> given = dnn::load_untyped(source.images, source.use);
  return dnn::import_torchscript(source.model, given, device, source.output);
}

Workload load_workload(const NetworkSource& source, bool int8) {
  at::set_num_threads(1);
  Workload load;
  const bool is_spiking = is_nir(source.model);
  if (is_spiking && int8) {
    load.spiking = std::make_shared<const dnn::IntegerModel>(integer_model(source));
  }
  dnn::Network network =
      load.spiking ? integer_network(*load.spiking, source) : import_network(source);
  dnn::InputData data =
      dnn::load_inputs(network, source.model, source.images, source.labels, source.use);
  load.inputs = std::move(data.inputs);
  load.labels = std::move(data.labels);
  load.labels_path = std::move(data.labels_path);
  load.are_labels_of_images = data.are_labels_of_images;
  if (!int8 || is_spiking) {
    load.network = std::move(network);
    tell_conversions(load);
    load.calibration_hash = int8 ? "none" : "";
    load.spiking_hash = is_spiking ? settings_hash(source) : "";
    for (std::string& note : encoding_notes(load.network, load.inputs)) {
      load.warnings.push_back(std::move(note));
    }
    return load;
  }
  if (dnn::is_quantised(network)) {  // its own scales; the images only show the shape
    load.warnings.emplace_back(
        "the network is quantised already: its own scales and zero points are used");
    load.calibration_hash = "none";
    load.network = dnn::quantise(network, load.inputs.narrow(0, 1));
  } else {
    Calibration found = calibration_for(network, source, load.inputs);
    load.calibration_hash = std::move(found.images_hash);
    load.warnings = std::move(found.warnings);
    load.network = dnn::quantise(network, std::move(found.values));
  }
  tell_conversions(load);
  for (const dnn::Layer& layer : load.network.layers) {
    if (layer.note.find("float") != std::string::npos && dnn::matrix_kernel(layer) == nullptr) {
      load.warnings.emplace_back(
          fmt::format("layer {} ({}): {}", layer.name, layer.target, layer.note));
    }
  }
  return load;
}

std::vector<std::pair<std::string, std::string>> hashes_of(const Workload& load,
                                                           const std::string& model) {
  std::vector<std::pair<std::string, std::string>> hashes = {{"model", content_hash_of_file(model)},
                                                             {"images", inputs_hash(load.inputs)},
                                                             {"calibrate", load.calibration_hash}};
  if (!load.spiking_hash.empty()) {
    hashes.emplace_back("spiking", load.spiking_hash);
  }
  if (load.labels.defined()) {
    hashes.emplace_back("labels", tensor_hash(load.labels));
  }
  return hashes;
}

GoldenRun run_golden(const Workload& load, const dnn::Executor& executor, std::int64_t batch,
                     const NetworkSource& source, const std::string& stored) {
  GoldenRun golden;
  GoldenReport& report = golden.report;
  report.images = load.images();
  report.device = load.network.device.str();
  report.warnings = load.warnings;
  const StartCache cache(source.cache);
  std::string key;
  if (cache.is_on()) {
    key = fmt::format("{} {} {} {}", report.device, batch, stored, source.output);
    for (const auto& [what, hash] : hashes_of(load, source.model)) {
      key += " " + what + " " + hash;
    }
  }
  if (const auto kept = cache.find("golden", key)) {
    const auto& parts = kept->toTupleRef().elements();
    golden.answers = parts[0].toTensor();
    report.milliseconds_per_image = parts[1].toDouble();
    return golden;
  }
  const auto start = std::chrono::steady_clock::now();
  std::vector<at::Tensor> answers;
  for (std::int64_t first = 0; first < report.images; first += batch) {
    const std::int64_t count = std::min(batch, report.images - first);
    const dnn::Inputs images = load.inputs.narrow(first, count).to(load.network.device);
    answers.push_back(on_host(executor.run(images)));
    check_golden(answers.back(), on_host(executor.run(images)), first);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  report.milliseconds_per_image = 1e3 * took.count() / static_cast<double>(2 * report.images);
  golden.answers = at::cat(answers);
  if (golden.answers.nbytes() <= kMostKeptAnswers) {
    cache.keep("golden", key,
               c10::ivalue::Tuple::create({golden.answers, report.milliseconds_per_image}));
  }
  return golden;
}

std::string tensor_hash(const at::Tensor& tensor) {
  const at::Tensor bytes = on_host(tensor);
  std::string shape = c10::toString(bytes.scalar_type());
  for (const std::int64_t size : bytes.sizes()) {
    shape += fmt::format(" {}", size);
  }
  const std::string of_bytes = content_hash(
      {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.nbytes())});
  return content_hash(shape + " " + of_bytes);
}

}  // namespace tilestrike::bridge
