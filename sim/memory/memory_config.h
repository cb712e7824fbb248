// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A memory of the accelerator as its YAML file describes it (docs/memory_arrays.md).
#pragma once

#include <string>
#include <vector>

#include "base/field_table.h"
#include "sim/memory/array_geometry.h"
#include "sim/memory/ecc_code.h"

namespace tilestrike::sim {

/// What a memory may hold.
enum class MemoryContent { kWeights, kActivations, kAccumulators };
std::string_view name_of(MemoryContent content);  // weights, activations, accumulators

struct MemoryConfig {
  std::vector<MemoryContent> holds;
  std::int64_t capacity_bytes = 0;  // data
  int banks = 1;
  int row_bytes = 128;  // data of one word line
  int data_bits = 64;   // of a codeword
  int interleave = 1;
  EccKind ecc = EccKind::kNone;

  /// Its array, whose check bits are those of the ECC. Only where check_memory() found nothing.
  ArrayConfig array() const;
  const EccCode& code() const { return EccCode::make(ecc, data_bits); }
  friend bool operator==(const MemoryConfig&, const MemoryConfig&) = default;
};

FieldTable<MemoryConfig> memory_fields();

/// Adds everything that is wrong with the memory as a whole: a code that does not have this width,
/// a geometry that does not multiply.
void check_memory(const MemoryConfig& memory, const std::string& path, const std::string& where,
                  ErrorList& errors);

}  // namespace tilestrike::sim
