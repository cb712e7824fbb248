// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// An integer network on an accelerator: its matrix layers as tiles on the mesh, and the schedule of
// all layers. What an inference gives a layer to read is bound to it for one trial (BoundLayer);
// the mapping itself never changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/layout/layer_operands.h"
#include "bridge/schedule/schedule.h"
#include "bridge/words/layer_summary.h"
#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/network.h"

namespace tilestrike::bridge {

/// One matrix layer on the mesh.
struct MeshLayer {
  std::size_t layer = 0;  // of the network
  const dnn::MatrixKernel* kernel = nullptr;
  dnn::ValueId input, output;
  dnn::ValueId weights{-1};           // of a product of two computed values; else -1
  const Tiling* tiling = nullptr;     // the schedule's
  const sim::MeshRun* run = nullptr;  // the schedule's
  at::Tensor weight, bias;            // on the host
  std::unique_ptr<const OperandPlaces> places;
  std::size_t place = 0;  // among the layers on the mesh
};

/// A layer on the mesh with what one inference gives it to read.
class BoundLayer {
 public:
  /// `left`: undefined where only weights are read. `right`: undefined for constant weights. The
  /// tensors are kept, on the host; `mesh_layer` must outlive this object.
  BoundLayer(const MeshLayer& mesh_layer, const at::Tensor& left, const at::Tensor& right);

  const MeshLayer& mesh_layer() const { return *mesh_layer_; }
  std::size_t layer() const { return mesh_layer_->layer; }
  const Tiling& tiling() const { return *mesh_layer_->tiling; }
  const LayerOperands& operands() const { return operands_; }
  /// As LayerOperands takes it.
  const std::int8_t* input() const { return left_.const_data_ptr<std::int8_t>(); }

 private:
  const MeshLayer* mesh_layer_;
  at::Tensor left_, right_;
  LayerOperands operands_;
};

/// A network as its schedule sees it.
struct NetworkWork {
  std::vector<LayerWork> layers;
  std::vector<StoredTensor> tensors;  // those of the backing memory
  std::vector<int> tensor_of;         // by value of the network: of a view the tensor it shows; -1
  std::vector<int> weights_of;        // by layer: its constant weights; -1
  /// By layer that is not on the mesh: the values behind LayerWork::operands.
  std::vector<std::vector<dnn::ValueId>> operand_values;
  StoredOperand operand(const dnn::Tape& tape, dnn::ValueId id) const;
};

class Mapping {
 public:
  /// `tape`: a run of the network with one image, whose shapes count. Throws Failure when nothing
  /// is on the mesh. `network` must outlive this object.
  Mapping(const dnn::Network& network, const dnn::Tape& tape, const AcceleratorConfig& accelerator);

  const AcceleratorConfig& accelerator() const { return accelerator_; }
  const NetworkWork& work() const { return work_; }
  const Schedule& schedule() const { return schedule_; }
  /// nullptr: the layer is not on the mesh.
  const MeshLayer* mesh_layer(std::size_t layer) const { return mesh_layers_[layer].get(); }

  // c0 and c1 of a fault-free mesh. A load that slips brings the old contents back, so they matter
  // across layers and inferences. `golden`: the fault-free inference; the one before it is taken to
  // be of the same image.
  sim::MeshState state_before(const MeshLayer& layer, const dnn::Tape& golden) const;
  sim::MeshState state_after(const MeshLayer& layer, const dnn::Tape& golden) const;
  /// At the start of an inference that follows a fault-free one.
  sim::MeshState state_at_start(const dnn::Tape& golden) const {
    return state_before(*in_order_.front(), golden);
  }

 private:
  void find_states();

  AcceleratorConfig accelerator_;
  NetworkWork work_;
  Schedule schedule_;
  std::vector<std::unique_ptr<const MeshLayer>> mesh_layers_;  // by layer of the network
  std::vector<const MeshLayer*> in_order_;                     // those on the mesh
  bool has_products_ = false;                                  // states depend on the activations
  sim::MeshState zero_;
  std::vector<sim::MeshState> states_;  // before each layer on the mesh, where they do not
};

/// A value as the mesh reads it: int8 or int32, contiguous, on the host.
at::Tensor on_host(const at::Tensor& tensor);

/// The elements of a float tensor on any device.
std::vector<float> floats(const at::Tensor& tensor);

/// The layers as `inspect` prints them. `mapping` nullptr: without mesh columns.
std::vector<LayerSummary> summarise(const dnn::Network& network, const dnn::Tape& tape,
                                    const Mapping* mapping);

}  // namespace tilestrike::bridge
