// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/low_voltage_population.h"

#include <algorithm>

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

std::vector<StrikeInput> low_voltage_inputs(const sim::LowVoltageConfig& config) {
  const sim::LowVoltageConfig standard;
  const auto of = [&](const char* key, const char* name, const char* unit,
                      double sim::LowVoltageConfig::*member) {
    return parameter_input(key, name, unit, config.*member, standard.*member,
                           sim::low_voltage_sources());
  };
  using Config = sim::LowVoltageConfig;
  std::vector<StrikeInput> inputs = {
      said_input("voltage", "V", config.voltage),
      of("median", "median of the failure voltages", "V", &Config::median),
      of("sigma", "standard deviation of the failure voltages", "V", &Config::sigma),
      of("correlated", "failures that come with a weak row or column", "", &Config::correlated),
      of("in_rows", "of these, those of rows", "", &Config::in_rows),
      of("density", "cells of a weak row or column that fail with it", "", &Config::density),
      of("ones", "failing cells that read 1", "", &Config::ones),
  };
  const StrikeInput &median = inputs[1], &sigma = inputs[2];
  inputs.push_back(sourced_input(
      "cells that fail at this voltage", "", sim::failing_share(config, config.voltage),
      "D:normal law;" +
          std::string(tag_of(std::max(median.value.provenance, sigma.value.provenance))) +
          ":its median and deviation"));
  return inputs;
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
