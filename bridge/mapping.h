// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// An integer network on an accelerator: its matrix layers as tiles on the mesh, with their operands
// on the host, and the schedule of all layers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/layer_operands.h"
#include "bridge/schedule.h"
#include "bridge/study.h"
#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/network.h"

namespace tilestrike::bridge {

/// One matrix layer on the mesh.
struct MeshLayer {
  std::size_t layer = 0;  // of the network
  const dnn::MatrixKernel* kernel = nullptr;
  dnn::ValueId input, output;
  const Tiling* tiling = nullptr;     // owned by the schedule, ...
  const sim::MeshRun* run = nullptr;  // ... as is this
  at::Tensor weight, bias;            // on the host
  std::unique_ptr<LayerOperands> operands;
  // c0 and c1 of a fault-free mesh before and after the layer, owned by the mapping. A load that
  // slips brings the old contents back, so they matter across layers and inferences.
  const sim::MeshState* start = nullptr;
  const sim::MeshState* end = nullptr;
};

class Mapping {
 public:
  /// `tape`: a run of the network with one image, whose shapes count. Throws Failure when nothing
  /// is on the mesh. `network` must outlive this object.
  Mapping(const dnn::Network& network, const dnn::Tape& tape, const AcceleratorConfig& accelerator);

  const AcceleratorConfig& accelerator() const { return accelerator_; }
  const Schedule& schedule() const { return schedule_; }
  /// nullptr: the layer is not on the mesh.
  MeshLayer* mesh_layer(std::size_t layer) { return mesh_layers_[layer].get(); }

  /// c0 and c1 at the start of an inference that follows a fault-free one.
  const sim::MeshState& state_at_start() const { return states_.front(); }

 private:
  void find_states();

  AcceleratorConfig accelerator_;
  Schedule schedule_;
  std::vector<std::unique_ptr<MeshLayer>> mesh_layers_;  // by layer of the network
  std::vector<sim::MeshState> states_;                   // before each layer on the mesh, in order
};

/// A value as the mesh reads it: int8 or int32, contiguous, on the host.
at::Tensor on_host(const at::Tensor& tensor);

/// The layers as `inspect` prints them. `mapping` nullptr: without mesh columns.
std::vector<LayerSummary> summarise(const dnn::Network& network, const dnn::Tape& tape,
                                    const Mapping* mapping);

}  // namespace tilestrike::bridge
