// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/schedule/mapping.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::bridge {
namespace {

const at::Tensor& tensor_of(const dnn::Tape& tape, dnn::ValueId id) {
  return tape.values[static_cast<std::size_t>(id.value)].toTensor();
}

bool is_tensor(const dnn::Tape& tape, dnn::ValueId id) {
  return id.value >= 0 && tape.values[static_cast<std::size_t>(id.value)].isTensor();
}

GemmShape gemm_of(const dnn::MatrixShape& shape, const at::Tensor& input,
                  const at::Tensor& accumulators) {
  GemmShape gemm;
  gemm.is_convolution = shape.is_convolution;
  gemm.groups = shape.groups;
  gemm.depth = shape.depth();
  gemm.columns = shape.out_channels / shape.groups;
  gemm.rows = accumulators.numel() / shape.out_channels;
  if (shape.is_product) {
    gemm.is_product = true;
    gemm.depth = input.size(-1);
    gemm.columns = accumulators.size(-1);
    gemm.rows = accumulators.size(-2);
    gemm.groups = accumulators.numel() / (gemm.rows * gemm.columns);
  }
  if (shape.is_convolution) {
    gemm.in_height = input.size(2);
    gemm.in_width = input.size(3);
    gemm.out_width = accumulators.size(3);
    gemm.kernel = shape.kernel;
    gemm.stride = shape.stride;
    gemm.padding = shape.padding;
    gemm.dilation = shape.dilation;
  }
  return gemm;
}

// Elements that a vector unit moves for a layer: the larger of what it reads and what it writes. A
// view of an input moves none.
std::int64_t vector_elements(const dnn::Network& network, const dnn::Layer& layer,
                             const dnn::Tape& tape) {
  std::int64_t read = 0;
  std::int64_t written = 0;
  bool is_view = false;
  for (const dnn::ValueId output : layer.outputs) {
    written += is_tensor(tape, output) ? tensor_of(tape, output).numel() : 0;
  }
  for (const dnn::ValueId input : layer.inputs) {
    if (network.info(input).is_constant || !is_tensor(tape, input)) {
      continue;
    }
    read += tensor_of(tape, input).numel();
    is_view = is_view || (layer.outputs.size() == 1 && is_tensor(tape, layer.outputs[0]) &&
                          tensor_of(tape, layer.outputs[0]).is_alias_of(tensor_of(tape, input)));
  }
  return is_view ? 0 : std::max(read, written);
}

/// The stored tensor that a view shows.
int viewed(const dnn::Network& network, const dnn::Layer& layer, const dnn::Tape& tape,
           const NetworkWork& work, dnn::ValueId view) {
  for (const dnn::ValueId input : layer.inputs) {
    if (!network.info(input).is_constant && is_tensor(tape, input) &&
        tensor_of(tape, view).is_alias_of(tensor_of(tape, input))) {
      return work.tensor_of[static_cast<std::size_t>(input.value)];
    }
  }
  return -1;
}

NetworkWork work_of(const dnn::Network& network, const dnn::Tape& tape) {
  NetworkWork all;
  all.tensor_of.assign(network.values.size(), -1);
  const auto store = [&](dnn::ValueId id, const std::string& name) {
    const at::Tensor& tensor = tensor_of(tape, id);
    all.tensor_of[static_cast<std::size_t>(id.value)] = static_cast<int>(all.tensors.size());
    all.tensors.push_back({name, tensor.numel(), static_cast<int>(tensor.element_size()), false});
  };
  std::map<const void*, int> weights;  // what several layers share is stored once
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    all.weights_of.push_back(-1);
    const dnn::MatrixKernel* kernel = dnn::matrix_kernel(network.layers[i]);
    if (kernel != nullptr && kernel->weight_of(network.layers[i]).value < 0) {
      const at::Tensor& weight = kernel->parameters().weight;
      const auto [known, is_new] =
          weights.try_emplace(weight.const_data_ptr(), static_cast<int>(all.tensors.size()));
      all.weights_of.back() = known->second;
      if (is_new) {
        all.tensors.push_back({network.layers[i].name + ".weight", weight.numel(), 1, true});
      }
    }
  }
  for (const dnn::ValueId id : network.inputs) {
    if (is_tensor(tape, id)) {
      store(id, network.inputs.size() == 1 ? "input" : "input." + network.info(id).name);
    }
  }
  all.operand_values.resize(network.layers.size());
  std::vector<LayerWork>& work = all.layers;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const dnn::Layer& layer = network.layers[i];
    LayerWork todo;
    if (const dnn::MatrixKernel* kernel = dnn::matrix_kernel(layer)) {
      todo.gemm = gemm_of(kernel->parameters().shape, tensor_of(tape, kernel->input_of(layer)),
                          tape.accumulators[i]);
      todo.gemm->padding_value = static_cast<std::int8_t>(kernel->parameters().input_zero);
      todo.operands.push_back(all.operand(tape, kernel->input_of(layer)));
      const dnn::ValueId right = kernel->weight_of(layer);
      todo.operands.push_back(
          right.value >= 0 ? all.operand(tape, right)
                           : StoredOperand{all.weights_of[i], kernel->parameters().weight.numel()});
    } else {
      todo.vector_elements = vector_elements(network, layer, tape);
      for (const dnn::ValueId input : layer.inputs) {
        if (!network.info(input).is_constant && is_tensor(tape, input)) {
          todo.operands.push_back(all.operand(tape, input));
          all.operand_values[i].push_back(input);
        }
      }
    }
    for (const dnn::ValueId output : layer.outputs) {
      if (!is_tensor(tape, output)) {
        continue;
      }
      if (!todo.gemm && todo.vector_elements == 0) {  // a view has its input's cells
        all.tensor_of[static_cast<std::size_t>(output.value)] =
            todo.operands.empty() ? -1 : viewed(network, layer, tape, all, output);
      } else {
        store(output, layer.outputs.size() == 1 ? layer.name
                                                : layer.name + "." + network.info(output).name);
        todo.outputs.push_back(all.tensor_of[static_cast<std::size_t>(output.value)]);
      }
    }
    work.push_back(std::move(todo));
  }
  return all;
}

