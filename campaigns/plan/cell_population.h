// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Single cells of memories, uniformly: a number of them, or each with a probability.
#pragma once

#include <cstdint>

#include "campaigns/plan/memory_population.h"

namespace tilestrike::campaigns {

class CellPopulation final : public MemoryPopulation {
 public:
  CellPopulation(const Scenario& scenario, const bridge::StudyFacts& study);

  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;
  DrawnTrial member(std::uint64_t index, FaultKind kind, CycleWindow when) const override;
  bool is_told_by_part(double faults) const override { return faults == 1.0; }

 private:
  bool is_spread() const override { return strike().count > 1 || strike().per_bit > 0.0; }
  CellFault cell_at(std::uint64_t index) const;
  CellFault one_cell(const TrialStreams& streams) const;
};

}  // namespace tilestrike::campaigns
