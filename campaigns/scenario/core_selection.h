// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which bits of a chip of neuromorphic cores a strike may hit (docs/core.md, "Strikes").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/field_table.h"
#include "bridge/accelerator/accelerator.h"
#include "sim/core/core_sites.h"

namespace tilestrike::campaigns {

/// What results call the registers and arrays of flip-flops of all cores together.
inline constexpr const char* kFlipFlops = "flip_flops";

/// What a whole field of a neuron, an axon or a word is made to be.
enum class FieldValue {
  kOneBit,   // it is not: one bit of it is struck
  kLowest,   // the most negative number; of an unsigned field 0
  kHighest,  // the largest
  kZero,
};

/// Empty lists mean all. Arrays, registers and fields add up: what any of them names is meant.
struct CoreSelection {
  std::vector<std::string> memories;   // arrays
  std::vector<std::string> registers;  // what is no array
  std::vector<std::string> fields;     // parts of a word: "threshold"
  std::vector<int> bits;               // of a field
  std::string layer;                   // glob: cores whose neurons are of such a layer
  std::vector<int> cores;
  std::optional<int> tick;  // only in this chip tick
  FieldValue value = FieldValue::kOneBit;

  /// Cells of arrays, check bits among them, rather than bits by what they mean.
  bool means_cells() const { return !memories.empty() && registers.empty() && fields.empty(); }
  /// Only some cores, or one tick.
  bool is_narrow() const { return !layer.empty() || !cores.empty() || tick.has_value(); }
  /// Whether the storage that a field is a part of may be struck there.
  bool has(const sim::CoreBlock& block, const sim::CoreField& field) const;
};

FieldTable<CoreSelection> core_selection_fields();

/// Adds an error for each name that such cores do not have, and where nothing is left.
/// `document` is the whole scenario, for places.
void check_core_selection(const CoreSelection& selection,
                          const bridge::AcceleratorConfig& accelerator, const Value& document,
                          ErrorList& errors);

}  // namespace tilestrike::campaigns