std::string shape_text(const at::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (std::int64_t d = 1; d < tensor.dim(); ++d) {
    sizes.push_back(std::to_string(tensor.size(d)));
  }
  return join(sizes, "x");
}

}  // namespace

StoredOperand NetworkWork::operand(const dnn::Tape& tape, dnn::ValueId id) const {
  return {tensor_of[static_cast<std::size_t>(id.value)],
          tape.values[static_cast<std::size_t>(id.value)].toTensor().numel()};
}

at::Tensor on_host(const at::Tensor& tensor) { return tensor.to(c10::kCPU).contiguous(); }

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor host = on_host(tensor).to(c10::kFloat);
  const float* first = host.const_data_ptr<float>();
  return {first, first + host.numel()};
}

Mapping::Mapping(const dnn::Network& network, const dnn::Tape& tape,
                 const AcceleratorConfig& accelerator)
    : accelerator_(accelerator),
      work_(work_of(network, tape)),
      schedule_(accelerator, work_.layers, work_.tensors) {
  mesh_layers_.resize(network.layers.size());
  bool is_any = false;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const dnn::Layer& layer = network.layers[i];
    const dnn::MatrixKernel* kernel = dnn::matrix_kernel(layer);
    if (kernel == nullptr) {
      continue;
    }
    is_any = true;
    auto mapped = std::make_unique<MeshLayer>();
    mapped->layer = i;
    mapped->kernel = kernel;
    mapped->input = kernel->input_of(layer);
    mapped->output = layer.outputs.front();
    mapped->tiling = schedule_.layers()[i].tiling.get();
    mapped->run = schedule_.layers()[i].run.get();
    mapped->weights = kernel->weight_of(layer);
    if (mapped->weights.value < 0) {
      mapped->weight = on_host(kernel->parameters().weight);
    } else {
      has_products_ = true;
    }
    if (kernel->parameters().bias.defined()) {
      mapped->bias = on_host(kernel->parameters().bias);
    }
    mapped->places = std::make_unique<const OperandPlaces>(*mapped->tiling, accelerator.mesh);
    mapped->place = in_order_.size();
    in_order_.push_back(mapped.get());
    mesh_layers_[i] = std::move(mapped);
  }
  if (!is_any) {
    fail(ErrorCode::kUnsupported, "no layer of the network runs on the mesh", network.name,
         "the mesh computes convolutions and linear layers; `tilestrike inspect` lists the layers");
  }
  find_states();
}

