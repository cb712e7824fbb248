// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/workload.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "bridge/judge.h"
#include "bridge/mapping.h"
#include "dnn/import/import.h"
#include "dnn/import/torchscript.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"

namespace tilestrike::bridge {
namespace {

bool is_same_data(const at::Tensor& a, const at::Tensor& b) {
  // One set may be the start of the other.
  const std::int64_t both = std::min(a.size(0), b.size(0));
  return a.sizes().slice(1) == b.sizes().slice(1) &&
         dnn::count_different(a.narrow(0, 0, both), b.narrow(0, 0, both)) == 0;
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

}  // namespace

Workload load_workload(const std::string& model, const std::string& images,
                       const std::string& labels, const std::string& calibrate, std::int64_t use,
                       bool int8, const std::string& device) {
  at::set_num_threads(1);
  Workload load;
  const c10::Device chosen = dnn::device_of(device);
  dnn::Network network;
  if (dnn::is_torchscript(model)) {  // it does not say what shape its images have
    load.data = dnn::load_data(images, labels, use);
    network = dnn::import_torchscript(model, load.data.images.sizes().slice(1).vec(), chosen);
  } else {
    network = dnn::import_pt2(model, chosen);
    load.data = dnn::load_data(images, labels, use);
  }
  dnn::check_images_fit(load.data.images, images, network.info(network.input).sizes);
  if (!int8) {
    load.network = std::move(network);
    return load;
  }
  const std::string& source = calibrate.empty() ? images : calibrate;
  const at::Tensor scale_images = dnn::load_data(source, "", kCalibrationImages).images;
  dnn::check_images_fit(scale_images, source, network.info(network.input).sizes);
  if (is_same_data(scale_images, load.data.images)) {
    load.warnings.emplace_back(
        "the int8 scales come from the evaluation images themselves; name training images in "
        "data.calibrate");
  }
  load.calibration_hash = tensor_hash(scale_images);
  load.network = dnn::quantise(network, scale_images);
  for (const dnn::Layer& layer : load.network.layers) {
    if (layer.note.find("float") != std::string::npos && dnn::matrix_kernel(layer) == nullptr) {
      load.warnings.emplace_back(
          fmt::format("layer {} ({}): {}", layer.name, layer.target, layer.note));
    }
  }
  return load;
}

double accuracy_of(const at::Tensor& logits, const at::Tensor& labels) {
  if (!labels.defined()) {
    return -1.0;
  }
  const at::Tensor answers = on_host(logits).flatten(1);
  const auto classes = static_cast<std::size_t>(answers.size(1));
  const float* row = answers.data_ptr<float>();
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < answers.size(0); ++i, row += classes) {
    correct += top_1({row, classes}) == labels.data_ptr<std::int64_t>()[i] ? 1 : 0;
  }
  return static_cast<double>(correct) / static_cast<double>(answers.size(0));
}

std::vector<std::pair<std::string, std::string>> hashes_of(const Workload& load,
                                                           const std::string& model) {
  std::vector<std::pair<std::string, std::string>> hashes = {
      {"model", content_hash_of_file(model)},
      {"images", tensor_hash(load.data.images)},
      {"calibrate", load.calibration_hash}};
  if (load.data.labels.defined()) {
    hashes.emplace_back("labels", tensor_hash(load.data.labels));
  }
  return hashes;
}

GoldenRun run_golden(const Workload& load, const dnn::Executor& executor, std::int64_t batch) {
  GoldenRun golden;
  GoldenReport& report = golden.report;
  report.images = load.data.images.size(0);
  report.device = load.network.device.str();
  report.warnings = load.warnings;
  const auto start = std::chrono::steady_clock::now();
  std::vector<at::Tensor> answers;
  for (std::int64_t first = 0; first < report.images; first += batch) {
    const std::int64_t count = std::min(batch, report.images - first);
    const at::Tensor images = load.data.images.narrow(0, first, count).to(load.network.device);
    answers.push_back(on_host(executor.run(images)));
    check_golden(answers.back(), on_host(executor.run(images)), first);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  report.milliseconds_per_image = 1e3 * took.count() / static_cast<double>(2 * report.images);
  golden.answers = at::cat(answers);
  report.accuracy = accuracy_of(golden.answers, load.data.labels);
  return golden;
}

std::int64_t Workload::label(ImageId image) const {
  return data.labels.defined() ? data.labels.const_data_ptr<std::int64_t>()[image.value] : -1;
}

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor host = on_host(tensor).to(c10::kFloat);
  const float* first = host.data_ptr<float>();
  return {first, first + host.numel()};
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
