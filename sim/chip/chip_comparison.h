// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One struck chip on several engines: each by itself, and where two of them part.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/chip/struck_chip.h"
#include "sim/core/core_engine.h"

namespace tilestrike::sim {

/// Where two results of one struck chip part: "membrane 3 of the answer: 17; 18"; empty: nowhere.
std::string first_difference(const ChipResult& one, const ChipResult& other);

/// Struck chips on one engine, without another that stands in for it, or the lockstep of all cores.
class ChipOnEngine {
 public:
  explicit ChipOnEngine(std::unique_ptr<CoreEngine> engine);
  /// Nothing where the engine does not cover each struck core, or only the lockstep can tell.
  std::optional<ChipResult> strike(const ChipRun& run, const ChipJob& job);

 private:
  bool has_covered_ = true;
  StruckChip chip_;
};

}  // namespace tilestrike::sim