BoundLayer::BoundLayer(const MeshLayer& mesh_layer, const at::Tensor& left, const at::Tensor& right)
    : mesh_layer_(&mesh_layer),
      left_(left.defined() ? on_host(left) : left),
      right_(right.defined() ? on_host(mesh_layer.kernel->weight_from(right)) : mesh_layer.weight),
      operands_(
          *mesh_layer.places, left_.defined() ? left_.const_data_ptr<std::int8_t>() : nullptr,
          right_.defined() ? right_.const_data_ptr<std::int8_t>() : nullptr,
          mesh_layer.bias.defined() ? mesh_layer.bias.const_data_ptr<std::int32_t>() : nullptr) {}

void Mapping::find_states() {
  const sim::MeshConfig& mesh = accelerator_.mesh;
  for (auto& registers : zero_.stationary) {
    registers.assign(static_cast<std::size_t>(mesh.rows) * static_cast<std::size_t>(mesh.columns),
                     0);
  }
  states_.assign(in_order_.size(), zero_);
  // OS: every result is drained by zeros, so nothing stays. WS: the last weights stay, whatever the
  // activations were; the second inference starts from what the first one left.
  sim::MeshState state = zero_;
  for (int inference = 0; inference < 2 && mesh.is_weight_stationary() && !has_products_;
       ++inference) {
    for (std::size_t i = 0; i < in_order_.size(); ++i) {
      states_[i] = state;
      const BoundLayer bound(*in_order_[i], {}, {});
      state = sim::golden_end(*in_order_[i]->run, bound.operands(), &states_[i]);
    }
  }
}

sim::MeshState Mapping::state_before(const MeshLayer& layer, const dnn::Tape& golden) const {
  if (!accelerator_.mesh.is_weight_stationary() || !has_products_) {
    return states_[layer.place];
  }
  // A run of two passes or more writes both c0 and c1 of every PE: what was before does not matter.
  const std::size_t count = in_order_.size();
  std::size_t back = 1;
  while (back < 2 * count &&
         in_order_[(layer.place + 2 * count - back) % count]->tiling->passes() < 2) {
    ++back;
  }
  sim::MeshState state = zero_;
  for (; back > 0; --back) {
    const MeshLayer& earlier = *in_order_[(layer.place + 2 * count - back) % count];
    const BoundLayer bound(
        earlier, {},
        earlier.weights.value >= 0 ? tensor_of(golden, earlier.weights) : at::Tensor());
    state = sim::golden_end(*earlier.run, bound.operands(), &state);
  }
  return state;
}

sim::MeshState Mapping::state_after(const MeshLayer& layer, const dnn::Tape& golden) const {
  return state_before(*in_order_[(layer.place + 1) % in_order_.size()], golden);
}

std::vector<LayerSummary> summarise(const dnn::Network& network, const dnn::Tape& tape,
                                    const Mapping* mapping) {
  std::vector<LayerSummary> all;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const dnn::Layer& layer = network.layers[i];
    LayerSummary row;
    row.name = layer.name;
    row.target = layer.target;
    row.note = layer.note;
    if (!layer.outputs.empty() && is_tensor(tape, layer.outputs[0])) {
      row.shape = shape_text(tensor_of(tape, layer.outputs[0]));
      row.is_integer = tensor_of(tape, layer.outputs[0]).scalar_type() == c10::kChar;
    }
    if (mapping != nullptr) {
      const ScheduledLayer& scheduled = mapping->schedule().layers()[i];
      row.first_cycle = scheduled.start;
      row.mesh_cycles = scheduled.mesh_cycles;
      row.vector_cycles = scheduled.vector_cycles;
      if (scheduled.tiling != nullptr) {
        const GemmShape& gemm = scheduled.tiling->gemm();
        const sim::MeshConfig& mesh = mapping->accelerator().mesh;
        row.is_on_mesh = true;
        row.is_integer = true;
        row.groups = gemm.groups;
        row.gemm_rows = gemm.rows;
        row.gemm_depth = gemm.depth;
        row.gemm_columns = gemm.columns;
        row.passes = scheduled.tiling->passes();
        row.scale_sim_cycles =
            gemm.groups * sim::scale_sim_cycles(mesh, gemm.rows, gemm.depth, gemm.columns);
        row.utilisation =
            static_cast<double>(gemm.multiply_accumulates()) /
            (static_cast<double>(mesh.rows) * mesh.columns * static_cast<double>(row.mesh_cycles));
      }
    }
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace tilestrike::bridge
