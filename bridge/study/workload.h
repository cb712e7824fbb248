// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a study and plain inference load alike: the network, float or int8, with its images.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bridge/study/study.h"
#include "dnn/executor.h"
#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {
struct IntegerModel;  // dnn/spiking/integer_model.h
}

namespace tilestrike::bridge {

struct Workload {
  dnn::Network network;
  dnn::Inputs inputs;  // all images
  at::Tensor labels;   // as dnn::DataSet has them; undefined: there are none
  std::string labels_path;
  bool are_labels_of_images = false;  // they came with a data set, and nobody named them
  std::string calibration_hash;       // of an integer network; empty otherwise
  std::shared_ptr<const dnn::IntegerModel> spiking;  // of an integer spiking network
  std::string spiking_hash;  // of the settings of a spiking network; empty otherwise
  std::vector<std::string> warnings;

  std::int64_t images() const { return inputs.rows(); }
};

/// The model on the device. A TorchScript file says nothing of shapes: its images are read for
/// them.
dnn::Network import_network(const NetworkSource& source);

/// Imports the model, loads the images, and with `int8` (of a spiking network its own integers,
/// which need no images) quantises on those of `calibrate` (empty:
/// on the images themselves, with a warning), or on as many of them as `calibrate_use` says, which
/// a warning counts. Uses one thread from then on: results must not depend
/// on their number.
Workload load_workload(const NetworkSource& source, bool int8);

/// Throws Failure for a network that takes batches of several images alone, or is a spiking one:
/// the mesh is given one image.
void check_takes_one_image(const dnn::Network& network, const std::string& model);

/// Hashes of all that a study was loaded from, by what it is.
std::vector<std::pair<std::string, std::string>> hashes_of(const Workload& load,
                                                           const std::string& model);

struct GoldenRun {
  GoldenReport report;
  at::Tensor answers;  // (images, ...), on the host
};
/// All images in batches, twice. Throws Failure where the second run gives other bits, or an answer
/// is not finite. What is in the cache of `source` was found so before. `stored`: the number format
/// that the network's constants have been brought to.
GoldenRun run_golden(const Workload& load, const dnn::Executor& executor, std::int64_t batch,
                     const NetworkSource& source, const std::string& stored);

/// Hash of a tensor's type, shape and bytes.
std::string tensor_hash(const at::Tensor& tensor);

}  // namespace tilestrike::bridge
