// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Failures of DRAM devices: each trial is one, of a part of a device.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "campaigns/plan/failure_population.h"
#include "sim/strikes/dram_modes.h"

namespace tilestrike::campaigns {

/// One failure of a device of one of the memories, all of whose devices fail alike often. A
/// transient one flips cells just after the edge of `when.from`; a permanent one holds them over
/// `when`.
CellFailures fail_in_dram(std::span<const bridge::StudyMemory> memories,
                          std::span<const std::size_t> selected, const sim::DramConfig& config,
                          const sim::DramEventLaw& law, CycleWindow when, std::uint64_t seed,
                          std::uint64_t trial);

/// Devices, how often each fails in the ways that the trials are drawn from, and what becomes of
/// the cells. Throws Failure where the file of modes cannot be read.
std::vector<StrikeInput> dram_inputs(const StrikeConfig& strike);

class DramPopulation final : public FailurePopulation {
 public:
  /// Throws Failure where the rates of the failures cannot be read.
  DramPopulation(const Scenario& scenario, const bridge::StudyFacts& study);

  std::string text() const override;
  std::string what() const override { return "failures of DRAM devices"; }
  double device_fit() const override;
  /// Devices that are nothing like those that were studied.
  std::vector<std::string> warnings() const override;
  std::vector<std::string> not_modelled() const override;
  std::vector<StrikeInput> inputs() const override { return dram_inputs(strike()); }

 private:
  CellFailures failures_of(const std::vector<std::size_t>& selected, CycleWindow when,
                           const TrialStreams& streams) const override;
  int devices() const;

  sim::DramEventLaw law_;
};

}  // namespace tilestrike::campaigns
