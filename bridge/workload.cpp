// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/workload.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "bridge/judge.h"
#include "bridge/mapping.h"
#include "dnn/import/import.h"
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

}  // namespace

Workload load_workload(const std::string& model, const std::string& images,
                       const std::string& labels, const std::string& calibrate, std::int64_t use,
                       bool int8, const std::string& device) {
  at::set_num_threads(1);
  Workload load;
  dnn::Network network = dnn::import_pt2(model, dnn::device_of(device));
  load.data = dnn::load_data(images, labels, use);
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
