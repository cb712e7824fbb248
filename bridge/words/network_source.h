// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A network and its data, as files.
#pragma once

#include <cstdint>
#include <string>

#include "base/document.h"
#include "base/input_files.h"
#include "base/spiking_neuron.h"

namespace tilestrike::bridge {

/// What is enough to fix int8 scales, and takes seconds where the set is large.
inline constexpr std::int64_t kCalibrationImages = 1000;

/// A network and its data.
struct NetworkSource {
  std::string model;     // path of a .pt2 archive, of a TorchScript file, or of a .nir file
  InputFiles images;     // for each input a path, or fashion_mnist/test
  std::string labels;    // may be empty
  InputFiles calibrate;  // images that fix the int8 scales; empty: the evaluation images
  /// At most so many of these images, spread evenly over them; 0: all.
  std::int64_t calibrate_use = kCalibrationImages;
  Value spiking;         // of a .nir file: keys that go over those of its side file; null: none
  NeuronFormat neurons;  // of a .nir file in integers: what its membranes are
  std::string output;    // which of several outputs is the answer; empty: there is one
  std::int64_t use = 0;  // how many images are struck and judged; 0: all
  std::string device = "auto";
  std::string cache;  // folder of what a start computes from files alone; empty: it is not kept
};

}  // namespace tilestrike::bridge
