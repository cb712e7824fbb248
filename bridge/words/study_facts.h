// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is known of a study before anything is struck.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/tensor_store.h"
#include "bridge/words/judge_config.h"
#include "bridge/words/layer_summary.h"
#include "bridge/words/study_cores.h"
#include "bridge/words/study_memory.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::bridge {

struct GoldenReport {
  std::int64_t images = 0;
  Metric metric;                // what the judge measures; without a name: there are no labels
  std::optional<double> score;  // its value on the images in use
  double milliseconds_per_image = 0.0;
  std::string device;
  std::vector<std::string> warnings;  // calibration on evaluation images, what stays in float, ...
};

struct StudyFacts {
  explicit StudyFacts(const sim::MeshConfig& mesh) : sites(mesh) {}

  /// The class of an image; -1: the images have none.
  std::int64_t label(ImageId image) const {
    return labels.empty() ? -1 : labels[static_cast<std::size_t>(image.value)];
  }

  /// The top class of its golden answer; -1: it has none.
  int golden_class(ImageId image) const {
    return golden_classes.empty() ? -1 : golden_classes[static_cast<std::size_t>(image.value)];
  }

  GoldenReport golden;
  std::int64_t images = 0;  // in use
  std::int64_t batch = 1;   // images of one inference; float results depend on it in the last bits
  /// Clock cycles of one inference, idle time until the next included: the strike's time is uniform
  /// over them.
  Cycle cycles = 1;
  std::vector<std::int64_t> labels;  // classes of the images in use; empty: they have none
  /// By image: the top class of its golden answer (-1: it has none), and its own score; empty:
  /// there is none such.
  std::vector<int> golden_classes;
  std::vector<std::optional<double>> golden_scores;
  std::int64_t answer_numbers = 0;  // that the answer of an image has
  bool has_parts = false;           // an answer has pixels, positions, decisions or detections
  /// Hashes of what was read (keys "model", "images", "labels", "calibrate", "spiking"), for a
  /// results file's identity; "labels" and "spiking" where there are such.
  std::vector<std::pair<std::string, std::string>> hashes;
  std::vector<LayerSummary> layers;
  /// A chip of neuromorphic cores, in place of the mesh; `cycles` is then the mean of the images'.
  std::optional<StudyCores> cores;
  sim::MeshSites sites;                  // where the mesh is struck
  std::vector<StudyMemory> memories;     // whose cells can be struck, in the accelerator's order
  std::vector<TensorStore> stores;       // whose words can be struck; none where the mesh can
  std::vector<UnstruckTensor> unstruck;  // stored beside these, and struck by nothing
};

}  // namespace tilestrike::bridge
