// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes on memories make of one layer on the mesh: the question and the answer, whoever
// computes it (docs/memory_strikes.md, "Engines").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bridge/effects/splice.h"
#include "bridge/exposure/layer_reader.h"
#include "bridge/exposure/struck_contents.h"
#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {

struct MeshStrike {
  const BoundLayer& layer;
  const LayerRead& loaded;                 // what its copies on the chip hold as they are loaded
  const StruckContents::OfLayer& on_chip;  // struck contents that it reads
  std::span<const std::int32_t> clean;     // its accumulators if nothing were read wrong, by output
};

struct LayerEffect {
  std::vector<AccumulatorDelta> deltas;  // faulty less clean: sorted by index, no zeros
  bool is_felt = false;                  // a reader met a wrong value
  // Of each of the struck contents: at most one of each kind.
  std::vector<Findings> operands_found, sums_found;
  std::int64_t passes = 0;  // that were simulated
};

}  // namespace tilestrike::bridge
