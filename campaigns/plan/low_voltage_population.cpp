// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/low_voltage_population.h"

#include "base/error.h"
#include "base/field_table.h"

namespace tilestrike::campaigns {

CellFailures fail_at_low_voltage(std::span<const bridge::StudyMemory> memories,
                                 std::span<const std::size_t> selected,
                                 const sim::LowVoltageConfig& config, std::uint64_t seed,
                                 std::uint64_t trial) {
  TS_CHECK(!selected.empty(), "a process needs a memory");
  CellFailures failures;
  failures.memory = selected.front();
  for (const std::size_t memory : selected) {
    const sim::ArrayGeometry geometry(memories[memory].config.array());
    const sim::LowVoltageArray array(geometry, config, seed, trial, memory);
    for (const sim::FailingCell& cell : array.failing(config.voltage)) {
      if (failures.cells++ == 0) {
        failures.memory = memory;
        failures.struck = geometry.cell_of(cell.bit);
      }
      if (cell.bit.codeword.value < memories[memory].used_codewords) {
        failures.faults.push_back({memory, cell.bit, stuck_at(cell.value), CycleWindow{}});
      }
    }
  }
  failures.about = std::to_string(failures.cells) + " cells fail at " +
                   field_detail::real_text(config.voltage) + " V";
  return failures;
}

std::string LowVoltagePopulation::what() const {
  return "cells that fail at " + field_detail::real_text(strike().low_voltage.voltage) + " V";
}

CellFailures LowVoltagePopulation::failures_of(const std::vector<std::size_t>& selected,
                                               CycleWindow, const TrialStreams& streams) const {
  return fail_at_low_voltage(memories(), selected, strike().low_voltage, streams.seed,
                             streams.trial.value);
}

}  // namespace tilestrike::campaigns
