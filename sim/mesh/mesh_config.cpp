// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/mesh_config.h"

namespace tilestrike::sim {
namespace {

/// Input-stationary is a dataflow that people ask for, and no slip of "ws".
Field<MeshConfig> dataflow_field() {
  Field<MeshConfig> field = choice_field(
      "dataflow", &MeshConfig::dataflow,
      Choices<Dataflow>{{"ws", Dataflow::kWeightStationary}, {"os", Dataflow::kOutputStationary}},
      "ws: weights stay in the PEs; os: accumulators stay");
  field.read = [choose = field.read](MeshConfig& config, const Value& value,
                                     const std::string& path, ErrorList& errors) {
    if (value.is_scalar() && value.scalar == "is") {
      errors.add(ErrorCode::kUnsupported,
                 path + ": input-stationary ('is') is a dataflow that is not built",
                 value.place.text(), "allowed: ws, os");
      return;
    }
    choose(config, value, path, errors);
  };
  return field;
}

}  // namespace

FieldTable<MeshConfig> mesh_fields() {
  return {
      integer_field("rows", &MeshConfig::rows, kSmallestMesh, kLargestMesh, "PEs",
                    "rows of processing elements"),
      integer_field("columns", &MeshConfig::columns, kSmallestMesh, kLargestMesh, "PEs",
                    "columns of processing elements"),
      dataflow_field(),
      choice_field("overflow", &MeshConfig::overflow,
                   Choices<Overflow>{{"wrap", Overflow::kWrap}, {"saturate", Overflow::kSaturate}},
                   "what a 32-bit partial sum does beyond its range"),
      choice_field(
          "preload", &MeshConfig::preload,
          Choices<Preload>{{"overlapped", Preload::kOverlapped}, {"serial", Preload::kSerial}},
          "whether the next pass is loaded while this one streams"),
  };
}

}  // namespace tilestrike::sim
