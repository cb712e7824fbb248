// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A struck chip: the struck core goes through an engine, what it sends otherwise through the exact
// neurons of the cores that it reaches, until nothing differs (docs/core.md, "The chip").
#pragma once

#include <memory>

#include "sim/chip/chip_result.h"

namespace tilestrike::sim {

/// Computes struck chips, one after another.
class StruckChip {
 public:
  /// `engine` computes the struck cores where it covers the job, else `systemc` does; nullptr:
  /// `systemc` does always.
  explicit StruckChip(std::unique_ptr<CoreEngine> engine = nullptr);

  /// Where a feed that has changed meets a fault edge by edge, all cores go in lockstep
  /// (chip_lockstep.h).
  ChipResult strike(const ChipRun& run, const ChipJob& job);

 private:
  std::unique_ptr<CoreEngine> engine_, systemc_;
};

}  // namespace tilestrike::sim
