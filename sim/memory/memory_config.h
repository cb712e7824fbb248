// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A memory of the accelerator as its YAML file describes it (docs/memory_arrays.md).
#pragma once

#include <string>
#include <vector>

#include "base/field_table.h"
#include "sim/ecc/ecc_code.h"
#include "sim/memory/array_geometry.h"

namespace tilestrike::sim {

/// Whether it is filled in halves.
enum class Buffering {
  kDouble,  // one half is filled while the other is read
  kSingle,  // what lies in it is read, then it is filled again
};

/// What a memory may hold.
enum class MemoryContent {
  kWeights,
  kActivations,
  kAccumulators,
  kBacking,  // every tensor of the network, off chip
};
std::string_view name_of(MemoryContent content);  // weights, activations, ..., backing

struct MemoryConfig {
  std::vector<MemoryContent> holds;
  std::int64_t capacity_bytes = 0;  // data
  int banks = 1;
  int row_bytes = 128;  // data of one word line
  int data_bits = 64;   // of a codeword
  int interleave = 1;
  EccKind ecc = EccKind::kNone;
  std::int64_t scrub_cycles = 0;  // a scrubber's period over the whole array; 0: there is none
  std::string scrub_time;         // the same as a time, where it was written so: "10us"
  Buffering buffering = Buffering::kDouble;

  /// Its array, whose check bits are those of the ECC. Only where check_memory() found nothing.
  ArrayConfig array() const;
  const EccCode& code() const { return EccCode::make(ecc, data_bits); }
  friend bool operator==(const MemoryConfig&, const MemoryConfig&) = default;
};

FieldTable<MemoryConfig> memory_fields();

/// Sets scrub_cycles where the period was written as a time. `where`: what messages begin with.
void convert_scrub_time(MemoryConfig& memory, double clock_mhz, const std::string& path,
                        const std::string& where, ErrorList& errors);

/// Adds everything that is wrong with the memory as a whole: a code that does not have this width,
/// a geometry that does not multiply.
void check_memory(const MemoryConfig& memory, const std::string& path, const std::string& where,
                  ErrorList& errors);

}  // namespace tilestrike::sim
