// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the scrubbers of a chip's arrays make of struck cells (docs/core.md, "ECC"). No LibTorch
// here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "bridge/words/strike_job.h"
#include "sim/memory/memory_config.h"

namespace tilestrike::bridge {

struct ScrubbedCells {
  /// Cells that a visit within the inference flips: back, or where the code is mistaken, wrongly.
  std::vector<CellFault> flips;
  /// What of the struck cells is still wrong after a visit, whenever it comes.
  std::vector<CellFault> left;
  std::int64_t corrected = 0, detected = 0;  // codewords in which a visit found an error
};

/// Of flips, sorted by memory and bit; faults that are none are left, and nothing heals them.
/// `memories`: the arrays, by number. Cells of arrays without a scrubber are left as they are.
/// `end`: cycles of the inference.
ScrubbedCells scrub_cells(std::span<const CellFault> cells, const ScrubPhases& phases,
                          std::span<const std::pair<std::string, sim::MemoryConfig>> memories,
                          Cycle end);

}  // namespace tilestrike::bridge
