// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tensors of one inference as the memories hold them.
#pragma once

#include "bridge/exposure/stored_operands.h"
#include "bridge/schedule/mapping.h"
#include "dnn/differential/divergence.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

class RunValues {
 public:
  /// All must outlive this object.
  RunValues(const Mapping& mapping, const StoredOperands& operands, const dnn::Divergence& run)
      : mapping_(mapping), operands_(operands), run_(run) {}

  /// An operand's elements in the order in which they are loaded, on the host.
  at::Tensor operand(std::size_t layer, std::size_t operand) const {
    const dnn::ValueId id = operands_.value_of(layer, operand);
    return id.value < 0 ? mapping_.mesh_layer(layer)->weight
                        : operands_.loaded_order(layer, operand, value(id));
  }
  /// A stored tensor, on the host.
  at::Tensor stored(int tensor) const {
    const dnn::ValueId id = operands_.value_of_tensor(tensor);
    return id.value < 0 ? mapping_.mesh_layer(operands_.layer_of_weights(tensor))->weight
                        : on_host(value(id));
  }
  /// A layer on the mesh with what it reads.
  BoundLayer bound(std::size_t layer) const {
    const MeshLayer& on_mesh = *mapping_.mesh_layer(layer);
    return {on_mesh, value(on_mesh.input),
            on_mesh.weights.value >= 0 ? value(on_mesh.weights) : at::Tensor()};
  }

 private:
  at::Tensor value(dnn::ValueId id) const { return run_.value(id).toTensor(); }

  const Mapping& mapping_;
  const StoredOperands& operands_;
  const dnn::Divergence& run_;
};

/// The bytes of an element, at most 8, as a number.
inline std::uint64_t raw_of(const at::Tensor& tensor, std::int64_t element) {
  const auto* bytes = static_cast<const std::uint8_t*>(tensor.const_data_ptr());
  const auto size = static_cast<std::int64_t>(tensor.element_size());
  std::uint64_t raw = 0;
  for (std::int64_t byte = 0; byte < size; ++byte) {
    raw |= std::uint64_t{bytes[element * size + byte]} << (8 * byte);
  }
  return raw;
}

}  // namespace tilestrike::bridge
