// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Chips whose supply is low: the cells that fail.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "campaigns/plan/failure_population.h"
#include "sim/strikes/low_voltage.h"

namespace tilestrike::campaigns {

/// The cells of chip `trial` that are stuck at this supply, for ever. `selected`: of `memories`.
CellFailures fail_at_low_voltage(std::span<const bridge::StudyMemory> memories,
                                 std::span<const std::size_t> selected,
                                 const sim::LowVoltageConfig& config, std::uint64_t seed,
                                 std::uint64_t trial);

class LowVoltagePopulation final : public FailurePopulation {
 public:
  LowVoltagePopulation(const Scenario& scenario, const bridge::StudyFacts& study)
      : FailurePopulation(scenario, study) {}

  std::string text() const override { return "chips of " + cells_text() + " cells"; }
  std::string what() const override;

 private:
  bool is_spread() const override { return true; }
  CellFailures failures_of(const std::vector<std::size_t>& selected, CycleWindow when,
                           const TrialStreams& streams) const override;
};

}  // namespace tilestrike::campaigns
