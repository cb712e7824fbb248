// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a systolic mesh is: its size, dataflow, arithmetic and preload (docs/mesh.md).
#pragma once

#include "base/field_table.h"

namespace tilestrike::sim {

enum class Dataflow { kWeightStationary, kOutputStationary };
enum class Overflow { kWrap, kSaturate };
enum class Preload {
  kOverlapped,  // the next pass is loaded while this one streams
  kSerial,      // loading and streaming alternate
};

inline constexpr int kSmallestMesh = 2;
inline constexpr int kLargestMesh = 128;

struct MeshConfig {
  int rows = 16;
  int columns = 16;
  Dataflow dataflow = Dataflow::kWeightStationary;
  Overflow overflow = Overflow::kWrap;
  Preload preload = Preload::kOverlapped;

  bool is_weight_stationary() const { return dataflow == Dataflow::kWeightStationary; }
  friend bool operator==(const MeshConfig&, const MeshConfig&) = default;
};

FieldTable<MeshConfig> mesh_fields();

}  // namespace tilestrike::sim
