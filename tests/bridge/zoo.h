// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Zoo networks on real images, for the tests of bridge.
#pragma once

#include <cstdlib>
#include <string>

#include "bridge/study/study.h"
#include "bridge/study/workload.h"

namespace tilestrike::bridge {

inline std::string zoo_path(const std::string& name, const std::string& ending = ".pt2") {
  const char* root = std::getenv("TILESTRIKE_ROOT");
  return std::string(root == nullptr ? "." : root) + "/zoo/" + name + ending;
}

inline Workload zoo_workload(const std::string& name, std::int64_t images) {
  NetworkSource source;
  source.model = zoo_path(name);
  source.images = "fashion_mnist/test";
  source.calibrate = "fashion_mnist/train";
  source.use = images;
  source.device = "cpu";
  return load_workload(source, true);
}

inline AcceleratorConfig mesh_of(int rows, int columns, sim::Dataflow dataflow) {
  AcceleratorConfig config;
  config.mesh.rows = rows;
  config.mesh.columns = columns;
  config.mesh.dataflow = dataflow;
  return config;
}

inline constexpr sim::Dataflow kDataflows[] = {sim::Dataflow::kWeightStationary,
                                               sim::Dataflow::kOutputStationary};

}  // namespace tilestrike::bridge
