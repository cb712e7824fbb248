// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/stored_operands.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty_strided.h>

#include "base/error.h"

namespace tilestrike::bridge {

StoredOperands::StoredOperands(const dnn::Network& network, const Mapping& mapping)
    : network_(network), mapping_(mapping) {
  const NetworkWork& work = mapping.work();
  of_tensors_.assign(work.tensors.size(), dnn::ValueId(-1));
  weights_of_.assign(work.tensors.size(), 0);
  std::vector<bool> is_known(work.tensors.size());
  const auto keep = [&](dnn::ValueId id) {
    const int tensor = work.tensor_of[static_cast<std::size_t>(id.value)];
    if (tensor >= 0 && !is_known[static_cast<std::size_t>(tensor)]) {  // the first is no view
      is_known[static_cast<std::size_t>(tensor)] = true;
      of_tensors_[static_cast<std::size_t>(tensor)] = id;
    }
  };
  for (const dnn::ValueId input : network.inputs) {
    keep(input);
  }
  values_.resize(network.layers.size());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const dnn::Layer& layer = network.layers[i];
    if (const MeshLayer* on_mesh = mapping.mesh_layer(i)) {
      values_[i] = {on_mesh->input, on_mesh->weights};
      if (work.weights_of[i] >= 0) {
        weights_of_[static_cast<std::size_t>(work.weights_of[i])] = i;
      }
    } else {
      values_[i] = work.operand_values[i];
    }
    for (const dnn::ValueId output : layer.outputs) {
      if (output.value >= 0) {
        keep(output);
      }
    }
  }
}

at::Tensor StoredOperands::loaded_order(std::size_t layer, std::size_t operand,
                                        const at::Tensor& value) const {
  const MeshLayer* on_mesh = mapping_.mesh_layer(layer);
  return on_mesh != nullptr && operand == 1 ? on_host(on_mesh->kernel->weight_from(value))
                                            : on_host(value);
}

const std::vector<std::int64_t>& StoredOperands::order(std::size_t layer, std::size_t operand,
                                                       const dnn::Tape& golden) {
  static const std::vector<std::int64_t> as_stored;
  const dnn::ValueId id = value_of(layer, operand);
  if (id.value < 0) {
    return as_stored;
  }
  const int tensor = mapping_.work().layers[layer].operands[operand].tensor;
  const dnn::ValueId root = value_of_tensor(tensor);
  const bool is_reordered = mapping_.mesh_layer(layer) != nullptr && operand == 1;
  if (root == id && !is_reordered) {
    return as_stored;
  }
  std::vector<std::int64_t>& order = orders_[{layer, operand}];
  if (order.empty()) {
    const auto& whole = golden.values[static_cast<std::size_t>(root.value)].toTensor();
    const auto& view = golden.values[static_cast<std::size_t>(id.value)].toTensor();
    TS_CHECK(view.is_alias_of(whole), "a view of a stored tensor: " + network_.info(id).name);
    const auto options = at::TensorOptions(c10::kLong);
    at::Tensor numbers = at::empty_strided(whole.sizes(), whole.strides(), options);
    numbers.copy_(at::arange(whole.numel(), options).view(whole.sizes()));
    const at::Tensor seen = numbers.as_strided(view.sizes(), view.strides(),
                                               view.storage_offset() - whole.storage_offset());
    const at::Tensor loaded = loaded_order(layer, operand, seen);
    const auto* first = loaded.const_data_ptr<std::int64_t>();
    order.assign(first, first + loaded.numel());
  }
  return order;
}

std::vector<std::int64_t> StoredOperands::elements(std::size_t layer, std::size_t operand,
                                                   std::int64_t stored, const dnn::Tape& golden) {
  const std::vector<std::int64_t>& loaded = order(layer, operand, golden);
  if (loaded.empty()) {
    return {stored};
  }
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i] == stored) {
      found.push_back(static_cast<std::int64_t>(i));
    }
  }
  return found;
}

}  // namespace tilestrike::bridge
