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

/// Supply, law of the failure voltages, what of it is correlated, and the share of all cells that
/// fails by it. A number that is not the default is the scenario's.
std::vector<StrikeInput> low_voltage_inputs(const sim::LowVoltageConfig& config);

class LowVoltagePopulation final : public FailurePopulation {
 public:
  LowVoltagePopulation(const Scenario& scenario, const bridge::StudyFacts& study)
      : FailurePopulation(scenario, study) {}

  std::string text() const override { return "chips of " + cells_text() + " cells"; }
  std::string what() const override;
  std::vector<StrikeInput> inputs() const override {
    return low_voltage_inputs(strike().low_voltage);
  }
  bool are_trials_chips() const override { return true; }

 private:
  bool is_spread() const override { return true; }
  CellFailures failures_of(const std::vector<std::size_t>& selected, CycleWindow when,
                           const TrialStreams& streams) const override;
};

}  // namespace tilestrike::campaigns
